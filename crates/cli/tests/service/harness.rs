//! Servers of the real binary, and requests to them.
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The project that is always there.
pub(crate) const PROJECT: &str = "/api/v1/projects/00000000-0000-7000-8000-000000000001";

/// A server that answers; killed at the latest when the test ends.
pub(crate) struct Up {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) ready: Duration,
    client: reqwest::Client,
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runstone"));
    command.args(args).current_dir(folder);
    for (name, _) in std::env::vars() {
        if name.starts_with("RUNSTONE_") {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn said(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

pub(crate) fn up(folder: &Path, args: &[&str]) -> Up {
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
        client: reqwest::Client::new(),
    }
}

/// `runstone serve` on a database, with these settings.
pub(crate) fn serve(folder: &Path, url: &str, settings: &str) -> Up {
    std::fs::write(folder.join("c.toml"), settings).unwrap();
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        "c.toml",
        "--db",
        url,
    ];
    up(folder, &args)
}

impl Up {
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn request(&self, method: &str, path: &str, key: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(
            method.parse().unwrap(),
            format!("{}{PROJECT}{path}", self.url),
        );
        if key.is_empty() {
            request
        } else {
            request.bearer_auth(key)
        }
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Value {
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

    /// Starts so many runs at once; their ids.
    pub(crate) async fn batch(&self, key: &str, start: Value, number: usize) -> Vec<String> {
        let runs = json!({ "runs": vec![start; number] });
        let started = self.post("/runs:batch", key, runs).await;
        let items = started["items"].as_array().unwrap().iter();
        let id = |item: &Value| item["run_id"].as_str().unwrap().to_owned();
        items.map(id).collect()
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Value {
        self.request("GET", path, key)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The ids of a run's events, watched to its end.
    pub(crate) async fn watched(&self, run: &str, key: &str) -> Vec<u64> {
        let told = tokio::time::timeout(Duration::from_secs(90), self.told(run, key));
        told.await.unwrap()
    }

    /// The ids of a run's events, until it ends or the server does.
    pub(crate) async fn told(&self, run: &str, key: &str) -> Vec<u64> {
        let request = self.request("GET", &format!("/runs/{run}/events"), key);
        let mut text = Vec::new();
        if let Ok(mut answer) = request.send().await {
            while let Ok(Some(chunk)) = answer.chunk().await {
                text.extend(chunk);
            }
        }
        let text = String::from_utf8(text).unwrap();
        // An event without its end was cut off: it was not told.
        let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
        let ids = whole.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.map(|id| id.parse().unwrap()).collect()
    }
}

/// A key for everything, made in the database itself.
pub(crate) fn admin_key(folder: &Path, url: &str) -> String {
    let args = [
        "keys", "create", "--name", "t", "--role", "admin", "--json", "--db", url,
    ];
    let made: Value = serde_json::from_slice(&said(folder, &args).stdout).unwrap();
    made["key"].as_str().unwrap().to_owned()
}

pub(crate) fn rounds(number: u32, pause_ms: u32) -> Value {
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
