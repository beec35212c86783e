//! Agent executions: begun, reported on, ended; and their sums.
mod metrics;
mod money;

use axum::{extract::State, http::HeaderMap, http::StatusCode};
use runstone_api::{
    Access::AtLeast,
    BASE, Code, FieldError, List,
    Role::{Editor, Viewer},
    agents::{
        AgentExecution, AgentMetrics, ChangeAgentExecution, ListAgentExecutions, Money,
        NewAgentExecution, SumAgents,
    },
    list::ExecutionKey,
};
use runstone_model::{
    ids::{AgentExecutionId, ProjectId, RunId},
    time::Timestamp,
};
use runstone_store::agent::{AgentExecution as Stored, AgentFilter, AgentStatus};
use serde_json::json;

use super::once::Once;
use super::versioned::{IF_MATCH, answer, json as stored_json, made, ms, stale};
use crate::{
    Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope, etag, if_match,
    invalid_body, trace,
};

pub(super) fn routes() -> Vec<Route> {
    let of = |path: &str| format!("/projects/{{project}}/agents{path}");
    let new = json!({
        "agent": "writer",
        "correlation_id": "order-7",
        "model": "small-1",
        "input": { "topic": "moving house" },
    });
    let change = json!({
        "status": "completed",
        "input_tokens": 1200,
        "output_tokens": 300,
        "cost": { "amount": "0.0042", "currency": "EUR" },
        "output": { "words": 250 },
    });
    vec![
        Route::get(&of("/executions"), "agents.list", AtLeast(Viewer), list)
            .summary("The agent executions of a project, newest first")
            .query::<List<ExecutionKey, ListAgentExecutions>>()
            .page::<AgentExecution>(),
        Route::post(&of("/executions"), "agents.create", AtLeast(Editor), create)
            .summary("Report that an agent begins")
            .once()
            .body::<NewAgentExecution>(new)
            .answers::<AgentExecution>(201, "It runs; `Location` and `ETag` are given."),
        Route::get(
            &of("/executions/{execution}"),
            "agents.get",
            AtLeast(Viewer),
            get,
        )
        .summary("One execution, with what it took and gave")
        .etag()
        .answers::<AgentExecution>(200, "The execution, with its `ETag`."),
        Route::patch(
            &of("/executions/{execution}"),
            "agents.change",
            AtLeast(Editor),
            change_one,
        )
        .summary("Report how far an agent is, or how it ended")
        .describe("What is not given stays. One that has ended does not change any more.")
        .header("If-Match", true, IF_MATCH)
        .body::<ChangeAgentExecution>(change)
        .answers::<AgentExecution>(200, "The execution, with its new `ETag`."),
        Route::get(
            &of("/metrics"),
            "agents.metrics",
            AtLeast(Viewer),
            metrics::sums,
        )
        .summary("Executions summed up by agent, period and currency")
        .query::<SumAgents>()
        .answers::<AgentMetrics>(200, "The sums, oldest period first, with their `Age`."),
    ]
}

fn wire(stored: &Stored) -> AgentExecution {
    AgentExecution {
        id: stored.id.0,
        agent: stored.agent.clone(),
        correlation_id: stored.correlation_id.clone(),
        run_id: stored.run.map(|run| run.0),
        model: stored.model.clone(),
        status: stored.status.name().to_owned(),
        progress: stored.progress,
        message: stored.message.clone(),
        input_tokens: stored.input_tokens,
        output_tokens: stored.output_tokens,
        cost: stored.currency.as_ref().map(|currency| Money {
            amount: money::decimal(stored.cost_nanos),
            currency: currency.clone(),
        }),
        version: stored.version,
        started_at: stored.started_at.rfc3339(),
        updated_at: stored.updated_at.rfc3339(),
        finished_at: stored.finished_at.map(Timestamp::rfc3339),
        duration_ms: stored.duration_us.map(ms),
        input: stored_json(stored.input.as_deref()),
        output: stored_json(stored.output.as_deref()),
        error: stored_json(stored.error.as_deref()),
    }
}

async fn present(app: &App, scope: &Scope, params: &Params) -> Answer<Stored> {
    let id = AgentExecutionId(params.uuid("execution")?);
    let found = app.store.agent_execution(scope.id(), id).await?;
    found.ok_or_else(|| Fault::not_found("execution"))
}

async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<ExecutionKey, ListAgentExecutions>>,
) -> Answer<Page<AgentExecution>> {
    let paging = Paging::read("agents", &query)?;
    let status = query.filter.status.as_deref();
    let filter = AgentFilter {
        status: status.and_then(AgentStatus::from_name),
        agent: query.filter.agent,
        correlation_id: query.filter.correlation_id,
    };
    let (store, project) = (&app.store, scope.id());
    let found = store
        .agent_executions(project, &filter, &paging.walk()?)
        .await?;
    let page = paging.page(found, |execution| execution.id.to_string());
    let total = match query.total {
        true => Some(store.count_agent_executions(project, &filter).await?),
        false => None,
    };
    Ok(page.map(|execution| wire(&execution)).total(total))
}

