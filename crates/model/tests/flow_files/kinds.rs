//! The node kinds that the flow tests use: the shapes of real ones, without their work.
use runstone_model::flow::{KindInfo, Kinds};
use serde_json::{Value, json};

/// A fixed set of kinds.
pub(crate) struct TestKinds;

const NAMES: [&str; 9] = [
    "assert",
    "code.extract",
    "code.suggest",
    "echo",
    "http",
    "log",
    "set",
    "sleep",
    "template",
];

fn with(name: &str) -> Value {
    match name {
        "assert" => json!({"type": "object", "required": ["that"], "additionalProperties": false,
            "properties": {"that": {"type": "boolean"}, "message": {"type": "string"}}}),
        "code.extract" => json!({"type": "object", "required": ["path"],
            "additionalProperties": false, "properties": {"path": {"type": "string"}}}),
        "code.suggest" => json!({"type": "object", "required": ["functions"],
            "additionalProperties": false, "properties": {"functions": {"type": "array"}}}),
        "http" => json!({"type": "object", "required": ["url"], "additionalProperties": false,
            "properties": {
                "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
                "url": {"type": "string", "minLength": 1},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "json": true,
                "expect": {"type": "array", "items": {"type": "integer", "minimum": 100}}}}),
        "log" => json!({"type": "object", "required": ["message"], "additionalProperties": false,
            "properties": {"message": {"type": "string"},
                "level": {"enum": ["debug", "info", "warn", "error"]}}}),
        "sleep" => json!({"type": "object", "required": ["for"], "additionalProperties": false,
            "properties": {"for": {"type": "string"}}}),
        "template" => json!({"type": "object", "required": ["text"],
            "properties": {"text": {"type": "string"}}}),
        _ => json!({"type": "object"}),
    }
}

impl Kinds for TestKinds {
    fn get(&self, name: &str) -> Option<KindInfo> {
        NAMES.contains(&name).then(|| KindInfo {
            with: with(name),
            result: json!(true),
            side_effects: name == "http",
        })
    }

    fn names(&self) -> Vec<String> {
        NAMES.map(str::to_owned).to_vec()
    }
}

/// The example of the flow reference: a review loop.
pub(crate) const REVIEW: &str = r#"runstone: 1
name: code_review
input: {type: object, required: [path], properties: {path: {type: string}, threshold: {type: number, default: 70}}}
state:
  functions: {type: array, default: []}
  score: {type: number}
  history: {type: array, reducer: append}
start: extract
nodes:
  extract: {uses: code.extract, with: {path: "${{ input.path }}"}, out: {functions: "${{ result.functions }}"}}
  suggest: {uses: code.suggest, with: {functions: "${{ state.functions }}"},
            retry: {max_attempts: 5, initial: 200ms, factor: 2, max: 30s, jitter: 0.2}, timeout: 60s}
  check: {uses: set, with: {score: "${{ 100 - 5 * size(results.suggest.issues) }}", history: "round ${{ string(visits.check) }}"}}
edges:
  - extract -> suggest -> check
  - {from: check, to: suggest, when: "state.score < input.threshold", max: 3}
  - {from: check, to: end, else: true}
output: {score: "${{ state.score }}"}
limits: {steps: 1000, duration: 1h}
"#;
