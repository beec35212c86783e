//! The check before every handler: rate limits, authentication, the project of the path, the role
//! that the table asks for, the time limit; and the audit log after it.
use std::{
    net::{IpAddr, Ipv4Addr},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use axum::{
    RequestExt as _,
    extract::{RawPathParams, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use runstone_api::{Access, Code, Operation, Role};
use runstone_model::ids::ProjectId;
use runstone_store::AuditRecord;
use uuid::Uuid;

use super::{
    Caller, Reach, Scope,
    key::Secret,
    oidc::{Holder, Refused},
    rate::{Standing, counted},
};
use crate::{
    Answer, App, Fault,
    http::{
        gate::{Address, Busy, TraceId},
        verb,
    },
    metrics::Counter,
    report, routes, trace,
};

/// Who did it, as far as known, for the audit log.
#[derive(Clone, Debug, Default)]
struct Known {
    actor: Option<String>,
    project: Option<Uuid>,
    standing: Option<Standing>,
}

/// Lets a request through to its handler, or refuses it.
pub(crate) async fn check(
    app: App,
    operation: Arc<Operation>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut known = Known::default();
    let address = address(&request);
    let params = request.extract_parts::<RawPathParams>().await.ok();
    let named = params.as_ref().and_then(|params| {
        let mut params = params.iter();
        params
            .find(|(name, _)| *name == "project")
            .map(|(_, id)| id.to_owned())
    });
    let trace = request.extensions().get::<TraceId>().cloned();
    let target = verb::written(request.uri().path(), routes::paths()).replace('\0', "");
    let allowed = allow(
        &app,
        &operation,
        named.as_deref(),
        &mut request,
        address,
        &mut known,
    )
    .await;
    let standing = known.standing;
    let entry = AuditRecord {
        id: app.new_id(),
        at: app.now(),
        project: known.project,
        actor: known.actor.unwrap_or_else(|| "anonymous".to_owned()),
        action: operation.id.to_owned(),
        target,
        status: 0,
        trace_id: trace.map(|trace| trace.0).unwrap_or_default(),
        address: address.to_string(),
    };
    let mut response = match allowed {
        Err(fault) => {
            let response = fault.into_response();
            audited(&app, &operation, entry, response.status()).await;
            response
        }
        Ok(()) if operation.method == "GET" => {
            let response = carry_out(&app, &operation, request, next).await;
            audited(&app, &operation, entry, response.status()).await;
            response
        }
        Ok(()) => write(app, operation, request, next, entry).await,
    };
    if let Some(standing) = standing {
        rate_headers(response.headers_mut(), standing);
    }
    response
}

/// Carries out a write to its end and notes it, also when its caller goes away meanwhile: the future
/// of a request is dropped then, and this must not be.
async fn write(
    app: App,
    operation: Arc<Operation>,
    request: Request,
    next: Next,
    entry: AuditRecord,
) -> Response {
    let busy = request.extensions().get::<Arc<Busy>>().cloned();
    let work = async move {
        let _busy = busy;
        let carried_out = AssertUnwindSafe(carry_out(&app, &operation, request, next));
        let response = carried_out
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Fault::internal("a handler panicked").into_response());
        // What viewers may send changes nothing: it only asks in a body.
        if let Some(project) = entry.project
            && !operation.access.allows(Role::Viewer)
        {
            report::written(&app, ProjectId(project), response.status()).await;
        }
        audited(&app, &operation, entry, response.status()).await;
        response
    };
    // What it starts belongs to the same trace.
    let writing = tokio::spawn(trace::within(trace::request(), work));
    let written = writing.await;
    written.unwrap_or_else(|_| Fault::internal("a write was cut off").into_response())
}

/// Notes writes and denials.
async fn audited(app: &App, operation: &Operation, mut entry: AuditRecord, status: StatusCode) {
    let status = status.as_u16();
    let denied = matches!(status, 401 | 403);
    if (operation.method == "GET" && !denied) || operation.access == Access::Public {
        return;
    }
    entry.status = status.into();
    if denied {
        app.audit.note_denial(app, entry);
    } else {
        app.audit.note(app, entry).await;
    }
}

fn address(request: &Request) -> IpAddr {
    let address = request.extensions().get::<Address>();
    address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Address(from)| from.ip())
}

async fn carry_out(app: &App, operation: &Operation, request: Request, next: Next) -> Response {
    if operation.unhurried {
        return next.run(request).await;
    }
    let limit = Duration::from_millis(app.settings.limits.request_timeout_ms);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("the answer took longer than {limit:?}");
            Fault::new(Code::Timeout, detail).into_response()
        }
    }
}

