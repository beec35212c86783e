//! `cargo xtask test`: every test, against real servers started for this one run.
//!
//! Says what ran on which database, and aloud what did not and why.

mod choice;
mod junit;
mod summary;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{answers, cargo, root, run, step};
use crate::servers::{self, Kind, Servers};
use choice::Choice;
use summary::{Count, Summary};

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

    /// Runs the tests that `filters` leave.
    fn command(self, filters: &[String]) -> Result<Command> {
        let mut command = match self {
            Runner::Nextest => cargo(&["nextest", "run", "--profile", "ci"])?,
            Runner::CargoTest => cargo(&["test", "--all-targets", "--no-fail-fast"])?,
        };
        if packages(filters).is_empty() {
            command.arg("--workspace");
        }
        command.args(filters);
        Ok(command)
    }

    /// Builds them; what else is said of them is said when they run.
    fn build(self, filters: &[String]) -> Result<Command> {
        let mut command = match self {
            Runner::Nextest => cargo(&["nextest", "run", "--profile", "ci", "--no-run"])?,
            Runner::CargoTest => cargo(&["test", "--all-targets", "--no-run"])?,
        };
        match packages(filters).as_slice() {
            [] => command.arg("--workspace"),
            packages => command.args(packages),
        };
        Ok(command)
    }
}

/// The arguments that name packages.
fn packages(args: &[String]) -> Vec<&String> {
    let mut found = Vec::new();
    for (at, arg) in args.iter().enumerate() {
        match arg.as_str() {
            "-p" | "--package" => found.extend(args.iter().skip(at).take(2)),
            other if other.starts_with("--package=") => found.push(arg),
            _ => {}
        }
    }
    found
}

pub(crate) fn test(args: &[String]) -> Result<()> {
    let (choice, filters) = Choice::read(args)?;
    let runner = Runner::find();
    // Servers are fetched and started while cargo compiles.
    let starting = servers::begin(&choice.kinds());
    let built = step("build", || run(&mut runner.build(&filters)?));
    let servers = starting.wait()?;
    built?;
    let mut summary = Summary::new(&servers.versions());
    let result = step("tests", || {
        with_servers(runner, &filters, &servers, &choice, &mut summary)
    });
    let result = result.and_then(|()| match filters.as_slice() {
        [] => step(DOC_TESTS, || doc_tests(&servers, &mut summary)),
        _ => Ok(()),
    });
    for (kind, reason) in servers.missing() {
        summary.not_run(kind.word(), reason);
    }
    drop(servers);
    summary.print();
    result
}

/// `cargo xtask servers`: the same servers, for tests that are run by hand.
pub(crate) fn only_servers(args: &[String]) -> Result<()> {
    let (choice, rest) = Choice::read(args)?;
    if !rest.is_empty() {
        bail!("servers takes --db and nothing else");
    }
    let servers = servers::begin(&choice.kinds()).wait()?;
    for (kind, url) in servers.urls() {
        println!("export {}='{url}'", kind.variable());
    }
    eprintln!("they run until Ctrl-C, or the end of standard input");
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

/// `cargo xtask check`: what the `quick` profile leaves, with no server to be found.
pub(crate) fn without_servers(runner: Runner) -> Result<()> {
    let mut command = match runner {
        Runner::Nextest => cargo(&["nextest", "run", "--workspace", "--profile", "quick"])?,
        Runner::CargoTest => {
            let mut command = cargo(&["test", "--quiet", "--workspace", "--all-targets", "--"])?;
            let words = Kind::ALL.map(Kind::word);
            for word in words.into_iter().chain(["kill", "slow"]) {
                command.args(["--skip", word]);
            }
            command
        }
    };
    for kind in Kind::ALL {
        command.env_remove(kind.variable());
    }
    run(&mut command)
}

fn with_servers(
    runner: Runner,
    filters: &[String],
    servers: &Servers,
    choice: &Choice,
    summary: &mut Summary,
) -> Result<()> {
    let mut command = runner.command(filters)?;
    servers.name_to(&mut command);
    choice.name_to(&mut command);
    if runner == Runner::CargoTest {
        return counted(&mut command, "all crates", summary);
    }
    // nextest keeps it there wherever cargo builds.
    let report = root()?.join("target/nextest/ci/junit.xml");
    forget(&report)?;
    let result = run(&mut command);
    // The table is worth most when a test failed.
    match std::fs::read_to_string(&report) {
        Ok(xml) => summary.add_cases(junit::cases(&xml)),
        Err(_) if result.is_err() => return result,
        Err(error) => bail!("nextest wrote no {}: {error}", report.display()),
    }
    result
}

fn doc_tests(servers: &Servers, summary: &mut Summary) -> Result<()> {
    let mut command = cargo(&["test", "--doc", "--workspace", "--no-fail-fast"])?;
    servers.name_to(&mut command);
    counted(&mut command, DOC_TESTS, summary)
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
