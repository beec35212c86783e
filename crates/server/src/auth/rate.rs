//! Rate limits: a bucket for each key or address that fills at a steady rate. In memory each server
//! counts for itself.
use std::{
    collections::HashMap,
    fmt::Display,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::App;

/// Buckets kept; full ones are dropped when there are more.
const KEPT: usize = 100_000;
/// How often full ones are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// What an address is counted as: who has one address of IPv6 has its whole network of 64 bits.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(network.into())
        }
    }
}

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

impl<K: Hash + Eq + Clone + Display> Limit<K> {
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
    buckets: Mutex<Buckets<K>>,
}

/// What is left for each key, and when full ones were dropped last.
struct Buckets<K> {
    left: HashMap<K, (Instant, f64)>,
    swept_at: Option<Instant>,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// `count` in each `per`, all of them in one go if need be; None for a count of 0: no limit.
    fn new(count: u64, per: Duration) -> Option<Self> {
        (count > 0).then(|| Self {
            per_second: count as f64 / per.as_secs_f64(),
            burst: count as f64,
            buckets: Mutex::new(Buckets {
                left: HashMap::new(),
                swept_at: None,
            }),
        })
    }

    /// Counts `cost` for `key`; with a cost of 0 only looks.
    fn count(&self, key: K, cost: u32, now: Instant) -> Standing {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.left.len() >= KEPT && !buckets.left.contains_key(&key) {
            self.make_room(&mut buckets, now);
        }
        let (at, left) = buckets.left.entry(key).or_insert((now, self.burst));
        let filled = now.duration_since(*at).as_secs_f64() * self.per_second;
        *left = (*left + filled).min(self.burst);
        *at = now;
        let allowed = *left >= f64::from(cost.max(1));
        if allowed {
            *left -= f64::from(cost);
        }
        self.standing(allowed, *left)
    }

    /// Drops full buckets, at most once in a while, or else any one: memory is bounded, whoever asks.
    fn make_room(&self, buckets: &mut Buckets<K>, now: Instant) {
        let rested = |at: Instant| now.duration_since(at) >= SWEEP;
        if buckets.swept_at.is_none_or(rested) {
            buckets.swept_at = Some(now);
            buckets.left.retain(|_, (at, left)| {
                let filled = now.duration_since(*at).as_secs_f64() * self.per_second;
                *left + filled < self.burst
            });
        }
        if buckets.left.len() >= KEPT
            && let Some(any) = buckets.left.keys().next().cloned()
        {
            buckets.left.remove(&any);
        }
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
    fn an_address_of_ipv6_is_counted_as_its_network() {
        let of = |text: &str| text.parse().map(counted).ok();
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn what_is_kept_is_bounded_however_many_ask() {
        let Some(rate) = Rate::new(3, Duration::from_secs(3600)) else {
            panic!("a limit of 3 is one");
        };
        let now = Instant::now();
        for key in 0..KEPT + 1000 {
            rate.count(key, 1, now);
        }
        let kept = rate.buckets.lock().map(|buckets| buckets.left.len());
        assert_eq!(kept.ok(), Some(KEPT));
    }

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
