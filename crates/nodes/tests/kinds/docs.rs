//! `docs/nodes.md` says what the kinds do: each has its section, its examples are valid nodes, its
//! results fit the schema, and no key or rule is missing.
use std::{collections::BTreeMap, fs};

use runstone_engine::{Registry, node::Spec};
use runstone_model::flow::Flow;
use runstone_nodes::{Builtin, builtin};
use serde_json::Value;

use super::{assert_fits, kinds, repository};

/// The text of each kind's section.
fn sections() -> BTreeMap<String, String> {
    let page = fs::read_to_string(repository().join("docs/nodes.md")).unwrap();
    page.split("\n## `")
        .skip(1)
        .map(|section| {
            let (kind, text) = section.split_once('`').unwrap();
            (kind.to_owned(), text.to_owned())
        })
        .collect()
}

fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

fn specs() -> BTreeMap<&'static str, Spec> {
    kinds(Builtin::default())
        .into_iter()
        .map(|(name, kind)| (name, kind.spec()))
        .collect()
}

#[test]
fn every_kind_has_its_section_and_no_section_is_left_over() {
    let documented: Vec<String> = sections().into_keys().collect();
    let built: Vec<&str> = specs().into_keys().collect();
    assert_eq!(documented, built);
}

#[test]
fn every_example_is_a_valid_node() {
    let mut registry = Registry::new();
    registry.extend(builtin(Builtin::default()));
    for (kind, text) in sections() {
        let examples = blocks(&text, "yaml");
        assert!(!examples.is_empty(), "{kind} has no example");
        for example in examples {
            assert!(
                example.starts_with(&format!("uses: {kind}\n")),
                "{kind}: {example}"
            );
            let node: String = example
                .lines()
                .map(|line| format!("    {line}\n"))
                .collect();
            let flow = format!(
                "runstone: 1\nname: doc\ninput: {{type: object, properties: {{name: {{type: \
                 string}}}}}}\nstate:\n  count: {{type: integer, default: 0}}\n  note: {{type: \
                 string}}\n  score: {{type: number}}\n  files: {{type: array}}\n  functions: \
                 {{type: array}}\n  issues: {{type: array}}\n  suggestions: {{type: array}}\n\
                 start: n\nnodes:\n  n:\n{node}edges: [n -> end]\n"
            );
            if let Err(problems) = Flow::parse(&flow, &registry) {
                panic!("{kind}: {problems:#?}\n{flow}");
            }
        }
    }
}

#[test]
fn every_result_shown_fits_the_schema() {
    let specs = specs();
    for (kind, text) in sections() {
        let results = blocks(&text, "json");
        assert!(!results.is_empty(), "{kind} shows no result");
        for result in results {
            let value: Value = serde_json::from_str(result).unwrap();
            assert_fits(&specs[kind.as_str()].result, &value);
        }
    }
}

#[test]
fn every_key_of_with_is_documented() {
    for (kind, text) in sections() {
        let spec = &specs()[kind.as_str()];
        for key in spec.with["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
        {
            assert!(
                text.contains(&format!("| `{key}` |")),
                "{kind}: {key} is not in its table"
            );
        }
    }
}

#[test]
fn every_rule_is_documented() {
    let text = sections().remove("code.detect").unwrap();
    let spec = specs().remove("code.detect").unwrap();
    let rules = &spec.with["properties"]["disable"]["items"]["enum"];
    for rule in rules.as_array().unwrap() {
        let rule = rule.as_str().unwrap();
        assert!(
            text.contains(&format!("| `{rule}` |")),
            "{rule} is not in the table"
        );
    }
}

#[test]
fn schemas_are_valid_and_close_their_keys() {
    for (name, spec) in specs() {
        jsonschema::meta::validate(&spec.with).unwrap();
        jsonschema::meta::validate(&spec.result).unwrap();
        let closed = &spec.with["additionalProperties"];
        assert_eq!(closed, &Value::Bool(name == "set"), "{name}");
        assert!(
            !spec.summary.is_empty() && !spec.summary.ends_with('.'),
            "{name}"
        );
    }
}
