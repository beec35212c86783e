//! `code.detect`: what is wrong, where, and how bad.
use futures::future::{BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use runstone_model::failure::Class;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    function::{self, Function},
    issue::{self, Issue},
    metrics::measure,
    rules::{self, Finding, Limits, Rule, Severity},
    scan::Marker,
    work::{Stop, blocking},
};
use crate::with;

/// Issues in one result.
const MAX_ISSUES: usize = 20_000;

/// The kind `code.detect`.
#[derive(Clone, Copy, Debug)]
pub struct Detect;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    #[serde(default)]
    functions: Vec<Function>,
    #[serde(default)]
    files: Vec<File>,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    disable: Vec<Rule>,
}

/// What a file says of itself besides its functions.
#[derive(Deserialize)]
struct File {
    path: String,
    #[serde(default)]
    markers: Vec<Marker>,
    #[serde(default)]
    syntax_error_line: Option<u32>,
}

fn all(with: &With, stop: &Stop) -> Result<Value, NodeError> {
    let mut issues = Vec::new();
    for function in &with.functions {
        stop.check()?;
        let metrics = measure(function, stop)?;
        let found = rules::find(function, metrics, &with.limits, stop)?;
        let wanted = found
            .into_iter()
            .filter(|one| !with.disable.contains(&one.rule));
        issues.extend(wanted.map(|finding| in_function(function, finding)));
        if issues.len() > MAX_ISSUES {
            return Err(too_many());
        }
    }
    for file in &with.files {
        let found = in_file(file).into_iter();
        issues.extend(found.filter(|issue| !with.disable.contains(&issue.rule)));
    }
    if issues.len() > MAX_ISSUES {
        return Err(too_many());
    }
    issues.sort_by(|a, b| {
        (&a.path, a.line, a.column, a.rule).cmp(&(&b.path, b.line, b.column, b.rule))
    });
    let count = |severity| {
        issues
            .iter()
            .filter(|issue| issue.severity == severity)
            .count()
    };
    Ok(json!({
        "issues": issues,
        "count": issues.len(),
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "infos": count(Severity::Info),
    }))
}

fn too_many() -> NodeError {
    let mut error = NodeError::new(
        Class::Resource,
        format!("more than {MAX_ISSUES} issues; review a smaller folder, or `disable` rules"),
    );
    error.retryable = Some(false);
    error
}

fn in_function(function: &Function, finding: Finding) -> Issue {
    let Finding {
        rule,
        row,
        column,
        what,
        measured,
    } = finding;
    let excess = measured.map_or(0, |(is, limit)| is.saturating_sub(limit));
    let (severity, points) = rule.weigh(excess);
    let column = if row == 0 {
        function.column.saturating_add(column)
    } else {
        column + 1
    };
    let mut issue = Issue {
        id: String::new(),
        rule,
        severity,
        path: function.path.clone(),
        line: function.line.saturating_add(row),
        column,
        message: format!("`{}`: {what}", function.name),
        function: Some(function.name.clone()),
        points: Some(points),
        value: measured.map(|(is, _)| is),
        limit: measured.map(|(_, limit)| limit),
    };
    issue.id = issue.make_id();
    issue
}

fn in_file(file: &File) -> Vec<Issue> {
    let issue = |rule: Rule, line: u32, message: String| {
        let (severity, points) = rule.weigh(0);
        let mut issue = Issue {
            id: String::new(),
            rule,
            severity,
            path: file.path.clone(),
            line,
            column: 1,
            function: None,
            message,
            points: Some(points),
            value: None,
            limit: None,
        };
        issue.id = issue.make_id();
        issue
    };
    let markers = file.markers.iter().map(|marker| {
        issue(
            Rule::Todo,
            marker.line,
            format!("a comment asks for work: {}", marker.text),
        )
    });
    let broken = file.syntax_error_line.map(|line| {
        issue(
            Rule::SyntaxError,
            line,
            "the file does not parse from here on".to_owned(),
        )
    });
    markers.chain(broken).collect()
}

async fn run(ctx: Context, with: Value) -> Result<Outcome, NodeError> {
    let with: With = with::read("code.detect", with)?;
    blocking(ctx.cancelled, move |stop| all(&with, stop))
        .await
        .map(Outcome::from)
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "functions": function::list_schema(),
            "files": {
                "type": "array",
                "description": "Files as code.extract gives them: adds what stands outside of \
                                functions",
                "items": {
                    "type": "object",
                    "properties": {"path": {"type": "string"}},
                    "required": ["path"],
                },
            },
            "limits": rules::limits_schema(),
            "disable": {
                "type": "array",
                "items": {"enum": Rule::NAMES},
                "description": "Rules that are not wanted",
            },
        },
        "anyOf": [{"required": ["functions"]}, {"required": ["files"]}],
        "additionalProperties": false,
    })
}

impl Node for Detect {
    fn spec(&self) -> Spec {
        let number = json!({"type": "integer", "minimum": 0});
        Spec {
            name: "code.detect",
            summary: "Finds issues in functions by fixed rules",
            with: schema(),
            result: json!({
                "type": "object",
                "properties": {
                    "issues": issue::list_schema(),
                    "count": number,
                    "errors": number,
                    "warnings": number,
                    "infos": number,
                },
                "required": ["issues", "count", "errors", "warnings", "infos"],
            }),
            side_effects: false,
            instant: false,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        run(ctx, with).boxed()
    }
}
