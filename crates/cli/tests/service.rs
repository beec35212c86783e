//! The real binary as a server: `dev` without keys, `serve` with them, and two servers on one
//! database of which one stops or is killed in mid-run.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use runstone_testkit::servers::{Fresh, TestDatabase};
use serde_json::{Value, json};

const PROJECT: &str = "/api/v1/projects/00000000-0000-7000-8000-000000000001";

/// A server that answers; killed at the latest when the test ends.
struct Up {
    child: Child,
    url: String,
    ready: Duration,
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runstone"));
    command.args(args).current_dir(folder);
    for (name, _) in std::env::vars() {
        if name.starts_with("RUNSTONE_") {
            command.env_remove(name);
        }
    }
    command
}

fn said(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

fn up(folder: &Path, args: &[&str]) -> Up {
    let began = Instant::now();
    let mut command = command(folder, args);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let url = line
        .trim()
        .strip_prefix("listening on ")
        .unwrap_or_else(|| panic!("{line}"));
    Up {
        child,
        url: url.to_owned(),
        ready: began.elapsed(),
    }
}

impl Up {
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    fn request(&self, method: &str, path: &str, key: &str) -> reqwest::RequestBuilder {
        let client = reqwest::Client::new();
        let request = client.request(
            method.parse().unwrap(),
            format!("{}{PROJECT}{path}", self.url),
        );
        if key.is_empty() {
            request
        } else {
            request.bearer_auth(key)
        }
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> Value {
        let answer = self
            .request("POST", path, key)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
        answer.json().await.unwrap()
    }

    async fn get(&self, path: &str, key: &str) -> Value {
        self.request("GET", path, key)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The ids of a run's events, watched to its end.
    async fn watched(&self, run: &str, key: &str) -> Vec<u64> {
        let watching = async {
            let request = self.request("GET", &format!("/runs/{run}/events"), key);
            request.send().await.unwrap().text().await.unwrap()
        };
        let text = tokio::time::timeout(Duration::from_secs(90), watching)
            .await
            .unwrap();
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.map(|id| id.parse().unwrap()).collect()
    }
}

fn rounds(number: u32, pause_ms: u32) -> Value {
    json!({ "definition": {
        "runstone": 1, "name": "rounds",
        "state": { "n": { "type": "integer", "default": 0 } },
        "start": "count",
        "nodes": {
            "count": { "uses": "set", "with": { "n": "${{ state.n + 1 }}" } },
            "pause": { "uses": "sleep", "with": { "for": format!("{pause_ms}ms") } },
        },
        "edges": [
            "count -> pause",
            { "from": "pause", "to": "count", "when": format!("state.n < {number}") },
            { "from": "pause", "to": "end", "else": true },
        ],
        "output": { "n": "${{ state.n }}" },
    } })
}

#[tokio::test]
async fn dev_is_ready_at_once_and_parks_its_runs_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = up(folder.path(), &["dev", "--listen", "127.0.0.1:0"]);
    // Not a benchmark: only that nothing waits for something.
    assert!(server.ready < Duration::from_secs(10), "{:?}", server.ready);
    server.post("/flows", "", rounds(5, 300)).await;
    let run = server.post("/runs", "", json!({ "flow": "rounds" })).await;
    let id = run["id"].as_str().unwrap();
    server.signal("TERM");
    assert!(server.child.wait().unwrap().success());
    let again = up(folder.path(), &["dev", "--listen", "127.0.0.1:0"]);
    let seen = again.watched(id, "").await;
    let run = again.get(&format!("/runs/{id}"), "").await;
    assert_eq!(
        (&run["status"], &run["output"]),
        (&json!("completed"), &json!({ "n": 5 }))
    );
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
}

#[test]
fn dev_listens_on_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let said = said(folder.path(), &["dev", "--listen", "0.0.0.0:0"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("nobody is asked for a key"));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was made"
    );
}

#[tokio::test]
async fn serve_wants_a_key_takes_it_and_refuses_it_once_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let refused = said(folder.path(), &args);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains("there is no key and no issuer") && told.contains("runstone keys create"),
        "{told}"
    );

    let made = said(
        folder.path(),
        &[
            "keys", "create", "--name", "first", "--role", "admin", "--json",
        ],
    );
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    let server = up(folder.path(), &args);
    assert_eq!(
        server.request("GET", "", "").send().await.unwrap().status(),
        401
    );
    assert_eq!(
        server
            .request("GET", "", key)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let listed = said(folder.path(), &["keys", "list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains(id) && listed.contains("valid") && !listed.contains(key),
        "{listed}"
    );
    assert!(
        said(folder.path(), &["keys", "revoke", id])
            .status
            .success()
    );
    let begun = Instant::now();
    while server
        .request("GET", "", key)
        .send()
        .await
        .unwrap()
        .status()
        != 401
    {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it is still taken"
        );
    }
}

