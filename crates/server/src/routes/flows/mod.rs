//! Flows: stored as immutable versions, checked as a whole, drawn.
mod statistics;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use runstone_api::{
    Access::AtLeast,
    BASE, Code, FieldError, ListPage,
    Role::{Editor, Viewer},
    flows::{
        DrawFlow, Flow, Graph, GraphEdge, GraphNode, PutFlow, Validation,
        statistics::{FlowStatistics, SumFlow},
    },
};
use runstone_engine::FlowError;
use runstone_model::{
    flow::{Flow as Checked, Target, draw},
    problem::Problem,
};
use runstone_store::FlowRecord;
use serde_json::{Value, json};

use super::quota::{self, Counted, Places};
use crate::{Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope, invalid_body};

/// A flow that runs: the examples of the documentation are sent by a test.
pub(super) fn example() -> Value {
    json!({
        "runstone": 1,
        "name": "greet",
        "input": { "type": "object", "required": ["who"], "properties": { "who": { "type": "string" } } },
        "state": { "greeting": { "type": "string" } },
        "start": "greet",
        "nodes": { "greet": { "uses": "set", "with": { "greeting": "Hello, ${{ input.who }}!" } } },
        "edges": ["greet -> end"],
        "output": { "greeting": "${{ state.greeting }}" },
    })
}

pub(super) fn routes() -> Vec<Route> {
    let body = json!({ "definition": example() });
    let of = |path: &str| format!("/projects/{{project}}/flows{path}");
    vec![
        Route::get(&of(""), "flows.list", AtLeast(Viewer), list)
            .summary("The flows of a project by name, each with its newest version")
            .query::<ListPage>()
            .page::<Flow>(),
        Route::post(&of(""), "flows.create", AtLeast(Editor), create)
            .summary("Store a flow under the name that it has")
            .describe("A text that is stored already makes no new version.")
            .body::<PutFlow>(body.clone())
            .fails(&[Code::InvalidFlow, Code::QuotaExceeded])
            .answers::<Flow>(201, "The version that holds it."),
        Route::post(
            &of(":validate"),
            "flows.validate",
            AtLeast(Viewer),
            validate,
        )
        .summary("Check a flow: all problems at once, each with its place and a way to mend it")
        .body::<PutFlow>(body.clone())
        .answers::<Validation>(200, "What was found."),
        Route::get(&of("/{name}"), "flows.get", AtLeast(Viewer), get)
            .summary("A flow's newest version")
            .answers::<Flow>(200, "The flow with its definition."),
        Route::put(&of("/{name}"), "flows.put", AtLeast(Editor), put)
            .summary("Store a new version of a flow")
            .describe(
                "Versions are never overwritten; a text that is stored already makes no new one.",
            )
            .body::<PutFlow>(body)
            .fails(&[Code::InvalidFlow, Code::QuotaExceeded])
            .answers::<Flow>(200, "The version that holds it."),
        Route::delete(&of("/{name}"), "flows.delete", AtLeast(Editor), delete)
            .summary("Delete a flow that no run is of")
            .empty(204, "It is gone, with all its versions."),
        Route::get(
            &of("/{name}/versions"),
            "flows.versions",
            AtLeast(Viewer),
            versions,
        )
        .summary("A flow's versions, newest first")
        .query::<ListPage>()
        .page::<Flow>(),
        Route::get(
            &of("/{name}/versions/{version}"),
            "flows.version",
            AtLeast(Viewer),
            version,
        )
        .summary("One version of a flow")
        .answers::<Flow>(200, "The version with its definition."),
        Route::get(&of("/{name}/graph"), "flows.graph", AtLeast(Viewer), graph)
            .summary("A flow as a picture or as nodes and edges")
            .query::<DrawFlow>()
            .answers::<Graph>(200, "The graph; other formats are text."),
        Route::get(
            &of("/{name}/statistics"),
            "flows.statistics",
            AtLeast(Viewer),
            statistics::statistics,
        )
        .summary("What became of a flow's runs: by status and version, with durations and steps")
        .describe("Counts the newest 20,000 runs of the window at most, and says so.")
        .query::<SumFlow>()
        .answers::<FlowStatistics>(200, "The sums, with their `Age`."),
    ]
}

fn wire(record: FlowRecord) -> Flow {
    let read = |text: String| serde_json::from_str(&text).ok();
    Flow {
        name: record.name,
        version: record.version,
        version_id: record.id.0,
        created_at: record.created_at.rfc3339(),
        definition: record.definition.and_then(read),
    }
}

fn field(problem: &Problem) -> FieldError {
    let pointer = format!("/definition/{}", problem.path.replace('.', "/"));
    FieldError {
        pointer: pointer.trim_end_matches('/').to_owned(),
        detail: problem.message.clone(),
        code: Some(problem.code.to_owned()),
        line: (problem.place.line > 0).then_some(problem.place.line),
        column: (problem.place.line > 0).then_some(problem.place.column),
        mend: (!problem.mend.is_empty()).then(|| problem.mend.clone()),
    }
}

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

async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<ListPage>,
) -> Answer<Page<Flow>> {
    let paging = Paging::read("flows", query.limit, query.cursor.as_deref())?;
    let after = paging.after.clone().unwrap_or_default();
    let found = app.store.flows(scope.id(), &after, paging.fetch()).await?;
    Ok(paging.page(found, |flow| flow.name.clone()).map(wire))
}

