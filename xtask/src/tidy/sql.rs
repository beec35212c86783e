//! Statements and migrations: one text for all databases, and a reason where there is another.
//!
//! `store/sql/<aggregate>/<verb>.sql` is the common text, `<verb>.<dialect>.sql` an override.
//! `store/migrations/<dialect>/NNNN_name.{up,down}.sql` exist in every dialect alike.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, Source};

const STATEMENTS: &str = "crates/store/sql/";
const MIGRATIONS: &str = "crates/store/migrations/";
/// The schema that all migrations together must give.
const SCHEMA: &str = "schema.sql";
const DIALECTS: [&str; 4] = ["sqlite", "postgres", "mysql", "mssql"];
/// Of the statements, in percent: beyond that the SQL is no longer written once.
const MAX_OVERRIDES: usize = 25;
/// A reason takes more than a word.
const MIN_REASON: usize = 20;

pub(super) fn check(sources: &[Source], findings: &mut Findings) {
    statements(sources, findings);
    migrations(sources, findings);
}

fn statements(sources: &[Source], findings: &mut Findings) {
    let files: Vec<_> = sources
        .iter()
        .filter(|source| source.path.starts_with(STATEMENTS) && source.path.ends_with(".sql"))
        .collect();
    let paths: BTreeSet<&str> = files.iter().map(|source| source.path.as_str()).collect();
    let mut overrides: BTreeMap<&str, usize> = BTreeMap::new();
    for source in &files {
        let head = head(source, findings);
        let stem = source.path.trim_end_matches(".sql");
        let Some((base, dialect)) = stem.rsplit_once('.') else {
            continue;
        };
        if !DIALECTS.contains(&dialect) {
            let known = DIALECTS.join(", ");
            findings.problem(&source.path, format!("`{dialect}` is no dialect ({known})"));
            continue;
        }
        *overrides.entry(dialect).or_default() += 1;
        let common = format!("{base}.sql");
        if !paths.contains(common.as_str()) {
            findings.problem(
                &source.path,
                format!("overrides nothing: there is no {common}"),
            );
        }
        let same = sources
            .iter()
            .any(|s| s.path == common && s.text.lines().next() == head);
        if same || head.is_some_and(|head| head.len() < MIN_REASON) {
            findings.problem(
                &source.path,
                "its first line must say why this database differs",
            );
        }
    }
    let common = files.len() - overrides.values().sum::<usize>();
    let mut figure = format!("sql: {common} statements");
    for dialect in DIALECTS {
        let count = overrides.get(dialect).copied().unwrap_or(0);
        figure += &format!(", {dialect} overrides {count}");
        if count * 100 >= common * MAX_OVERRIDES && count > 0 {
            let what = format!("{count} of {common} statements are overridden for {dialect}");
            findings.problem(
                STATEMENTS,
                format!("{what}, less than {MAX_OVERRIDES} % may be"),
            );
        }
    }
    findings.figure(figure);
}

fn head<'a>(source: &'a Source, findings: &mut Findings) -> Option<&'a str> {
    let head = source
        .text
        .lines()
        .next()
        .filter(|line| line.starts_with("--"));
    if head.is_none() {
        findings.problem(
            &source.path,
            "the first line must be a comment that says what it is for",
        );
    }
    head
}

fn migrations(sources: &[Source], findings: &mut Findings) {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources {
        let Some(rest) = source.path.strip_prefix(MIGRATIONS) else {
            continue;
        };
        let Some((dialect, file)) = rest.split_once('/') else {
            continue;
        };
        if file != SCHEMA && !is_migration(file) {
            findings.problem(
                &source.path,
                "must be called NNNN_name.up.sql or NNNN_name.down.sql",
            );
        }
        names.entry(dialect).or_default().insert(file);
    }
    let all: BTreeSet<&str> = names.values().flatten().copied().collect();
    for (dialect, here) in &names {
        for file in all.difference(here) {
            let place = format!("{MIGRATIONS}{dialect}/{file}");
            findings.problem(place, "is missing; another dialect has it");
        }
        for file in here.iter().filter(|file| is_migration(file)) {
            let other = match file.strip_suffix(".up.sql") {
                Some(name) => format!("{name}.down.sql"),
                None => format!("{}.up.sql", file.trim_end_matches(".down.sql")),
            };
            if !all.contains(other.as_str()) {
                findings.problem(format!("{MIGRATIONS}{dialect}/{other}"), "is missing");
            }
        }
    }
    findings.figure(format!(
        "migrations: {} files in {} dialects",
        all.len(),
        names.len()
    ));
}

