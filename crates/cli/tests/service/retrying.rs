//! A run that failed is gone on with over HTTP: the world outside sees the failed step again and
//! nothing else, and a watcher sees it all as one journal.
use runstone_testkit::{on_databases, servers::Fresh};
use serde_json::json;

use crate::{
    harness::{said, serve},
    witness::Witness,
};

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]
    async fn a_failed_run_goes_on_from_its_last_good_step(fresh: &Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh.url();
        let key = crate::harness::admin_key(folder.path(), url);
        let server = serve(folder.path(), url, "[http]\nallow = [\"127.0.0.1\"]\n");
        let (before, after) = (Witness::start(), Witness::start());
        after.seen.refuse(true);
        let tell = |witness: &Witness| json!({ "uses": "http", "with": { "method": "POST", "url": witness.url() } });
        let flow = json!({ "runstone": 1, "name": "two", "start": "a",
            "nodes": { "a": tell(&before), "b": tell(&after) }, "edges": ["a -> b -> end"] });
        server.post("/flows", &key, json!({ "definition": flow })).await;
        let run = server.post("/runs?wait=30s", &key, json!({ "flow": "two" })).await;
        assert_eq!(run["status"], "failed", "{run}");
        let id = run["id"].as_str().unwrap();
        assert_eq!(server.watched(id, &key).await, [1, 2, 3]);

        after.seen.refuse(false);
        let again = server.post(&format!("/runs/{id}:retry"), &key, json!({})).await;
        assert_eq!((&again["id"], &again["error"]), (&run["id"], &json!(null)));
        // The end that was none does not end the stream.
        let seen = server.watched(id, &key).await;
        assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
        let path = format!("/runs/{id}/steps");
        let steps = server.get(&path, &key).await;
        let kinds = steps["items"].as_array().unwrap().iter().map(|step| step["kind"].clone());
        let expected = ["completed", "failed", "run_failed", "run_retried", "completed", "run_completed"];
        assert_eq!(kinds.collect::<Vec<_>>(), expected);
        let run = server.get(&format!("/runs/{id}"), &key).await;
        assert_eq!((&run["status"], &run["steps"]), (&json!("completed"), &json!(3)));
        assert_eq!(before.seen.counts().values().collect::<Vec<_>>(), [&1]);
        assert_eq!(after.seen.counts().values().collect::<Vec<_>>(), [&2], "one key, twice");

        let refused = server.request("POST", &format!("/runs/{id}:retry"), &key).send().await.unwrap();
        assert_eq!(refused.status(), 409);
        drop(server);
        let doctor = said(folder.path(), &["doctor", "--db", url]);
        assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
        let shown = said(folder.path(), &["show", id, "--steps", "--db", url]);
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.contains("(run failed)") && shown.contains("(retried)") && shown.contains("(run completed)"), "{shown}");
    }
}