/// Checks a flow and stores it; with `name` it must be called that.
async fn store(app: &App, scope: &Scope, put: &PutFlow, name: Option<&str>) -> Answer<Flow> {
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
    if let Some(name) = name.filter(|name| *name != flow.name) {
        let detail = format!("the flow is called `{}`, the path says `{name}`", flow.name);
        return Err(invalid_body(vec![FieldError::new(
            "/definition/name",
            detail,
        )]));
    }
    let _places = quota(app, scope, &flow.name).await?;
    let pinned = app.engine.store_flow(scope.id(), flow.into()).await?;
    let found = app
        .store
        .flow(scope.id(), &pinned.flow.name, Some(pinned.version))
        .await?;
    found.map(wire).ok_or_else(|| Fault::not_found("flow"))
}

async fn quota(app: &App, scope: &Scope, name: &str) -> Answer<Option<Places>> {
    let Some(most) = quota::of(&scope.project)?.flows else {
        return Ok(None);
    };
    if app.store.flow(scope.id(), name, None).await?.is_some() {
        return Ok(None);
    }
    let count = async { Ok(app.store.count_flows(scope.id()).await?) };
    let taken = quota::take(app, scope.id(), Counted::Flows, (1, most), count).await;
    taken.map(Some)
}

async fn create(State(app): State<App>, scope: Scope, Body(new): Body<PutFlow>) -> Answer {
    let flow = store(&app, &scope, &new, None).await?;
    let path = format!("{BASE}/projects/{}/flows/{}", scope.id(), flow.name);
    let mut response = (StatusCode::CREATED, Json(flow)).into_response();
    if let Ok(location) = HeaderValue::from_str(&path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn put(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Body(new): Body<PutFlow>,
) -> Answer<Json<Flow>> {
    let name = params.text("name")?;
    store(&app, &scope, &new, Some(name)).await.map(Json)
}

async fn validate(
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

async fn find(
    app: &App,
    scope: &Scope,
    params: &Params,
    version: Option<u32>,
) -> Answer<FlowRecord> {
    let found = app
        .store
        .flow(scope.id(), params.text("name")?, version)
        .await?;
    found.ok_or_else(|| Fault::not_found("flow"))
}

async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer<Json<Flow>> {
    Ok(Json(wire(find(&app, &scope, &params, None).await?)))
}

async fn version(State(app): State<App>, scope: Scope, params: Params) -> Answer<Json<Flow>> {
    let version = params.read("version")?;
    Ok(Json(wire(
        find(&app, &scope, &params, Some(version)).await?,
    )))
}

async fn versions(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<ListPage>,
) -> Answer<Page<Flow>> {
    let paging = Paging::read("versions", query.limit, query.cursor.as_deref())?;
    let name = params.text("name")?;
    let found = app
        .store
        .flow_versions(scope.id(), name, paging.after()?, paging.fetch())
        .await?;
    if found.is_empty() && paging.after.is_none() {
        return Err(Fault::not_found("flow"));
    }
    Ok(paging
        .page(found, |flow| flow.version.to_string())
        .map(wire))
}

async fn delete(State(app): State<App>, scope: Scope, params: Params) -> Answer<StatusCode> {
    let found = find(&app, &scope, &params, None).await?;
    if app.store.delete_flow(scope.id(), &found.name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = "there are runs of it, and a run keeps its flow";
    Err(Fault::new(Code::Conflict, detail))
}

async fn graph(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<DrawFlow>,
) -> Answer {
    let found = find(&app, &scope, &params, query.version).await?;
    let pinned = app.engine.flow_version(found.id).await?;
    let flow = &pinned.flow;
    let (kind, text) = match query.format.as_deref() {
        Some("mermaid") => ("text/plain; charset=utf-8", draw::mermaid(flow)),
        Some("dot") => ("text/vnd.graphviz; charset=utf-8", draw::dot(flow)),
        Some("svg") => ("image/svg+xml", draw::svg(flow)),
        Some("text") => ("text/plain; charset=utf-8", draw::text(flow)),
        _ => return Ok(Json(as_data(flow)).into_response()),
    };
    Ok(as_text(kind, text))
}

fn as_text(kind: &'static str, text: String) -> Response {
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static(kind))],
        text,
    )
        .into_response()
}

fn as_data(flow: &Checked) -> Graph {
    let name = |node: usize| {
        flow.nodes
            .get(node)
            .map_or_else(String::new, |node| node.name.clone())
    };
    let nodes = flow.nodes.iter().map(|node| GraphNode {
        name: node.name.clone(),
        uses: node.uses.clone(),
    });
    let edges = flow.edges.iter().map(|edge| GraphEdge {
        from: name(edge.from),
        to: match edge.to {
            Target::Node(node) => name(node),
            Target::End => "end".to_owned(),
            Target::Fail => "fail".to_owned(),
        },
    });
    Graph {
        start: name(flow.start),
        nodes: nodes.collect(),
        edges: edges.collect(),
    }
}

impl From<FlowError> for Fault {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Problems(problems) => {
                let errors = problems.0.iter().map(field).collect();
                Self::new(Code::InvalidFlow, problems.to_string()).errors(errors)
            }
            FlowError::Store(error) => error.into(),
        }
    }
}
