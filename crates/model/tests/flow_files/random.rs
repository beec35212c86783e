//! Whatever the text, reading and formatting it gives an answer: never a panic, never a hang.
use proptest::prelude::*;
use runstone_model::flow::{self, Flow, draw};
use serde_json::{Value, json};

use crate::kinds::{REVIEW, TestKinds};

/// Everything that reads a text; what is valid is also drawn, stored and read again.
fn exercise(text: &str) {
    if let Ok(flow) = Flow::parse(text, &TestKinds) {
        let again = Flow::from_canonical(&flow.canonical, &TestKinds).map_err(|p| p.render());
        assert_eq!(again.unwrap().canonical, flow.canonical);
        assert!(!draw::text(&flow).is_empty());
        assert!(!draw::mermaid(&flow).is_empty());
        assert!(!draw::dot(&flow).is_empty());
        assert!(!draw::svg(&flow).is_empty());
        let _ = flow.check_input(Value::Null);
    }
    if let Ok(once) = flow::format(text) {
        assert_eq!(
            flow::format(&once).map_err(|p| p.render()).as_ref(),
            Ok(&once)
        );
    }
}

/// Pieces that mean something to YAML or to a flow.
const PIECES: [&str; 44] = [
    "\n",
    "  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "'",
    "\"",
    "#",
    " # c\n",
    "|",
    ">",
    "&a ",
    "*a",
    "!!str ",
    "---\n",
    "...",
    "%",
    "@",
    "?",
    "\t",
    "\0",
    "\u{feff}",
    "\u{85}",
    "~",
    "null",
    "1e999",
    "0x",
    ".inf",
    "${{",
    "}}",
    "${{ input.x }}",
    "a -> b",
    "->",
    "runstone: 1\n",
    "nodes:\n",
    "edges:\n",
    "\\u",
    "\\ud83d",
    "é",
    "\r",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40)
        .prop_map(|pieces| pieces.concat())
}

/// The example with a few places overwritten, cut out or doubled.
fn mutated() -> impl Strategy<Value = String> {
    let change = (
        0..REVIEW.len(),
        0..40_usize,
        prop::sample::select(PIECES.to_vec()),
        0..3_u8,
    );
    prop::collection::vec(change, 1..5).prop_map(|changes| {
        let mut text: Vec<char> = REVIEW.chars().collect();
        for (at, len, piece, how) in changes {
            let at = at.min(text.len());
            let end = (at + len).min(text.len());
            let with: Vec<char> = match how {
                0 => piece.chars().collect(),
                1 => Vec::new(),
                _ => text[at..end]
                    .iter()
                    .chain(&text[at..end])
                    .copied()
                    .collect(),
            };
            text.splice(at..end, with);
        }
        text.into_iter().collect()
    })
}

/// JSON values with awkward texts in them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|x| json!(x)),
        ".{0,12}".prop_map(Value::from),
        soup().prop_map(Value::from),
        "[ a-z:#\\n-]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(prop_oneof![".{0,6}", "[a-z]{1,5}"], inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_text_never_panics(text in any::<String>()) {
        exercise(&text);
    }

    #[test]
    fn random_pieces_of_yaml_never_panic(text in soup()) {
        exercise(&text);
    }

    #[test]
    fn a_damaged_flow_never_panics(text in mutated()) {
        exercise(&text);
    }

    #[test]
    fn any_json_is_formatted_as_yaml_that_reads_back_the_same(value in value()) {
        // A comment makes it YAML, so that the YAML layout is used.
        let text = format!("{{\"value\": {value}}} # c\n");
        let out = flow::format(&text);
        prop_assert!(out.is_ok(), "{text:?}\n{:?}", out.map_err(|p| p.render()));
        let out = out.unwrap();
        prop_assert_eq!(flow::format(&out).unwrap(), out);
    }

    #[test]
    fn any_input_is_answered(input in value(), schema in value()) {
        let mut schema = json!({"type": "object", "properties": {"x": schema}});
        schema["properties"]["y"] = json!({"type": "object",
            "properties": {"z": {"default": 1}}, "default": {}});
        let text = format!("{}", json!({"runstone": 1, "name": "x", "input": schema,
            "nodes": {"a": {"uses": "echo"}}}));
        if let Ok(flow) = Flow::parse(&text, &TestKinds) {
            let _ = flow.check_input(input.clone());
            let _ = flow.check_input(json!({"x": input}));
        }
    }
}
