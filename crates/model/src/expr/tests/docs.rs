//! The examples of `docs/expressions.md`, run line by line.
use serde_json::Value;

use super::{
    super::{Expr, Template, functions::Function, tree::LoopKind},
    Roots,
};

const PAGE: &str = include_str!("../../../../../docs/expressions.md");

fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    let fence = format!("```{language}\n");
    let parts: Vec<&str> = PAGE.split(&fence).skip(1).collect();
    parts
        .into_iter()
        .map(|part| part.split("```").next().unwrap())
}

fn lines(language: &str) -> Vec<(&'static str, &'static str)> {
    let lines = blocks(language).flat_map(str::lines);
    lines
        .map(|line| {
            line.split_once(" → ")
                .unwrap_or_else(|| panic!("no arrow: {line}"))
        })
        .collect()
}

fn scope() -> Roots {
    Roots(serde_json::from_str(blocks("json").next().unwrap()).unwrap())
}

fn check(example: &str, got: Result<Value, String>, wanted: &str) {
    match (wanted.strip_prefix("error: "), got) {
        (Some(part), Err(message)) => {
            assert!(message.contains(part), "{example}: the error is {message}");
        }
        (None, Ok(value)) => {
            let wanted: Value = serde_json::from_str(wanted).unwrap();
            assert_eq!(value, wanted, "{example}");
        }
        (_, got) => panic!("{example}: wanted {wanted}, got {got:?}"),
    }
}

#[test]
fn every_expression_on_the_page_gives_what_the_page_says() {
    let (scope, examples) = (scope(), lines("cel"));
    assert!(examples.len() > 80, "the page lost its examples");
    for (source, wanted) in examples {
        let expr = Expr::parse(source).unwrap_or_else(|e| panic!("{source}: {e} {}", e.mend));
        check(
            source,
            expr.eval(&scope).map_err(|error| error.message),
            wanted,
        );
    }
}

#[test]
fn every_template_on_the_page_gives_what_the_page_says() {
    let (scope, examples) = (scope(), lines("template"));
    assert!(examples.len() > 5, "the page lost its examples");
    for (source, wanted) in examples {
        let template = Template::compile(&serde_json::from_str(source).unwrap()).unwrap();
        check(
            source,
            template.eval(&scope).map_err(|error| error.message),
            wanted,
        );
    }
}

#[test]
fn every_function_and_loop_has_an_example() {
    let examples: String = blocks("cel").collect();
    for name in Function::names().chain(LoopKind::NAMES).chain(["has"]) {
        assert!(
            examples.contains(&format!("{name}(")),
            "no example of {name}"
        );
    }
}

#[test]
fn the_limits_on_the_page_are_those_of_the_code() {
    use crate::{
        expr::budget::{MAX_BUILT_BYTES, MAX_WORK},
        limits,
    };
    let facts = [
        (
            format!("{} bytes", limits::MAX_EXPR_BYTES),
            "length of an expression",
        ),
        (
            format!("{},000,000 steps", MAX_WORK / 1_000_000),
            "work of one evaluation",
        ),
        (
            format!("{} MiB in all", MAX_BUILT_BYTES >> 20),
            "what one evaluation builds",
        ),
        (
            format!(
                "{} MiB, {} levels",
                limits::MAX_RESULT_BYTES >> 20,
                limits::MAX_DEPTH
            ),
            "the result",
        ),
    ];
    for (fact, row) in facts {
        let row = format!("| {row} | {fact}");
        assert!(PAGE.contains(&row), "the page does not say: {row}");
    }
}