async fn create(
    State(app): State<App>,
    scope: Scope,
    headers: HeaderMap,
    Body(new): Body<NewAgentExecution>,
) -> Answer {
    let once = Once::of(&app, scope.id(), &headers, "agents.create", &new).await?;
    let (store, project, now) = (&app.store, scope.id(), app.now());
    let there = |id| async move {
        let id = AgentExecutionId(id);
        Ok(store.agent_execution(project, id).await?)
    };
    let make = |id| async move {
        let execution = begun(new, AgentExecutionId(id), project, now);
        store.create_agent_execution(&execution).await?;
        Ok(execution)
    };
    let execution = once.make(there, make).await?;
    let base = format!("{BASE}/projects/{project}/agents/executions");
    let location = format!("{base}/{}", execution.id);
    Ok(made(
        StatusCode::CREATED,
        &location,
        Some(etag(execution.version)),
        wire(&execution),
    ))
}

fn begun(
    new: NewAgentExecution,
    id: AgentExecutionId,
    project: ProjectId,
    now: Timestamp,
) -> Stored {
    Stored {
        id,
        project,
        agent: new.agent,
        correlation_id: new.correlation_id,
        run: new.run_id.map(RunId),
        model: new.model,
        status: AgentStatus::Running,
        progress: 0,
        message: new.message,
        input_tokens: 0,
        output_tokens: 0,
        cost_nanos: 0,
        currency: None,
        version: 1,
        started_at: now,
        updated_at: now,
        finished_at: None,
        duration_us: None,
        input: new.input.map(|input| input.to_string()),
        output: None,
        error: None,
    }
}

async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    let execution = present(&app, &scope, &params).await?;
    Ok(answer(execution.version, wire(&execution)))
}

async fn change_one(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Body(change): Body<ChangeAgentExecution>,
) -> Answer {
    let version = if_match(&headers)?;
    let execution = present(&app, &scope, &params).await?;
    let refuse = |found: &Stored| {
        if found.status == AgentStatus::Running {
            stale(found.version)
        } else {
            let detail = format!("it has ended: {}", found.status.name());
            Fault::new(Code::Conflict, detail)
        }
    };
    if execution.version != version || execution.status != AgentStatus::Running {
        return Err(refuse(&execution));
    }
    let changed = changed(execution, change, app.now())?;
    if app.store.update_agent_execution(&changed, version).await? {
        let changed = Stored {
            version: version + 1,
            ..changed
        };
        if let Some(place) = trace::request()
            && let Some(span) = trace::agent_span(place, &changed)
        {
            app.traces.note(span);
        }
        return Ok(answer(changed.version, wire(&changed)));
    }
    Err(refuse(&present(&app, &scope, &params).await?))
}

fn changed(mut execution: Stored, change: ChangeAgentExecution, now: Timestamp) -> Answer<Stored> {
    if let Some(cost) = change.cost {
        let wrong = |detail: &str| invalid_body(vec![FieldError::new("/cost", detail)]);
        let nanos = money::nanos(&cost.amount);
        execution.cost_nanos = nanos.ok_or_else(|| wrong("is no amount of money"))?;
        if execution
            .currency
            .as_ref()
            .is_some_and(|before| *before != cost.currency)
        {
            return Err(wrong("has another currency than before"));
        }
        execution.currency = Some(cost.currency);
    }
    execution.progress = change.progress.unwrap_or(execution.progress);
    execution.message = change.message.or(execution.message);
    execution.model = change.model.or(execution.model);
    execution.input_tokens = change.input_tokens.unwrap_or(execution.input_tokens);
    execution.output_tokens = change.output_tokens.unwrap_or(execution.output_tokens);
    execution.output = change
        .output
        .map(|value| value.to_string())
        .or(execution.output);
    execution.error = change
        .error
        .map(|value| value.to_string())
        .or(execution.error);
    execution.updated_at = now;
    let ended = change.status.as_deref().and_then(AgentStatus::from_name);
    if let Some(status) = ended.filter(|status| *status != AgentStatus::Running) {
        let took = now.since(execution.started_at).as_micros();
        execution.status = status;
        execution.finished_at = Some(now);
        execution.duration_us = Some(i64::try_from(took).unwrap_or(i64::MAX));
        if status == AgentStatus::Completed {
            execution.progress = 100;
        }
    }
    Ok(execution)
}
