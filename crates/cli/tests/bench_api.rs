//! `runstone bench api` against the real server, and what a crowd at its door gets: every call is
//! answered right, every watcher sees everything. Times and memory are printed, nothing is said of
//! them.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// `runstone dev` on a file of its own; killed when the test ends.
struct Dev {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn runstone() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runstone"));
    for (name, _) in std::env::vars() {
        if name.starts_with("RUNSTONE_") {
            command.env_remove(name);
        }
    }
    command
}

impl Dev {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = runstone()
            .args(["dev", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap();
        Self {
            child,
            url: url.to_owned(),
            _folder: folder,
        }
    }

    fn bench(&self, call: &str, args: &[&str]) -> Value {
        let done = runstone()
            .args(["bench", "api", "--json", "--server", &self.url])
            .args(["--call", call])
            .args(args)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        let printed: Value = serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|error| panic!("{call}: {error}: {said}"));
        assert_eq!(printed["errors"], 0, "{printed}");
        assert!(done.status.success(), "{printed}");
        printed
    }

    /// `VmRSS` of `/proc`, where there is one.
    fn memory(&self) -> String {
        let file = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(file).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.unwrap_or("unknown").to_owned()
    }
}

#[test]
fn slow_every_call_is_answered_right() {
    let dev = Dev::start();
    for call in ["list", "get", "create", "mix", "runs", "document", "start"] {
        let printed = dev.bench(call, &["--concurrency", "8", "--requests", "80"]);
        assert_eq!(printed["requests"], 80, "{printed}");
        for field in ["requests_per_s", "p50_ms", "p95_ms", "p99_ms"] {
            assert!(printed[field].as_f64().unwrap() > 0.0, "{printed}");
        }
    }
}

#[test]
fn slow_a_hundred_runs_of_three_steps_at_once_all_complete() {
    let dev = Dev::start();
    let printed = dev.bench("start", &["--concurrency", "100", "--requests", "1000"]);
    assert_eq!(printed["requests"], 1000, "{printed}");
    println!(
        "100 runs of 3 steps at once over HTTP: p50 {} ms, p95 {} ms",
        printed["p50_ms"], printed["p95_ms"]
    );
}

#[test]
fn slow_a_thousand_watchers_of_a_hundred_runs_miss_nothing() {
    let dev = Dev::start();
    let before = dev.memory();
    let printed = dev.bench("watch", &["--concurrency", "1000", "--runs", "100"]);
    // Two steps in each of 20 rounds, and the end.
    assert_eq!(printed["events"], 1000 * 41, "{printed}");
    println!("before: {before}; after 1,000 watchers: {}", dev.memory());
}

#[test]
fn slow_a_thousand_connections_get_their_answers() {
    let dev = Dev::start();
    let printed = dev.bench("mix", &["--concurrency", "1000", "--requests", "5000"]);
    assert_eq!(printed["requests"], 5000, "{printed}");
}

#[test]
fn a_load_that_cannot_be_made_is_told() {
    let said = |args: &[&str]| {
        let done = runstone()
            .args(["bench", "api", "--seconds", "0.1"])
            .args(args)
            .output();
        let done = done.unwrap();
        (
            done.status.success(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        )
    };
    let (ok, told) = said(&[]);
    assert!(!ok && told.contains("--server http://HOST:PORT"), "{told}");
    let (ok, told) = said(&["--server", "https://127.0.0.1:1"]);
    assert!(!ok && told.contains("plain HTTP"), "{told}");
    let dev = Dev::start();
    // It listens on one address only.
    let (ok, told) = said(&["--server", &dev.url.replace("127.0.0.1", "127.0.0.2")]);
    assert!(!ok && told.contains("no connection to"), "{told}");
}
