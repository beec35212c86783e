//! Writing flows: checked as a whole, stored under the name that they have, changed and deleted by who
//! has read the newest version.
use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse as _,
};
use runstone_api::{
    BASE, Code, FieldError,
    flows::{PutFlow, Validation},
};
use runstone_engine::PinnedFlow;
use runstone_model::{flow::Flow as Checked, ids::FlowVersionId};
use runstone_store::{FlowDeleted, FlowExpected, FlowRecord, FlowWritten, NewFlow};
use serde_json::Value;

use super::{field, find, tag, wire};
use crate::{
    Answer, App, Body, Fault, Params, Scope, if_match_small, invalid_body,
    routes::{
        quota::{self, Counted, Places},
        versioned::{stale, tagged},
    },
};

/// The text of a flow as it was sent.
fn text(put: &PutFlow) -> Answer<String> {
    match &put.definition {
        Value::String(text) => Ok(text.clone()),
        Value::Object(_) => Ok(put.definition.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            let detail = "must be a flow as a JSON object, or the text of a flow file";
            Err(invalid_body(vec![FieldError::new("/definition", detail)]))
        }
    }
}

/// The flow that was sent; with `name` it must be called that.
async fn checked(app: &App, put: &PutFlow, name: Option<&str>) -> Answer<Checked> {
    let text = text(put)?;
    // Large flows take a while to check; nobody else must wait for that.
    let registry = app.engine.registry().clone();
    let checked = tokio::task::spawn_blocking(move || Checked::parse(&text, &registry)).await;
    let checked = checked.map_err(|_| Fault::internal("checking a flow panicked"))?;
    let flow = checked.map_err(|problems| {
        let errors: Vec<FieldError> = problems.0.iter().map(field).collect();
        let detail = format!("{} problems were found", errors.len());
        Fault::new(Code::InvalidFlow, detail).errors(errors)
    })?;
    match name.filter(|name| *name != flow.name) {
        None => Ok(flow),
        Some(name) => {
            let detail = format!("the flow is called `{}`, the path says `{name}`", flow.name);
            let error = FieldError::new("/definition/name", detail);
            Err(invalid_body(vec![error]))
        }
    }
}

/// A version as it was stored.
async fn stored(app: &App, scope: &Scope, name: &str, version: u32) -> Answer<FlowRecord> {
    let found = app.store.flow(scope.id(), name, Some(version)).await?;
    found.ok_or_else(|| Fault::not_found("flow"))
}

async fn quota(app: &App, scope: &Scope, name: &str) -> Answer<Option<Places>> {
    let Some(most) = quota::of(&scope.project)?.flows else {
        return Ok(None);
    };
    if app.store.flow(scope.id(), name, None).await?.is_some() {
        return Ok(None);
    }
    let taken = quota::take(app, scope.id(), Counted::Flows, (1, most)).await;
    taken.map(Some)
}

pub(super) async fn create(
    State(app): State<App>,
    scope: Scope,
    Body(new): Body<PutFlow>,
) -> Answer {
    let flow = checked(&app, &new, None).await?;
    let _places = quota(&app, &scope, &flow.name).await?;
    let pinned = app.engine.store_flow(scope.id(), flow.into()).await?;
    let flow = wire(stored(&app, &scope, &pinned.flow.name, pinned.version).await?);
    let path = format!("{BASE}/projects/{}/flows/{}", scope.id(), flow.name);
    let mut response = (StatusCode::CREATED, Json(flow)).into_response();
    if let Ok(location) = HeaderValue::from_str(&path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// What the writer of a flow has read, as its headers say; None when they say nothing.
fn expected(headers: &HeaderMap) -> Answer<Option<FlowExpected>> {
    if headers.contains_key(header::IF_MATCH) {
        return Ok(Some(FlowExpected::Newest(if_match_small(headers)?)));
    }
    match headers.get(header::IF_NONE_MATCH) {
        None => Ok(None),
        Some(any) if any == "*" => Ok(Some(FlowExpected::None)),
        Some(_) => {
            let detail = "a write takes only `*`, for a flow that is not there yet";
            let error = FieldError::new("If-None-Match", detail);
            Err(Fault::new(Code::InvalidHeader, "`If-None-Match` is wrong").errors(vec![error]))
        }
    }
}

/// The fault for a writer of a flow whose newest version is `newest`.
fn outdated(expected: Option<FlowExpected>, newest: Option<u32>) -> Fault {
    match (expected, newest) {
        (None, Some(_)) => {
            let detail = "there is such a flow: send the ETag that you read as `If-Match`";
            Fault::new(Code::VersionRequired, detail)
        }
        (_, Some(newest)) => stale(newest.into()),
        (_, None) => Fault::new(Code::StaleVersion, "there is no such flow any more"),
    }
}

pub(super) async fn put(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Body(new): Body<PutFlow>,
) -> Answer {
    let name = params.text("name")?;
    let expected = expected(&headers)?;
    let present = app.store.flow(scope.id(), name, None).await?;
    let present = present.map(|flow| flow.version);
    let fits = match expected {
        None | Some(FlowExpected::None) => present.is_none(),
        Some(FlowExpected::Newest(version)) => present == Some(version),
    };
    if !fits {
        return Err(outdated(expected, present));
    }
    let flow = Arc::new(checked(&app, &new, Some(name)).await?);
    let _places = quota(&app, &scope, name).await?;
    let new = NewFlow {
        project: scope.id(),
        name: name.to_owned(),
        definition: flow.canonical.to_string(),
        id: FlowVersionId(app.new_id()),
        created_at: app.now(),
    };
    let wanted = expected.unwrap_or(FlowExpected::None);
    let (version, newest) = match app.store.put_flow_expecting(new, wanted).await? {
        FlowWritten::Stale(newest) => return Err(outdated(expected, newest)),
        FlowWritten::Done { version, newest } => (version, newest),
    };
    app.engine.keep_flow(&PinnedFlow {
        id: version.id,
        version: version.version,
        flow,
    });
    let held = stored(&app, &scope, name, version.version).await?;
    let tag = match newest == held.version {
        true => tag(&held),
        false => tag(&stored(&app, &scope, name, newest).await?),
    };
    Ok(tagged(tag, wire(held)))
}

pub(super) async fn validate(
    State(app): State<App>,
    _scope: Scope,
    Body(put): Body<PutFlow>,
) -> Answer<Json<Validation>> {
    let text = text(&put)?;
    let registry = app.engine.registry().clone();
    let checked = tokio::task::spawn_blocking(move || Checked::parse(&text, &registry)).await;
    let checked = checked.map_err(|_| Fault::internal("checking a flow panicked"))?;
    let (problems, warnings) = match &checked {
        Ok(flow) => (&[][..], &flow.warnings[..]),
        Err(problems) => (&problems.0[..], &[][..]),
    };
    Ok(Json(Validation {
        valid: checked.is_ok(),
        problems: problems.iter().map(field).collect(),
        warnings: warnings.iter().map(field).collect(),
    }))
}

pub(super) async fn delete(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let expected = if_match_small(&headers)?;
    let name = find(&app, &scope, &params, None).await?.name;
    match app.store.delete_flow(scope.id(), &name, expected).await? {
        FlowDeleted::Done => Ok(StatusCode::NO_CONTENT),
        FlowDeleted::InUse => {
            let detail = "there are runs of it, and a run keeps its flow";
            Err(Fault::new(Code::Conflict, detail))
        }
        FlowDeleted::Stale(None) => Err(Fault::not_found("flow")),
        FlowDeleted::Stale(Some(newest)) => Err(stale(newest.into())),
    }
}
