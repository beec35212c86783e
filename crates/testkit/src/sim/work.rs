//! The node kinds of the simulation: work whose result depends only on what it is given, whose time
//! is random, whose failures depend on the attempt alone, and which now and then ends at a later time.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use runstone_engine::{
    Registry,
    node::{Context, Node, NodeError, Outcome, Spec},
};
use runstone_model::failure::Class;
use serde_json::{Value, json};

/// What the outside world saw: by idempotency key, how often and with which request.
#[derive(Debug, Default)]
pub struct Effects(Mutex<BTreeMap<String, Seen>>);

/// One idempotency key as the outside world saw it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) times: u64,
    /// The request was not the same each time.
    pub(super) changed: bool,
    hash: u64,
}

impl Effects {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, key: &str, hash: u64) {
        let mut all = self.lock();
        let seen = all.entry(key.to_owned()).or_default();
        seen.changed |= seen.times > 0 && seen.hash != hash;
        seen.times += 1;
        seen.hash = hash;
    }
}

fn hash(text: &str) -> u64 {
    // FNV-1a, to need nothing.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

struct Work {
    effects: Arc<Effects>,
    seed: u64,
    instant: bool,
}

/// The kinds, sharing what the outside world saw.
pub(super) fn registry(effects: &Arc<Effects>, seed: u64) -> Registry {
    let mut registry = Registry::new();
    for instant in [false, true] {
        registry.add(Arc::new(Work {
            effects: Arc::clone(effects),
            seed,
            instant,
        }));
    }
    registry
}

impl Work {
    fn answer(&self, ctx: &Context, with: &Value) -> Result<Outcome, NodeError> {
        let key = &*ctx.idempotency_key;
        let asked = hash(&with.to_string());
        self.effects.note(key, asked);
        if with.get("broken").is_some() {
            return Err(NodeError::new(Class::Logic, "broken for good"));
        }
        // The run's id is not the same with and without faults; the rest of the key is.
        let place = key.split_once('/').map_or(key, |(_, place)| place);
        if hash(&format!("{place} {}", ctx.attempt)).is_multiple_of(4) && ctx.attempt < 3 {
            return Err(NodeError::new(Class::Network, "no answer, this time"));
        }
        let score = asked % 1000;
        let result = json!({"at": place, "seen": format!("{asked:x}"), "score": score});
        let wait = hash(&format!("{place} waits"));
        if wait.is_multiple_of(3) {
            // Some longer than a node's time limit, some too short to be parked.
            let wait = Duration::from_millis(wait % 15_000);
            return Ok(Outcome::at(ctx.started_at.plus(wait), result));
        }
        Ok(result.into())
    }
}

impl Node for Work {
    fn spec(&self) -> Spec {
        Spec {
            name: if self.instant { "sim.now" } else { "sim.work" },
            summary: "work of the simulation",
            with: json!({}),
            result: json!({}),
            side_effects: true,
            instant: self.instant,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        Box::pin(async move {
            if !self.instant {
                let draw = hash(&format!("{} {}", self.seed, ctx.idempotency_key));
                tokio::time::sleep(Duration::from_millis(draw % 300)).await;
            }
            self.answer(&ctx, &with)
        })
    }
}
