//! Health that was asked for: the database writes, commits, reads back and claims, as the main path
//! does, and the engine's heart beats. Asking renews no lease, and what was found is kept for a
//! moment, so that it is no way to load the database.
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use runstone_api::system::{Check, Health as Found, State};
use runstone_model::ids::{RunId, ServerId};
use runstone_store::{Claim, Store as _};
use tokio::sync::Mutex;

use crate::App;

/// How long a finding is believed.
const FRESH: Duration = Duration::from_secs(1);
/// An answer that takes longer is a slow one.
const SLOW: Duration = Duration::from_millis(500);
/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(3);

/// The last finding.
#[derive(Default)]
pub(crate) struct Health(Mutex<Option<(Instant, Arc<Found>)>>);

impl Health {
    /// How everything is.
    pub(crate) async fn find(app: &App) -> Arc<Found> {
        let mut last = app.health.0.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < FRESH
        {
            return Arc::clone(found);
        }
        let mut checks = BTreeMap::new();
        checks.insert("database".to_owned(), database(app).await);
        checks.insert("main_path".to_owned(), main_path(app).await);
        checks.insert("engine".to_owned(), engine(app));
        checks.insert("pool".to_owned(), pool(app));
        if let Some(redis) = &app.redis {
            checks.insert("redis".to_owned(), beside(timed(redis.ping()).await));
        }
        let worst = checks.values().map(|check| check.status).max();
        let found = Arc::new(Found {
            status: worst.unwrap_or(State::Healthy),
            checked_at: app.now().rfc3339(),
            checks,
        });
        *last = Some((Instant::now(), Arc::clone(&found)));
        found
    }
}

/// Times `work`: slow is degraded, an error or no answer unhealthy. What went wrong goes to the
/// log, because health is told to anybody.
async fn timed<E: std::fmt::Display>(work: impl Future<Output = Result<(), E>>) -> Check {
    let began = Instant::now();
    let done = tokio::time::timeout(PATIENCE, work).await;
    let took = began.elapsed();
    let (status, detail) = match done {
        Ok(Ok(())) if took > SLOW => (State::Degraded, Some("answers slowly".to_owned())),
        Ok(Ok(())) => (State::Healthy, None),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a health check failed");
            (
                State::Unhealthy,
                Some("answers with an error; see the log".to_owned()),
            )
        }
        Err(_) => (
            State::Unhealthy,
            Some(format!("no answer within {PATIENCE:?}")),
        ),
    };
    Check {
        status,
        latency_ms: took.as_micros() as f64 / 1000.0,
        detail,
    }
}

/// A check of something that can be done without.
fn beside(check: Check) -> Check {
    let status = check.status.min(State::Degraded);
    Check { status, ..check }
}

async fn database(app: &App) -> Check {
    timed(app.store.ping()).await
}

/// Whether the loop that keeps this server's runs does its work.
fn engine(app: &App) -> Check {
    let (silence, lease) = (app.engine.silence(), app.engine.lease());
    let (status, detail) = if silence > lease {
        let detail = format!("no heartbeat for {}; others take its runs", told(silence));
        (State::Unhealthy, Some(detail))
    } else if silence > lease / 2 {
        let detail = format!("no heartbeat for {}", told(silence));
        (State::Degraded, Some(detail))
    } else {
        (State::Healthy, None)
    };
    Check {
        status,
        latency_ms: 0.0,
        detail,
    }
}

fn told(silence: Duration) -> String {
    format!("{:.1} s", silence.as_secs_f64())
}

/// What a run needs: a heartbeat that is durable and can be read back, and a claim. As a server of
/// its own that is gone afterwards, so that asking keeps no dead engine's lease.
async fn main_path(app: &App) -> Check {
    timed(async {
        let (server, now) = (ServerId(app.new_id()), app.now());
        let failed = |error: runstone_store::Error| error.to_string();
        app.store.heartbeat(server, now).await.map_err(failed)?;
        let alive = app.store.alive(now).await.map_err(failed);
        let claim = Claim {
            server,
            now,
            expired_before: now,
            limit: 1,
            only: Some(RunId(app.new_id())),
        };
        let claimed = app.store.claim(claim).await.map_err(failed);
        app.store.release(server).await.map_err(failed)?;
        claimed?;
        if !alive?.contains(&server) {
            return Err("what was written cannot be read back".to_owned());
        }
        Ok(())
    })
    .await
}

fn pool(app: &App) -> Check {
    let stats = app.store.stats();
    let crowded = stats.waiting > 4 * stats.max.max(1);
    Check {
        status: if crowded {
            State::Degraded
        } else {
            State::Healthy
        },
        latency_ms: 0.0,
        detail: crowded.then(|| "many callers wait for a connection".to_owned()),
    }
}
