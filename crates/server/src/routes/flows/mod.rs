//! Flows: stored as immutable versions, checked as a whole, drawn.
mod statistics;
mod write;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use runstone_api::{
    Access::AtLeast,
    Code, FieldError, List,
    Role::{Editor, Viewer},
    flows::{DrawFlow, Flow, Graph, GraphEdge, GraphNode, PutFlow, Validation},
    list::{FlowKey, VersionKey},
};
use runstone_engine::FlowError;
use runstone_model::{
    flow::{Flow as Checked, Target, draw},
    problem::Problem,
};
use runstone_store::FlowRecord;
use serde_json::{Value, json};

use super::versioned::{IF_MATCH, tagged};
use crate::{Answer, App, Fault, Page, Paging, Params, Query, Route, Scope, etag_with};

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
    let mut routes = vec![
        Route::get(&of(""), "flows.list", AtLeast(Viewer), list)
            .summary("The flows of a project by name, each with its newest version")
            .query::<List<FlowKey>>()
            .page::<Flow>(),
        Route::post(&of(""), "flows.create", AtLeast(Editor), write::create)
            .summary("Store a flow under the name that it has")
            .describe("A text that is stored already makes no new version.")
            .body::<PutFlow>(body.clone())
            .fails(&[Code::InvalidFlow, Code::QuotaExceeded])
            .answers::<Flow>(201, "The version that holds it."),
        Route::post(
            &of(":validate"),
            "flows.validate",
            AtLeast(Viewer),
            write::validate,
        )
        .summary("Check a flow: all problems at once, each with its place and a way to mend it")
        .body::<PutFlow>(body.clone())
        .answers::<Validation>(200, "What was found."),
        Route::get(&of("/{name}"), "flows.get", AtLeast(Viewer), get)
            .summary("A flow's newest version")
            .etag()
            .answers::<Flow>(200, "The flow with its definition and `ETag`."),
        Route::put(&of("/{name}"), "flows.put", AtLeast(Editor), write::put)
            .summary("Store a new version of a flow, or a new flow")
            .describe(
                "Versions are never overwritten; a text that is stored already makes no new one. A \
                 flow that is there takes the `ETag` of its newest version in `If-Match`.",
            )
            .header("If-Match", false, IF_MATCH)
            .header("If-None-Match", false, "`*`: there is no such flow yet.")
            .body::<PutFlow>(body)
            .fails(&[Code::InvalidFlow, Code::QuotaExceeded])
            .answers::<Flow>(200, "The version that holds it, and the newest's `ETag`."),
        Route::delete(
            &of("/{name}"),
            "flows.delete",
            AtLeast(Editor),
            write::delete,
        )
        .summary("Delete a flow that no run is of")
        .header("If-Match", true, IF_MATCH)
        .empty(204, "It is gone, with all its versions."),
    ];
    routes.extend(looking());
    routes
}

fn of(path: &str) -> String {
    format!("/projects/{{project}}/flows{path}")
}

fn looking() -> Vec<Route> {
    vec![
        Route::get(
            &of("/{name}/versions"),
            "flows.versions",
            AtLeast(Viewer),
            versions,
        )
        .summary("A flow's versions, newest first")
        .query::<List<VersionKey>>()
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
        statistics::route(&of("/{name}/statistics")),
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

/// Two flows of one name, of which the first was deleted, have the same numbers.
fn tag(newest: &FlowRecord) -> (HeaderName, String) {
    etag_with(newest.version.into(), newest.created_at.0)
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

async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    let found = find(&app, &scope, &params, None).await?;
    Ok(tagged(tag(&found), wire(found)))
}

async fn version(State(app): State<App>, scope: Scope, params: Params) -> Answer<Json<Flow>> {
    let version = params.read("version")?;
    Ok(Json(wire(
        find(&app, &scope, &params, Some(version)).await?,
    )))
}

async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<FlowKey>>,
) -> Answer<Page<Flow>> {
    let paging = Paging::read("flows", &query)?;
    let found = app.store.flows(scope.id(), &paging.walk()?).await?;
    let page = paging.page(found, |flow| flow.name.clone());
    let total = match query.total {
        true => Some(app.store.count_flows(scope.id()).await?),
        false => None,
    };
    Ok(page.map(wire).total(total))
}

async fn versions(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<List<VersionKey>>,
) -> Answer<Page<Flow>> {
    let paging = Paging::read("flows.versions", &query)?;
    let (store, project, name) = (&app.store, scope.id(), params.text("name")?);
    let found = store.flow_versions(project, name, &paging.walk()?).await?;
    if found.is_empty() && query.cursor.is_none() {
        return Err(Fault::not_found("flow"));
    }
    let page = paging.page(found, |flow| flow.version.to_string());
    let total = match query.total {
        true => Some(store.count_flow_versions(project, name).await?),
        false => None,
    };
    Ok(page.map(wire).total(total))
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