fn is_migration(file: &str) -> bool {
    let stem = file
        .strip_suffix(".up.sql")
        .or_else(|| file.strip_suffix(".down.sql"));
    let Some((number, name)) = stem.and_then(|stem| stem.split_once('_')) else {
        return false;
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()) && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: &str = "-- SQLite has no SKIP LOCKED: there is one writer\n";

    fn findings(files: &[(&str, &str)]) -> Findings {
        let mut findings = Findings::default();
        let source = |(path, text): &(&str, &str)| Source {
            path: format!("crates/store/{path}"),
            text: (*text).to_owned(),
        };
        let sources: Vec<_> = files.iter().map(source).collect();
        check(&sources, &mut findings);
        findings
    }

    fn statements() -> Vec<(&'static str, &'static str)> {
        vec![
            ("sql/run/claim.sql", "-- Takes runs.\nSELECT 1"),
            ("sql/run/get.sql", "-- One run.\nSELECT 1"),
            ("sql/run/list.sql", "-- Many runs.\nSELECT 1"),
            ("sql/run/park.sql", "-- Waits.\nSELECT 1"),
            ("sql/run/wake.sql", "-- Wakes.\nSELECT 1"),
        ]
    }

    #[test]
    fn an_override_with_a_reason_is_fine_and_counted() {
        let mut files = statements();
        files.push(("sql/run/claim.sqlite.sql", WHY));
        let found = findings(&files);
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert!(found.figures[0].starts_with("sql: 5 statements, sqlite overrides 1, postgres"));
    }

    #[test]
    fn an_override_needs_a_reason_a_common_text_and_a_known_dialect() {
        let mut files = statements();
        files.push(("sql/run/claim.sqlite.sql", "-- Takes runs.\nSELECT 1"));
        files.push(("sql/run/gone.mysql.sql", WHY));
        files.push(("sql/run/get.oracle.sql", WHY));
        files.push(("sql/run/bare.sql", "SELECT 1"));
        let found = findings(&files).problems.join("\n");
        assert!(
            found.contains("claim.sqlite.sql: its first line must say why"),
            "{found}"
        );
        assert!(
            found.contains("there is no crates/store/sql/run/gone.sql"),
            "{found}"
        );
        assert!(found.contains("`oracle` is no dialect"), "{found}");
        assert!(
            found.contains("bare.sql: the first line must be a comment"),
            "{found}"
        );
    }

    #[test]
    fn too_many_overrides_are_found() {
        let mut files = statements();
        files.push(("sql/run/claim.mysql.sql", WHY));
        files.push(("sql/run/get.mysql.sql", WHY));
        assert!(
            findings(&files).problems[0].contains("2 of 5 statements are overridden for mysql")
        );
    }

    #[test]
    fn migrations_must_be_alike_in_all_dialects_and_have_both_ways() {
        let found = findings(&[
            ("migrations/sqlite/0001_runs.up.sql", ""),
            ("migrations/sqlite/0001_runs.down.sql", ""),
            ("migrations/sqlite/schema.sql", ""),
            ("migrations/postgres/0001_runs.up.sql", ""),
            ("migrations/postgres/0002_more.up.sql", ""),
            ("migrations/postgres/notes.sql", ""),
        ]);
        let found = found.problems.join("\n");
        assert!(
            found.contains("postgres/0001_runs.down.sql: is missing; another"),
            "{found}"
        );
        assert!(
            found.contains("sqlite/0002_more.up.sql: is missing; another"),
            "{found}"
        );
        assert!(
            found.contains("postgres/0002_more.down.sql: is missing"),
            "{found}"
        );
        assert!(found.contains("postgres/schema.sql: is missing"), "{found}");
        assert!(found.contains("notes.sql: must be called"), "{found}");
    }
}
