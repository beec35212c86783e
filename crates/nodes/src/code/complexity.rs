//! `code.complexity`: the numbers of each function.
use futures::future::{BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    function::{self, Function},
    metrics::{Metrics, measure},
    work::{Stop, blocking},
};
use crate::with;

/// The kind `code.complexity`.
#[derive(Clone, Copy, Debug)]
pub struct Complexity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    functions: Vec<Function>,
}

#[derive(Serialize)]
struct Measured<'f> {
    name: &'f str,
    path: &'f str,
    line: u32,
    lines: u32,
    parameters: u32,
    #[serde(flatten)]
    metrics: Metrics,
}

fn all(functions: &[Function], stop: &Stop) -> Result<Value, NodeError> {
    let mut measured = Vec::with_capacity(functions.len());
    for function in functions {
        stop.check()?;
        let Function {
            name,
            path,
            line,
            lines,
            parameters,
            ..
        } = function;
        let metrics = measure(function, stop)?;
        measured.push(Measured {
            name,
            path,
            line: *line,
            lines: *lines,
            parameters: *parameters,
            metrics,
        });
    }
    let most = |number: fn(&Metrics) -> u32| {
        measured
            .iter()
            .map(|one| number(&one.metrics))
            .max()
            .unwrap_or(0)
    };
    let total: u64 = measured
        .iter()
        .map(|one| u64::from(one.metrics.cyclomatic))
        .sum();
    let mean = match measured.len() {
        0 => 0.0,
        #[expect(clippy::cast_precision_loss, reason = "a mean shown with two decimals")]
        n => (total as f64 / n as f64 * 100.0).round() / 100.0,
    };
    Ok(json!({
        "functions": measured,
        "count": measured.len(),
        "max_cyclomatic": most(|metrics| metrics.cyclomatic),
        "max_cognitive": most(|metrics| metrics.cognitive),
        "max_nesting": most(|metrics| metrics.nesting),
        "mean_cyclomatic": mean,
    }))
}

async fn run(ctx: Context, with: Value) -> Result<Outcome, NodeError> {
    let With { functions } = with::read("code.complexity", with)?;
    blocking(ctx.cancelled, move |stop| all(&functions, stop))
        .await
        .map(Outcome::from)
}

impl Node for Complexity {
    fn spec(&self) -> Spec {
        let number = json!({"type": "integer", "minimum": 0});
        Spec {
            name: "code.complexity",
            summary: "Cyclomatic and cognitive complexity, nesting and length of functions",
            with: json!({
                "type": "object",
                "properties": {"functions": function::list_schema()},
                "required": ["functions"],
                "additionalProperties": false,
            }),
            result: json!({
                "type": "object",
                "properties": {
                    "functions": {"type": "array", "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "path": {"type": "string"},
                            "line": number,
                            "lines": number,
                            "parameters": number,
                            "cyclomatic": number,
                            "cognitive": number,
                            "nesting": number,
                        },
                    }},
                    "count": number,
                    "max_cyclomatic": number,
                    "max_cognitive": number,
                    "max_nesting": number,
                    "mean_cyclomatic": {"type": "number"},
                },
                "required": ["functions", "count", "max_cyclomatic", "mean_cyclomatic"],
            }),
            side_effects: false,
            instant: false,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        run(ctx, with).boxed()
    }
}
