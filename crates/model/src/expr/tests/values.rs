//! What expressions give, where the documentation's examples do not reach, and what they reference.
use std::borrow::Cow;

use serde_json::{Value, json};

use super::{
    super::{Expr, Root, Scope},
    eval, roots,
};

fn gives(source: &str, wanted: &Value) {
    assert_eq!(
        &eval(source).unwrap_or_else(|e| panic!("{e}")),
        wanted,
        "{source}"
    );
}

#[test]
fn integers_stay_integers_up_to_their_ends() {
    gives("9223372036854775806 + 1", &json!(i64::MAX));
    gives("-9223372036854775807 - 1", &json!(i64::MIN));
    gives(
        "3037000500 * 3037000499",
        &json!(9_223_372_033_963_249_500_i64),
    );
    assert!(eval("-(-9223372036854775807 - 1)").is_err());
    assert!(eval("(-9223372036854775807 - 1) / -1").is_err());
    assert!(eval("(-9223372036854775807 - 1) % -1").is_err());
    assert!(eval("abs(-9223372036854775807 - 1)").is_err());
}

#[test]
fn an_unsigned_number_beyond_the_range_is_kept_until_it_is_computed_with() {
    gives("input.huge", &json!(u64::MAX));
    gives("[input.huge][0]", &json!(u64::MAX));
    gives("input.huge + 0", &json!(18_446_744_073_709_551_616.0));
    gives("input.huge > 9223372036854775807", &json!(true));
}

#[test]
fn equality_looks_at_every_depth_and_knows_that_one_is_one_point_zero() {
    gives("{\"a\": [1, 2.0]} == {\"a\": [1.0, 2]}", &json!(true));
    gives("{\"a\": 1} == {\"a\": 1, \"b\": 2}", &json!(false));
    gives("[1, 2] != [2, 1]", &json!(true));
    gives("[null] == [false]", &json!(false));
    gives("3.5 in input.items && 3 in [3.0]", &json!(true));
}

#[test]
fn the_other_side_may_decide_when_one_side_fails() {
    gives("state.nope || true", &json!(true));
    gives("true || state.nope", &json!(true));
    gives("state.nope && false", &json!(false));
    gives("[1, 0].exists(x, 1 / x == 1)", &json!(true));
    gives("[0, 2].all(x, 1 / x == 1)", &json!(false));
    assert!(eval("state.nope && true").is_err());
    assert!(eval("false || state.nope").is_err());
    assert!(eval("[0, 1].all(x, 1 / x == 1)").is_err());
}

#[test]
fn loop_variables_hide_outer_names_and_roots() {
    gives(
        "[[1, 2], [3]].map(x, x.map(x, x * 2))",
        &json!([[2, 4], [6]]),
    );
    gives(
        "[1, 2].map(x, [10, 20].map(y, x * y))",
        &json!([[10, 20], [20, 40]]),
    );
    gives("state.list.map(item, item.id)", &json!([1, 2]));
    gives(
        "[{\"score\": 1}].map(state, state.score)[0] + state.score",
        &json!(61),
    );
    let hidden = Expr::parse("state.list.map(item, item.id)").unwrap();
    assert!(
        hidden
            .references()
            .iter()
            .all(|reference| reference.root == Root::State)
    );
}

#[test]
fn a_condition_takes_nothing_else_for_true_or_false() {
    let test = |source: &str| Expr::parse(source).unwrap().test(&roots());
    assert_eq!(test("state.score < input.threshold"), Ok(true));
    assert_eq!(test("results.n3.ok"), Ok(true));
    for source in ["1", "null", "\"true\"", "[]", "state.score", "state.empty"] {
        assert!(
            test(source)
                .unwrap_err()
                .message
                .contains("must be true or false"),
            "{source}"
        );
    }
}

#[test]
fn references_say_what_is_read_and_only_that() {
    let read = |source: &str| -> Vec<String> {
        let expr = Expr::parse(source).unwrap();
        let shown = expr
            .references()
            .iter()
            .map(|reference| match &reference.member {
                Some(member) => format!("{}.{member}", reference.root.name()),
                None => reference.root.name().to_owned(),
            });
        shown.collect()
    };
    assert_eq!(
        read("state.score < input.a.b[0]"),
        ["state.score", "input.a"]
    );
    assert_eq!(
        read("results[\"my-node\"].x + results.n"),
        ["results.my-node", "results.n"]
    );
    assert_eq!(read("results[state.which]"), ["results", "state.which"]);
    assert_eq!(
        read("has(state.x.y) || has(state.z)"),
        ["state.x", "state.z"]
    );
    assert_eq!(
        read("state.a + state.a + size(state)"),
        ["state.a", "state"]
    );
    assert_eq!(read("index + 1"), ["index"]);
    assert_eq!(read("1 + 1"), Vec::<String>::new());
}

/// Knows the members it was asked for, and refuses to give a whole root.
struct OnlyMembers(Value);

impl Scope for OnlyMembers {
    fn get(&self, root: Root, member: Option<&str>) -> Option<Cow<'_, Value>> {
        let name = member.unwrap_or_else(|| panic!("all of {root:?} was asked for"));
        Some(Cow::Owned(self.0.get(name)?.clone()))
    }
}

#[test]
fn a_member_is_read_without_asking_for_its_root() {
    let scope = OnlyMembers(json!({"a": {"b": [1, {"c": 7}]}, "n": 3}));
    let of = |source: &str| Expr::parse(source).unwrap().eval(&scope).unwrap();
    assert_eq!(of("state.a.b"), json!([1, {"c": 7}]));
    assert_eq!(of("state.a.b[1].c + state.n"), json!(10));
    assert_eq!(
        of("has(state.a) && has(state.a.b) && !has(state.z)"),
        json!(true)
    );
    assert_eq!(of("state[\"a\"].b.map(x, state.n)"), json!([3, 3]));
}

#[test]
fn a_chain_of_members_is_borrowed_from_the_scope() {
    let scope = roots();
    let expr = Expr::parse("state.value.a").unwrap();
    assert!(matches!(expr.eval_ref(&scope), Ok(Cow::Borrowed(_))));
    assert_eq!(expr.source(), "state.value.a");
}

#[test]
fn spaces_and_line_breaks_do_not_matter() {
    gives("state . score", &json!(60));
    gives("state.score\n  < input.threshold\n", &json!(true));
    gives("state.title.size()", &json!(5));
    gives("r\"\\d\" + '''a\nb'''", &json!("\\da\nb"));
}
