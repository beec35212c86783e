//! Traces: a collector of the test's own reads what arrives, with a decoder that is not ours. Its
//! messages are written down here from OpenTelemetry's .proto files.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, http::HeaderMap, http::StatusCode, routing::post};
use prost::Message;
use serde_json::json;

use crate::harness::{DEFAULT, Service, greet};

/// `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start: u64,
    #[prost(fixed64, tag = "8")]
    end: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Any", tags = "1, 2, 3")]
    value: Option<Any>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Any {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
}

fn named(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|v| v.value.clone()) {
        Some(Any::Text(text)) => text,
        Some(Any::Bool(yes)) => yes.to_string(),
        Some(Any::Int(number)) => number.to_string(),
        None => String::new(),
    };
    let pair = |pair: &KeyValue| (pair.key.clone(), text(&pair.value));
    attributes.iter().map(pair).collect()
}

/// What a collector was sent.
#[derive(Default)]
struct Got {
    requests: Vec<Request>,
    headers: Vec<HeaderMap>,
}

/// A collector that answers with `status`, after `pause`.
struct Collector {
    url: String,
    got: Arc<Mutex<Got>>,
}

impl Collector {
    async fn start(status: StatusCode, pause: Duration) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Got::default()));
        let taken = Arc::clone(&got);
        let take = post(async move |headers: HeaderMap, body: Bytes| {
            {
                let mut got = taken.lock().unwrap();
                got.requests.push(Request::decode(body).unwrap());
                got.headers.push(headers);
            }
            tokio::time::sleep(pause).await;
            status
        });
        let router = Router::new().route("/v1/traces", take);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, got }
    }

    fn spans(&self) -> Vec<Span> {
        let got = self.got.lock().unwrap();
        let of_resources = got.requests.iter().flat_map(|r| &r.resource_spans);
        let scopes = of_resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Waits until a span of that name is there.
    async fn span(&self, name: &str) -> Span {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let spans = self.spans();
            if let Some(span) = spans.iter().find(|span| span.name == name) {
                return span.clone();
            }
            let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
            assert!(Instant::now() < until, "no {name} among {names:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_request_its_run_and_their_steps_are_one_trace() {
    let collector = Collector::start(StatusCode::OK, Duration::ZERO).await;
    let service = Service::with(&[
        ("trace.otlp_endpoint", &collector.url),
        ("trace.otlp_headers", "authorization=Bearer abc"),
        ("trace.service_name", "orders"),
    ])
    .await;
    service.flow(DEFAULT, greet()).await;
    let path = format!("/api/v1/projects/{DEFAULT}/runs?wait=30s");
    let start = json!({ "flow": "greet", "input": { "who": "a value that is not to be sent" } });
    let request = service.request("POST", &path).bearer_auth(&service.admin);
    let request = request.header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let said = service.send(request.json(&start)).await;
    let run = said.ok(200)["id"].as_str().unwrap().to_owned();
    assert_eq!(said.header("x-trace-id"), TRACE);

    let request = collector.span("POST /api/v1/projects/{project}/runs").await;
    let of_run = collector.span("run greet").await;
    let step = collector.span("step greet").await;
    for span in [&request, &of_run, &step] {
        assert_eq!(hex(&span.trace_id), TRACE);
        assert!(span.start > 0 && span.end >= span.start, "{span:?}");
        assert!(span.status.is_none(), "nothing failed");
    }
    assert_eq!(
        (hex(&request.parent_span_id), request.kind),
        (PARENT.to_owned(), 2)
    );
    assert_eq!(of_run.parent_span_id, request.span_id);
    assert_eq!(step.parent_span_id, of_run.span_id);
    let told = named(&request.attributes);
    assert_eq!(told["http.response.status_code"], "200");
    assert_eq!(told["http.route"], "/api/v1/projects/{project}/runs");
    let told = named(&of_run.attributes);
    assert_eq!(
        (&*told["runstone.run.id"], &*told["runstone.run.status"]),
        (&*run, "completed")
    );
    let told = named(&step.attributes);
    assert_eq!(
        (
            &*told["runstone.node.kind"],
            &*told["runstone.step.attempt"]
        ),
        ("set", "1")
    );
    {
        let got = collector.got.lock().unwrap();
        let resource = got.requests[0].resource_spans[0].resource.clone().unwrap();
        assert_eq!(named(&resource.attributes)["service.name"], "orders");
        assert_eq!(got.headers[0]["authorization"], "Bearer abc");
        assert_eq!(got.headers[0]["content-type"], "application/x-protobuf");
        assert!(!format!("{:?}", got.requests).contains("not to be sent"));
    }
    // The audit log has the same name for it.
    let until = Instant::now() + Duration::from_secs(20);
    while !service.get("/audit").await.text.contains(TRACE) {
        assert!(Instant::now() < until, "the audit log knows another trace");
    }
    service.stop().await;
}

#[tokio::test]
async fn a_failed_step_says_so_without_its_message_and_an_agent_is_told_by_genai_s_names() {
    let collector = Collector::start(StatusCode::OK, Duration::ZERO).await;
    let service = Service::with(&[("trace.otlp_endpoint", &collector.url)]).await;
    let mut flow = greet();
    flow["name"] = json!("broken");
    flow["nodes"]["greet"] =
        json!({ "uses": "assert", "with": { "that": false, "message": "a private matter" } });
    service.flow(DEFAULT, flow).await;
    let path = format!("/projects/{DEFAULT}/runs?wait=30s");
    let start = json!({ "flow": "broken", "input": { "who": "Ada" } });
    assert_eq!(service.post(&path, start).await.ok(200)["status"], "failed");
    for name in ["step greet", "run broken"] {
        let span = collector.span(name).await;
        let status = span.status.unwrap();
        assert_eq!(status.code, 2, "an error");
        assert!(!status.message.contains("private"), "{}", status.message);
        assert!(!named(&span.attributes)["error.type"].is_empty());
    }

    let path = format!("/projects/{DEFAULT}/agents/executions");
    let new = json!({ "agent": "writer", "model": "small-1" });
    let made = service.post(&path, new).await.ok(201);
    let one = format!("/api/v1{path}/{}", made["id"].as_str().unwrap());
    let request = service.request("PATCH", &one).bearer_auth(&service.admin);
    let done = json!({ "status": "completed", "input_tokens": 12, "output_tokens": 34 });
    let said = service
        .send(request.header("If-Match", "\"1\"").json(&done))
        .await;
    said.ok(200);
    let span = collector.span("invoke_agent writer").await;
    let told = named(&span.attributes);
    for (name, value) in [
        ("gen_ai.operation.name", "invoke_agent"),
        ("gen_ai.agent.name", "writer"),
        ("gen_ai.request.model", "small-1"),
        ("gen_ai.usage.input_tokens", "12"),
        ("gen_ai.usage.output_tokens", "34"),
    ] {
        assert_eq!(told[name], value);
    }
    service.stop().await;
}

/// Numbers of `/metrics` that begin with `name`, added.
async fn number(service: &Service, name: &str) -> f64 {
    let request = service.request("GET", "/metrics");
    let said = service.send(request.bearer_auth(&service.admin)).await;
    let lines = said.text.lines().filter(|line| line.starts_with(name));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum()
}

#[tokio::test]
async fn slow_a_collector_that_refuses_or_hangs_costs_spans_and_nothing_else() {
    let refuses = Collector::start(StatusCode::BAD_REQUEST, Duration::ZERO).await;
    let hangs = Collector::start(StatusCode::OK, Duration::from_secs(3600)).await;
    for collector in [&refuses, &hangs] {
        let settings = [
            ("trace.otlp_endpoint", collector.url.as_str()),
            ("shutdown.drain_ms", "0"),
        ];
        let service = Service::with(&settings).await;
        service.flow(DEFAULT, greet()).await;
        let path = format!("/projects/{DEFAULT}/runs?wait=30s");
        for _ in 0..3 {
            let start = json!({ "flow": "greet", "input": { "who": "Ada" } });
            service.post(&path, start).await.ok(200);
        }
        assert_eq!(
            number(&service, "runstone_trace_spans_sent_total").await,
            0.0
        );
        if std::ptr::eq(collector, &raw const refuses) {
            let until = Instant::now() + Duration::from_secs(20);
            while number(&service, "runstone_trace_spans_dropped_total").await == 0.0 {
                assert!(Instant::now() < until, "nothing was counted");
            }
        }
        service.stop().await;
    }
}

#[tokio::test]
async fn traces_are_chosen_by_their_id_and_none_is_sent_unless_wanted() {
    let collector = Collector::start(StatusCode::OK, Duration::ZERO).await;
    let service = Service::with(&[
        ("trace.otlp_endpoint", &collector.url),
        ("trace.sample_percent", "50"),
    ])
    .await;
    // The last two bytes decide: 0x0000 is within the first half, 0x1388 is 5000 of 10000.
    let (chosen, other) = (
        format!("{}0000", &TRACE[..28]),
        format!("{}1388", &TRACE[..28]),
    );
    for trace in [&other, &chosen] {
        let request = service.request("GET", "/version");
        let request = request.header("traceparent", format!("00-{trace}-{PARENT}-01"));
        assert_eq!(
            service.send(request).await.header("x-trace-id"),
            trace.as_str()
        );
    }
    let until = Instant::now() + Duration::from_secs(30);
    let of = |trace: &str| {
        collector
            .spans()
            .iter()
            .any(|span| hex(&span.trace_id) == trace)
    };
    while !of(&chosen) {
        assert!(Instant::now() < until, "the chosen one never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!of(&other), "it came first and was not sent");
    service.stop().await;
}
