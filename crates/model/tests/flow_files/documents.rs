//! What is published about flow files is true: the JSON Schema and the reference.
use runstone_model::flow::{self, Flow, json_schema};
use serde_json::Value;

use crate::kinds::{REVIEW, TestKinds};

const REFERENCE: &str = include_str!("../../../../docs/flows.md");

fn examples() -> Vec<&'static str> {
    REFERENCE
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0)
        .collect()
}

#[test]
fn the_published_schema_is_the_one_of_the_code() {
    let mut text = serde_json::to_string_pretty(&json_schema()).unwrap();
    text.push('\n');
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/flow.schema.json");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        std::fs::write(path, &text).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert!(
        published == text,
        "run the tests with INSTA_UPDATE=always, then look at the change"
    );
}

#[test]
fn every_example_of_the_reference_is_a_valid_flow_in_the_one_layout() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    assert!(examples().len() > 8);
    for text in examples() {
        let flow = Flow::parse(text, &TestKinds).map_err(|p| format!("{text}\n{}", p.render()));
        let flow = flow.unwrap();
        let stored: Value = serde_json::from_str(&flow.canonical).unwrap();
        let errors: Vec<String> = schema.iter_errors(&stored).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{text}\n{errors:?}");
        assert_eq!(
            flow::format(text).map_err(|p| p.render()).as_deref(),
            Ok(text)
        );
    }
}

#[test]
fn the_schema_takes_the_example_and_refuses_unknown_keys() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    let flow = Flow::parse(REVIEW, &TestKinds).unwrap();
    let mut stored: Value = serde_json::from_str(&flow.canonical).unwrap();
    assert!(schema.is_valid(&stored));
    stored["nodes"][0]["retyr"] = Value::Null;
    assert!(!schema.is_valid(&stored));
}

#[test]
fn every_key_is_in_the_reference() {
    let schema = json_schema();
    let parts = [
        "/properties",
        "/properties/limits/properties",
        "/$defs/state_key/properties",
        "/$defs/node/properties",
        "/$defs/retry/properties",
        "/$defs/edge/oneOf/1/properties",
        "/$defs/route_line/properties",
    ];
    for part in parts {
        for key in schema.pointer(part).unwrap().as_object().unwrap().keys() {
            assert!(
                REFERENCE.contains(&format!("| `{key}` |")),
                "docs/flows.md lacks `{key}`"
            );
        }
    }
}
