//! Every metric there is: name, kind, labels, meaning. `/metrics` and docs/operations.md both come
//! from this list, and what is not in it cannot be told.

/// How a metric behaves, as Prometheus has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from the start of the process; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size: `_bucket`, `_sum`, `_count`.
    Histogram,
}

impl MetricKind {
    /// Its name in the text format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, which ends in its unit where it has one.
    pub name: &'static str,
    /// How it behaves.
    pub kind: MetricKind,
    /// Its labels; their values are names of routes and kinds, never ids.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($name:ident $kind:ident [$($label:ident)*] $help:literal;)+) => {
        /// Every metric, in the order in which `/metrics` tells them.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: stringify!($name),
            kind: MetricKind::$kind,
            labels: &[$(stringify!($label)),*],
            help: $help,
        },)+];
    };
}

metrics! {
    runstone_build_info Gauge [version database] "1, with the version of the program and the kind of its database.";
    runstone_http_request_seconds Histogram [method route status] "How long answers took, in seconds.";
    runstone_http_requests_in_flight Gauge [] "Requests being worked on.";
    runstone_http_refused_total Counter [] "Requests refused with 503 because too many were being worked on.";
    runstone_http_rate_limited_total Counter [by] "Requests refused with 429, by what was counted: key, address, or failures of an address.";
    runstone_watchers Gauge [] "Watchers of runs.";
    runstone_watchers_cut_off_total Counter [] "Watchers cut off because they read too slowly.";
    runstone_events_sent_total Counter [] "Events sent to watchers.";
    runstone_runs_live Gauge [] "Runs executed by this server now.";
    runstone_runs_started_total Counter [] "Runs started through this server.";
    runstone_runs_claimed_total Counter [] "Runs that this server resumed or took over.";
    runstone_runs_parked_total Counter [] "Times that a run left this server to wait for a time.";
    runstone_runs_lost_total Counter [] "Runs that another server took over from this one.";
    runstone_runs_stuck_total Counter [] "Runs that could not go on here.";
    runstone_runs_ended_total Counter [status] "Runs that ended here: completed, failed or cancelled.";
    runstone_steps_total Counter [outcome] "Steps that are over and durable: completed, failed or skipped.";
    runstone_attempts_failed_total Counter [] "Attempts of steps that failed and were tried again.";
    runstone_waits_total Counter [] "Steps that began to wait for a time.";
    runstone_step_seconds Histogram [] "How long the last attempts of steps took, in seconds.";
    runstone_commit_seconds Histogram [] "How long a group commit took until it was durable, in seconds.";
    runstone_commit_size Histogram [] "Commits of runs that shared a group commit.";
    runstone_commit_failed_total Counter [] "Group commits that failed and were settled one by one.";
    runstone_commit_queue Gauge [] "Commits of runs that wait for the next group commit.";
    runstone_pool_connections Gauge [state] "Connections to the database: in_use and idle.";
    runstone_pool_connections_max Gauge [] "Connections to the database at most.";
    runstone_pool_waiting Gauge [] "Callers that wait for a connection.";
    runstone_pool_created_total Counter [] "Connections that were made.";
    runstone_pool_reused_total Counter [] "Times that a connection was there already.";
    runstone_pool_wait_seconds_total Counter [] "How long callers waited for a connection, in seconds.";
    runstone_database_circuit_open Gauge [] "1 while the database counts as away.";
    runstone_slow_statements_total Counter [] "Statements slower than log.slow_statement_ms.";
    runstone_reports_total Counter [from] "Reports answered, by where they came from: memory, redis, or computed.";
    runstone_report_cache_bytes Gauge [] "Reports that are kept in memory, in bytes.";
    runstone_redis_up Gauge [] "1 while Redis answers; 0 when it is away or not configured.";
    runstone_redis_errors_total Counter [] "Questions to Redis that got no good answer.";
    runstone_trace_spans_sent_total Counter [] "Spans that the collector took.";
    runstone_trace_spans_dropped_total Counter [why] "Spans that were dropped: the queue was full, the collector took none, or a run's news came too fast.";
    runstone_audit_queue Gauge [] "Audit entries that wait to be written.";
    runstone_audit_lost_total Counter [] "Audit entries that could not be written.";
}
