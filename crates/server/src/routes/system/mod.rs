//! The system itself: health, version, metrics, documentation, database, audit log.
mod database;

use std::sync::LazyLock;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use runstone_api::{
    Access::{AtLeast, Authenticated, Public},
    List,
    Role::{Admin, Owner},
    list::AuditKey,
    system::{AuditEntry, Health as Found, State as Wellness, Version},
};
use runstone_model::ids::ProjectId;
use runstone_store::AuditRecord;

use crate::{
    Answer, App, Page, Paging, Query, Route, Scope, VERSION, counted, docs, health::Health, metrics,
};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::system("/health", "system.health", Public, health)
            .summary("How everything is: each dependency is really asked")
            .describe("`degraded` is answered with 200, because requests are still carried out.")
            .answers::<Found>(200, "It works, perhaps slowly.")
            .answers::<Found>(503, "It does not work."),
        Route::system("/health/live", "system.live", Public, live)
            .summary("Whether the process answers at all")
            .empty(204, "It does."),
        Route::system("/health/ready", "system.ready", Public, ready)
            .summary("Whether requests should be sent here")
            .empty(204, "They should.")
            .empty(
                503,
                "They should not: it is stopping, or its database does not answer.",
            ),
        Route::system("/version", "system.version", Public, version)
            .summary("Which program this is")
            .answers::<Version>(200, "The program."),
        Route::system("/metrics", "system.metrics", Authenticated, numbers)
            .summary("Numbers for Prometheus")
            .media(200, "text/plain", "Prometheus' text format."),
        Route::system("/openapi.json", "system.openapi", Public, openapi)
            .summary("This interface as OpenAPI 3.1")
            .media(200, "application/json", "The document, with its `ETag`.")
            .etag(),
        Route::system("/docs", "system.docs", Public, documentation)
            .summary("This interface as a page")
            .media(200, "text/html", "The page, with its `ETag`.")
            .etag(),
        Route::get("/audit", "audit.list", AtLeast(Admin), audit)
            .summary("What was written and what was refused, newest first")
            .query::<List<AuditKey>>()
            .page::<AuditEntry>(),
        Route::get(
            "/projects/{project}/audit",
            "audit.list_project",
            AtLeast(Owner),
            project_audit,
        )
        .summary("What was written and refused in a project, newest first")
        .query::<List<AuditKey>>()
        .page::<AuditEntry>(),
    ];
    routes.extend(database::routes());
    routes
}

async fn health(State(app): State<App>) -> Response {
    let found = Health::find(&app).await;
    let status = match found.status {
        Wellness::Healthy | Wellness::Degraded => StatusCode::OK,
        Wellness::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(&*found)).into_response()
}

async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn ready(State(app): State<App>) -> StatusCode {
    let stopping = *app.stopping.borrow();
    if stopping || Health::find(&app).await.status == Wellness::Unhealthy {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::NO_CONTENT
    }
}

async fn version(State(app): State<App>) -> Json<Version> {
    Json(Version {
        name: "runstone".to_owned(),
        version: VERSION.to_owned(),
        database: app.store.database().dialect().name().to_owned(),
    })
}

async fn numbers(State(app): State<App>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], metrics::gather(&app)).into_response()
}

/// Something that is the same for as long as the program runs, made when first asked for.
struct Fixed {
    bytes: Bytes,
    etag: String,
}

impl Fixed {
    fn new(text: String) -> Self {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        Self {
            etag: format!("\"{}\"", &hash[..32]),
            bytes: text.into(),
        }
    }

    fn answer(&self, kind: &'static str) -> Response {
        let told = [
            (header::ETAG, self.etag.as_str()),
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_TYPE, kind),
        ];
        (told, self.bytes.clone()).into_response()
    }
}

async fn openapi() -> Response {
    static DOCUMENT: LazyLock<Fixed> = LazyLock::new(|| Fixed::new(crate::openapi().to_string()));
    DOCUMENT.answer("application/json")
}

async fn documentation() -> Response {
    static PAGE: LazyLock<Fixed> =
        LazyLock::new(|| Fixed::new(docs::page(VERSION, crate::routes::operations())));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let policy = [(header::CONTENT_SECURITY_POLICY, policy)];
    (policy, PAGE.answer("text/html; charset=utf-8")).into_response()
}

fn entry(record: AuditRecord) -> AuditEntry {
    AuditEntry {
        id: record.id,
        at: record.at.rfc3339(),
        project: record.project,
        actor: record.actor,
        action: record.action,
        target: record.target,
        status: record.status,
        trace_id: record.trace_id,
        address: record.address,
    }
}

async fn entries(
    app: &App,
    project: Option<ProjectId>,
    query: &List<AuditKey>,
) -> Answer<Page<AuditEntry>> {
    let paging = Paging::read("audit", query)?;
    let found = app.store.audit(project, &paging.walk()?).await?;
    let page = paging.page(found, |record| record.id.to_string());
    let total = match query.total {
        true => Some(counted(app.store.count_audit(project).await?)?),
        false => None,
    };
    Ok(page.map(entry).total(total))
}

async fn audit(
    State(app): State<App>,
    Query(query): Query<List<AuditKey>>,
) -> Answer<Page<AuditEntry>> {
    entries(&app, None, &query).await
}

async fn project_audit(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<AuditKey>>,
) -> Answer<Page<AuditEntry>> {
    entries(&app, Some(scope.id()), &query).await
}
