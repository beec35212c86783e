//! Ticking: runs the loops until the engine stops, waiting longer after errors.
use std::time::Duration;

use runstone_store as store;
use tokio::task::JoinHandle;

use super::{Claim, Heartbeat};
use crate::{Engine, Error};

/// The longest wait after repeated errors.
const SLOWEST: Duration = Duration::from_secs(5);

/// Loops that are ticking; they end when the engine stops.
#[derive(Debug)]
pub struct Loops(Vec<JoinHandle<()>>);

impl Loops {
    /// Starts the heartbeat, and with `claim` also taking over what nobody runs.
    #[must_use]
    pub fn start(engine: &Engine, claim: bool) -> Self {
        let mut ticking = vec![tokio::spawn(beat(engine.clone()))];
        if claim {
            ticking.push(tokio::spawn(take(engine.clone())));
        }
        Self(ticking)
    }

    /// Waits until all have ended.
    pub async fn join(self) {
        for ticking in self.0 {
            let _ = ticking.await; // a loop that panicked has ended too
        }
    }
}

/// Several beats fit into a lease, so that a late one does no harm.
fn interval(engine: &Engine) -> Duration {
    let options = &engine.inner.options;
    options.heartbeat.min(options.lease / 3)
}

async fn beat(engine: Engine) {
    let heartbeat = Heartbeat(engine.clone());
    let every = interval(&engine);
    let mut wait = every;
    let mut waiting = None;
    loop {
        wait = match heartbeat.run_once().await {
            Ok(_) => {
                waiting = None;
                every
            }
            Err(error) => {
                waiting.get_or_insert_with(|| engine.inner.outage.wait(&why(&error)));
                (wait * 2).min(SLOWEST.min(engine.inner.options.lease / 2))
            }
        };
        if pause(&engine, wait).await {
            return;
        }
    }
}

fn why(error: &Error) -> String {
    match error {
        Error::Store(store::Error::Unavailable(why)) => why.clone(),
        other => other.to_string(),
    }
}

async fn take(engine: Engine) {
    let claim = Claim(engine.clone());
    let every = interval(&engine);
    let mut wait = every;
    loop {
        wait = match claim.run_once().await {
            Ok(report) if report.more => Duration::ZERO,
            Ok(_) => every,
            Err(_) => (wait.max(every) * 2).min(SLOWEST),
        };
        let clock = &*engine.inner.clock;
        if stopped(&engine, engine.inner.wakes.wait(clock, wait)).await {
            return;
        }
    }
}

/// Waits; true when the engine stops.
async fn pause(engine: &Engine, wait: Duration) -> bool {
    stopped(engine, tokio::time::sleep(wait)).await
}

/// Waits for `until`; true when the engine stops before.
async fn stopped(engine: &Engine, until: impl Future<Output = ()>) -> bool {
    let mut stop = engine.inner.stop.subscribe();
    if *stop.borrow_and_update() {
        return true;
    }
    tokio::select! {
        _ = stop.changed() => true,
        () = until => false,
    }
}
