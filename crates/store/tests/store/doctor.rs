//! The doctor finds what was broken on purpose, mends what is safe, finds nothing afterwards, and
//! nothing in a healthy store.
use std::sync::Mutex;

use futures::future::BoxFuture;
use runstone_db::{Dialect, Value};
use runstone_model::{
    ids::{FlowVersionId, RunId},
    run::Status,
    time::Timestamp,
};
use runstone_store::{
    Blob, Commit, Examination, Finding, Fix, Folded, Folds, Progress, Severity, Snapshot, SqlStore,
    Store as _,
};
use runstone_testkit::on_every_database;

use crate::harness::{TestDb, at, create, flow, row, run_id, server_id, sql, update};

/// Heartbeats before this are too old.
const EXPIRED: Timestamp = Timestamp(50);

async fn look(store: &SqlStore) -> Vec<Finding> {
    store.doctor(EXPIRED).await.unwrap()
}

/// Mends; values that were written before `untouched_since` may be deleted.
async fn fix(store: &SqlStore, untouched_since: i64) -> Vec<Finding> {
    let how = Examination {
        expired_before: EXPIRED,
        untouched_since: at(untouched_since),
        fix: Some(Fix {
            server: server_id(),
            now: at(1_000),
        }),
        folds: None,
        progress: &|_| {},
    };
    store.examine(how).await.unwrap()
}

/// The one finding, which names `check` and says `told`.
fn only<'a>(findings: &'a [Finding], check: &str, told: &str) -> &'a Finding {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].check, check, "{findings:#?}");
    assert!(findings[0].message.contains(told), "{findings:#?}");
    &findings[0]
}

/// That the one finding is mended, and nothing is found after that.
pub(crate) async fn mended(store: &SqlStore, check: &str, told: &str, done: &str) {
    only(&look(store).await, check, told);
    let found = fix(store, i64::MAX).await;
    let fixed = only(&found, check, told).fixed.clone();
    assert!(
        fixed.as_deref().is_some_and(|fixed| fixed.contains(done)),
        "{fixed:?}"
    );
    assert!(!found[0].is_open());
    assert_eq!(look(store).await, []);
}

/// That the one finding stays, whatever is done.
async fn stays(store: &SqlStore, check: &str, told: &str) {
    for found in [
        look(store).await,
        fix(store, i64::MAX).await,
        look(store).await,
    ] {
        let found = only(&found, check, told);
        assert!(
            found.is_open() && found.severity == Severity::Error,
            "{found:?}"
        );
    }
}

/// The journal's rows of a run.
fn of(run: RunId) -> [(&'static str, Value); 1] {
    [("run", Value::Uuid(run.0))]
}

/// A run that has ended after two steps, as the engine leaves it.
async fn ended(store: &SqlStore, flow: FlowVersionId) -> RunId {
    let run = run_id();
    let mut last = row(3);
    last.kind = 6;
    let mut update = update(Status::Completed);
    update.steps = 2;
    let commit = Commit {
        rows: vec![row(1), row(2), last],
        update: Some(update),
        ..create(run, flow, Some(server_id()))
    };
    store.commit(commit).await.unwrap();
    run
}

/// A run without an owner, with two rows, the first of which refers to a value, and a snapshot.
async fn with_value(store: &SqlStore, flow: FlowVersionId, digit: &str) -> RunId {
    let (run, hash) = (run_id(), digit.repeat(64));
    let mut first = row(1);
    first.body = format!("{{\"$blob\":\"{hash}\"}}");
    let commit = Commit {
        rows: vec![first, row(2)],
        blobs: vec![Blob {
            hash,
            bytes: b"[1]".to_vec(),
        }],
        snapshot: Some(Snapshot {
            seq: 1,
            body: "{}".to_owned(),
        }),
        ..create(run, flow, None)
    };
    store.commit(commit).await.unwrap();
    run
}

/// Takes a constraint away, so that what it forbids can be written; answers how it comes back.
async fn lift(store: &SqlStore, what: Constraint) -> String {
    let (table, text, name) = match what {
        Constraint::SnapshotOfRun => (
            "snapshots",
            "FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE",
            "snapshots_run",
        ),
        Constraint::EndedWithoutOwner => (
            "runs",
            "CHECK (finished_at IS NULL OR owner_id IS NULL)",
            "runs_ended_without_owner",
        ),
    };
    let dialect = store.database().dialect();
    let name = match (dialect, what) {
        (Dialect::Postgres, Constraint::SnapshotOfRun) => "snapshots_run_id_fkey",
        _ => name,
    };
    match (dialect, what) {
        (Dialect::Sqlite, Constraint::SnapshotOfRun) => {
            sql(store, "PRAGMA foreign_keys = 0", &[]).await;
            "PRAGMA foreign_keys = 1".to_owned()
        }
        (Dialect::Sqlite, Constraint::EndedWithoutOwner) => {
            sql(store, "PRAGMA ignore_check_constraints = 1", &[]).await;
            "PRAGMA ignore_check_constraints = 0".to_owned()
        }
        (Dialect::Postgres | Dialect::Mysql | Dialect::Mssql, _) => {
            let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
            sql(store, &drop, &[]).await;
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} {text}")
        }
    }
}

