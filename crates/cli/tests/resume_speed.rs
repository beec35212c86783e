//! How soon after a crash the first step is durable again, with 10,000 runs in flight. The bound
//! is for a program built without optimization on an occupied machine; the figure is printed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use runstone_testkit::{
    on_databases,
    servers::{Fresh, TestDatabase},
};

const BINARY: &str = env!("CARGO_BIN_EXE_runstone");
const IN_FLIGHT: usize = 10_000;
/// A slow reader of acknowledgements may miss some.
const NEARLY: usize = 9_000;
const BOUND: Duration = Duration::from_secs(5);
/// On a server a process counts as dead once it was not heard of for so long.
const LEASE: Duration = Duration::from_secs(1);

/// Has so many runs under way, each with a step that is durable, and kills their process.
fn crash(url: &str) {
    let mut child = Command::new(BINARY)
        .args([
            "bench",
            "chain",
            "--acks",
            "--runs",
            "100000000",
            "--lease",
            "1",
            "--db",
            url,
        ])
        .args(["--concurrency", &IN_FLIGHT.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = BTreeSet::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        seen.insert(line.split(' ').next().unwrap().to_owned());
        if seen.len() >= IN_FLIGHT {
            break;
        }
    }
    assert!(
        seen.len() >= IN_FLIGHT,
        "it ended by itself after {} runs",
        seen.len()
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

/// From the start of the process to the first step that is durable, and until nearly every run
/// has one.
fn resume(url: &str) -> (Duration, Duration) {
    let begun = Instant::now();
    let mut child = Command::new(BINARY)
        .args([
            "resume", "--all", "--acks", "--quiet", "--lease", "1", "--db", url,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = None;
    let mut seen = BTreeSet::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        first.get_or_insert_with(|| begun.elapsed());
        seen.insert(line.split(' ').next().unwrap().to_owned());
        if seen.len() >= NEARLY {
            break;
        }
    }
    let nearly = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(seen.len() >= NEARLY, "only {} runs went on", seen.len());
    (first.unwrap(), nearly)
}

fn crash_and_resume(fresh: &Fresh) {
    let (name, url) = (fresh.database().name(), fresh.url());
    crash(url);
    if fresh.database() != TestDatabase::Sqlite {
        // Nothing but time makes an owner dead on a server.
        std::thread::sleep(LEASE);
    }
    let (first, nearly) = resume(url);
    println!("{name}: first step after {first:.0?}, of {NEARLY} runs after {nearly:.1?}");
    assert!(first < BOUND, "{first:?}");
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]

    fn slow_killed_with_10_000_runs_in_flight_it_goes_on_at_once(fresh: &Fresh) {
        crash_and_resume(fresh);
    }
}
