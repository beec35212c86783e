//! What every handler works with, put together once.
use std::{
    ops::Deref,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use runstone_engine::{Clock, Engine, Ids};
use runstone_model::time::Timestamp;
use runstone_store::SqlStore;
use tokio::sync::{Mutex, Semaphore, watch};
use uuid::Uuid;

use crate::{
    audit::Audit,
    auth::Auth,
    config::Settings,
    health::Health,
    http::schema::Schemas,
    live::Hub,
    metrics::Metrics,
    redis::{self, Redis},
    report::Reports,
    routes::{projects::Texts, quota::Underway},
    trace::Traces,
};

/// What a server is made of.
pub struct Parts {
    /// Executes runs.
    pub engine: Engine,
    /// The database.
    pub store: Arc<SqlStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn Ids>,
    /// What was configured.
    pub settings: Settings,
}

/// The state of all handlers. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What is behind an [`App`].
pub struct Inner {
    /// Executes runs.
    pub engine: Engine,
    /// The database.
    pub store: Arc<SqlStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn Ids>,
    /// What was configured.
    pub settings: Settings,
    pub(crate) auth: Auth,
    pub(crate) audit: Audit,
    pub(crate) schemas: Schemas,
    pub(crate) hub: Hub,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) reports: Reports,
    /// Projects as lists have them.
    pub(crate) projects: Texts,
    pub(crate) traces: Traces,
    /// What servers share, where it is configured.
    pub(crate) redis: Option<Arc<Redis>>,
    /// Requests that may be worked on at the same time.
    pub(crate) room: Arc<Semaphore>,
    /// Watchers that may be there at the same time.
    pub(crate) seats: Arc<Semaphore>,
    pub(crate) stopping: watch::Sender<bool>,
    /// Held while the database is being maintained.
    pub(crate) maintaining: Mutex<()>,
    /// Runs that are about to be gone on with, and are not live yet.
    pub(crate) going_on: AtomicUsize,
    /// What is being made of things that quotas count.
    pub(crate) underway: Underway,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// # Errors
    /// A setting cannot be used.
    pub(crate) fn new(parts: Parts) -> Result<Self, String> {
        let Parts {
            engine,
            store,
            clock,
            ids,
            settings,
        } = parts;
        let limits = &settings.limits;
        Ok(Self(Arc::new(Inner {
            redis: redis::connect(settings.redis.as_ref())?,
            traces: Traces::new(settings.trace.clone()),
            auth: Auth::new(&settings),
            audit: Audit::default(),
            schemas: Schemas::default(),
            hub: Hub::default(),
            health: Health::default(),
            metrics: Metrics::default(),
            projects: Texts::default(),
            reports: Reports::new(Duration::from_millis(settings.report_ms)),
            room: Arc::new(Semaphore::new(limits.concurrent_requests)),
            seats: Arc::new(Semaphore::new(limits.watchers)),
            stopping: watch::channel(false).0,
            maintaining: Mutex::default(),
            going_on: AtomicUsize::new(0),
            underway: Underway::default(),
            engine,
            store,
            clock,
            ids,
            settings,
        })))
    }

    /// UTC now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new UUID v7.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        self.ids.next()
    }
}
