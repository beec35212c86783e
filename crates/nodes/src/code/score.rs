//! `code.score`: one number for the quality of the source.
//!
//! `density` = points of open issues per 100 lines (short sources count as 50 lines);
//! `score` = 100 · 100 / (100 + density), one decimal. No issue gives 100; one point a line gives 50.
use std::collections::{BTreeMap, BTreeSet};

use futures::future::{self, BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::issue::{self, Addressed, Issue};
use crate::with;

/// Sources of fewer lines count as this many: one small issue does not ruin a short script.
const LEAST_LINES: u64 = 50;

/// The kind `code.score`.
#[derive(Clone, Copy, Debug)]
pub struct Score;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    #[serde(default)]
    files: Vec<Lines>,
    #[serde(default)]
    functions: Vec<Range>,
    issues: Vec<Issue>,
    #[serde(default)]
    addressed: Vec<Addressed>,
}

#[derive(Deserialize)]
struct Lines {
    lines: u32,
}

/// A function's place; of the function nothing else is needed.
#[derive(Deserialize)]
struct Range {
    path: String,
    line: u32,
    end_line: u32,
}

/// What one rule costs.
#[derive(Default, Serialize)]
struct Cost {
    open: u32,
    resolved: u32,
    /// Of the open issues.
    points: u64,
}

fn score(with: Value) -> Result<Outcome, NodeError> {
    let With {
        files,
        functions,
        issues,
        addressed,
    } = with::read("code.score", with)?;
    let lines = match files.is_empty() {
        false => files.iter().map(|file| u64::from(file.lines)).sum(),
        true => lines_of(functions),
    };
    let addressed = issue::ids(addressed);
    let mut breakdown: BTreeMap<&str, Cost> = BTreeMap::new();
    let (mut open, mut resolved, mut points) = (0_u32, 0_u32, 0_u64);
    let mut seen = BTreeSet::new();
    for issue in issues.iter().filter(|issue| seen.insert(issue.id())) {
        let cost = breakdown.entry(issue.rule.name()).or_default();
        if addressed.contains(&issue.id()) {
            cost.resolved += 1;
            resolved += 1;
        } else {
            cost.open += 1;
            cost.points += u64::from(issue.points());
            open += 1;
            points += u64::from(issue.points());
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let density = points as f64 * 100.0 / lines.max(LEAST_LINES) as f64;
    let score = rounded(10_000.0 / (100.0 + density));
    Ok(json!({
        "score": score,
        "grade": grade(score),
        "lines": lines,
        "points": points,
        "density": rounded(density),
        "open": open,
        "resolved": resolved,
        "breakdown": breakdown,
    })
    .into())
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn grade(score: f64) -> &'static str {
    match score {
        90.0.. => "A",
        80.0.. => "B",
        70.0.. => "C",
        60.0.. => "D",
        _ => "F",
    }
}

/// Lines inside any function; a function inside another is not counted twice.
fn lines_of(mut functions: Vec<Range>) -> u64 {
    functions.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    let mut lines = 0;
    let (mut path, mut end) = (String::new(), 0_u32);
    for function in functions {
        if function.path != path {
            (path, end) = (function.path, 0);
        }
        let from = function.line.max(end.saturating_add(1));
        lines += u64::from(function.end_line.saturating_add(1).saturating_sub(from));
        end = end.max(function.end_line);
    }
    lines
}

impl Node for Score {
    fn spec(&self) -> Spec {
        let number = json!({"type": "integer", "minimum": 0});
        Spec {
            name: "code.score",
            summary: "Rates source code from 0 to 100 by its open issues per line",
            with: json!({
                "type": "object",
                "properties": {
                    "files": {
                        "type": "array",
                        "description": "Files as code.extract gives them",
                        "items": {
                            "type": "object",
                            "properties": {"lines": number},
                            "required": ["lines"],
                        },
                    },
                    "functions": {
                        "type": "array",
                        "description": "Functions as code.extract gives them, when there are no \
                                        files",
                        "items": {
                            "type": "object",
                            "properties": {
                                "path": {"type": "string"}, "line": number, "end_line": number,
                            },
                            "required": ["path", "line", "end_line"],
                        },
                    },
                    "issues": issue::list_schema(),
                    "addressed": issue::addressed_schema(),
                },
                "required": ["issues"],
                "anyOf": [{"required": ["files"]}, {"required": ["functions"]}],
                "additionalProperties": false,
            }),
            result: json!({
                "type": "object",
                "properties": {
                    "score": {"type": "number", "minimum": 0, "maximum": 100},
                    "grade": {"enum": ["A", "B", "C", "D", "F"]},
                    "lines": number,
                    "points": number,
                    "density": {"type": "number"},
                    "open": number,
                    "resolved": number,
                    "breakdown": {"type": "object"},
                },
                "required": ["score", "grade", "lines", "points", "open", "resolved", "breakdown"],
            }),
            side_effects: false,
            instant: false,
        }
    }

    fn run<'a>(&'a self, _ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        future::lazy(|_| score(with)).boxed()
    }
}