async fn allow(
    app: &App,
    operation: &Operation,
    named: Option<&str>,
    request: &mut Request,
    address: IpAddr,
    known: &mut Known,
) -> Answer<()> {
    // However much else is asked from there, a load balancer must hear how the server is.
    let vital = operation.path.starts_with("/health");
    if !vital && let Some(rate) = &app.auth.per_address {
        count(
            rate.count(app, counted(address), 1).await,
            known,
            &app.metrics.limited_by_address,
        )?;
    }
    if operation.access == Access::Public {
        return Ok(());
    }
    let caller = if app.settings.auth.off {
        own_site(request)?;
        Caller {
            actor: "local".to_owned(),
            reach: Reach::Admin,
        }
    } else {
        authenticate(app, request.headers(), address, known).await?
    };
    known.actor = Some(caller.actor.clone());
    match named {
        Some(text) => {
            let scope = scope(app, operation, &caller, text).await?;
            known.project = Some(scope.id().0);
            if !operation.access.allows(scope.role) {
                return Err(forbidden(operation, scope.role));
            }
            request.extensions_mut().insert(scope);
        }
        // The path names one, but not in UTF-8.
        None if operation.in_project() => return Err(Fault::not_found("project")),
        None => {
            let role = match &caller.reach {
                Reach::Admin => Role::Admin,
                Reach::Server(role) => *role,
                Reach::Project(..) | Reach::Subject(..) => Role::Viewer,
            };
            if !operation.access.allows(role) {
                return Err(forbidden(operation, role));
            }
        }
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

fn forbidden(operation: &Operation, role: Role) -> Fault {
    let (asked, has) = (operation.access.name(), role.name());
    Fault::new(
        Code::Forbidden,
        format!("this takes the role {asked}; the caller has {has}"),
    )
}

/// The project that the path names: there is none for somebody who may not see it.
async fn scope(app: &App, operation: &Operation, caller: &Caller, text: &str) -> Answer<Scope> {
    let none = || Fault::not_found("project");
    let id = Uuid::try_parse(text).map_err(|_| none())?;
    if text.len() != 36 {
        return Err(none());
    }
    let id = ProjectId(id);
    let role = match &caller.reach {
        Reach::Admin => Role::Admin,
        Reach::Server(role) => *role,
        Reach::Project(own, role) if *own == id => *role,
        Reach::Project(..) => return Err(none()),
        Reach::Subject(subject, roles) => {
            let member = app.store.member(id, subject).await?;
            let own = member.and_then(|member| Role::from_name(&member.role));
            // The greater of the two.
            own.max(roles.get(&id).copied()).ok_or_else(none)?
        }
    };
    let project = app.store.project(id).await?.ok_or_else(none)?;
    if project.deleted_at.is_some() && !operation.reaches_deleted {
        return Err(none());
    }
    let project = Arc::new(project);
    Ok(Scope { project, role })
}

async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    address: IpAddr,
    known: &mut Known,
) -> Answer<Caller> {
    let found = match bearer(headers) {
        None => None,
        Some(text) => match Secret::read(text) {
            Some(secret) => by_key(app, &secret, known).await?,
            None => by_token(app, text).await?,
        },
    };
    if let Some(caller) = found {
        return Ok(caller);
    }
    // Only who shows no valid key is counted: behind a proxy all have one address.
    if let Some(failures) = &app.auth.failures {
        count(
            failures.count(app, counted(address), 1).await,
            &mut Known::default(),
            &app.metrics.limited_by_failures,
        )?;
    }
    let detail = "send `Authorization: Bearer` with a valid key or token";
    Err(Fault::new(Code::Unauthenticated, detail)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, text) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| text.trim())
}

async fn by_key(app: &App, secret: &Secret, known: &mut Known) -> Answer<Option<Caller>> {
    let Some(record) = app.auth.keys.check(app, secret).await? else {
        return Ok(None);
    };
    let actor = format!("key:{}", record.id);
    known.actor = Some(actor.clone());
    if let Some(rate) = &app.auth.per_key {
        count(
            rate.count(app, record.id, 1).await,
            known,
            &app.metrics.limited_by_key,
        )?;
    }
    let Some(role) = Role::from_name(&record.role) else {
        return Ok(None);
    };
    let reach = match (record.project, role) {
        (Some(project), role) => Reach::Project(project, role.min(Role::Owner)),
        (None, Role::Admin) => Reach::Admin,
        (None, role) => Reach::Server(role),
    };
    Ok(Some(Caller { actor, reach }))
}

async fn by_token(app: &App, token: &str) -> Answer<Option<Caller>> {
    let Some(oidc) = &app.auth.oidc else {
        return Ok(None);
    };
    match oidc.holder(token).await {
        Ok(Holder { subject, roles }) => {
            let admin = oidc.settings.admins.contains(&subject);
            let actor = format!("oidc:{subject}");
            let reach = if admin {
                Reach::Admin
            } else {
                Reach::Subject(subject, roles)
            };
            Ok(Some(Caller { actor, reach }))
        }
        Err(Refused::Wrong) => Ok(None),
        Err(Refused::NoKeys(why)) => {
            let detail = "the issuer of tokens does not answer";
            Err(Fault::new(Code::Unavailable, detail)
                .retry_after(5)
                .cause(why))
        }
    }
}

/// Without auth, a page of another site in the user's browser must not reach us: neither by its own
/// name for our address nor by a form.
fn own_site(request: &Request) -> Answer<()> {
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str()));
    let host = host.unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let same = text(header::ORIGIN).is_none_or(|origin| {
        origin
            .strip_prefix("http://")
            .is_some_and(|origin| origin == host)
    });
    if local && same {
        return Ok(());
    }
    let detail = "a server without auth answers only to localhost and to its own pages";
    Err(Fault::new(Code::CrossSite, detail))
}

fn count(standing: Standing, known: &mut Known, refused: &Counter) -> Answer<()> {
    known.standing = Some(standing);
    if standing.allowed {
        return Ok(());
    }
    refused.add(1);
    let detail = format!("at most {} in one go", standing.limit);
    Err(Fault::new(Code::RateLimited, detail).retry_after(standing.reset_s.max(1)))
}

fn rate_headers(headers: &mut HeaderMap, standing: Standing) {
    for (name, value) in [
        ("ratelimit-limit", standing.limit),
        ("ratelimit-remaining", standing.remaining),
        ("ratelimit-reset", standing.reset_s),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

/// The methods of a path, for `Allow`.
pub(crate) fn allow_header(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.sort_unstable();
    names.dedup();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}
