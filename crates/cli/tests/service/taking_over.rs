//! Two servers on one database: one is stopped or killed in mid-run, and the other finishes its
//! runs. Nothing is lost and nothing is done twice, as the journal says and as the world outside
//! saw it.
use std::{collections::BTreeMap, path::Path};

use runstone_testkit::{on_databases, servers::Fresh};
use serde_json::{Value, json};

use crate::{
    harness::{self, Up, admin_key},
    journal_check::check,
    witness::Witness,
};

const RUNS: usize = 20;
const ROUNDS: usize = 10;

/// Ten rounds, each with an effect outside.
fn flow() -> Value {
    json!({ "definition": {
        "runstone": 1, "name": "rounds",
        "input": { "type": "object", "required": ["url"], "properties": { "url": { "type": "string" } } },
        "state": { "n": { "type": "integer", "default": 0 } },
        "start": "count",
        "nodes": {
            "count": { "uses": "set", "with": { "n": "${{ state.n + 1 }}" } },
            "tell": { "uses": "http", "with": { "method": "POST", "url": "${{ input.url }}" } },
            "pause": { "uses": "sleep", "with": { "for": "100ms" } },
        },
        "edges": [
            "count -> tell -> pause",
            { "from": "pause", "to": "count", "when": format!("state.n < {ROUNDS}") },
            { "from": "pause", "to": "end", "else": true },
        ],
        "output": { "n": "${{ state.n }}" },
    } })
}

const SETTINGS: &str = "[engine]\nlease_ms = 1000\n[http]\nallow = [\"127.0.0.1\"]\n";

fn serve(folder: &Path, url: &str) -> Up {
    harness::serve(folder, url, SETTINGS)
}

async fn start(server: &Up, key: &str, witness: &Witness) -> Vec<String> {
    let one = json!({ "flow": "rounds", "input": { "url": witness.url() } });
    server.batch(key, one, RUNS).await
}

async fn one_goes_and_the_other_finishes(fresh: &Fresh, signal: &str) {
    let folder = tempfile::tempdir().unwrap();
    let key = admin_key(folder.path(), fresh.url());
    let (mut here, there) = (
        serve(folder.path(), fresh.url()),
        serve(folder.path(), fresh.url()),
    );
    let witness = Witness::start();
    here.post("/flows", &key, flow()).await;
    let ids = start(&here, &key, &witness).await;
    let told = futures::future::join_all(ids.iter().map(|id| here.told(id, &key)));
    let watched = futures::future::join_all(ids.iter().map(|id| there.watched(id, &key)));
    let ending = async {
        // In mid-run: some steps are over, none of the runs is.
        let steps = async || there.get(&format!("/runs/{}", ids[0]), &key).await["steps"].as_u64();
        while steps().await.unwrap_or(0) < 6 {}
        here.signal(signal);
    };
    let (told, watched, ()) = tokio::join!(told, watched, ending);
    let ended = here.child.wait().unwrap();
    assert_eq!(ended.success(), signal == "TERM", "{ended}");

    let cut = told
        .iter()
        .zip(&watched)
        .filter(|(told, all)| told.len() < all.len());
    assert!(
        cut.count() > RUNS / 2,
        "hardly a run was under way: it shows nothing"
    );

    let mut acks = BTreeMap::new();
    for ((id, told), watched) in ids.iter().zip(told).zip(watched) {
        let all: Vec<u64> = (1..=watched.len() as u64).collect();
        assert_eq!(watched, all, "a watcher on the other missed nothing");
        assert_eq!(told, all[..told.len()], "what was told before is true");
        acks.insert(id.clone(), watched.len() as u64);
        let run = there.get(&format!("/runs/{id}"), &key).await;
        assert_eq!(
            (&run["status"], &run["steps"]),
            (&json!("completed"), &json!(3 * ROUNDS))
        );
    }
    let found = check(fresh.url(), &acks).await;
    println!(
        "{signal}: {} runs, {} rows, {} taken over: lost {} / twice {} / stale {} / stuck {}",
        found.runs, found.rows, found.taken, found.lost, found.twice, found.stale, found.stuck
    );
    assert_eq!(found.runs, RUNS as u64);
    assert_eq!(
        (found.lost, found.twice, found.stale, found.stuck),
        (0, 0, 0, 0)
    );
    let seen = witness.seen.counts();
    assert_eq!(seen.len(), RUNS * ROUNDS, "each effect happened");
    // Only what was under way at that moment may have happened again: at most one step a run.
    let again: u32 = seen.values().map(|count| count - 1).sum();
    println!("{signal}: {again} effects of {} came again", seen.len());
    assert!(again as usize <= RUNS && seen.values().all(|count| *count <= 2));
}

on_databases! {
    [postgres Postgres, mariadb Mariadb]
    async fn a_server_that_stops_leaves_its_runs_to_another(fresh: &Fresh) {
        one_goes_and_the_other_finishes(fresh, "TERM").await;
    }

    async fn a_server_that_is_killed_leaves_its_runs_to_another(fresh: &Fresh) {
        one_goes_and_the_other_finishes(fresh, "KILL").await;
    }
}
