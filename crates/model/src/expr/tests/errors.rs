//! Errors as people see them, in one snapshot each for reading and for evaluating.
use std::fmt::Write as _;

use super::{super::Expr, eval};

#[test]
fn an_expression_that_cannot_be_read_says_where_and_how_to_mend_it() {
    let mut seen = String::new();
    for source in [
        "",
        "stat.score",
        "\"é\" + scroe",
        "results.my-node",
        "sise(state.list)",
        "banana(1)",
        "state.list.fliter(x, true)",
        "size()",
        "min()",
        "state.score <",
        "state.score = 3",
        "state.a and true",
        "x & y",
        "state.x // 2",
        "(1 + 2",
        "1 + 2)",
        "[1, 2)",
        "\"abc",
        "\"\\q\"",
        "9223372036854775808",
        "1e400",
        "b\"x\"",
        "{a: 1}",
        "Foo{a: 1}",
        "state.t.matches(\"(\")",
        "state.t.matches(\"(\\\\w{50}){50}\")",
        "map(state.list, x)",
        "state.list.map(1, 2)",
        "state.list.all(x)",
        "has(state)",
        "state.?x",
        "state.in",
        "for",
        "${{ state.x }}",
        "state.`x`",
        "1 2",
        "None",
        "é",
        ".state",
        "[1].map(a, [1].map(b, [1].map(c, [1].map(d, 1))))",
    ] {
        let error = Expr::parse(source).expect_err(source);
        let _ = writeln!(
            seen,
            "{source}\n  @{} {} / {}",
            error.offset, error.message, error.mend
        );
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn an_expression_that_fails_names_the_member_or_the_types() {
    let mut seen = String::new();
    for source in [
        "state.nope",
        "state.scroe",
        "state.score.x",
        "state.empty.x",
        "state.value.a.c",
        "state.value[\"a\"].b[2]",
        "state.list[0].q",
        "state.list[-1]",
        "state.list[\"a\"]",
        "state.score[0]",
        "item",
        "run.id",
        "secrets.kee",
        "state[secrets.key]",
        "int(secrets.key)",
        "1 + \"a\"",
        "\"a\" - \"b\"",
        "-\"a\"",
        "!1",
        "1 && true",
        "state.empty < 1",
        "{} < {}",
        "1 in 2",
        "9223372036854775807 + 1",
        "1e308 * 10",
        "5 % 0",
        "{\"a\": 1, \"a\": 2}",
        "{null: 1}",
        "size(1)",
        "sort([1, \"a\"])",
        "sort([{}], \"a\")",
        "join([[]], \",\")",
        "split(\"a\", \"\")",
        "from_json(\"{\")",
        "round(1e300)",
        "round(1.5, 99)",
        "max([[], []])",
        "double(\"NaN\")",
        "state.score.map(x, x)",
        "state.list.map(x, x.id).filter(y, y)",
        "true ? 1 / 0 : 2",
    ] {
        let error = eval(source).expect_err(source);
        let _ = writeln!(seen, "{error}");
    }
    assert!(!seen.contains("hunter2"), "a secret reached a message");
    insta::assert_snapshot!(seen);
}
