//! Spans of runs and their steps, made of the engine's news, beside the runs: a run never waits for
//! them, and news that come too fast are missed and counted.
//!
//! A run that was started by a request belongs to that request's trace. One that this server took
//! over has a trace of its own, which is named by the run's id.
use std::sync::Arc;

use runstone_engine::EventKind;
use runstone_model::{
    failure::Failure,
    flow::Flow,
    ids::RunId,
    run::{Entry, RunEnd, StepRef},
    time::Timestamp,
};
use runstone_store::Store as _;
use tokio::sync::broadcast::error::RecvError;

use super::{Kind, Origin, Place, Span, SpanBytes, nanos, proto::Value};
use crate::App;

pub(super) async fn watch(app: App) {
    let mut news = app.engine.events();
    let mut stopping = app.stopping.subscribe();
    loop {
        let event = tokio::select! {
            biased;
            event = news.recv() => event,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        match event {
            Ok(event) => match event.kind {
                EventKind::Committed { seq, entry } => {
                    committed(&app, event.run, seq, &entry).await
                }
                EventKind::Parked { .. } | EventKind::LostOwnership | EventKind::Stuck { .. } => {
                    app.traces.forget(event.run)
                }
                EventKind::AttemptStarted { .. } | EventKind::StoreUnavailable { .. } => {}
            },
            Err(RecvError::Lagged(missed)) => app.traces.missed.add(missed),
            Err(RecvError::Closed) => return,
        }
    }
}

/// A run's own span: the same name on every server.
fn span_of(run: RunId) -> SpanBytes {
    let [.., a, b, c, d, e, f, g, h] = *run.0.as_bytes();
    [a, b, c, d, e, f, g, h]
}

/// An entry's span: the same name on every server.
fn span_at(run: RunId, seq: u64) -> SpanBytes {
    let mut hasher = blake3::Hasher::new();
    hasher.update(run.0.as_bytes()).update(&seq.to_be_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    [a, b, c, d, e, f, g, h]
}

/// Where the run's spans belong.
fn place_of(run: RunId, origin: Option<&Origin>) -> (Place, Option<SpanBytes>) {
    let request = origin.and_then(|origin| origin.place);
    let trace = request.map_or(*run.0.as_bytes(), |place| place.trace);
    let span = span_of(run);
    (Place { trace, span }, request.map(|place| place.span))
}

async fn committed(app: &App, run: RunId, seq: u64, entry: &Entry) {
    let mut origin = app.traces.origin(run);
    let (place, parent) = place_of(run, origin.as_ref());
    if app.traces.wants(&place.trace) {
        if origin.is_none() {
            origin = look_up(app, run).await;
        }
        let flow = origin.as_ref().map(|origin| &origin.flow);
        if let Some(span) = span(run, seq, entry, flow, (place, parent)) {
            app.traces.note(span);
        }
    }
    if matches!(entry, Entry::Ended { .. }) {
        app.traces.forget(run);
    }
}

/// The flow of a run that was not started here; remembered for its next entries.
async fn look_up(app: &App, run: RunId) -> Option<Origin> {
    let record = app.store.run(run).await.ok()??;
    let pinned = app.engine.flow_version(record.flow_version).await.ok()?;
    app.traces.run_starts(run, &pinned.flow);
    Some(Origin {
        place: None,
        flow: pinned.flow,
    })
}

fn span(
    run: RunId,
    seq: u64,
    entry: &Entry,
    flow: Option<&Arc<Flow>>,
    (place, parent): (Place, Option<SpanBytes>),
) -> Option<Span> {
    let of_step = |step: &StepRef, attempt: u32, begin: Timestamp, us: u64| {
        let (name, mut attributes) = about_step(step, attempt, flow);
        attributes.push(("runstone.run.id", run.to_string().into()));
        attributes.push((
            "runstone.seq",
            i64::try_from(seq).unwrap_or(i64::MAX).into(),
        ));
        Span {
            trace: place.trace,
            id: span_at(run, seq),
            parent: Some(place.span),
            name,
            kind: Kind::Internal,
            begin: nanos(begin),
            end: nanos(begin).saturating_add(us.saturating_mul(1000)),
            attributes,
            error: None,
        }
    };
    match entry {
        Entry::Step(done) => {
            let mut span = of_step(&done.step, done.attempt, done.started_at, done.duration_us);
            span.attributes
                .push(("runstone.step.skipped", done.skipped.into()));
            if let Some(failure) = &done.failure {
                failed(&mut span, failure);
            }
            Some(span)
        }
        Entry::AttemptFailed {
            step,
            started_at,
            duration_us,
            failure,
            ..
        } => {
            let mut span = of_step(step, failure.attempt, *started_at, *duration_us);
            failed(&mut span, failure);
            Some(span)
        }
        Entry::Waiting { .. } | Entry::TakenOver { .. } | Entry::Retried { .. } => None,
        Entry::Ended { end, at } => Some(of_run(run, end, *at, flow, (place, parent))),
    }
}

/// A step's name, and what is known of it.
fn about_step(
    step: &StepRef,
    attempt: u32,
    flow: Option<&Arc<Flow>>,
) -> (String, Vec<(&'static str, Value)>) {
    let mut attributes: Vec<(&'static str, Value)> = vec![
        ("runstone.step.visit", step.visit.into()),
        ("runstone.step.attempt", attempt.into()),
    ];
    if let Some(item) = step.item {
        attributes.push(("runstone.step.item", item.index.into()));
    }
    let node = flow.and_then(|flow| flow.nodes.get(step.node));
    let name = node.map_or("step", |node| node.name.as_str());
    attributes.push(("runstone.node.name", name.into()));
    if let Some(node) = node {
        attributes.push(("runstone.node.kind", node.uses.as_str().into()));
    }
    (format!("step {name}"), attributes)
}

/// Messages of failures are in the journal, and may hold what a flow works on: not here.
fn failed(span: &mut Span, failure: &Failure) {
    let class = failure.class.name();
    span.attributes.push(("error.type", class.into()));
    span.error = Some(format!("{} ({class})", failure.code));
}

fn of_run(
    run: RunId,
    end: &RunEnd,
    at: Timestamp,
    flow: Option<&Arc<Flow>>,
    (place, parent): (Place, Option<SpanBytes>),
) -> Span {
    let (status, error) = match end {
        RunEnd::Completed(_) => ("completed", None),
        RunEnd::Failed(_) => ("failed", Some("the run failed".to_owned())),
        RunEnd::Cancelled(_) => ("cancelled", None),
    };
    let name = flow.map_or("run", |flow| flow.name.as_str());
    // The id of a run begins with the time at which it was made, in milliseconds.
    let begin = u64::try_from(run.0.as_u128() >> 80).unwrap_or(0);
    let mut span = Span {
        trace: place.trace,
        id: place.span,
        parent,
        name: format!("run {name}"),
        kind: Kind::Internal,
        begin: begin.saturating_mul(1_000_000),
        end: nanos(at),
        attributes: vec![
            ("runstone.run.id", run.to_string().into()),
            ("runstone.flow.name", name.into()),
            ("runstone.run.status", status.into()),
        ],
        error,
    };
    if let RunEnd::Failed(failure) = end {
        failed(&mut span, failure);
    }
    span
}
