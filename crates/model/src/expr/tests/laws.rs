//! Laws that hold for every input: no panic, arithmetic that agrees with Rust's, and agreement with
//! the interpreter of the `cel` crate wherever we do not differ on purpose.
use cel::{Context, Program};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    super::{Expr, Template},
    Roots, roots,
};

const SOUP: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    "?",
    ":",
    "+",
    "-",
    "!",
    "*",
    "%",
    "&&",
    "||",
    "==",
    "<",
    ">=",
    " ",
    "\n",
    "\"",
    "'",
    "\\",
    "state",
    "x",
    "1",
    "1.5",
    "0x",
    "1e",
    "in",
    "has(",
    ".map(x,",
    "\"\"\"",
    "r\"",
    "b'",
    "é",
    "\u{202e}",
    "`",
    "$",
    "#",
    "size(",
    ".all(a,",
    "u",
    "\\u12",
    "//",
    "\0",
    "[?",
    "for",
    "9999999999999999999",
    "null",
    "true",
    "3.",
    "}}",
    "${{",
    "state.list",
    "input.threshold",
    "secrets.key",
    "from_json(",
    "sort(",
    "slice(",
];

fn use_it(source: &str) {
    let scope = roots();
    if let Ok(expr) = Expr::parse(source) {
        let _ = expr.test(&scope);
        if let Err(error) = expr.eval(&scope) {
            assert!(
                !error.message.contains("hunter2"),
                "a secret in a message: {error}"
            );
        }
    }
    if let Ok(template) = Template::compile(&json!({"a": [format!("x ${{{{ {source} }}}}")]})) {
        let _ = template.eval(&scope);
    }
}

/// An expression over small integers, in CEL's own syntax.
fn integers() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-9_i64..9).prop_map(|n| format!("({n})")),
        select(vec![
            "9223372036854775807",
            "(-9223372036854775808)",
            "a",
            "b"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), select(vec!["+", "-", "*", "/", "%"]), inner)
            .prop_map(|(a, op, b)| format!("({a} {op} {b})"))
    })
}

fn conditions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (
            integers(),
            select(vec!["<", "<=", ">", ">=", "==", "!="]),
            integers()
        )
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        select(vec![
            "true",
            "false",
            "[1, 2, 3].exists(x, x == a)",
            "[1, 2, 3].all(x, 6 / (x - b) > 0)",
            "[1, 2, 2].exists_one(x, x == 2)",
            "[3, 4].map(x, x + a).filter(y, y > 3).size() == 1",
            "[[1], [2, 3]].all(x, x.all(y, y > b))",
            "'abc'.startsWith('a') && 'abc'.matches('b+')",
            "a in [1, 2] || {'a': 1}.a == b",
            "('a' < 'b') == (size('é') == 1)",
            "has({'a': 1}.a) && !has({'a': 1}.b)",
            "string(a) == '2' || int('7') == b",
            "[1] + [a] == [1, 2]",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), select(vec!["&&", "||"]), inner.clone())
                .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

/// The answer of the reference interpreter; `None` when it fails.
fn reference(source: &str, a: i64, b: i64) -> Option<Value> {
    let mut context = Context::default();
    context.add_variable_from_value("a", a);
    context.add_variable_from_value("b", b);
    Program::compile(source)
        .unwrap()
        .execute(&context)
        .ok()?
        .json()
        .ok()
}

fn ours(source: &str, a: i64, b: i64) -> Option<Value> {
    let loops = "[1].map(a, [1].map(b, ";
    assert!(
        !source.contains(loops),
        "the variables stand for state members"
    );
    let source = format!("[{source}]");
    let scope = Roots(json!({"state": {"a": a, "b": b}}));
    let expr = Expr::parse(&rename(&source)).unwrap_or_else(|e| panic!("{source}: {e}"));
    expr.eval(&scope).ok().map(|mut list| list[0].take())
}

/// `a` and `b` as members of the state; other names of one letter stay.
fn rename(source: &str) -> String {
    let mut renamed = String::new();
    let mut before = ' ';
    let mut quoted = false;
    for (at, c) in source.char_indices() {
        quoted ^= c == '\'';
        let after = source[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let alone = !before.is_alphanumeric() && before != '.' && !after.is_alphanumeric();
        if matches!(c, 'a' | 'b') && alone && !quoted {
            renamed.push_str("state.");
        }
        renamed.push(c);
        before = c;
    }
    renamed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_reading_panic(text in any::<String>()) {
        use_it(&text);
    }

    #[test]
    fn no_heap_of_tokens_makes_reading_or_evaluating_panic(
        tokens in vec(select(SOUP), 0..40),
    ) {
        use_it(&tokens.concat());
    }

    #[test]
    fn integer_arithmetic_agrees_with_the_reference(
        source in integers(), a in any::<i64>(), b in -4_i64..4,
    ) {
        prop_assert_eq!(ours(&source, a, b), reference(&source, a, b), "{}", source);
    }

    #[test]
    fn conditions_agree_with_the_reference(source in conditions(), a in -4_i64..4, b in -4_i64..4) {
        prop_assert_eq!(ours(&source, a, b), reference(&source, a, b), "{}", source);
    }

    #[test]
    fn numbers_are_ordered_by_value(a in any::<i64>(), x in any::<f64>()) {
        let x = if x.is_finite() { x } else { a as f64 };
        let scope = Roots(json!({"state": {"a": a, "x": x}}));
        let holds = |source: &str| Expr::parse(source).unwrap().test(&scope).unwrap();
        let ways = ["state.a < state.x", "state.a == state.x", "state.a > state.x"];
        prop_assert_eq!(ways.iter().filter(|way| holds(way)).count(), 1);
        prop_assert_eq!(holds("state.a < state.x"), holds("state.x > state.a"));
        let wide = i128::from(a);
        if x.abs() < 1e18 {
            let below = wide < x.floor() as i128 || (wide == x.floor() as i128 && x.fract() != 0.0);
            prop_assert_eq!(holds("state.a < state.x"), below);
        }
    }

    #[test]
    fn a_value_comes_out_as_it_went_in(text in any::<String>(), int in any::<i64>()) {
        let value = json!({"t": text, "n": [int, null, true, 0.5]});
        let scope = Roots(json!({"state": {"v": value}}));
        for source in ["state.v", "[state.v][0]", "{\"a\": state.v}.a", "from_json(to_json(state.v))"] {
            prop_assert_eq!(&Expr::parse(source).unwrap().eval(&scope).unwrap(), &value);
        }
    }
}
