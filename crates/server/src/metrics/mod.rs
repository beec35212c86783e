//! What `/metrics` tells, in Prometheus' text format, and what of it is counted here. Labels are
//! names of routes and kinds, never ids, so that their number is bounded.
mod families;
mod gather;
mod text;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::http::Method;
use runstone_model::histogram::Histogram;

pub use families::{METRICS, Metric, MetricKind};
pub(crate) use gather::gather;

/// Upper bounds of how long answers take, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// A number that goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn add(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Answers of one route, by method and status.
type Answers = Vec<(&'static str, u16, Histogram)>;

/// A method as a label: anybody can make up more of them.
fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("other")
}

/// Everything that is counted here.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<String, Answers>>,
    /// Requests being worked on.
    pub(crate) in_flight: Gauge,
    /// Requests refused because there was no room.
    pub(crate) refused: Counter,
    /// Requests over the limit of their key.
    pub(crate) limited_by_key: Counter,
    /// Requests over the limit of their address.
    pub(crate) limited_by_address: Counter,
    /// Requests from an address with too many refused keys.
    pub(crate) limited_by_failures: Counter,
    /// Watchers of runs.
    pub(crate) watchers: Gauge,
    /// Watchers that were cut off because they read too slowly.
    pub(crate) cut_off: Counter,
    /// Events sent to watchers.
    pub(crate) events: Counter,
    /// Audit entries that could not be written.
    pub(crate) audit_lost: Counter,
}

impl Metrics {
    /// Notes an answer.
    pub(crate) fn answered(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let method = label(method);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if !requests.contains_key(route) {
            requests.insert(route.to_owned(), Answers::new());
        }
        let Some(answers) = requests.get_mut(route) else {
            return;
        };
        let same = |(m, s, _): &(&str, u16, Histogram)| *m == method && *s == status;
        let at = answers.iter().position(same).unwrap_or_else(|| {
            answers.push((method, status, Histogram::new(&SECONDS)));
            answers.len() - 1
        });
        if let Some((.., histogram)) = answers.get_mut(at) {
            histogram.observe(took.as_secs_f64());
        }
    }

    /// Every answer so far: labels, histogram.
    fn answers(&self) -> Vec<([String; 3], Histogram)> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let of_route = requests.iter().flat_map(|(route, answers)| {
            answers.iter().map(move |(method, status, histogram)| {
                let labels = [(*method).to_owned(), route.clone(), status.to_string()];
                (labels, histogram.clone())
            })
        });
        of_route.collect()
    }
}
