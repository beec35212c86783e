//! Assembly: the router out of the table, the loops, and an orderly end.
use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use runstone_api::Code;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    App, Fault, Parts,
    audit::Audit,
    auth::access,
    http::{accept, gate, verb},
    live::Hub,
    logs, outage,
    redis::Redis,
    routes,
    trace::Traces,
    upkeep,
};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        reason: std::io::Error,
    },
    /// A setting that was not checked before cannot be used.
    #[error("{0}")]
    Setting(String),
}

/// A server that answers.
pub struct Server {
    app: App,
    address: SocketAddr,
    serving: JoinHandle<()>,
    auditing: JoinHandle<()>,
    tracing: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts answering.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let listen = parts.settings.listen;
        let failed = |reason| StartError::Listen {
            address: listen,
            reason,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let app = App::new(parts).map_err(StartError::Setting)?;
        logs::slow_statements(&app);
        let auditing = Audit::start(&app);
        let tracing = Traces::start(&app);
        Hub::start(&app);
        Redis::start(&app);
        upkeep::start(&app);
        tokio::spawn(outage::tell(app.clone()));
        tokio::spawn(forget_old_keys(app.clone()));
        let patience = Duration::from_millis(app.settings.drain_ms);
        let serving = tokio::spawn(accept::serve(
            listener,
            router(&app),
            app.settings.limits.clone(),
            app.stopping.subscribe(),
            patience,
        ));
        Ok(Self {
            app,
            address,
            serving,
            auditing,
            tracing,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, lets those under way end, writes what is left of the audit log. Runs
    /// are the engine's business.
    pub async fn stop(self) {
        self.app.stopping.send_replace(true);
        let _ = self.serving.await; // it ends by itself, or has panicked
        writes_end(&self.app).await;
        self.app.audit.close();
        let _ = self.auditing.await;
        self.app.traces.close();
        if let Some(tracing) = self.tracing {
            let _ = tracing.await;
        }
    }
}

/// Waits for writes whose callers are gone: they are carried out all the same.
async fn writes_end(app: &App) {
    let all = u32::try_from(app.settings.limits.concurrent_requests).unwrap_or(u32::MAX);
    let patience = Duration::from_millis(app.settings.drain_ms);
    let over = app.room.acquire_many(all);
    if tokio::time::timeout(patience, over).await.is_err() {
        tracing::warn!("writes under way are left behind, without an audit entry");
    }
}

/// How often idempotency keys that have had their day are deleted.
const TIDY: Duration = Duration::from_secs(600);

/// Deletes idempotency keys that do not count any more; ends when the server stops.
async fn forget_old_keys(app: App) {
    let mut stopping = app.stopping.subscribe();
    loop {
        tokio::select! {
            () = tokio::time::sleep(TIDY) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let before = routes::remembered_since(app.now());
        if let Err(error) = app.store.forget_keys(before).await {
            outage::complain(&error, "old idempotency keys cannot be deleted");
        }
    }
}

/// The router out of the table.
pub(crate) fn router(app: &App) -> Router {
    let mut router: Router<App> = Router::new();
    for route in routes::all() {
        let path = verb::routed(&route.operation.path);
        let (app, operation) = (app.clone(), Arc::new(route.operation));
        let handler =
            route
                .handler
                .layer(middleware::from_fn(move |request: Request, next: Next| {
                    access::check(app.clone(), Arc::clone(&operation), request, next)
                }));
        router = router.route(&path, handler);
    }
    router
        .fallback(async || Fault::not_found("path"))
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), gate::gate))
        .with_state(app.clone())
}

async fn wrong_method(State(_): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    let fitting = routes::operations().iter().filter_map(|operation| {
        let route = verb::routed(&operation.path);
        let is_verb = route != operation.path;
        verb::matches(&route, path).then_some((is_verb, operation))
    });
    let fitting: Vec<_> = fitting.collect();
    // The router prefers a verb to a name that is written like one.
    let is_verb = fitting.iter().any(|(is_verb, _)| *is_verb);
    let methods: Vec<Method> = fitting
        .into_iter()
        .filter(|(verb, _)| *verb == is_verb)
        .filter_map(|(_, operation)| operation.method.parse().ok())
        .collect();
    Fault::new(Code::MethodNotAllowed, "the path does not know this method")
        .header(header::ALLOW, access::allow_header(&methods))
        .into_response()
}
