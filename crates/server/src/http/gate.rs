//! The outermost layer: a trace id for every request, room or a refusal, security headers, metrics,
//! the log line, problems written as they travel, and 304 for who has the answer. Knows no route.
use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use runstone_api::{Code, Problem};
use runstone_model::time::Timestamp;

use tokio::sync::OwnedSemaphorePermit;

use crate::{
    App, Fault,
    fault::Pending,
    http::{unchanged::Known, verb},
    routes,
    trace::{self, Place, Span, SpanBytes},
};

/// Names a request in logs, problems and the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceId(pub(crate) String);

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) SocketAddr);

/// What is said of every answer.
const SECURITY: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

/// The trace id that the caller gave (W3C `traceparent`), or a new one; and the caller's span.
fn trace_id(app: &App, headers: &HeaderMap) -> (TraceId, Option<SpanBytes>) {
    let given = headers.get("traceparent").and_then(|value| {
        let mut parts = value.to_str().ok()?.split('-');
        let (_, id, parent) = (parts.next()?, parts.next()?, parts.next());
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let fits = id.len() == 32 && id.bytes().all(lower_hex) && id.bytes().any(|b| b != b'0');
        let parent = parent.and_then(trace::bytes).filter(|span| *span != [0; 8]);
        fits.then(|| (TraceId(id.to_owned()), parent))
    });
    given.unwrap_or_else(|| (TraceId(app.new_id().simple().to_string()), None))
}

/// Whether a path must be answered however full the server is.
fn is_vital(path: &str) -> bool {
    path.starts_with("/health") || path == "/metrics"
}

/// The status in logs and metrics of a request whose caller went away before its answer.
const GONE: u16 = 499;

/// A request's room and its place among those being worked on, until nobody works on it.
pub(crate) struct Busy {
    app: App,
    _room: Option<OwnedSemaphorePermit>,
}

impl Busy {
    fn new(app: &App, room: Option<OwnedSemaphorePermit>) -> Arc<Self> {
        app.metrics.in_flight.add(1);
        Arc::new(Self {
            app: app.clone(),
            _room: room,
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.app.metrics.in_flight.add(-1);
    }
}

/// What is noted of a request, also when its caller goes away: then it is dropped half way.
struct Note {
    app: App,
    trace: TraceId,
    method: Method,
    path: String,
    route: Option<MatchedPath>,
    began: Instant,
    status: u16,
    at: Timestamp,
    /// Where it is in its trace, and the caller's span.
    place: Option<(Place, Option<SpanBytes>)>,
}

impl Drop for Note {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        let metrics = &self.app.metrics;
        metrics.answered(&self.method, route, self.status, took);
        log(&self.trace, &self.method, &self.path, self.status, took);
        if let Some((place, parent)) = self.place {
            let answered = (&self.method, route, self.status);
            let span = span(place, parent, answered, (self.at, took));
            self.app.traces.note(span);
        }
    }
}

pub(crate) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let (trace, parent) = trace_id(&app, request.headers());
    let place = place(&app, &trace);
    let mut note = Note {
        app: app.clone(),
        trace: trace.clone(),
        method: request.method().clone(),
        path: verb::written(request.uri().path(), routes::paths()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        began: Instant::now(),
        status: GONE,
        at: app.now(),
        place: place.map(|place| (place, parent)),
    };
    let room = match app.room.clone().try_acquire_owned() {
        Ok(permit) => Some(permit),
        Err(_) if is_vital(&note.path) => None,
        Err(_) => {
            app.metrics.refused.add(1);
            let fault = Fault::new(Code::Overloaded, "too many requests are being worked on");
            let response = fault.retry_after(1).into_response();
            note.status = response.status().as_u16();
            return finish(&app, &trace, response);
        }
    };
    let known = Known::of(&request);
    let busy = Busy::new(&app, room);
    request.extensions_mut().insert(trace.clone());
    request.extensions_mut().insert(Arc::clone(&busy));
    let answered = AssertUnwindSafe(trace::within(place, next.run(request)))
        .catch_unwind()
        .await;
    let response =
        answered.unwrap_or_else(|_| Fault::internal("a handler panicked").into_response());
    let response = known.answer(response);
    note.status = response.status().as_u16();
    finish(&app, &trace, response)
}

/// Where the request is in its trace, when that is wanted.
fn place(app: &App, trace: &TraceId) -> Option<Place> {
    let trace = trace::bytes(&trace.0)?;
    app.traces.wants(&trace).then(|| Place {
        trace,
        span: trace::new_span(),
    })
}

/// The request's span: by its route, not its path, which holds ids.
fn span(
    place: Place,
    parent: Option<SpanBytes>,
    (method, route, status): (&Method, &str, u16),
    (at, took): (Timestamp, Duration),
) -> Span {
    let begin = u64::try_from(at.0).unwrap_or(0).saturating_mul(1000);
    let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let mut attributes = vec![
        ("http.request.method", method.as_str().into()),
        ("http.route", route.into()),
        ("http.response.status_code", i64::from(status).into()),
    ];
    let failed = status >= 500;
    if failed {
        attributes.push(("error.type", status.to_string().into()));
    }
    Span {
        trace: place.trace,
        id: place.span,
        parent,
        name: format!("{method} {route}"),
        kind: trace::Kind::Server,
        begin,
        end: begin.saturating_add(took),
        attributes,
        error: failed.then(|| format!("answered with {status}")),
    }
}

fn log(trace: &TraceId, method: &Method, path: &str, status: u16, took: Duration) {
    let ms = took.as_secs_f64() * 1000.0;
    let (trace_id, method) = (trace.0.as_str(), method.as_str());
    if status >= 500 {
        tracing::error!(trace_id, method, path, status, ms, "request failed");
    } else {
        tracing::info!(trace_id, method, path, status, ms, "request");
    }
}

/// Adds what every answer carries, and writes the problem that it may hold.
fn finish(app: &App, trace: &TraceId, mut response: Response) -> Response {
    if let Some(Pending { mut problem, cause }) = response.extensions_mut().remove::<Pending>() {
        if let Some(cause) = cause {
            tracing::error!(trace_id = trace.0, code = problem.code, cause, "why");
        }
        problem.trace_id.clone_from(&trace.0);
        response = written(response, &problem);
    }
    if *app.stopping.borrow() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        let name = HeaderName::from_static(name);
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&trace.0) {
        headers.insert(HeaderName::from_static("x-trace-id"), value);
    }
    response
}

fn written(mut response: Response, problem: &Problem) -> Response {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
    response
}
