//! What `/metrics` tells, in Prometheus' text format. Labels are names of routes and kinds, never
//! ids, so that their number is bounded.
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Upper bounds of the latency buckets, in seconds.
const BOUNDS: [f64; 12] = [
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

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(String, String, u16), Histogram>>,
    /// Requests being worked on.
    pub(crate) in_flight: Gauge,
    /// Requests refused because there was no room.
    pub(crate) refused: Gauge,
    /// Watchers of runs.
    pub(crate) watchers: Gauge,
    /// Watchers that were cut off because they read too slowly.
    pub(crate) cut_off: Gauge,
    /// Events sent to watchers.
    pub(crate) events: AtomicU64,
    /// Audit entries that could not be written.
    pub(crate) audit_lost: AtomicU64,
}

impl Metrics {
    /// Notes an answer.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let key = (method.to_owned(), route.to_owned(), status);
        let seconds = took.as_secs_f64();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = requests.entry(key).or_default();
        histogram.count += 1;
        histogram.seconds += seconds;
        for (bucket, bound) in histogram.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// The text, with numbers that others keep: name, help, value.
    pub(crate) fn text(&self, others: &[(&str, &str, f64)]) -> String {
        let mut text = String::new();
        let count = |cell: &AtomicU64| cell.load(Ordering::Relaxed) as f64;
        let own = [
            (
                "runstone_http_in_flight",
                "Requests being worked on.",
                self.in_flight.get() as f64,
            ),
            (
                "runstone_http_refused",
                "Requests refused for want of room.",
                self.refused.get() as f64,
            ),
            (
                "runstone_watchers",
                "Watchers of runs.",
                self.watchers.get() as f64,
            ),
            (
                "runstone_watchers_cut_off",
                "Watchers cut off as too slow.",
                self.cut_off.get() as f64,
            ),
            (
                "runstone_events_sent",
                "Events sent to watchers.",
                count(&self.events),
            ),
            (
                "runstone_audit_lost",
                "Audit entries that could not be written.",
                count(&self.audit_lost),
            ),
        ];
        for (name, help, value) in own.iter().chain(others) {
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
            );
        }
        self.histograms(&mut text);
        text
    }

    fn histograms(&self, text: &mut String) {
        const NAME: &str = "runstone_http_request_seconds";
        let _ = writeln!(
            text,
            "# HELP {NAME} How long answers took.\n# TYPE {NAME} histogram"
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((method, route, status), histogram) in &*requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            for (bucket, bound) in histogram.buckets.iter().zip(BOUNDS) {
                let _ = writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {bucket}");
            }
            let Histogram { count, seconds, .. } = histogram;
            let _ = writeln!(text, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "{NAME}_sum{{{labels}}} {seconds}");
            let _ = writeln!(text, "{NAME}_count{{{labels}}} {count}");
        }
    }
}
