//! Gathers what everybody counts into one page.
use runstone_db::Circuit;
use runstone_model::run::Kind;

use super::text::Page;
use crate::{App, VERSION};

/// The text of `/metrics`.
pub(crate) fn gather(app: &App) -> String {
    let mut page = Page::default();
    let kind = app.store.database().dialect().name();
    page.labelled("runstone_build_info", &[VERSION, kind], 1.0);
    http(app, &mut page);
    runs(app, &mut page);
    commits(app, &mut page);
    database(app, &mut page);
    reports(app, &mut page);
    let redis = app.redis.as_ref();
    let up = redis.is_some_and(|redis| !redis.is_away());
    page.number("runstone_redis_up", f64::from(u8::from(up)));
    let errors = redis.map_or(0, |redis| redis.errors.get());
    page.number("runstone_redis_errors_total", errors as f64);
    let traces = &app.traces;
    page.number("runstone_trace_spans_sent_total", traces.sent.get() as f64);
    for (why, counter) in [
        ("queue", &traces.overflowed),
        ("collector", &traces.refused),
        ("news", &traces.missed),
    ] {
        let dropped = counter.get() as f64;
        page.labelled("runstone_trace_spans_dropped_total", &[why], dropped);
    }
    page.number("runstone_audit_queue", app.audit.waiting() as f64);
    let lost = app.metrics.audit_lost.get();
    page.number("runstone_audit_lost_total", lost as f64);
    page.finish()
}

fn http(app: &App, page: &mut Page) {
    let metrics = &app.metrics;
    for ([method, route, status], histogram) in metrics.answers() {
        let labels = [method.as_str(), &route, &status];
        page.histogram("runstone_http_request_seconds", &labels, &histogram);
    }
    let in_flight = metrics.in_flight.get();
    page.number("runstone_http_requests_in_flight", in_flight as f64);
    let refused = metrics.refused.get();
    page.number("runstone_http_refused_total", refused as f64);
    for (by, counter) in [
        ("key", &metrics.limited_by_key),
        ("address", &metrics.limited_by_address),
        ("failures", &metrics.limited_by_failures),
    ] {
        let limited = counter.get() as f64;
        page.labelled("runstone_http_rate_limited_total", &[by], limited);
    }
    page.number("runstone_watchers", metrics.watchers.get() as f64);
    let cut_off = metrics.cut_off.get();
    page.number("runstone_watchers_cut_off_total", cut_off as f64);
    let sent = metrics.events.get();
    page.number("runstone_events_sent_total", sent as f64);
}

fn runs(app: &App, page: &mut Page) {
    page.number("runstone_runs_live", app.engine.live() as f64);
    let done = app.engine.done();
    page.number("runstone_runs_started_total", done.started as f64);
    page.number("runstone_runs_claimed_total", done.claimed as f64);
    page.number("runstone_runs_parked_total", done.parked as f64);
    page.number("runstone_runs_lost_total", done.lost as f64);
    page.number("runstone_runs_stuck_total", done.stuck as f64);
    for (kind, count) in done.entries {
        let (steps, ended) = ("runstone_steps_total", "runstone_runs_ended_total");
        let count = count as f64;
        match kind {
            Kind::StepCompleted => page.labelled(steps, &["completed"], count),
            Kind::StepFailed => page.labelled(steps, &["failed"], count),
            Kind::StepSkipped => page.labelled(steps, &["skipped"], count),
            Kind::AttemptFailed => page.number("runstone_attempts_failed_total", count),
            Kind::Waiting => page.number("runstone_waits_total", count),
            // Written without an engine; who takes the run then counts a claim.
            Kind::TakenOver | Kind::RunRetried => {}
            Kind::RunCompleted => page.labelled(ended, &["completed"], count),
            Kind::RunFailed => page.labelled(ended, &["failed"], count),
            Kind::RunCancelled => page.labelled(ended, &["cancelled"], count),
        }
    }
    page.histogram("runstone_step_seconds", &[], &done.step_seconds);
}

fn reports(app: &App, page: &mut Page) {
    let reports = &app.reports;
    for (from, counter) in [
        ("memory", &reports.from_memory),
        ("redis", &reports.from_redis),
        ("computed", &reports.computed),
    ] {
        let answered = counter.get() as f64;
        page.labelled("runstone_reports_total", &[from], answered);
    }
    page.number("runstone_report_cache_bytes", reports.bytes() as f64);
}

fn commits(app: &App, page: &mut Page) {
    let stats = app.store.commit_stats();
    page.histogram("runstone_commit_seconds", &[], &stats.seconds);
    page.histogram("runstone_commit_size", &[], &stats.commits);
    page.number("runstone_commit_failed_total", stats.failed as f64);
    page.number("runstone_commit_queue", stats.waiting as f64);
}

fn database(app: &App, page: &mut Page) {
    let health = app.store.health();
    let pool = &health.pool;
    let connections = "runstone_pool_connections";
    page.labelled(connections, &["in_use"], pool.in_use as f64);
    page.labelled(connections, &["idle"], pool.idle as f64);
    page.number("runstone_pool_connections_max", pool.max as f64);
    page.number("runstone_pool_waiting", pool.waiting as f64);
    page.number("runstone_pool_created_total", pool.created as f64);
    page.number("runstone_pool_reused_total", pool.reused as f64);
    let waited = pool.wait_us as f64 / 1e6;
    page.number("runstone_pool_wait_seconds_total", waited);
    let open = health.circuit != Circuit::Closed;
    let open = f64::from(u8::from(open));
    page.number("runstone_database_circuit_open", open);
    let slow: u64 = app.store.database().timings().iter().map(|t| t.slow).sum();
    page.number("runstone_slow_statements_total", slow as f64);
}
