//! A server of a test's own on a database of its own, and a client that reads its answers.
use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode};
use runstone_engine::{
    Clock as _, Engine, Ids as _, Options, RealIds, Registry, SystemClock, loops::Loops,
};
use runstone_model::ids::ProjectId;
use runstone_server::{
    Parts, Secret, Server,
    config::{self, Settings, Sources},
};
use runstone_store::{KeyRecord, OpenOptions, SqlStore};
use runstone_testkit::servers::{Fixture, Fresh, TestDatabase};
use serde_json::{Value, json};

/// The project that every database has.
pub(crate) const DEFAULT: &str = "00000000-0000-7000-8000-000000000001";

/// A server that answers.
pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) store: Arc<SqlStore>,
    pub(crate) client: reqwest::Client,
    /// A key that may do everything; empty without auth.
    pub(crate) admin: String,
    engine: Engine,
    server: Server,
    loops: Option<Loops>,
    /// Another server's: that one closes it.
    borrowed: bool,
    _fresh: Option<Fresh>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The body, after making sure of the status.
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The code of a problem, after making sure that it is one.
    pub(crate) fn code(&self) -> String {
        let kind = self.headers["content-type"].to_str().unwrap();
        assert_eq!(kind, "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(
            problem["trace_id"],
            self.headers["x-trace-id"].to_str().unwrap()
        );
        problem["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Settings as without a file, listening on any free port.
pub(crate) fn settings(flags: Vec<(&'static str, String, &'static str)>) -> Settings {
    let mut all = vec![("server.listen", "127.0.0.1:0".to_owned(), "listen")];
    all.extend(flags);
    let sources = Sources {
        flags: all,
        ..Sources::default()
    };
    config::load(&sources).unwrap().settings
}

impl Fixture for Service {
    async fn open(database: TestDatabase) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        let mut settings = settings(Vec::new());
        settings.database_url = fresh.url().to_owned();
        Some(Self::start(settings, Some(fresh)).await)
    }
}

impl Service {
    /// With keys, on a new file.
    pub(crate) async fn with_keys() -> Self {
        Self::open(TestDatabase::Sqlite).await.unwrap()
    }

    /// With keys and other settings, on a new file.
    pub(crate) async fn with(flags: &[(&'static str, &str)]) -> Self {
        let fresh = Fresh::on(TestDatabase::Sqlite).await.unwrap();
        let flags = flags
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned(), *key));
        let mut settings = settings(flags.collect());
        settings.database_url = fresh.url().to_owned();
        Self::start(settings, Some(fresh)).await
    }

    /// As `runstone dev` has it: nobody is asked for a key.
    pub(crate) async fn without_auth() -> Self {
        let fresh = Fresh::on(TestDatabase::Sqlite).await.unwrap();
        let mut settings = settings(Vec::new());
        settings.database_url = fresh.url().to_owned();
        settings.auth.off = true;
        Self::start(settings, Some(fresh)).await
    }

    /// With keys, and nothing that beats or claims.
    pub(crate) async fn without_loops(options: Options) -> Self {
        let fresh = Fresh::on(TestDatabase::Sqlite).await.unwrap();
        let mut settings = settings(Vec::new());
        settings.database_url = fresh.url().to_owned();
        Self::assemble(settings, Some(fresh), options, false).await
    }

    pub(crate) async fn start(settings: Settings, fresh: Option<Fresh>) -> Self {
        Self::assemble(settings, fresh, Options::default(), true).await
    }

    async fn assemble(
        settings: Settings,
        fresh: Option<Fresh>,
        engine: Options,
        beats: bool,
    ) -> Self {
        let options = OpenOptions {
            migrate: true,
            who: "a test".to_owned(),
            ..OpenOptions::default()
        };
        let store = SqlStore::open(&settings.database_url, options).await;
        let store = Arc::new(store.unwrap());
        Self {
            _fresh: fresh,
            ..Self::on(store, settings, engine, beats).await
        }
    }

    /// Another server on the same database.
    pub(crate) async fn beside(&self, flags: &[(&'static str, &str)]) -> Self {
        let flags = flags
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned(), *key));
        let settings = settings(flags.collect());
        let store = Arc::clone(&self.store);
        Self {
            borrowed: true,
            ..Self::on(store, settings, Options::default(), false).await
        }
    }

    async fn on(store: Arc<SqlStore>, settings: Settings, engine: Options, beats: bool) -> Self {
        let mut registry = Registry::new();
        registry.extend(runstone_nodes::builtin(runstone_nodes::Builtin {
            confine: true,
            ..runstone_nodes::Builtin::default()
        }));
        let engine = Engine::new(Arc::clone(&store) as _, registry, engine);
        let off = settings.auth.off;
        let server = Server::start(Parts {
            engine: engine.clone(),
            store: Arc::clone(&store),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RealIds),
            settings,
        });
        let server = server.await.unwrap();
        let loops = beats.then(|| Loops::start(&engine, true));
        let mut service = Self {
            url: format!("http://{}", server.address()),
            client: reqwest::Client::new(),
            admin: String::new(),
            store,
            engine,
            server,
            loops,
            borrowed: false,
            _fresh: None,
        };
        if !off {
            service.admin = service.key(None, "admin").await;
        }
        service
    }

    /// Makes a key in the database.
    pub(crate) async fn key(&self, project: Option<&str>, role: &str) -> String {
        let id = RealIds.next();
        let secret = Secret::make(id);
        let record = KeyRecord {
            id,
            project: project.map(|id| id.parse::<ProjectId>().unwrap()),
            role: role.to_owned(),
            name: "a test".to_owned(),
            secret_hash: secret.hash(),
            old_hash: None,
            old_until: None,
            created_at: SystemClock.now(),
            expires_at: None,
            revoked_at: None,
        };
        self.store.insert_key(record).await.unwrap();
        secret.reveal()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method: Method = method.parse().unwrap();
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Said {
        let answer = request
            .timeout(Duration::from_secs(30))
            .send()
            .await
            .unwrap();
        Said {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }

    /// Sends as `key`, below `/api/v1`.
    pub(crate) async fn call(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Said {
        let mut request = self.request(method, &format!("/api/v1{path}"));
        if !key.is_empty() {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// A write below `/api/v1` by somebody who has read `etag`.
    pub(crate) async fn write(
        &self,
        method: &str,
        path: &str,
        etag: &str,
        body: Option<Value>,
    ) -> Said {
        let request = self.request(method, &format!("/api/v1{path}"));
        let mut request = request.bearer_auth(&self.admin).header("If-Match", etag);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.call(&self.admin, "GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Said {
        self.call(&self.admin, "POST", path, Some(body)).await
    }

    /// A new project's id.
    pub(crate) async fn project(&self, name: &str) -> String {
        let made = self
            .post("/projects", json!({ "name": name }))
            .await
            .ok(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Stores a flow.
    pub(crate) async fn flow(&self, project: &str, definition: Value) {
        let path = format!("/projects/{project}/flows");
        self.post(&path, json!({ "definition": definition }))
            .await
            .ok(201);
    }

    pub(crate) async fn stop(self) {
        let patience = Duration::from_secs(5);
        let (drained, ()) = tokio::join!(self.engine.drain(patience), self.server.stop());
        drained.unwrap();
        if let Some(loops) = self.loops {
            loops.join().await;
        }
        if !self.borrowed {
            self.store.close().await;
        }
    }
}

/// A flow that ends at once.
pub(crate) fn greet() -> Value {
    json!({
        "runstone": 1, "name": "greet",
        "input": { "type": "object", "required": ["who"], "properties": { "who": { "type": "string" } } },
        "state": { "greeting": { "type": "string" } },
        "start": "greet",
        "nodes": { "greet": { "uses": "set", "with": { "greeting": "Hello, ${{ input.who }}!" } } },
        "edges": ["greet -> end"],
        "output": { "greeting": "${{ state.greeting }}" },
    })
}

/// For runs that are to be still alive when a test is done with them, on the slowest database too
/// [ms].
pub(crate) const AN_HOUR: u32 = 3_600_000;

/// A flow of so many rounds of so many milliseconds.
pub(crate) fn rounds(number: u32, pause_ms: u32) -> Value {
    json!({
        "runstone": 1, "name": "rounds",
        "state": { "n": { "type": "integer", "default": 0 } },
        "start": "count",
        "nodes": {
            "count": { "uses": "set", "with": { "n": "${{ state.n + 1 }}" } },
            "pause": { "uses": "sleep", "with": { "for": format!("{pause_ms}ms") } },
        },
        "edges": [
            "count -> pause",
            { "from": "pause", "to": "count", "when": format!("state.n < {number}") },
            { "from": "pause", "to": "end", "else": true },
        ],
        "output": { "n": "${{ state.n }}" },
    })
}
