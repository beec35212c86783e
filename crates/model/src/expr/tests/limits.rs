//! Caps: what is refused before it is parsed, and what is stopped while it is evaluated.
use serde_json::{Value, json};

use super::{
    super::{Expr, Template},
    Roots,
};
use crate::limits::{MAX_DEPTH, MAX_EXPR_BYTES, MAX_RESULT_BYTES};

fn refused(source: &str, scope: Value) -> String {
    Expr::parse(source)
        .unwrap()
        .eval(&Roots(scope))
        .unwrap_err()
        .message
}

#[test]
fn a_long_expression_is_refused() {
    let source = format!("\"{}\"", "x".repeat(MAX_EXPR_BYTES));
    assert!(
        Expr::parse(&source)
            .unwrap_err()
            .message
            .contains("longer than")
    );
    assert!(Expr::parse(&source[..=MAX_EXPR_BYTES / 2]).is_err());
}

/// Every shape that recurses in a parser, at depths up to the length cap.
#[test]
fn deep_nesting_is_refused_and_never_overflows_the_stack() {
    let shapes = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{\"a\":", "1", "}"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("size(", "\"\"", ")"),
        ("", "1", "+1"),
        ("", "true", "&&true"),
        ("", "true", "||true"),
        ("", "state", ".a"),
        ("", "state", "[0]"),
        ("true?1:", "1", ""),
        ("true?", "1", ":1"),
        ("", "[]", ".size()"),
        ("(", "1", ")+1"),
        ("1+(", "1", ")"),
        ("", "1", " in [1]"),
        ("[1].map(x,", "x", ")"),
        ("a(", "", ""),
        ("", "1", ")"),
    ];
    for (before, middle, after) in shapes {
        for times in [10, 24, 25, 99, 101, 400, 2000] {
            let source = [&before.repeat(times), middle, &after.repeat(times)].concat();
            if let Ok(expr) = Expr::parse(&source) {
                let _ = expr.eval(&Roots(json!({})));
            }
            let _ = Template::compile(&Value::from(format!("x ${{{{ {source} }}}}")));
        }
    }
    assert!(
        Expr::parse(&"(".repeat(25))
            .unwrap_err()
            .message
            .contains("brackets inside")
    );
    assert!(
        Expr::parse(&["1"; 102].join("+"))
            .unwrap_err()
            .message
            .contains("nests more than")
    );
    assert!(Expr::parse(&["1"; 90].join("+")).is_ok());
    assert!(Expr::parse(&format!("[{}]", ["1 + 2"; 500].join(","))).is_ok());
}

#[test]
fn work_is_bounded_and_nothing_passes_over_the_bound() {
    let scope = json!({"state": {"l": (0..2000).collect::<Vec<_>>()}});
    let steps = "more than 1000000 steps";
    for source in [
        "state.l.map(a, state.l.map(b, a * b))",
        "state.l.all(a, state.l.all(b, a + b >= 0))",
        "true || state.l.all(a, state.l.all(b, state.l.all(c, true)))",
        "state.l.all(a, state.l.all(b, true)) || true",
        "coalesce(state.l.map(a, state.l.map(b, 1)), 1)",
        "state.l.all(a, state.l == state.l)",
    ] {
        let result = Expr::parse(source).unwrap().eval(&Roots(scope.clone()));
        if source.starts_with("true ||") {
            assert_eq!(result.unwrap(), true, "{source}");
        } else {
            assert!(result.unwrap_err().message.contains(steps), "{source}");
        }
    }
}

#[test]
fn text_costs_work_too() {
    let scope = json!({"state": {"t": "a".repeat(1 << 20), "l": vec![vec![0; 100]; 10]}});
    for source in [
        "state.l.all(r, r.all(x, state.t.contains(\"b\") || true))",
        "state.l.all(r, r.all(x, state.t == state.t + \"\"))",
        "state.l.all(r, r.all(x, !state.t.matches(\"b\")))",
        "state.l.map(r, r.map(x, state.t))",
        "state.l.map(r, state.t + state.t + state.t + state.t + state.t + state.t + state.t)",
        "replace(state.t, \"a\", state.t)",
    ] {
        assert!(
            refused(source, scope.clone()).contains("more than"),
            "{source}"
        );
    }
}

#[test]
fn a_result_that_a_step_could_not_keep_is_refused() {
    let quarter = "x".repeat(MAX_RESULT_BYTES / 4);
    let scope = json!({"state": {"t": quarter}});
    let large = "state.t + state.t + state.t + state.t";
    assert!(refused(large, scope.clone()).contains("16 MiB"));
    let template = Template::compile(&json!(vec!["${{ state.t }}"; 5])).unwrap();
    assert!(
        template
            .eval(&Roots(scope))
            .unwrap_err()
            .message
            .contains("16 MiB")
    );
}

#[test]
fn a_result_cannot_nest_deeper_than_a_step_may_keep() {
    let deep = (0..MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));
    let scope = Roots(json!({"state": {"deep": deep}}));
    let fits = Expr::parse("[state.deep][0]").unwrap();
    assert_eq!(fits.eval(&scope).unwrap(), deep);
    let too_deep = Expr::parse("[state.deep]")
        .unwrap()
        .eval(&scope)
        .unwrap_err();
    assert!(too_deep.message.contains("nests deeper"), "{too_deep}");
    let template = Template::compile(&json!({"a": "${{ state.deep }}"})).unwrap();
    assert!(
        template
            .eval(&scope)
            .unwrap_err()
            .message
            .contains("nests deeper")
    );
}

#[test]
fn a_pattern_found_at_run_time_is_capped_too() {
    let scope = json!({"state": {"p": "(\\w{50}){50}", "q": "("}});
    assert!(refused("\"a\".matches(state.p)", scope.clone()).contains("too large"));
    assert!(refused("\"a\".matches(state.q)", scope).contains("not a regular expression"));
}

/// A search is paid by the size of the pattern, so the slowest patterns get the least text.
#[test]
fn slow_patterns_get_less_text_than_quick_ones() {
    let scope = |bytes: usize| Roots(json!({"state": {"t": "ab".repeat(bytes / 2)}}));
    let search = |pattern: &str, bytes: usize| {
        let expr = Expr::parse(&format!("state.t.matches(\"{pattern}\")")).unwrap();
        expr.test(&scope(bytes))
    };
    assert_eq!(search("^src/[a-z]+$", 1_000_000), Ok(false));
    assert_eq!(search("^\\\\w+@", 500_000), Ok(false));
    assert_eq!(search("[ab]*a[ab]{30}x", 10_000), Ok(false));
    assert!(search("[ab]*a[ab]{3000}x", 100_000).is_err());
}

#[test]
fn only_so_many_patterns_fit_into_one_expression() {
    let source = ["\"a\".matches(\"b\")"; 17].join(" || ");
    assert!(
        Expr::parse(&source)
            .unwrap_err()
            .message
            .contains("more than 16 patterns")
    );
    let long = json!({"state": {"p": "a".repeat(5000)}});
    assert!(refused("\"a\".matches(state.p)", long).contains("longer than 4096"));
}
