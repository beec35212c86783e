//! The names of attributes and the spans that are named by conventions. Those of GenAI follow the
//! OpenTelemetry semantic conventions for generative AI, which are still in development: they are
//! all here, and a test holds them.
use runstone_store::agent::AgentExecution;

use super::{Kind, Place, Span, nanos, new_span, proto::Value};

/// The span of an agent's execution that has ended, below `place`.
pub(crate) fn agent_span(place: Place, execution: &AgentExecution) -> Option<Span> {
    let end = execution.finished_at?;
    let agent = &execution.agent;
    let mut attributes: Vec<(&'static str, Value)> = vec![
        ("gen_ai.operation.name", "invoke_agent".into()),
        ("gen_ai.agent.name", agent.as_str().into()),
        ("gen_ai.usage.input_tokens", execution.input_tokens.into()),
        ("gen_ai.usage.output_tokens", execution.output_tokens.into()),
        (
            "runstone.agent_execution.id",
            execution.id.to_string().into(),
        ),
        ("runstone.project.id", execution.project.to_string().into()),
    ];
    if let Some(model) = &execution.model {
        attributes.push(("gen_ai.request.model", model.as_str().into()));
    }
    if let Some(run) = execution.run {
        attributes.push(("runstone.run.id", run.to_string().into()));
    }
    if let Some(correlation) = &execution.correlation_id {
        attributes.push(("runstone.correlation_id", correlation.as_str().into()));
    }
    let failed = execution.status.name() == "failed";
    if failed {
        attributes.push(("error.type", "agent_failed".into()));
    }
    Some(Span {
        trace: place.trace,
        id: new_span(),
        parent: Some(place.span),
        name: format!("invoke_agent {agent}"),
        kind: Kind::Internal,
        begin: nanos(execution.started_at),
        end: nanos(end),
        attributes,
        // What an agent says of its failure may hold anything: it stays in the database.
        error: failed.then(|| "the agent's execution failed".to_owned()),
    })
}
