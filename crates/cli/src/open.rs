//! Puts together what a command works with: the store behind a URL, the node kinds, the engine.
//! Turns every way in which that fails into words.
use std::{path::PathBuf, sync::Arc, time::Duration};

use runstone_db::masked;
use runstone_engine::{Clock as _, Engine, Options, Registry, SystemClock, loops::Loops};
use runstone_model::time::Timestamp;
use runstone_nodes::{Builtin, log::Line};
use runstone_store::{OpenError, OpenOptions, SqlStore};
use tokio::sync::mpsc;

use crate::{
    args::{DbArgs, EngineArgs},
    trouble::Trouble,
};

/// How long live runs get to come to a stop at the end.
const DRAIN: Duration = Duration::from_secs(5);

/// What the store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To execute runs; a new database is set up first.
    Execute,
    /// To execute runs that are there already; makes no database.
    GoOn,
    /// To create a run that others execute; a new database is set up first.
    Create,
    /// To write a request for whoever executes runs.
    Ask,
    /// To look.
    Look,
    /// To look at whatever is there, its schema changed by hand or not.
    Examine,
    /// To look at it and to mend it; nobody executes runs on an SQLite file meanwhile.
    Mend,
}

/// Opens the store. `who` is what another process is told that finds the database locked.
pub(crate) async fn store(
    db: &DbArgs,
    purpose: Purpose,
    who: &str,
) -> Result<Arc<SqlStore>, OpenError> {
    let options = OpenOptions {
        migrate: matches!(purpose, Purpose::Execute | Purpose::Create),
        read_only: matches!(purpose, Purpose::Look | Purpose::Examine),
        engine_lock: matches!(purpose, Purpose::Execute | Purpose::GoOn | Purpose::Mend),
        any_schema: matches!(purpose, Purpose::Examine | Purpose::Mend),
        who: who.to_owned(),
    };
    SqlStore::open(&db.url, options).await.map(Arc::new)
}

/// The store, opened to look.
pub(crate) async fn to_look(db: &DbArgs) -> Result<Arc<SqlStore>, Trouble> {
    store(db, Purpose::Look, "")
        .await
        .map_err(|error| trouble(db, error))
}

/// What the user is told of a database that cannot be opened.
pub(crate) fn trouble(db: &DbArgs, error: OpenError) -> Trouble {
    let place = masked(&db.url);
    let (reason, mend) = match error {
        OpenError::NewerSchema { found, known } => (
            format!("its schema has version {found}, this program knows {known}"),
            "use the newer runstone that migrated it",
        ),
        OpenError::NotMigrated { found: 0, .. } => (
            "there is nothing of runstone in it".to_owned(),
            "`runstone migrate up` sets it up",
        ),
        OpenError::NotMigrated { found, known } => (
            format!("its schema has version {found}, this program needs {known}"),
            "`runstone migrate up` brings it up to date",
        ),
        OpenError::Interrupted { version, done } => (
            format!("migration {version} was interrupted after {done} of its statements"),
            "`runstone migrate up` goes on with it",
        ),
        OpenError::Locked { holder } => (
            format!("another process is executing runs on it: {holder}"),
            "wait for that process or stop it; on a database server many can share one database",
        ),
        OpenError::HalfRestored => (
            "a restore into it did not finish".to_owned(),
            "wait for it if it is still at work, else restore into it again",
        ),
        OpenError::Drifted { difference } => (
            format!("its schema was changed by hand: {difference}"),
            "undo that change or restore a backup",
        ),
        OpenError::Corrupt { message } => (
            message,
            "if it is the right file, stop every process that uses it and restore the last backup",
        ),
        OpenError::WrongUrl { message }
        | OpenError::Unreachable { message }
        | OpenError::ReadOnly { message }
        | OpenError::Other { message } => (message, ""),
    };
    // Messages that quote the place already need not be told it again.
    let place = if reason.contains(&place) {
        String::new()
    } else {
        place
    };
    Trouble::at(place, reason).mend(mend)
}

/// Every built-in node kind; `log` lines go to `lines`.
pub(crate) fn registry(lines: Option<mpsc::UnboundedSender<Line>>) -> Result<Registry, Trouble> {
    let allowed = std::env::var("RUNSTONE_HTTP_ALLOW").unwrap_or_default();
    let http = allowed
        .parse()
        .map_err(|error: runstone_nodes::http::PolicyError| {
            Trouble::at("RUNSTONE_HTTP_ALLOW", error.to_string())
        })?;
    let log = lines.map(|lines| -> runstone_nodes::log::Sink {
        Arc::new(move |line: &Line| {
            let _ = lines.send(line.clone()); // nobody listens: the journal has it anyway
        })
    });
    let mut registry = Registry::new();
    registry.extend(runstone_nodes::builtin(Builtin {
        http,
        workspace: PathBuf::new(),
        confine: false,
        log,
    }));
    Ok(registry)
}

/// Runs that wait for so long or longer leave the memory of a process that stays: writing that and
/// reading it again take a few milliseconds.
pub(crate) const PARK: Duration = Duration::from_secs(2);

/// An engine with its heartbeat, and the store beneath.
pub(crate) struct Running {
    /// Executes runs.
    pub(crate) engine: Engine,
    store: Arc<SqlStore>,
    loops: Loops,
}

impl Running {
    /// Starts executing on `store`. Runs that wait for `park` or longer leave memory; whoever starts
    /// with that has to claim them when they are due.
    pub(crate) fn start(
        store: Arc<SqlStore>,
        registry: Registry,
        args: &EngineArgs,
        alone: bool,
        park: Option<Duration>,
    ) -> Self {
        let options = Options {
            lease: args.lease,
            heartbeat: args.lease / 5,
            alone,
            park,
            ..Options::default()
        };
        let engine = Engine::new(Arc::clone(&store) as _, registry, options);
        let loops = Loops::start(&engine, false);
        Self {
            engine,
            store,
            loops,
        }
    }

    /// Lets live runs come to a stop, gives up what this process owns, closes the database.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        let released = self.engine.drain(DRAIN).await;
        self.loops.join().await;
        self.store.close().await;
        released?;
        Ok(())
    }
}

/// An engine that only reads: nothing is executed, no heartbeat is written.
pub(crate) fn reader(store: &Arc<SqlStore>) -> Result<Engine, Trouble> {
    Ok(Engine::new(
        Arc::clone(store) as _,
        registry(None)?,
        Options::default(),
    ))
}

/// Owners whose last heartbeat is before this are dead; without an engine on an SQLite file all are.
pub(crate) fn heard_since(db: &DbArgs, lease: Duration) -> Timestamp {
    if runstone_store::engine_lock_is_free(&db.url) == Some(true) {
        return Timestamp(i64::MAX);
    }
    let lease = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
    Timestamp(SystemClock.now().0.saturating_sub(lease))
}

/// Whether the process that holds the engine's lock is the only one that can own runs.
pub(crate) fn alone(db: &DbArgs) -> bool {
    db.url.starts_with("sqlite:")
}
