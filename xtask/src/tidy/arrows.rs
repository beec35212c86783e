//! The arrows between crates point down only, and drivers stay where they belong.
//!
//! Cargo forbids cycles; this forbids what Cargo would take. The table is ARCHITECTURE.md's.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;

/// Crate → the crates of ours that it may build on. The testkit may use any, and only tests use it.
const ARROWS: [(&str, &[&str]); 10] = [
    ("runstone-model", &[]),
    ("runstone-db", &[]),
    ("runstone-store", &["runstone-model", "runstone-db"]),
    ("runstone-engine", &["runstone-model", "runstone-store"]),
    ("runstone-nodes", &["runstone-model", "runstone-engine"]),
    ("runstone-api", &["runstone-model"]),
    (
        "runstone-server",
        &[
            "runstone-api",
            "runstone-model",
            "runstone-db",
            "runstone-store",
            "runstone-engine",
            "runstone-nodes",
        ],
    ),
    (
        "runstone",
        &[
            "runstone-model",
            "runstone-db",
            "runstone-store",
            "runstone-engine",
            "runstone-nodes",
            "runstone-api",
            "runstone-server",
        ],
    ),
    // Shows that the database layer stands on its own.
    ("database-example", &["runstone-db"]),
    ("xtask", &[]),
];
const TESTKIT: &str = "runstone-testkit";

/// Crates of others → the only crates of ours that may use them outside tests.
const OUTSIDE: [(&str, &[&str]); 8] = [
    // The raw limit that `runstone bench` compares with is in runstone-db too.
    ("rusqlite", &["runstone-db"]),
    ("tokio-postgres", &["runstone-db"]),
    ("deadpool-postgres", &["runstone-db"]),
    ("mysql_async", &["runstone-db"]),
    ("tiberius", &["runstone-db"]),
    ("axum", &["runstone-server"]),
    (
        "reqwest",
        &["runstone-nodes", "runstone-server", "runstone"],
    ),
    ("clap", &["runstone"]),
];
/// The pure crate: no IO, no clock, no async.
const NOT_IN_MODEL: [&str; 4] = ["tokio", "futures", "rand", "tempfile"];
/// Crates whose name says nothing.
const EMPTY_NAMES: [&str; 4] = ["common", "utils", "types", "helpers"];

pub(super) fn check(metadata: &Value, findings: &mut Findings) -> Result<()> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let mut arrows = 0;
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if name.split('-').any(|part| EMPTY_NAMES.contains(&part)) {
            findings.problem(name, "a crate's name must say what it holds");
        }
        let allowed = ARROWS
            .iter()
            .find(|(from, _)| *from == name)
            .map(|(_, to)| *to);
        if allowed.is_none() && name != TESTKIT {
            findings.problem(
                name,
                "is a new crate: give it its row in xtask/src/tidy/arrows.rs",
            );
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            if dependency["path"].is_string() {
                arrows += 1;
                check_arrow(name, to, allowed, for_tests, findings);
            } else if !for_tests && name != TESTKIT {
                check_outside(name, to, findings);
            }
        }
    }
    findings.figure(format!(
        "crates: {} with {arrows} arrows between them",
        packages.len()
    ));
    Ok(())
}

fn check_arrow(
    from: &str,
    to: &str,
    allowed: Option<&[&str]>,
    for_tests: bool,
    findings: &mut Findings,
) {
    let fine = match (from, to) {
        (TESTKIT, _) => true,
        (_, TESTKIT) => for_tests,
        _ => allowed.is_none_or(|allowed| allowed.contains(&to)),
    };
    if !fine {
        let only = allowed.unwrap_or_default().join(", ");
        let only = if only.is_empty() {
            "none of ours"
        } else {
            &only
        };
        findings.problem(from, format!("may not build on {to} (only on: {only})"));
    }
}

fn check_outside(from: &str, to: &str, findings: &mut Findings) {
    if let Some((_, homes)) = OUTSIDE.iter().find(|(outside, _)| *outside == to)
        && !homes.contains(&from)
    {
        let homes = homes.join(", ");
        findings.problem(from, format!("may not use {to}: only {homes} may"));
    }
    if from == "runstone-model" && NOT_IN_MODEL.contains(&to) {
        findings.problem(
            from,
            format!("may not use {to}: the model has no IO, clock or chance"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(from: &str, dependency: Value) -> Vec<String> {
        let mut findings = Findings::default();
        let metadata = json!({"packages": [{"name": from, "dependencies": [dependency]}]});
        check(&metadata, &mut findings)
            .map_or_else(|error| vec![error.to_string()], |()| findings.problems)
    }

    #[test]
    fn an_arrow_down_is_fine_and_one_up_is_not() {
        let on = |name: &str| json!({"name": name, "kind": null, "path": "/x"});
        assert!(problems("runstone-store", on("runstone-model")).is_empty());
        let found = problems("runstone-store", on("runstone-engine"));
        let expected = "runstone-store: may not build on runstone-engine (only on: runstone-model, \
                        runstone-db)";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        let kit = |kind: Value| json!({"name": TESTKIT, "kind": kind, "path": "/x"});
        assert!(problems("runstone-store", kit(json!("dev"))).is_empty());
        assert_eq!(problems("runstone-store", kit(Value::Null)).len(), 1);
    }

    #[test]
    fn a_driver_outside_the_database_layer_is_found() {
        let driver = |kind: Value| json!({"name": "rusqlite", "kind": kind, "path": null});
        assert_eq!(problems("runstone-engine", driver(Value::Null)).len(), 1);
        assert!(problems("runstone-engine", driver(json!("dev"))).is_empty());
        assert!(problems("runstone-db", driver(Value::Null)).is_empty());
    }

    #[test]
    fn a_new_crate_needs_its_row() {
        let none = json!({"name": "serde", "kind": null, "path": null});
        assert!(problems("runstone-utils", none)[1].contains("give it its row"));
    }
}
