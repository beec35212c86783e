//! The input of a run against the schema of its flow.
use runstone_model::{
    flow::Flow,
    limits::{MAX_DEPTH, MAX_INPUT_BYTES},
};
use serde_json::{Value, json};

use crate::kinds::TestKinds;

fn check(schema: &Value, input: Value) -> Result<Value, Vec<String>> {
    let text =
        json!({"runstone": 1, "name": "x", "input": schema, "nodes": {"a": {"uses": "echo"}}});
    let flow = Flow::parse(&text.to_string(), &TestKinds)
        .map_err(|p| p.render())
        .unwrap();
    flow.check_input(input)
        .map_err(|all| all.iter().map(ToString::to_string).collect())
}

fn order() -> Value {
    json!({
        "type": "object",
        "required": ["customer"],
        "additionalProperties": false,
        "properties": {
            "customer": {"type": "string", "minLength": 2},
            "priority": {"type": "integer", "default": 5},
            "ship": {"type": "object", "default": {}, "properties": {
                "express": {"type": "boolean", "default": false},
                "country": {"enum": ["DE", "FR"], "default": "DE"}}},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        },
        "$defs": {"line": {"type": "object", "required": ["sku"],
            "properties": {"sku": {"type": "string"}, "qty": {"type": "integer", "default": 1}}}},
    })
}

#[test]
fn defaults_are_filled_in_at_every_depth_and_given_values_stay() {
    let input = json!({"customer": "ann", "lines": [{"sku": "a"}, {"sku": "b", "qty": 3}]});
    assert_eq!(
        check(&order(), input),
        Ok(json!({
            "customer": "ann", "priority": 5, "ship": {"express": false, "country": "DE"},
            "lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 3}],
        }))
    );
}

#[test]
fn every_misfit_is_named_at_once_and_no_value_is_quoted() {
    let input = json!({"customer": "s", "priority": "s3cret", "ship": {"country": "s3cret"},
        "lines": [{"qty": 1}], "extra/key": 1});
    let told = check(&order(), input).unwrap_err();
    assert!(!told.concat().contains("s3cret"), "{told:?}");
    insta::assert_snapshot!("input_misfits", told.join("\n"));
}

#[test]
fn no_input_counts_as_an_empty_object_unless_null_is_allowed() {
    let schema = json!({"type": "object", "properties": {"n": {"default": 1}}});
    assert_eq!(check(&schema, Value::Null), Ok(json!({"n": 1})));
    assert_eq!(
        check(&json!({"type": ["object", "null"]}), Value::Null),
        Ok(Value::Null)
    );
    assert!(check(&order(), Value::Null).is_err());
}

#[test]
fn an_input_over_the_limits_is_refused_by_name() {
    let any = json!({});
    // Escapes count as they are written.
    let lines = json!("\n".repeat(MAX_INPUT_BYTES / 2 + 1));
    assert!(check(&any, lines).unwrap_err()[0].contains("larger"));
    let told = check(&any, json!("x".repeat(MAX_INPUT_BYTES + 1))).unwrap_err();
    assert!(told[0].contains("larger than"), "{told:?}");
    let deep = (0..=MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));
    let told = check(&any, deep).unwrap_err();
    assert!(told[0].contains("nested more than"), "{told:?}");
}

#[test]
fn a_flow_without_a_schema_takes_any_input() {
    let text = "runstone: 1\nname: x\nnodes: {a: {uses: echo}}\n";
    let flow = Flow::parse(text, &TestKinds).unwrap();
    assert_eq!(flow.check_input(json!([1])), Ok(json!([1])));
}
