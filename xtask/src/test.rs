//! `cargo xtask test`: every test, against real servers started for this one run.
//!
//! Says what ran on which database, and aloud what did not and why.

mod junit;
mod summary;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::postgres::Postgres;
use crate::process::{answers, cargo, run, step, target_dir};
use summary::{Count, Summary};

/// The variables that tests read; a test without its server says so and passes.
const POSTGRES_VAR: &str = "RUNSTONE_TEST_POSTGRES_URL";
const MSSQL_VAR: &str = "RUNSTONE_TEST_MSSQL_URL";
const SERVER_VARS: [&str; 2] = [POSTGRES_VAR, MSSQL_VAR];
const DOC_TESTS: &str = "doc tests";

/// What runs the tests: nextest when the machine has it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    pub(crate) fn find() -> Self {
        let nextest = cargo(&["nextest", "--version"]);
        if nextest.is_ok_and(|mut command| answers(&mut command)) {
            return Runner::Nextest;
        }
        eprintln!(
            "cargo-nextest is not installed: using cargo test (slower, nothing is timed out)"
        );
        Runner::CargoTest
    }
}

pub(crate) fn test(filters: &[String]) -> Result<()> {
    let runner = Runner::find();
    let (server, url) = match std::env::var(POSTGRES_VAR) {
        Ok(url) => {
            eprintln!("PostgreSQL: the server that {POSTGRES_VAR} names");
            (None, url)
        }
        Err(_) => {
            let server = Postgres::start()?;
            let url = server.url();
            (Some(server), url)
        }
    };
    let mut summary = Summary::default();
    let result = step("tests", || {
        with_servers(runner, filters, &url, &mut summary)
    });
    let result = result.and_then(|()| match filters {
        [] => step(DOC_TESTS, || doc_tests(&url, &mut summary)),
        _ => Ok(()),
    });
    drop(server);
    if std::env::var_os(MSSQL_VAR).is_none() {
        summary.not_run(
            "SQL Server",
            &format!("{MSSQL_VAR} is not set, and not built yet"),
        );
    }
    summary.not_run("MySQL / MariaDB", "not built yet");
    summary.print();
    result
}

/// `cargo xtask check`: what the `quick` profile leaves, with no server to be found.
pub(crate) fn without_servers(runner: Runner) -> Result<()> {
    let mut command = match runner {
        Runner::Nextest => cargo(&["nextest", "run", "--workspace", "--profile", "quick"])?,
        Runner::CargoTest => {
            let mut command = cargo(&["test", "--quiet", "--workspace", "--all-targets", "--"])?;
            command.args(["--skip", "postgres", "--skip", "kill", "--skip", "slow"]);
            command
        }
    };
    SERVER_VARS.iter().for_each(|name| {
        command.env_remove(name);
    });
    run(&mut command)
}

fn with_servers(
    runner: Runner,
    filters: &[String],
    url: &str,
    summary: &mut Summary,
) -> Result<()> {
    if runner == Runner::CargoTest {
        let mut command = cargo(&["test", "--workspace", "--all-targets", "--no-fail-fast"])?;
        return counted(
            command.args(filters).env(POSTGRES_VAR, url),
            "all crates",
            summary,
        );
    }
    let report = target_dir()?.join("nextest/ci/junit.xml");
    forget(&report)?;
    let mut command = cargo(&["nextest", "run", "--profile", "ci"])?;
    if !filters
        .iter()
        .any(|word| word == "-p" || word.starts_with("--package"))
    {
        command.arg("--workspace");
    }
    let result = run(command.args(filters).env(POSTGRES_VAR, url));
    // The table is worth most when a test failed.
    match std::fs::read_to_string(&report) {
        Ok(xml) => junit::cases(&xml)
            .iter()
            .for_each(|case| summary.add_case(case)),
        Err(_) if result.is_err() => return result,
        Err(error) => bail!("nextest wrote no {}: {error}", report.display()),
    }
    result
}

fn doc_tests(url: &str, summary: &mut Summary) -> Result<()> {
    let mut command = cargo(&["test", "--doc", "--workspace", "--no-fail-fast"])?;
    counted(command.env(POSTGRES_VAR, url), DOC_TESTS, summary)
}

/// Runs a cargo test and adds up its `test result:` lines.
fn counted(command: &mut Command, suite: &str, summary: &mut Summary) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start cargo")?;
    let output = child.stdout.take().context("stdout is piped")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some(count) = Count::of_result_line(&line) {
            summary.add(suite, summary::NO_DATABASE, count);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo test ended with {status}");
    }
    Ok(())
}

fn forget(report: &PathBuf) -> Result<()> {
    match std::fs::remove_file(report) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
