//! An issue as it travels from `code.detect` to `code.suggest` and `code.score`.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rules::{Rule, Severity};

/// One place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Issue {
    /// `rule:path:line:column`: the same for the same source.
    #[serde(default)]
    pub(super) id: String,
    pub(super) rule: Rule,
    pub(super) severity: Severity,
    pub(super) path: String,
    /// From 1.
    pub(super) line: u32,
    #[serde(default)]
    pub(super) column: u32,
    #[serde(default)]
    pub(super) function: Option<String>,
    pub(super) message: String,
    /// What it costs in `code.score`, and what mending it gains.
    #[serde(default)]
    pub(super) points: Option<u32>,
    /// For a rule with a limit: what was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<u32>,
    /// For a rule with a limit: the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u32>,
}

impl Issue {
    /// What it costs.
    pub(super) fn points(&self) -> u32 {
        self.points.unwrap_or_else(|| self.severity.points())
    }

    /// Its id, made from its place when it came without one.
    pub(super) fn id(&self) -> String {
        if self.id.is_empty() {
            self.make_id()
        } else {
            self.id.clone()
        }
    }

    pub(super) fn make_id(&self) -> String {
        format!(
            "{}:{}:{}:{}",
            self.rule.name(),
            self.path,
            self.line,
            self.column
        )
    }
}

/// JSON Schema of a list of issues as `with` takes it.
pub(super) fn list_schema() -> Value {
    json!({
        "type": "array",
        "description": "Issues as code.detect gives them",
        "items": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "rule": {"enum": Rule::NAMES},
                "severity": {"enum": Severity::NAMES},
                "path": {"type": "string"},
                "line": {"type": "integer", "minimum": 0},
                "column": {"type": "integer", "minimum": 0},
                "function": {"type": ["string", "null"]},
                "message": {"type": "string"},
                "points": {"type": ["integer", "null"], "minimum": 0, "maximum": 1000},
                "value": {"type": "integer", "minimum": 0},
                "limit": {"type": "integer", "minimum": 0},
            },
            "required": ["rule", "severity", "path", "line", "message"],
        },
    })
}

/// What has been dealt with: ids of issues, or suggestions that name them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Addressed {
    Id(String),
    Suggestion { issue: String },
}

/// JSON Schema of `addressed`.
pub(super) fn addressed_schema() -> Value {
    json!({
        "type": "array",
        "description": "Issues dealt with: their ids, or the suggestions of code.suggest",
        "items": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"issue": {"type": "string"}},
                    "required": ["issue"],
                },
            ],
        },
    })
}

/// The ids in a list of what has been dealt with.
pub(super) fn ids(addressed: Vec<Addressed>) -> BTreeSet<String> {
    addressed
        .into_iter()
        .map(|one| match one {
            Addressed::Id(id) | Addressed::Suggestion { issue: id } => id,
        })
        .collect()
}
