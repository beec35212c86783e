//! How close group commit comes to the bare driver: 128 tasks that commit rows of 1 KiB one by one,
//! against batches of 128 such rows from one loop, on the same disk in turns.
//! `cargo run --release -p runstone-store --example commit_throughput -- [sqlite:FILE|postgres://…]`
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use runstone_db::Dialect;
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId},
    time::Timestamp,
};
use runstone_store::{Commit, NewFlow, NewRun, OpenOptions, Row, SqlStore, Store as _};
use uuid::Uuid;

const TASKS: usize = 128;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let start = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() << 80;
    Uuid::from_u128(
        start | (7 << 76) | (2 << 62) | u128::from(NEXT.fetch_add(1, Ordering::Relaxed)),
    )
}

fn body() -> String {
    format!("{{\"patch\":\"{}\"}}", "x".repeat(1024 - 12))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| format!("sqlite:{}", folder.path().join("bench.db").display()));
    let options = OpenOptions {
        migrate: true,
        ..OpenOptions::default()
    };
    let store = Arc::new(SqlStore::open(&url, options).await.unwrap());
    let flow = store
        .put_flow(NewFlow {
            project: ProjectId::DEFAULT,
            name: "bench".to_owned(),
            definition: "{}".to_owned(),
            id: FlowVersionId(fresh()),
            created_at: Timestamp(1),
        })
        .await
        .unwrap()
        .id;
    for (what, tasks) in [("grouped", TASKS), ("single", 1)] {
        let (mut raws, mut grouped) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            raws.push(raw(&url, store.database().dialect(), tasks).await);
            grouped.push(group(&store, flow, tasks).await);
        }
        raws.sort_by(f64::total_cmp);
        grouped.sort_by(f64::total_cmp);
        let (raw, ours) = (raws[ROUNDS / 2], grouped[ROUNDS / 2]);
        println!(
            "{what}: raw {raw:.0} rows/s {raws:.0?}, store {ours:.0} rows/s {grouped:.0?}, ratio {:.2}",
            ours / raw
        );
    }
}

async fn group(store: &Arc<SqlStore>, flow: FlowVersionId, tasks: usize) -> f64 {
    let started = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let run = RunId(fresh());
                let mut commit = empty(run);
                commit.create = Some(NewRun {
                    project: ProjectId::DEFAULT,
                    flow_version: flow,
                    input: "{}".to_owned(),
                    created_at: Timestamp(1),
                    owner: None,
                    deadline: None,
                    labels: Vec::new(),
                });
                store.commit(commit).await.unwrap();
                let mut seq = 0;
                while started.elapsed() < ROUND {
                    for _ in 0..10 {
                        seq += 1;
                        let mut commit = empty(run);
                        commit.rows.push(row(seq));
                        store.commit(commit).await.unwrap();
                    }
                }
                seq
            })
        })
        .collect();
    let mut rows = 0;
    for task in tasks {
        rows += task.await.unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rows = rows as f64;
    rows / started.elapsed().as_secs_f64()
}

fn empty(run: RunId) -> Commit {
    Commit {
        run,
        epoch: 1,
        create: None,
        rows: Vec::new(),
        update: None,
        snapshot: None,
        blobs: Vec::new(),
    }
}

fn row(seq: u64) -> Row {
    Row {
        seq,
        kind: 2,
        node: Some("node".to_owned()),
        visit: 1,
        item: None,
        attempt: 1,
        started_at: Timestamp(1_700_000_000_000_000),
        duration_us: 1234,
        body: body(),
    }
}

async fn raw(url: &str, dialect: Dialect, rows: usize) -> f64 {
    match dialect {
        Dialect::Sqlite => {
            let path = format!("{}.raw", url.trim_start_matches("sqlite:"));
            tokio::task::spawn_blocking(move || raw_sqlite(&path, rows))
                .await
                .unwrap()
        }
        Dialect::Postgres => raw_postgres(url, rows).await,
        // `runstone bench` has the raw figures of these.
        Dialect::Mysql | Dialect::Mssql => f64::NAN,
    }
}

fn raw_sqlite(path: &str, rows: usize) -> f64 {
    let mut db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
         PRAGMA cache_size = -32768;
         CREATE TABLE IF NOT EXISTS journal (run_id BLOB NOT NULL, seq INTEGER NOT NULL,
           epoch INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run_id, seq)) STRICT;",
    )
    .unwrap();
    let runs: Vec<Uuid> = (0..rows).map(|_| fresh()).collect();
    let body = body();
    let started = Instant::now();
    let (mut written, mut seq) = (0.0, 0_i64);
    while started.elapsed() < ROUND {
        seq += 1;
        let tx = db.transaction().unwrap();
        {
            let mut insert = tx
                .prepare_cached("INSERT INTO journal VALUES (?1, ?2, 1, ?3)")
                .unwrap();
            for run in &runs {
                insert.execute((&run.as_bytes()[..], seq, &body)).unwrap();
                written += 1.0;
            }
        }
        tx.commit().unwrap();
    }
    written / started.elapsed().as_secs_f64()
}

async fn raw_postgres(url: &str, rows: usize) -> f64 {
    let (db, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    db.batch_execute(
        "CREATE TABLE IF NOT EXISTS raw_journal (run_id UUID NOT NULL, seq BIGINT NOT NULL,
           epoch BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run_id, seq))",
    )
    .await
    .unwrap();
    let runs: Vec<Uuid> = (0..rows).map(|_| fresh()).collect();
    let bodies = vec![body(); rows];
    let many = "INSERT INTO raw_journal SELECT r, $2, 1, b FROM unnest($1::uuid[], $3::text[]) AS n (r, b)";
    let many = db.prepare(many).await.unwrap();
    let one = db
        .prepare("INSERT INTO raw_journal VALUES ($1, $2, 1, $3)")
        .await
        .unwrap();
    let started = Instant::now();
    let (mut written, mut seq) = (0.0, 0_i64);
    while started.elapsed() < ROUND {
        seq += 1;
        if rows == 1 {
            db.execute(&one, &[&runs[0], &seq, &bodies[0]])
                .await
                .unwrap();
            written += 1.0;
        } else {
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let rows = db.execute(&many, &[&runs, &seq, &bodies]).await.unwrap() as f64;
            written += rows;
        }
    }
    let rate = written / started.elapsed().as_secs_f64();
    drop(db);
    let _ = driver.await;
    rate
}
