//! The engine: what it is made of. Use-cases are in `run/`, loops in `loops/`.
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use runstone_model::{
    ids::{RunId, ServerId},
    run::Secrets,
};
use runstone_store::Store;
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};

use crate::{
    Clock, Event, EventKind, Ids, RealIds, Registry, SystemClock,
    flows::Flows,
    live::Live,
    outage::Outage,
    run::taking::UnderWay,
    tally::{Done, Tally},
    wakes::Wakes,
};

/// News kept for a slow watcher before it loses some.
const EVENTS: usize = 16_384;

/// What can be set.
#[derive(Clone)]
pub struct Options {
    /// An owner that has not been heard of for this long is dead.
    pub lease: Duration,
    /// How often this process says it is alive.
    pub heartbeat: Duration,
    /// How many runs may be live in this process at the same time.
    pub max_live: usize,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn Ids>,
    /// Gives secrets to `with`.
    pub secrets: Arc<dyn Secrets>,
    /// How long to keep trying when the database does not answer; `None`: for ever.
    pub patience: Option<Duration>,
    /// A run that does nothing but wait, for so long or longer, leaves memory until it is due; for
    /// that some process has to claim (`Loops::start` with `claim`). `None`: it stays.
    pub park: Option<Duration>,
    /// No other process can execute runs on this database (an SQLite file is locked by its one
    /// engine): every other owner is dead, lease or not.
    pub alone: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            heartbeat: Duration::from_secs(2),
            max_live: 20_000,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RealIds),
            secrets: Arc::new(EnvSecrets),
            patience: None,
            park: None,
            alone: false,
        }
    }
}

/// Secrets from `RUNSTONE_SECRET_<NAME>` in the environment, the name in capitals.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EnvSecrets;

impl EnvSecrets {
    fn variable(name: &str) -> String {
        format!("RUNSTONE_SECRET_{}", name.to_uppercase())
    }
}

impl Secrets for EnvSecrets {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(Self::variable(name)).ok()
    }

    fn mend(&self, name: &str) -> Option<String> {
        let variable = Self::variable(name);
        Some(format!("set the environment variable {variable}"))
    }
}

/// Runs flows on a store. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Registry,
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) server: ServerId,
    pub(crate) flows: Flows,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) tally: Tally,
    /// Whether this server may own runs that are not live in it: an answer was lost.
    pub(crate) suspect: AtomicBool,
    /// Runs that are being claimed by their id.
    pub(crate) taking: UnderWay,
    /// Runs that could not be folded here: they are not tried again until somebody asks.
    pub(crate) unreadable: Mutex<BTreeSet<RunId>>,
    pub(crate) outage: Outage,
    /// When the heartbeat loop last did its work.
    pub(crate) beaten_at: Mutex<Instant>,
    /// When runs that wait for a time are due.
    pub(crate) wakes: Wakes,
    pub(crate) live: Live,
}

impl Engine {
    /// An engine on `store` that knows the kinds in `registry`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, registry: Registry, options: Options) -> Self {
        let server = ServerId(options.ids.next());
        Self {
            inner: Arc::new(Inner {
                store,
                registry,
                clock: Arc::clone(&options.clock),
                ids: Arc::clone(&options.ids),
                server,
                flows: Flows::default(),
                events: broadcast::channel(EVENTS).0,
                stop: watch::channel(false).0,
                tally: Tally::default(),
                suspect: AtomicBool::new(false),
                taking: UnderWay::default(),
                unreadable: Mutex::default(),
                outage: Outage::default(),
                beaten_at: Mutex::new(Instant::now()),
                wakes: Wakes::default(),
                live: Live::default(),
                options,
            }),
        }
    }

    /// This process among the servers on the database.
    #[must_use]
    pub fn server(&self) -> ServerId {
        self.inner.server
    }

    /// How long the heartbeat loop has not done its work, from the making of the engine on. Longer
    /// than a lease: the other servers take this one for dead.
    #[must_use]
    pub fn silence(&self) -> Duration {
        let at = self.inner.beaten_at.lock();
        at.unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// An owner that has not been heard of for this long is dead.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.inner.options.lease
    }

    /// The kinds it knows.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// The store it runs on.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// News from now on. A watcher that is too slow loses the oldest and is told so.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Why this process waits for its database, as long as it does: told once, however many runs
    /// wait, and once more when nobody does any longer.
    #[must_use]
    pub fn outages(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.inner.outage.watch()
    }

    /// How many runs are live in this process.
    #[must_use]
    pub fn live(&self) -> usize {
        self.inner.live.count()
    }

    /// Whether a run is live here.
    #[must_use]
    pub fn executes(&self, run: RunId) -> bool {
        self.inner.live.has(run)
    }

    /// What it has done so far.
    #[must_use]
    pub fn done(&self) -> Done {
        self.inner.tally.done()
    }

    /// Asks every live run to stop after what is being committed; they can be resumed.
    pub fn stop(&self) {
        self.inner.stop.send_replace(true);
    }
}

impl Inner {
    pub(crate) fn say(&self, run: RunId, kind: impl FnOnce() -> EventKind) {
        if self.events.receiver_count() > 0 {
            // Nobody listening any more is no trouble.
            let _ = self.events.send(Event { run, kind: kind() });
        }
    }
}
