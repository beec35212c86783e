//! Rate limits: a bucket for each key or address that fills at a steady rate. In memory each server
//! counts for itself.
use std::{
    collections::HashMap,
    fmt::Display,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::App;

/// Buckets kept; full ones are dropped when there are more.
const KEPT: usize = 100_000;

/// What is left after a request was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether the request is within the limit.
    pub(crate) allowed: bool,
    /// Requests in one go.
    pub(crate) limit: u64,
    /// Requests left now.
    pub(crate) remaining: u64,
    /// Seconds until all are there again; for a refused one until there is one.
    pub(crate) reset_s: u64,
}

/// One of the limits.
pub(crate) struct Limit<K> {
    name: &'static str,
    memory: Rate<K>,
}

impl<K: Hash + Eq + Display> Limit<K> {
    /// `count` in each `per`; None for a count of 0: no limit.
    pub(crate) fn new(name: &'static str, count: u64, per: Duration) -> Option<Self> {
        let memory = Rate::new(count, per)?;
        Some(Self { name, memory })
    }

    /// Counts `cost` for `key`; with a cost of 0 only looks.
    ///
    /// In Redis, where it is configured, for all servers together; in memory while it is away.
    pub(crate) async fn count(&self, app: &App, key: K, cost: u32) -> Standing {
        if let Some(redis) = &app.redis {
            let (of, fills) = (key.to_string(), (self.memory.per_second, self.memory.burst));
            if let Some(bucket) = redis.take(self.name, &of, fills, cost).await {
                return self.memory.standing(bucket.allowed, bucket.left);
            }
        }
        self.memory.count(key, cost, Instant::now())
    }
}

/// Buckets by what is counted, in memory.
struct Rate<K> {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<K, (Instant, f64)>>,
}

impl<K: Hash + Eq> Rate<K> {
    /// `count` in each `per`, all of them in one go if need be; None for a count of 0: no limit.
    fn new(count: u64, per: Duration) -> Option<Self> {
        (count > 0).then(|| Self {
            per_second: count as f64 / per.as_secs_f64(),
            burst: count as f64,
            buckets: Mutex::default(),
        })
    }

    /// Counts `cost` for `key`; with a cost of 0 only looks.
    fn count(&self, key: K, cost: u32, now: Instant) -> Standing {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT {
            let (burst, per_second) = (self.burst, self.per_second);
            buckets.retain(|_, (at, left)| {
                *left + now.duration_since(*at).as_secs_f64() * per_second < burst
            });
        }
        let (at, left) = buckets.entry(key).or_insert((now, self.burst));
        let filled = now.duration_since(*at).as_secs_f64() * self.per_second;
        *left = (*left + filled).min(self.burst);
        *at = now;
        let allowed = *left >= f64::from(cost.max(1));
        if allowed {
            *left -= f64::from(cost);
        }
        self.standing(allowed, *left)
    }

    fn standing(&self, allowed: bool, left: f64) -> Standing {
        let missing = if allowed {
            self.burst - left
        } else {
            1.0 - left
        };
        Standing {
            allowed,
            limit: self.burst as u64,
            remaining: left.max(0.0) as u64,
            reset_s: (missing / self.per_second).ceil().max(0.0) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let Some(rate) = Rate::new(3, Duration::from_secs(1)) else {
            panic!("a limit of 3 is one");
        };
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let left: Vec<u64> = (0..3)
            .map(|_| rate.count("a", 1, at(0)).remaining)
            .collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = rate.count("a", 1, at(0));
        assert!(!refused.allowed && refused.reset_s == 1);
        assert!(
            rate.count("b", 1, at(0)).allowed,
            "others are not concerned"
        );
        assert!(rate.count("a", 1, at(400)).allowed);
        assert!(!rate.count("a", 1, at(500)).allowed);
        assert!(Rate::<&str>::new(0, Duration::from_secs(1)).is_none());
    }
}