#[derive(Clone, Copy)]
enum Constraint {
    SnapshotOfRun,
    EndedWithoutOwner,
}

/// Findings that are not about the schema: to do damage a test may have to change it.
fn of_data(findings: Vec<Finding>) -> Vec<Finding> {
    let data = |finding: &Finding| !["schema", "integrity"].contains(&finding.check);
    findings.into_iter().filter(data).collect()
}

/// Answers the same whatever it is asked.
struct Says(Folded);

impl Folds for Says {
    fn compare<'a>(&'a self, _: RunId, _: &'a Snapshot) -> BoxFuture<'a, Folded> {
        Box::pin(async move { self.0.clone() })
    }
}

on_every_database! {
    async fn a_healthy_store_has_no_findings(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        with_value(&store, flow, "a").await;
        ended(&store, flow).await;
        let me = server_id();
        store.heartbeat(me, at(100)).await.unwrap();
        store.commit(create(run_id(), flow, Some(me))).await.unwrap();
        assert_eq!(look(&store).await, []);
        assert_eq!(fix(&store, i64::MAX).await, []);
    }

    async fn a_gap_in_a_journal_is_found_and_left(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = ended(&store, flow).await;
        sql(&store, "DELETE FROM journal WHERE run_id = :run AND seq = 2", &of(run)).await;
        stays(&store, "journal_gaps", &format!("run {run} has 2 rows, its last is 3")).await;
        sql(&store, "DELETE FROM journal WHERE run_id = :run", &of(run)).await;
        stays(&store, "journal_gaps", &format!("run {run} has ended and has no journal")).await;
    }

    async fn the_journal_of_no_run_is_deleted(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        ended(&store, flow).await;
        let orphan = run_id();
        sql(
            &store,
            "INSERT INTO journal (run_id, seq, epoch, kind, visit, attempt, started_at, duration_us,
               body) VALUES (:run, 1, 1, 1, 0, 0, 1, 1, '{}')",
            &of(orphan),
        ).await;
        let told = format!("a journal of run {orphan}, but no such run");
        mended(&store, "journal_orphans", &told, &format!("deleted 1 rows of run {orphan}")).await;
    }

    async fn steps_are_counted_again(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = ended(&store, flow).await;
        sql(&store, "UPDATE runs SET steps = 7 WHERE id = :run", &of(run)).await;
        let told = format!("run {run} says 7 steps, its journal has 2");
        mended(&store, "counters", &told, &format!("run {run} says 2 steps now")).await;
        assert_eq!(store.run(run).await.unwrap().unwrap().steps, 2);
    }

    async fn runs_of_a_dead_owner_are_fenced_and_released(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let (dead, living) = (server_id(), server_id());
        store.heartbeat(dead, at(49)).await.unwrap();
        store.heartbeat(living, at(51)).await.unwrap();
        let (run, other) = (run_id(), run_id());
        let commit = Commit { rows: vec![row(1)], ..create(run, flow, Some(dead)) };
        store.commit(commit).await.unwrap();
        store.commit(create(run_id(), flow, Some(dead))).await.unwrap();
        store.commit(create(other, flow, Some(living))).await.unwrap();
        let told = format!("2 unfinished run(s) belong to server {dead}, which is dead");
        let done = format!("2 run(s) of server {dead} have no owner now");
        mended(&store, "dead_owners", &told, &done).await;
        let record = store.run(run).await.unwrap().unwrap();
        assert_eq!((record.owner, record.epoch), (None, 2));
        assert_eq!(store.run(other).await.unwrap().unwrap().owner, Some(living));
        // The old owner comes back and finds itself fenced.
        let late = Commit { rows: vec![row(2)], create: None, ..create(run, flow, Some(dead)) };
        assert_eq!(store.commit(late).await, Err(runstone_store::Error::Fenced));
    }

    async fn an_ended_run_loses_its_owner(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = ended(&store, flow).await;
        let back = lift(&store, Constraint::EndedWithoutOwner).await;
        sql(&store, "UPDATE runs SET owner_id = id WHERE id = :run", &of(run)).await;
        let told = format!("run {run} has ended and still has an owner");
        only(&of_data(look(&store).await), "ended_with_owner", &told);
        let fixed = of_data(fix(&store, i64::MAX).await);
        assert!(!only(&fixed, "ended_with_owner", &told).is_open());
        sql(&store, &back, &[]).await;
        assert_eq!(look(&store).await, []);
        assert_eq!(store.run(run).await.unwrap().unwrap().owner, None);
    }

    async fn the_snapshot_of_no_run_is_deleted(db: &TestDb) {
        let store = db.store().await;
        let back = lift(&store, Constraint::SnapshotOfRun).await;
        let run = run_id();
        let body = Value::Bytes(zstd::bulk::compress(b"{}", 3).unwrap());
        let insert = "INSERT INTO snapshots (run_id, seq, size, body) VALUES (:run, 1, 2, :body)";
        sql(&store, insert, &[("run", Value::Uuid(run.0)), ("body", body)]).await;
        let told = format!("{run} of snapshots belongs to a run that is not there");
        only(&of_data(look(&store).await), "orphans", &told);
        let fixed = of_data(fix(&store, i64::MAX).await);
        assert!(!only(&fixed, "orphans", &told).is_open());
        sql(&store, &back, &[]).await;
        assert_eq!(look(&store).await, []);
    }

    async fn values_that_no_run_refers_to_are_deleted_when_they_are_old(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let kept = with_value(&store, flow, "a").await;
        let commit = Commit {
            rows: vec![row(1)],
            blobs: (0..7).map(|digit| Blob {
                hash: digit.to_string().repeat(64),
                bytes: b"unused".to_vec(),
            }).collect(),
            ..create(run_id(), flow, None)
        };
        store.commit(commit).await.unwrap();
        let old = "UPDATE blobs SET touched_at = 5 WHERE hash <> :hash";
        sql(&store, old, &[("hash", "0".repeat(64).into())]).await;
        let found = look(&store).await;
        let noted = only(&found, "blobs_unused", "7 stored values belong to no run");
        assert!(noted.severity == Severity::Note && !noted.is_open());
        let found = fix(&store, 6).await;
        let fixed = &only(&found, "blobs_unused", "6 stored values").fixed;
        assert_eq!(fixed.as_deref(), Some("deleted 6 values"));
        only(&look(&store).await, "blobs_unused", "1 stored values");
        assert!(fix(&store, 6).await.is_empty());
        assert_eq!(store.journal(kept, 0, 1).await.unwrap()[0].row.body, "[1]");
    }

    async fn a_value_that_is_used_again_is_young_again(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = with_value(&store, flow, "a").await;
        sql(&store, "UPDATE blobs SET touched_at = 5", &[]).await;
        sql(&store, "DELETE FROM journal WHERE run_id = :run", &of(run)).await;
        only(&look(&store).await, "blobs_unused", "1 stored values");
        with_value(&store, flow, "a").await;
        sql(&store, "DELETE FROM journal WHERE seq = 1", &[]).await;
        let found = fix(&store, 6).await;
        assert!(found.iter().all(|finding| finding.check != "blobs_unused"), "{found:#?}");
        assert_eq!(sql(&store, "DELETE FROM blobs WHERE touched_at > 6", &[]).await, 1);
    }

    async fn a_value_that_is_missing_is_found_and_left(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = with_value(&store, flow, "a").await;
        sql(&store, "DELETE FROM blobs", &[]).await;
        let told = format!("run {run} refers to the value {}", "a".repeat(64));
        stays(&store, "blobs_missing", &told).await;
    }

    async fn a_snapshot_that_cannot_be_read_goes_when_the_journal_is_whole(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = with_value(&store, flow, "a").await;
        sql(&store, "UPDATE snapshots SET size = 5 WHERE run_id = :run", &of(run)).await;
        sql(&store, "UPDATE snapshots SET seq = 9 WHERE run_id = :run", &of(run)).await;
        stays(&store, "snapshots", &run.to_string()).await;
        sql(&store, "UPDATE snapshots SET seq = 2 WHERE run_id = :run", &of(run)).await;
        let done = format!("deleted the snapshot of run {run}");
        mended(&store, "snapshots", &run.to_string(), &done).await;
        let loaded = store.load(&[run]).await.unwrap().remove(0);
        assert_eq!((loaded.snapshot, loaded.rows.len()), (None, 2));
    }

    async fn a_snapshot_is_held_against_its_journal(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = with_value(&store, flow, "a").await;
        let with = |fix: Option<Fix>, folds: &'static Says| {
            let how = Examination {
                expired_before: EXPIRED,
                untouched_since: at(0),
                fix,
                folds: Some(folds),
                progress: &|_| {},
            };
            store.examine(how)
        };
        let fix = Some(Fix { server: server_id(), now: at(1_000) });
        let says = |folded| &*Box::leak(Box::new(Says(folded)));
        assert_eq!(with(fix, says(Folded::Same)).await.unwrap(), []);
        let broken = with(fix, says(Folded::Broken("row 1 is odd".to_owned()))).await.unwrap();
        assert!(only(&broken, "snapshots", "row 1 is odd").is_open());
        let unknown = with(fix, says(Folded::Unknown("kind x".to_owned()))).await.unwrap();
        assert!(!only(&unknown, "snapshots", "kind x").is_open());
        let different = says(Folded::Different("they differ in `state`".to_owned()));
        assert!(only(&with(None, different).await.unwrap(), "snapshots", "`state`").is_open());
        let fixed = with(fix, different).await.unwrap();
        assert!(!only(&fixed, "snapshots", &run.to_string()).is_open());
        assert_eq!(with(None, different).await.unwrap(), [], "there is no snapshot any more");
    }

    async fn a_changed_schema_is_a_finding_and_a_foreign_key_without_an_index_too(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = ended(&store, flow).await;
        sql(&store, "UPDATE runs SET steps = 7 WHERE id = :run", &of(run)).await;
        // MySQL keeps an index on each foreign key.
        let (drop, keys) = match db.dialect {
            Dialect::Sqlite | Dialect::Postgres => ("DROP INDEX runs_flow_version", true),
            Dialect::Mssql => ("DROP INDEX runs_flow_version ON runs", true),
            Dialect::Mysql => ("ALTER TABLE runs DROP CONSTRAINT runs_epoch", false),
        };
        sql(&store, drop, &[]).await;
        let found = look(&store).await;
        let checks: Vec<_> = found.iter().map(|finding| finding.check).collect();
        if keys {
            assert_eq!(checks, ["schema", "foreign_keys", "counters"], "{found:#?}");
            assert!(found[1].message.contains("`runs` (flow_version_id)"), "{found:#?}");
        } else {
            assert_eq!(checks, ["schema", "counters"], "{found:#?}");
        }
        sql(&store, "DROP TABLE snapshots", &[]).await;
        let found = look(&store).await;
        assert!(found.iter().all(|finding| finding.check != "counters"), "{found:#?}");
        let told = |text: &str| found.iter().any(|finding| finding.message.contains(text));
        assert!(told("the table `snapshots` is missing") && told("was not examined"), "{found:#?}");
    }

    async fn more_than_a_page_of_everything_is_read_and_told_in_short(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let runs = 1_203;
        for chunk in 0..3 {
            let commits = (0..runs / 3).map(|n| {
                let mut commit = create(run_id(), flow, None);
                commit.rows = vec![row(1)];
                if n == 0 {
                    let hash = chunk.to_string().repeat(64);
                    commit.rows[0].body = format!("{{\"$blob\":\"{hash}\"}}");
                    commit.blobs = vec![Blob { hash, bytes: b"1".to_vec() }];
                }
                store.commit(commit)
            });
            for done in futures::future::join_all(commits).await {
                done.unwrap();
            }
        }
        assert_eq!(look(&store).await, []);
        sql(&store, "UPDATE journal SET seq = 2", &[]).await;
        let progress = Mutex::new(Vec::new());
        let how = Examination {
            expired_before: EXPIRED,
            untouched_since: at(i64::MAX),
            fix: None,
            folds: None,
            progress: &|at: Progress| progress.lock().unwrap().push(at),
        };
        let found = store.examine(how).await.unwrap();
        assert_eq!(found.len(), 21, "{found:#?}");
        assert_eq!(found[20].message, "and 1183 more like these");
        let progress = progress.into_inner().unwrap();
        for at in ["journals", "runs"] {
            let last = progress.iter().rfind(|progress| progress.at == at);
            assert_eq!(last.map(|progress| progress.done), Some(runs), "{progress:?}");
        }
    }
}
