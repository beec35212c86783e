//! Watchers of runs: each follows the events of one run to the end, and must see every entry of its
//! journal once and in order.
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    task::JoinSet,
};

use super::{
    calls::{DEFAULT, put_flow, told},
    wire::Target,
};

/// Rounds of a watched run; each has two steps.
const ROUNDS: u64 = 20;
/// Entries of its journal: two a round and its end.
const ENTRIES: u64 = 2 * ROUNDS + 1;
/// Between two rounds: the runs take about as long as all watchers need to come.
const PAUSE: &str = "250ms";
/// A run and its watchers that take longer do not come to an end.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) watchers: usize,
    pub(super) runs: usize,
    pub(super) events: u64,
    /// Watchers that did not see everything once.
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    pub(super) seconds: f64,
}

/// Starts `runs` runs and watches them with `watchers` watchers in all.
pub(super) async fn run(target: Target, runs: usize, watchers: usize) -> anyhow::Result<Seen> {
    let ids = start(&target, runs).await?;
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for id in ids.iter().cycle().take(watchers) {
        let (target, id) = (target.clone(), id.clone());
        tasks.spawn(async move {
            let watched = tokio::time::timeout(PATIENCE, watch(&target, &id)).await;
            watched.unwrap_or_else(|_| bail!("run {id} was not watched to its end"))
        });
    }
    let mut seen = Seen {
        watchers,
        runs: ids.len(),
        events: 0,
        errors: 0,
        first_error: None,
        seconds: 0.0,
    };
    while let Some(done) = tasks.join_next().await {
        match done? {
            Ok(events) => seen.events += events,
            Err(error) => {
                seen.errors += 1;
                seen.first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
    seen.seconds = began.elapsed().as_secs_f64();
    Ok(seen)
}

async fn start(target: &Target, runs: usize) -> anyhow::Result<Vec<String>> {
    let flow = json!({
        "runstone": 1, "name": "bench_watched", "start": "count",
        "state": { "n": { "type": "integer", "default": 0 } },
        "nodes": {
            "count": { "uses": "set", "with": { "n": "${{ state.n + 1 }}" } },
            "pause": { "uses": "sleep", "with": { "for": PAUSE } },
        },
        "edges": [
            "count -> pause",
            { "from": "pause", "to": "count", "when": format!("state.n < {ROUNDS}") },
            { "from": "pause", "to": "end", "else": true },
        ],
    });
    let mut connection = target.connect().await?;
    put_flow(target, &mut connection, &flow).await?;
    let path = format!("/api/v1/projects/{DEFAULT}/runs");
    let request = target.post(&path, &json!({ "flow": "bench_watched" }).to_string());
    let mut ids = Vec::with_capacity(runs);
    for _ in 0..runs {
        let head = connection.call(&request).await?;
        ensure!(head.status == 202, "{}", told(&connection, head));
        let run: Value = serde_json::from_slice(connection.body(head))?;
        ids.push(run["id"].as_str().context("a run without id")?.to_owned());
    }
    Ok(ids)
}

/// Follows one run; gives how many events were seen.
async fn watch(target: &Target, run: &str) -> anyhow::Result<u64> {
    let path = format!("/api/v1/projects/{DEFAULT}/runs/{run}/events");
    let stream = target.connect().await?.open(&target.stream(&path)).await?;
    let mut lines = BufReader::with_capacity(4096, stream).lines();
    let status = lines.next_line().await?.unwrap_or_default();
    ensure!(status.contains(" 200 "), "run {run}: {status}");
    let (mut seen, mut last) = (0, String::new());
    while let Some(line) = lines.next_line().await? {
        if let Some(id) = line.strip_prefix("id: ") {
            let id: u64 = id.parse().context("an id that is no number")?;
            ensure!(id == seen + 1, "run {run}: entry {id} came after {seen}");
            seen = id;
        } else if let Some(kind) = line.strip_prefix("event: ") {
            kind.clone_into(&mut last);
        }
    }
    ensure!(
        (seen, last.as_str()) == (ENTRIES, "run_completed"),
        "run {run}: the stream ended after entry {seen}, {last}"
    );
    Ok(seen)
}
