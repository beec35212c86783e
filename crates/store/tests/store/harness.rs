//! A fresh database for each test, and the smallest runs and flows to put into it.
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use runstone_db::{Dialect, Statement, Value};
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    run::Status,
    time::Timestamp,
};
use runstone_store::{Commit, NewFlow, NewRun, OpenOptions, Row, RunUpdate, SqlStore, Store as _};
use runstone_testkit::servers::{Fixture, Fresh, TestDatabase};
use uuid::Uuid;

/// An empty database: a file, or one of its own on a test server.
pub(crate) struct TestDb {
    pub(crate) url: String,
    pub(crate) dialect: Dialect,
    pub(crate) folder: PathBuf,
    _fresh: Fresh,
}

impl Fixture for TestDb {
    async fn open(database: TestDatabase) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        Some(Self {
            url: fresh.url().to_owned(),
            dialect: fresh.dialect(),
            folder: fresh.folder().to_owned(),
            _fresh: fresh,
        })
    }
}

impl TestDb {
    pub(crate) async fn sqlite() -> Self {
        Self::open(TestDatabase::Sqlite).await.unwrap()
    }

    pub(crate) async fn store(&self) -> SqlStore {
        let options = OpenOptions {
            migrate: true,
            who: "a test".to_owned(),
            ..OpenOptions::default()
        };
        SqlStore::open(&self.url, options).await.unwrap()
    }
}

/// A new UUID, in order of creation.
pub(crate) fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let process = u128::from(std::process::id());
    let time = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_millis();
    let count = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    Uuid::from_u128((time << 80) | (7 << 76) | (2 << 62) | (count << 24) | (process & 0xff_ffff))
}

pub(crate) fn run_id() -> RunId {
    RunId(fresh())
}

pub(crate) fn server_id() -> ServerId {
    ServerId(fresh())
}

pub(crate) fn at(us: i64) -> Timestamp {
    Timestamp(us)
}

pub(crate) async fn flow(store: &SqlStore, name: &str) -> FlowVersionId {
    let flow = NewFlow {
        project: ProjectId::DEFAULT,
        name: name.to_owned(),
        definition: format!("{{\"name\":\"{name}\"}}"),
        id: FlowVersionId(fresh()),
        created_at: at(1),
    };
    store.put_flow(flow).await.unwrap().id
}

pub(crate) fn empty(run: RunId, epoch: i64) -> Commit {
    Commit {
        run,
        epoch,
        create: None,
        rows: Vec::new(),
        update: None,
        snapshot: None,
        blobs: Vec::new(),
    }
}

pub(crate) fn create(run: RunId, flow: FlowVersionId, owner: Option<ServerId>) -> Commit {
    Commit {
        create: Some(NewRun {
            project: ProjectId::DEFAULT,
            flow_version: flow,
            input: "{\"n\":1}".to_owned(),
            created_at: at(2),
            owner,
            deadline: None,
            labels: Vec::new(),
        }),
        ..empty(run, 1)
    }
}

pub(crate) fn row(seq: u64) -> Row {
    Row {
        seq,
        kind: 2,
        node: Some("node".to_owned()),
        visit: 1,
        item: None,
        attempt: 1,
        started_at: at(1_000 + i64::try_from(seq).unwrap()),
        duration_us: 7,
        body: format!("{{\"seq\":{seq}}}"),
    }
}

pub(crate) fn rows(run: RunId, epoch: i64, seqs: impl IntoIterator<Item = u64>) -> Commit {
    Commit {
        rows: seqs.into_iter().map(row).collect(),
        ..empty(run, epoch)
    }
}

pub(crate) fn update(status: Status) -> RunUpdate {
    RunUpdate {
        status,
        finished_at: status.is_final().then_some(at(9)),
        output: (status == Status::Completed).then(|| "{\"done\":true}".to_owned()),
        error: (status == Status::Failed).then(|| "{\"class\":\"logic\"}".to_owned()),
        steps: 3,
        wake_at: None,
    }
}

/// Runs one statement of the test's own.
pub(crate) async fn sql(store: &SqlStore, text: &str, params: &[(&str, Value)]) -> u64 {
    let statement = Statement::render("test", text, store.database().dialect()).unwrap();
    store.database().execute(&statement, params).await.unwrap()
}

/// Keeps every commit from reaching the database until it is let go, so that a test can fill the
/// queue.
pub(crate) struct Hold {
    go: tokio::sync::oneshot::Sender<()>,
    done: tokio::task::JoinHandle<()>,
}

impl Hold {
    pub(crate) async fn on(store: &SqlStore) -> Self {
        let db = store.database().clone();
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let (held, holding) = tokio::sync::oneshot::channel();
        // SQLite has one writer: an open transaction is enough.
        let lock = match db.dialect() {
            Dialect::Sqlite => "SELECT 1",
            Dialect::Postgres => "LOCK TABLE journal, runs IN EXCLUSIVE MODE",
            Dialect::Mysql => "SELECT 1 FROM journal, runs FOR UPDATE",
            Dialect::Mssql => "SELECT 1 FROM journal WITH (TABLOCKX, HOLDLOCK)",
        };
        let lock = Statement::render("test", lock, db.dialect()).unwrap();
        let done = tokio::spawn(async move {
            db.transact(|tx| {
                Box::pin(async move {
                    tx.execute(&lock, &[]).await?;
                    held.send(()).unwrap();
                    let _ = wait.await;
                    Ok(())
                })
            })
            .await
            .unwrap();
        });
        holding.await.unwrap();
        Self { go, done }
    }

    pub(crate) async fn release(self) {
        self.go.send(()).unwrap();
        self.done.await.unwrap();
    }
}
