//! The doctor finds what was broken on purpose, and nothing in a healthy store.
use runstone_db::Value;
use runstone_model::run::Status;
use runstone_store::{Blob, Commit, Finding, Severity, Snapshot, Store as _};
use runstone_testkit::on_every_database;

use crate::harness::{TestDb, at, create, flow, row, run_id, server_id, sql, update};

fn of<'a>(findings: &'a [Finding], check: &str) -> Vec<&'a Finding> {
    findings
        .iter()
        .filter(|finding| finding.check == check)
        .collect()
}

on_every_database! {
    async fn a_healthy_store_has_no_findings(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let me = server_id();
        store.heartbeat(me, at(100)).await.unwrap();
        let hash = "0f".repeat(32);
        let mut first = row(1);
        first.body = format!("{{\"$blob\":\"{hash}\"}}");
        let commit = Commit {
            rows: vec![first, row(2)],
            blobs: vec![Blob { hash, bytes: b"[1]".to_vec() }],
            snapshot: Some(Snapshot { seq: 1, body: "{}".to_owned() }),
            ..create(run_id(), flow, Some(me))
        };
        store.commit(commit).await.unwrap();
        let ended = Commit {
            update: Some(update(Status::Completed)),
            ..create(run_id(), flow, Some(me))
        };
        store.commit(ended).await.unwrap();
        assert_eq!(store.doctor(at(50)).await.unwrap(), []);
    }

    async fn what_is_broken_is_found(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let dead = server_id();
        let (gap, owned, damaged) = (run_id(), run_id(), run_id());
        let mut second = row(2);
        second.body = format!("[{{\"$blob\":\"{}\"}}]", "1a".repeat(32));
        store.commit(Commit {
            rows: vec![row(1), second, row(3)],
            blobs: vec![Blob { hash: "2b".repeat(32), bytes: b"unused".to_vec() }],
            ..create(gap, flow, None)
        }).await.unwrap();
        store.commit(create(owned, flow, Some(dead))).await.unwrap();
        store.commit(Commit {
            rows: vec![row(1)],
            snapshot: Some(Snapshot { seq: 1, body: "x".repeat(1000) }),
            ..create(damaged, flow, None)
        }).await.unwrap();
        sql(&store, "DELETE FROM journal WHERE run_id = :run AND seq = 1", &[(
            "run",
            Value::Uuid(gap.0),
        )]).await;
        sql(&store, "UPDATE snapshots SET size = 5 WHERE run_id = :run", &[(
            "run",
            Value::Uuid(damaged.0),
        )]).await;
        let orphan = run_id();
        sql(
            &store,
            "INSERT INTO journal (run_id, seq, epoch, kind, visit, attempt, started_at, duration_us,
               body) VALUES (:run, 1, 1, 1, 0, 0, 1, 1, '{}')",
            &[("run", Value::Uuid(orphan.0))],
        ).await;

        let found = store.doctor(at(50)).await.unwrap();
        let gaps = of(&found, "journal_gaps");
        assert_eq!(gaps.len(), 1, "{found:#?}");
        assert!(gaps[0].message.contains(&gap.to_string()));
        assert_eq!(gaps[0].severity, Severity::Error);
        assert!(of(&found, "journal_orphans")[0].message.contains(&orphan.to_string()));
        assert!(of(&found, "dead_owners")[0].message.contains(&dead.to_string()));
        assert!(of(&found, "blobs_missing")[0].message.contains(&"1a".repeat(32)));
        assert!(of(&found, "blobs_unused")[0].message.starts_with("1 stored value"));
        assert!(of(&found, "snapshots")[0].message.contains(&damaged.to_string()));
        assert_eq!(found.len(), 6, "{found:#?}");
    }
}
