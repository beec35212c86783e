//! Sends spans to the collector in batches, over HTTP with protobuf. A collector that is away is
//! tried again for a moment, then its batch is dropped and counted; meanwhile the queue fills.
use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::sync::mpsc;

use super::{Span, proto, proto::Value};
use crate::{App, VERSION, config::TraceSettings};

/// Spans of one request.
const BATCH: usize = 512;
/// How long a batch may gather.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a batch is sent at most.
const TRIES: u32 = 3;
/// The first wait before it is sent again, doubled each time.
const PAUSE: Duration = Duration::from_millis(500);
/// How long sending may go on when the server stops.
const LAST: Duration = Duration::from_secs(3);

struct Collector {
    client: reqwest::Client,
    url: String,
    headers: HeaderMap,
    resource: Vec<(&'static str, Value)>,
}

pub(super) async fn send(app: App, settings: TraceSettings, mut queue: mpsc::Receiver<Span>) {
    let collector = Collector::new(&app, &settings);
    let mut stopping = app.stopping.subscribe();
    let sending = async {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            gather(&mut queue, &mut batch).await;
            collector.take(&app, &batch).await;
            batch.clear();
        }
    };
    let give_up = async {
        let _ = stopping.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(LAST + Duration::from_millis(app.settings.drain_ms)).await;
    };
    tokio::select! {
        () = sending => {}
        () = give_up => tracing::warn!("the collector did not take the last spans in time"),
    }
}

/// Waits a moment for more, unless the batch is full or nothing more will come.
async fn gather(queue: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    let until = tokio::time::Instant::now() + GATHER;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        match tokio::time::timeout_at(until, queue.recv_many(batch, room)).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

impl Collector {
    fn new(app: &App, settings: &TraceSettings) -> Self {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap_or_default();
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            // They were checked with the other settings.
            if let (Ok(name), Ok(mut value)) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value.as_str()),
            ) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(CONTENT_TYPE, protobuf);
        let endpoint = settings.endpoint.trim_end_matches('/');
        let server = app.engine.server().to_string();
        Self {
            client,
            url: format!("{endpoint}/v1/traces"),
            headers,
            resource: vec![
                ("service.name", settings.service_name.as_str().into()),
                ("service.version", VERSION.into()),
                ("service.instance.id", server.into()),
            ],
        }
    }

    /// Hands a batch over, or gives it up.
    async fn take(&self, app: &App, batch: &[Span]) {
        let body = bytes::Bytes::from(proto::request(&self.resource, batch));
        let count = batch.len() as u64;
        let mut pause = PAUSE;
        for attempt in 1..=TRIES {
            match self.post(body.clone()).await {
                Ok(()) => return app.traces.sent.add(count),
                Err((why, again)) => {
                    let last = attempt == TRIES || !again || *app.stopping.borrow();
                    if last {
                        app.traces.refused.add(count);
                        tracing::warn!(why, spans = count, "the collector took no spans");
                        return;
                    }
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }

    /// Why it failed, and whether another attempt may help.
    async fn post(&self, body: bytes::Bytes) -> Result<(), (String, bool)> {
        let request = self.client.post(&self.url).headers(self.headers.clone());
        let answer = request.body(body).send().await;
        let answer = answer.map_err(|error| (error.without_url().to_string(), true))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let again = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        Err((format!("it answers {status}"), again))
    }
}
