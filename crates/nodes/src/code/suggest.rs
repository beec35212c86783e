//! `code.suggest`: what to change next. Each round takes the issues that gain most and have not been
//! dealt with; the same issues always give the same suggestions.
use std::collections::BTreeSet;

use futures::future::{self, BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    advice::advice,
    issue::{self, Addressed, Issue},
    rules::Rule,
};
use crate::with;

/// Suggestions in one round when the flow does not say.
const DEFAULT_LIMIT: usize = 5;
/// The most a round may give.
const MAX_LIMIT: usize = 1000;

/// The kind `code.suggest`.
#[derive(Clone, Copy, Debug)]
pub struct Suggest;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    issues: Vec<Issue>,
    round: Option<u32>,
    limit: Option<usize>,
    addressed: Option<Vec<Addressed>>,
}

#[derive(Serialize)]
struct Suggestion {
    /// The id of the issue it deals with.
    issue: String,
    round: u32,
    rule: Rule,
    path: String,
    line: u32,
    function: Option<String>,
    title: String,
    change: String,
    why: &'static str,
    /// Points the score's penalty sinks by.
    gain: u32,
}

fn suggest(with: Value) -> Result<Outcome, NodeError> {
    let With {
        mut issues,
        round,
        limit,
        addressed,
    } = with::read("code.suggest", with)?;
    let round = round.unwrap_or(1).max(1);
    let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut seen = BTreeSet::new();
    issues.retain(|issue| seen.insert(issue.id()));
    issues.sort_by(|a, b| {
        let place = |issue: &Issue| (issue.line, issue.column, issue.rule);
        let by_place = || (&a.path, place(a)).cmp(&(&b.path, place(b)));
        b.points().cmp(&a.points()).then_with(by_place)
    });
    let open: Vec<Issue> = match addressed {
        Some(addressed) => {
            let addressed = issue::ids(addressed);
            issues
                .into_iter()
                .filter(|issue| !addressed.contains(&issue.id()))
                .collect()
        }
        // Without a list the earlier rounds are taken to have been followed.
        None => {
            let before = usize::try_from(round - 1)
                .unwrap_or(usize::MAX)
                .saturating_mul(limit);
            issues.into_iter().skip(before).collect()
        }
    };
    let remaining = open.len().saturating_sub(limit);
    let suggestions: Vec<_> = open
        .iter()
        .take(limit)
        .map(|issue| suggestion(issue, round))
        .collect();
    let gain: u64 = suggestions.iter().map(|one| u64::from(one.gain)).sum();
    Ok(json!({
        "round": round,
        "suggestions": suggestions,
        "remaining": remaining,
        "gain": gain,
    })
    .into())
}

fn suggestion(issue: &Issue, round: u32) -> Suggestion {
    let advice = advice(issue);
    Suggestion {
        issue: issue.id(),
        round,
        rule: issue.rule,
        path: issue.path.clone(),
        line: issue.line,
        function: issue.function.clone(),
        title: advice.title,
        change: advice.change,
        why: advice.why,
        gain: issue.points(),
    }
}

impl Node for Suggest {
    fn spec(&self) -> Spec {
        let number = json!({"type": "integer", "minimum": 0});
        let text = json!({"type": "string"});
        Spec {
            name: "code.suggest",
            summary: "Says what to change next, the most valuable first",
            with: json!({
                "type": "object",
                "properties": {
                    "issues": issue::list_schema(),
                    "round": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1},
                    "limit": {
                        "type": "integer", "minimum": 1, "maximum": MAX_LIMIT,
                        "default": DEFAULT_LIMIT,
                        "description": "Suggestions in one round",
                    },
                    "addressed": issue::addressed_schema(),
                },
                "required": ["issues"],
                "additionalProperties": false,
            }),
            result: json!({
                "type": "object",
                "properties": {
                    "round": number,
                    "suggestions": {"type": "array", "items": {
                        "type": "object",
                        "properties": {
                            "issue": text, "round": number, "rule": {"enum": Rule::NAMES},
                            "path": text, "line": number,
                            "function": {"type": ["string", "null"]},
                            "title": text, "change": text, "why": text, "gain": number,
                        },
                    }},
                    "remaining": number,
                    "gain": number,
                },
                "required": ["round", "suggestions", "remaining", "gain"],
            }),
            side_effects: false,
            instant: false,
        }
    }

    fn run<'a>(&'a self, _ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        future::lazy(|_| suggest(with)).boxed()
    }
}
