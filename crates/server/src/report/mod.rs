//! Reports: answers that are dear to compute and may be a little old. They are kept in memory and,
//! where it is configured, in Redis, always under their project; a write of the project makes them
//! void, on this server and, through Redis, on all. Never used for anything with side effects.
//! See docs/adr/0008.
mod generation;
mod shared;
mod shelf;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use runstone_model::{ids::ProjectId, time::Timestamp};
use serde::Serialize;

use self::{
    generation::Generations,
    shared::Shared,
    shelf::{Kept, Shelf},
};
use crate::{Answer, App, Fault, metrics::Counter};

/// Every report that is kept, and what makes it void.
#[derive(Debug)]
pub(crate) struct Reports {
    /// How long one is good at most; none are kept without.
    lifetime: Option<Duration>,
    shelf: Shelf,
    generations: Generations,
    shared: Shared,
    /// Orders arrivals and computations.
    turns: AtomicU64,
    /// Answered from this process.
    pub(crate) from_memory: Counter,
    /// Answered from Redis.
    pub(crate) from_redis: Counter,
    /// Computed.
    pub(crate) computed: Counter,
}

/// What a report is kept under: its project, and a hash of its name and its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ReportKey {
    project: ProjectId,
    of: [u8; 32],
}

impl ReportKey {
    fn new(project: ProjectId, name: &str, query: &impl Serialize) -> Answer<Self> {
        let text = serde_json::to_vec(&(name, query));
        let text = text.map_err(|error| Fault::internal(error.to_string()))?;
        Ok(Self {
            project,
            of: blake3::hash(&text).into(),
        })
    }
}

/// Where a project stands before a report on it is computed: what it is kept under.
#[derive(Clone, Debug)]
struct Standing {
    here: u64,
    /// Of all servers; none while Redis is away or not trusted.
    everywhere: Option<String>,
}

impl Reports {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime: (!lifetime.is_zero()).then_some(lifetime),
            shelf: Shelf::default(),
            generations: Generations::default(),
            shared: Shared::default(),
            turns: AtomicU64::new(0),
            from_memory: Counter::default(),
            from_redis: Counter::default(),
            computed: Counter::default(),
        }
    }

    /// What is kept, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.shelf.bytes()
    }

    fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::SeqCst)
    }
}

/// A write in `project` was carried out: reports computed before it are void, here and, through
/// Redis, on the other servers, before its caller hears of it.
pub(crate) async fn written(app: &App, project: ProjectId, status: StatusCode) {
    let reports = &app.reports;
    let Some(lifetime) = reports.lifetime else {
        return;
    };
    // A refused write has changed nothing; one that failed or was cut off may have.
    if status.is_client_error() {
        return;
    }
    reports.generations.raise(project);
    if let Some(redis) = &app.redis {
        let token = app.new_id().simple().to_string();
        reports.shared.raise(redis, project, &token, lifetime).await;
    }
}

/// The report `name` of `project`: one that is kept and good, else the one that `make` computes for
/// now. Callers that come while it is computed share it. `query` is everything that it depends on.
pub(crate) async fn report<T, M>(
    app: &App,
    project: ProjectId,
    name: &str,
    query: &impl Serialize,
    make: impl FnOnce(Timestamp) -> M,
) -> Answer
where
    T: Serialize,
    M: Future<Output = Answer<T>>,
{
    let reports = &app.reports;
    let Some(lifetime) = reports.lifetime else {
        let body = computed(app, app.now(), make).await?;
        return Ok(told(body, Duration::ZERO));
    };
    let key = ReportKey::new(project, name, query)?;
    let arrived = reports.turn();
    if let Ok(kept) = found(app, key, lifetime).await {
        return Ok(kept.told(app.now()));
    }
    let gate = reports.shelf.gate(key);
    let _computing = gate.lock().await;
    // Begun after this request came: it has seen every write that was over by then.
    let shared = reports.shelf.find(key, app.now(), lifetime);
    if let Some(kept) = shared.filter(|kept| kept.turn > arrived) {
        reports.from_memory.add(1);
        return Ok(kept.told(app.now()));
    }
    let standing = match found(app, key, lifetime).await {
        Ok(kept) => return Ok(kept.told(app.now())),
        Err(standing) => standing,
    };
    let (turn, at) = (reports.turn(), app.now());
    let body = computed(app, at, make).await?;
    let kept = Kept {
        body,
        at,
        turn,
        standing,
    };
    reports.shelf.keep(key, kept.clone(), lifetime);
    if let Some(redis) = &app.redis {
        let now = app.now();
        reports.shared.keep(redis, key, &kept, now, lifetime).await;
    }
    Ok(kept.told(app.now()))
}

/// A report that is good now, or where its project stands.
async fn found(app: &App, key: ReportKey, lifetime: Duration) -> Result<Kept, Standing> {
    let reports = &app.reports;
    let turn = reports.turn();
    let here = reports.generations.of(key.project);
    let kept = reports.shelf.find(key, app.now(), lifetime);
    let kept = kept.filter(|kept| kept.standing.here == here);
    let looked = match &app.redis {
        Some(redis) => {
            let held = kept
                .as_ref()
                .and_then(|kept| kept.standing.everywhere.as_deref());
            let fresh = app.new_id().simple().to_string();
            let shared = &reports.shared;
            shared.look(redis, key, held, &fresh, lifetime).await
        }
        None => None,
    };
    let Some(looked) = looked else {
        let standing = Standing {
            here,
            everywhere: None,
        };
        reports.from_memory.add(u64::from(kept.is_some()));
        return kept.ok_or(standing);
    };
    let standing = Standing {
        here,
        everywhere: Some(looked.generation),
    };
    if let Some(kept) = kept.filter(|kept| kept.standing.everywhere == standing.everywhere) {
        reports.from_memory.add(1);
        return Ok(kept);
    }
    let Some((body, age)) = looked.report else {
        return Err(standing);
    };
    let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    let at = Timestamp(app.now().0.saturating_sub(age));
    reports.from_redis.add(1);
    let kept = Kept {
        body,
        at,
        turn,
        standing,
    };
    reports.shelf.keep(key, kept.clone(), lifetime);
    Ok(kept)
}

async fn computed<T, M>(
    app: &App,
    at: Timestamp,
    make: impl FnOnce(Timestamp) -> M,
) -> Answer<Bytes>
where
    T: Serialize,
    M: Future<Output = Answer<T>>,
{
    let made = make(at).await?;
    app.reports.computed.add(1);
    let body = serde_json::to_vec(&made).map_err(|error| Fault::internal(error.to_string()))?;
    Ok(body.into())
}

impl Kept {
    fn told(&self, now: Timestamp) -> Response {
        let age = self.age(now, Duration::MAX).unwrap_or_default();
        told(self.body.clone(), age)
    }
}

/// A report with its age, in whole seconds.
fn told(body: Bytes, age: Duration) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::AGE, HeaderValue::from(age.as_secs())),
    ];
    (headers, body).into_response()
}
