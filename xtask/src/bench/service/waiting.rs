//! The third row of P12: many runs that sleep for an hour, started in batches over HTTP, and the
//! memory that the server takes while they all wait.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::up::Up;
use super::{Plan, Waited};
use crate::servers::disk_folder;

/// Runs that wait.
const RUNS: u64 = 100_000;
/// Runs of one request: as many as the server takes.
const BATCH: u64 = 500;
/// The default project.
const PROJECT: &str = "/api/v1/projects/00000000-0000-7000-8000-000000000001";
/// How long the last of them may take to leave memory.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts them on a server with an empty SQLite database, and looks when none is in memory any more.
pub(super) fn measure(plan: &Plan<'_>) -> Result<Waited> {
    let runs = (RUNS / plan.shorter).max(BATCH);
    let folder = tempfile::Builder::new()
        .prefix("runstone-bench-")
        .tempdir_in(disk_folder())?;
    let up = Up::ours(plan.runstone, folder.path(), &["dev"])?;
    let before_mb = up.memory_mb();
    let flow = json!({"definition": {
        "runstone": 1, "name": "nap", "start": "nap",
        "nodes": {"nap": {"uses": "sleep", "with": {"for": "1h"}}},
        "edges": ["nap -> end"],
    }});
    post(&up, &format!("{PROJECT}/flows"), &flow)?;
    let began = Instant::now();
    let (mut started, mut most_mb) = (0, before_mb);
    while started < runs {
        let batch = BATCH.min(runs - started);
        let items: Vec<Value> = (0..batch).map(|_| json!({"flow": "nap"})).collect();
        let answer = post(
            &up,
            &format!("{PROJECT}/runs:batch"),
            &json!({"runs": items}),
        )?;
        let items = answer["items"].as_array().context("no items")?;
        let there = items.iter().filter(|one| one["run_id"].is_string()).count() as u64;
        if there < batch {
            bail!(
                "{} of {batch} runs were not started: {answer}",
                batch - there
            );
        }
        started += batch;
        most_mb = most_mb.max(up.memory_mb());
    }
    let last = Instant::now();
    while number(&up, "runstone_runs_parked_total")? < runs as f64
        || number(&up, "runstone_runs_live")? > 0.0
    {
        if last.elapsed() > PATIENCE {
            bail!("not all of {runs} runs wait after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let seconds = began.elapsed().as_secs_f64();
    eprintln!(
        "runstone: {runs} runs wait, {:.0} of them a second",
        runs as f64 / seconds
    );
    Ok(Waited {
        runs,
        seconds,
        before_mb,
        most_mb: most_mb.max(up.memory_mb()),
        waiting_mb: up.memory_mb(),
    })
}

/// One of the numbers that the server tells of itself.
fn number(up: &Up, name: &str) -> Result<f64> {
    let request = "GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    let text = ask(up, request)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.with_context(|| format!("/metrics does not tell {name}"))?;
    Ok(value.trim().parse()?)
}

fn post(up: &Up, path: &str, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let text = ask(
        up,
        &format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    )?;
    if !text.starts_with("HTTP/1.1 2") {
        bail!("POST {path}: {text}");
    }
    let (_, body) = text
        .split_once("\r\n\r\n")
        .context("an answer without a body")?;
    serde_json::from_str(body).with_context(|| format!("POST {path}: {body}"))
}

fn ask(up: &Up, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(up.url.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
