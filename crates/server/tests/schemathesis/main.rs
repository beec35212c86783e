//! R8: schemathesis on the whole OpenAPI document, with a key, finds nothing. The tool is put into
//! an environment of its own below the target folder; without Python or a package index the test
//! says SKIPPED and passes.
#![expect(clippy::unwrap_used, reason = "tests")]
#[expect(
    dead_code,
    reason = "shared with the other tests, which use more of it"
)]
#[path = "../server/harness.rs"]
mod harness;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::json;

/// The release that the checks below were chosen for.
const RELEASE: &str = "schemathesis==4.32.5";
/// What is not checked, and why: a body may fit its schema and still not be accepted (a flow with
/// problems, a cursor of another list), and 428 is the answer to a missing `If-Match`.
const NOT_CHECKED: &str = "positive_data_acceptance,missing_required_header";

/// The program, installed once for all runs; None, said aloud, where it cannot be had.
fn program() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis-4.32.5");
    let program = folder.join("bin/st");
    if program.exists() {
        return Some(program);
    }
    let quiet = |mut command: Command| {
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    };
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(&folder);
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", RELEASE]);
    if quiet(venv) && quiet(pip) && program.exists() {
        Some(program)
    } else {
        eprintln!(
            "SKIPPED: schemathesis cannot be installed (python3, venv, pip, a package index)"
        );
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_schemathesis_finds_nothing() {
    let Some(program) = program() else {
        return;
    };
    // Wrong keys are tried too, and are not to run into their limit.
    let service = harness::Service::with(&[("rate.failures_per_address_per_min", "0")]).await;
    service.flow(harness::DEFAULT, harness::greet()).await;
    let path = format!("/projects/{}/runs?wait=10s", harness::DEFAULT);
    service
        .post(&path, json!({ "flow": "greet", "input": { "who": "Ada" } }))
        .await
        .ok(200);
    let mut command = tokio::process::Command::new(program);
    command
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .arg("run")
        .arg(format!("{}/openapi.json", service.url))
        .args([
            "--header",
            &format!("Authorization: Bearer {}", service.admin),
        ])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        .args([
            "--max-examples",
            "10",
            "--request-timeout",
            "20",
            "--seed",
            "1",
        ])
        .args(["--exclude-checks", NOT_CHECKED])
        .args(["--suppress-health-check", "all", "--continue-on-failure"])
        .args(["--generation-database", "none"])
        // They answer with a stream that ends with the run.
        .args([
            "--exclude-operation-id",
            "runs.events",
            "--exclude-operation-id",
            "runs.live",
        ]);
    let done = command.output().await.unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    let summary = told.find("= FAILURES =").unwrap_or(0);
    assert!(done.status.success(), "{}", &told[summary..]);
    service.stop().await;
}
