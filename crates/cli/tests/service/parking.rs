//! Runs that wait on a server: told as what they are, watched, waited for and cancelled like any
//! other; and a server that is killed while its runs are parked, or on their way there, leaves all of
//! them to the next, once each.
use std::{collections::BTreeMap, path::Path, time::Duration};

use runstone_testkit::{on_databases, servers::Fresh};
use serde_json::{Value, json};

use crate::{
    harness::{self, Up, admin_key},
    journal_check::check,
};

const RUNS: usize = 200;

fn nap(name: &str, length: &str) -> Value {
    json!({ "definition": {
        "runstone": 1, "name": name,
        "state": { "log": { "type": "array", "reducer": "append" } },
        "start": "before",
        "nodes": {
            "before": { "uses": "set", "with": { "log": "before" } },
            "nap": { "uses": "sleep", "with": { "for": length } },
            "after": { "uses": "set", "with": { "log": "after" } },
        },
        "edges": ["before -> nap -> after -> end"],
        "output": { "n": "${{ 5 * size(state.log) }}" },
    } })
}

const SETTINGS: &str = "[engine]\nlease_ms = 1000\n";

fn serve(folder: &Path, url: &str) -> Up {
    harness::serve(folder, url, SETTINGS)
}

/// Asks until the run is in that state.
async fn until(server: &Up, key: &str, run: &str, status: &str) -> Value {
    for _ in 0..1000 {
        let found = server.get(&format!("/runs/{run}"), key).await;
        if found["status"] == status {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    panic!("run {run} does not get {status}");
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]

    async fn a_parked_run_is_told_watched_waited_for_and_cancelled(fresh: &Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let key = admin_key(folder.path(), fresh.url());
        let server = serve(folder.path(), fresh.url());
        server.post("/flows", &key, nap("long", "1h")).await;
        server.post("/flows", &key, nap("short", "3s")).await;

        let long = server.batch(&key, json!({ "flow": "long" }), 1).await.remove(0);
        let parked = until(&server, &key, &long, "waiting").await;
        assert!(parked["wake_at"].is_string(), "{parked}");
        let steps = server.get(&format!("/runs/{long}/steps"), &key).await;
        let waiting = &steps["items"][1];
        assert_eq!(waiting["kind"], "waiting");
        assert!(waiting["until"].is_string(), "{waiting}");
        let listed = server.get("/runs?status=waiting", &key).await;
        assert_eq!(listed["items"][0]["id"], json!(long));
        server.post(&format!("/runs/{long}:cancel"), &key, json!({})).await;
        let ended = server.get(&format!("/runs/{long}"), &key).await;
        assert_eq!((&ended["status"], &ended["wake_at"]), (&json!("cancelled"), &Value::Null));

        let one = json!({ "flow": "short" });
        let waited = server.request("POST", "/runs?wait=30s", &key).json(&one);
        let watched = async {
            let id = server.batch(&key, json!({ "flow": "short" }), 1).await.remove(0);
            server.watched(&id, &key).await
        };
        let (waited, watched) = tokio::join!(waited.send(), watched);
        assert_eq!(watched, [1, 2, 3, 4, 5]);
        let waited = waited.unwrap();
        assert_eq!(waited.status(), 200);
        let waited: Value = waited.json().await.unwrap();
        assert_eq!(waited["output"], json!({ "n": 10 }));
    }

    async fn a_server_that_is_killed_loses_no_parked_run_and_doubles_none(fresh: &Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let key = admin_key(folder.path(), fresh.url());
        let mut server = serve(folder.path(), fresh.url());
        server.post("/flows", &key, nap("nap", "5s")).await;
        let mut ids = server.batch(&key, json!({ "flow": "nap" }), RUNS).await;
        until(&server, &key, &ids[0], "waiting").await;
        // Of these some are on their way.
        ids.extend(server.batch(&key, json!({ "flow": "nap" }), RUNS).await);
        for pause_ms in [0, 4500, 700] {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            server.signal("KILL");
            server.child.wait().unwrap();
            server = serve(folder.path(), fresh.url());
        }
        let mut acks = BTreeMap::new();
        for id in &ids {
            let run = until(&server, &key, id, "completed").await;
            assert_eq!(run["output"], json!({ "n": 10 }));
            assert_eq!(run["steps"], 3);
            let steps = server.get(&format!("/runs/{id}/steps"), &key).await;
            let steps = steps["items"].as_array().unwrap();
            let waits = steps.iter().filter(|step| step["kind"] == "waiting");
            assert_eq!(waits.count(), 1, "{steps:#?}");
            acks.insert(id.clone(), steps.len() as u64);
        }
        let found = check(fresh.url(), &acks).await;
        assert_eq!(found.runs, 2 * RUNS as u64);
        assert_eq!(
            (found.lost, found.twice, found.stale, found.stuck),
            (0, 0, 0, 0)
        );
    }
}