#[test]
fn wrong_settings_are_told_together_and_the_right_ones_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("wrong.toml"),
        "[server]\nlisten = \"x\"\n[lgo]\nlevel = \"info\"\n",
    )
    .unwrap();
    let wrong = said(folder.path(), &["serve", "--config", "wrong.toml"]);
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        told.contains("server.listen") && told.contains("did you mean log.level?"),
        "{told}"
    );
    let url = "postgres://me:hunter2@127.0.0.1/db";
    let right = said(folder.path(), &["serve", "--db", url, "--print-config"]);
    let printed = String::from_utf8_lossy(&right.stdout).into_owned();
    assert!(
        right.status.success() && printed.contains("# --db") && !printed.contains("hunter2"),
        "{printed}"
    );
}

/// Starts runs on one server, ends that server, and watches all of them to their end on the other.
async fn one_goes_and_the_other_finishes(signal: &str) {
    let Some(fresh) = Fresh::on(TestDatabase::Postgres).await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let url = fresh.url();
    let made = said(
        folder.path(),
        &[
            "keys", "create", "--name", "t", "--role", "admin", "--json", "--db", url,
        ],
    );
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let key = made["key"].as_str().unwrap();
    std::fs::write(folder.path().join("c.toml"), "[engine]\nlease_ms = 1000\n").unwrap();
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        "c.toml",
        "--db",
        url,
    ];
    let (mut here, there) = (up(folder.path(), &args), up(folder.path(), &args));
    here.post("/flows", key, rounds(10, 100)).await;
    let runs: Vec<Value> = (0..20).map(|_| json!({ "flow": "rounds" })).collect();
    let started = here.post("/runs:batch", key, json!({ "runs": runs })).await;
    let ids: Vec<&str> = started["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["run_id"].as_str().unwrap())
        .collect();
    let watching = futures::future::join_all(ids.iter().map(|id| there.watched(id, key)));
    let ending = async {
        // In mid-run: some steps are over, none of the runs is.
        while there.get(&format!("/runs/{}", ids[0]), key).await["steps"]
            .as_u64()
            .unwrap_or(0)
            < 4
        {}
        here.signal(signal);
    };
    let (seen, ()) = tokio::join!(watching, ending);
    here.child.wait().unwrap();
    for (id, seen) in ids.iter().zip(seen) {
        assert_eq!(
            seen,
            (1..=seen.len() as u64).collect::<Vec<_>>(),
            "no entry is missed or told twice"
        );
        let run = there.get(&format!("/runs/{id}"), key).await;
        assert_eq!(
            (&run["status"], &run["output"]),
            (&json!("completed"), &json!({ "n": 10 }))
        );
        assert_eq!(run["steps"], 20, "no step is lost, none is doubled");
    }
}

#[tokio::test]
async fn a_server_that_stops_leaves_its_runs_to_another_postgres() {
    one_goes_and_the_other_finishes("TERM").await;
}

#[tokio::test]
async fn a_server_that_is_killed_leaves_its_runs_to_another_postgres_kill() {
    one_goes_and_the_other_finishes("KILL").await;
}
