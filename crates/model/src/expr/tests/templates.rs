//! Templates: what keeps its type, what becomes text, where problems are.
use serde_json::{Value, json};

use super::{
    super::{Reference, Root, Template},
    roots,
};

fn eval(template: &Value) -> Value {
    Template::compile(template).unwrap().eval(&roots()).unwrap()
}

#[test]
fn a_whole_text_keeps_the_type_and_anything_around_makes_it_text() {
    assert_eq!(
        eval(&json!("${{ state.list[0] }}")),
        json!({"id": 1, "n": "x"})
    );
    assert_eq!(eval(&json!("${{state.score}}")), json!(60));
    assert_eq!(eval(&json!("${{ state.empty }}")), json!(null));
    assert_eq!(eval(&json!(" ${{ state.score }}")), json!(" 60"));
    assert_eq!(
        eval(&json!("${{ state.score }}${{ state.empty }}!")),
        json!("60!")
    );
    assert_eq!(
        eval(&json!("${{ state.title }}: ${{ 1.0 }}")),
        json!("héllo: 1.0")
    );
}

#[test]
fn closing_braces_inside_the_expression_do_not_end_it() {
    assert_eq!(
        eval(&json!("${{ {\"a\": {\"b\": 1}} }}")),
        json!({"a": {"b": 1}})
    );
    assert_eq!(eval(&json!("${{ {\"a\": {}}}}")), json!({"a": {}}));
    assert_eq!(eval(&json!("${{ \"}}\" }}")), json!("}}"));
    assert_eq!(
        eval(&json!("a ${{ '}}' + \"\\\"}}\" }} b")),
        json!("a }}\"}} b")
    );
}

#[test]
fn an_escaped_opening_is_text() {
    assert_eq!(eval(&json!("$${{ x }}")), json!("${{ x }}"));
    assert_eq!(
        eval(&json!("$${{ ${{ state.score }} }}")),
        json!("${{ 60 }}")
    );
    assert_eq!(
        eval(&json!("cost: $5 { } }} ${ x }")),
        json!("cost: $5 { } }} ${ x }")
    );
    assert!(
        Template::compile(&json!(["$${{ x }}"]))
            .unwrap()
            .is_constant()
    );
}

#[test]
fn a_template_without_expressions_is_a_constant() {
    let value = json!({"a": [1, "x", null, {"b": true}]});
    let template = Template::compile(&value).unwrap();
    assert!(template.is_constant());
    assert_eq!(template.eval(&roots()).unwrap(), value);
    assert_eq!(template.references(), []);
    assert!(
        !Template::compile(&json!(["${{ 1 }}"]))
            .unwrap()
            .is_constant()
    );
    let raw = Template::constant(json!("${{ state.score }}"));
    assert_eq!(raw.eval(&roots()).unwrap(), json!("${{ state.score }}"));
}

#[test]
fn every_problem_is_found_with_its_path_and_place() {
    let problems = Template::compile(&json!({
        "headers": {"x": "é ${{ stat.a }} ${{ state.b }}"},
        "items": [1, "${{ 1 + }}", ["${{ nope( }}"]],
        "open": "text ${{ state.a",
        "fine": "${{ state.score }}",
    }))
    .unwrap_err();
    let seen: Vec<(&str, usize, &str)> = problems
        .iter()
        .map(|p| (p.path.as_str(), p.offset, p.message.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("headers.x", 6, "there is no name `stat`"),
            ("items[1]", 7, "the expression ends too early"),
            ("items[2][0]", 10, "`}` closes a bracket that wants `)`"),
            ("open", 5, "`${{` without its `}}`"),
        ]
    );
}

#[test]
fn references_are_those_of_all_parts_each_once() {
    let template = Template::compile(&json!({
        "a": "${{ state.score }} ${{ input.x }}",
        "b": ["${{ state.score }}", {"c": "${{ results }}"}],
    }))
    .unwrap();
    let reference = |root, member: Option<&str>| Reference {
        root,
        member: member.map(Into::into),
    };
    assert_eq!(
        template.references(),
        [
            reference(Root::State, Some("score")),
            reference(Root::Input, Some("x")),
            reference(Root::Results, None),
        ]
    );
}

#[test]
fn only_members_of_result_are_a_result_path() {
    let path = |text: &str| {
        let template = Template::compile(&json!(text)).unwrap();
        template.as_result_path().map(<[String]>::to_vec)
    };
    assert_eq!(path("${{ result }}"), Some(vec![]));
    assert_eq!(
        path("${{ result.a.b }}"),
        Some(vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(path("${{ result[\"a-b\"] }}"), Some(vec!["a-b".to_owned()]));
    for other in [
        "${{ result.a[0] }}",
        "${{ results.a }}",
        "x ${{ result }}",
        "${{ result + 1 }}",
    ] {
        assert_eq!(path(other), None, "{other}");
    }
}

#[test]
fn the_error_of_a_part_names_its_expression() {
    let template = Template::compile(&json!({"a": ["x ${{ state.nope }}"]})).unwrap();
    let error = template.eval(&roots()).unwrap_err();
    assert_eq!(error.source_text, "state.nope");
}
