//! A server for one test, and a client that says what it got.
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use reqwest::{Method, StatusCode, header::HeaderMap};
use runstone_engine::{Clock, Engine, Options, RealIds, Registry, SystemClock};
use runstone_model::time::Timestamp;
use runstone_server::{
    Parts, Server,
    config::{self, Sources},
};
use runstone_store::{OpenOptions, SqlStore};
use runstone_testkit::servers::{Fixture, Fresh, TestDatabase};
use serde_json::Value;

/// The project that is always there.
pub(crate) const PROJECT: &str = "/api/v1/projects/00000000-0000-7000-8000-000000000001";

/// A server that asks nobody for a key.
pub(crate) struct Up {
    base: String,
    client: reqwest::Client,
    ahead_us: Arc<AtomicI64>,
    _server: Server,
    _fresh: Fresh,
}

/// The machine's clock, set ahead.
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::Relaxed))
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Fixture for Up {
    async fn open(database: TestDatabase) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        let open = OpenOptions {
            migrate: true,
            who: "a test".to_owned(),
            ..OpenOptions::default()
        };
        let store = Arc::new(SqlStore::open(fresh.url(), open).await.unwrap());
        let flags = vec![
            ("server.listen", "127.0.0.1:0".to_owned(), "listen"),
            ("database.url", fresh.url().to_owned(), "db"),
        ];
        let sources = Sources {
            file: None,
            environment: Vec::new(),
            flags,
            defaults: Vec::new(),
            ..Sources::default()
        };
        let mut settings = config::load(&sources).unwrap().settings;
        settings.auth.off = true;
        settings.rate = config::RateSettings::default();
        let ahead_us = Arc::new(AtomicI64::new(0));
        let options = Options::default();
        let engine = Engine::new(Arc::clone(&store) as _, Registry::new(), options);
        let server = Server::start(Parts {
            engine,
            store,
            clock: Arc::new(Ahead(Arc::clone(&ahead_us))),
            ids: Arc::new(RealIds),
            settings,
        });
        let server = server.await.unwrap();
        Some(Self {
            base: format!("http://{}", server.address()),
            client: reqwest::Client::new(),
            ahead_us,
            _server: server,
            _fresh: fresh,
        })
    }
}

impl Up {
    /// Sets the server's clock ahead.
    pub(crate) fn wait_hours(&self, hours: i64) {
        self.ahead_us
            .fetch_add(hours * 3_600_000_000, Ordering::Relaxed);
    }

    /// A request with headers and, unless it is null, a JSON body. `path` begins with `/api`, or
    /// stands below the default project.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Reply {
        let below = if path.starts_with("/api") {
            ""
        } else {
            PROJECT
        };
        let mut request = self
            .client
            .request(method, format!("{}{below}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        Reply {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, &[], body).await
    }

    /// A write by somebody who has read `etag`.
    pub(crate) async fn write(&self, method: Method, path: &str, etag: &str, body: Value) -> Reply {
        self.send(method, path, &[("if-match", etag)], body).await
    }

    /// All items of a list, page by page.
    pub(crate) async fn all(&self, path: &str, limit: u32) -> Vec<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self
                .get(&format!("{path}{mark}limit={limit}{cursor}"))
                .await
                .ok();
            items.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// A second project.
    pub(crate) async fn other_project(&self) -> String {
        let body = serde_json::json!({ "name": "other" });
        let made = self.post("/api/v1/projects", body).await.is(201);
        format!("/api/v1/projects/{}", made["id"].as_str().unwrap())
    }
}

impl Reply {
    /// The body, when the status is `status`.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body of a good answer.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        self.is(200)
    }

    /// The problem's code, when the status is `status`; it is a problem in every respect.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> (String, Vec<String>) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.is(status);
        assert!(
            problem["trace_id"]
                .as_str()
                .is_some_and(|id| !id.is_empty()),
            "{problem}"
        );
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let pointers = errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().to_owned());
        (
            problem["code"].as_str().unwrap().to_owned(),
            pointers.collect(),
        )
    }

    /// A header's text; empty without it.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
