//! Complexity against numbers counted by hand. Each fixture names what it adds:
//! `# cyclomatic cognitive nesting`.
use serde_json::{Value, json};

use super::run;

/// Measures the first function of a text: cyclomatic, cognitive, nesting.
async fn measure(language: &str, source: &str) -> (u64, u64, u64) {
    let found = run(
        "code.extract",
        json!({"source": source, "language": language}),
    )
    .await
    .unwrap();
    let functions = json!({"functions": found["functions"]});
    let measured = run("code.complexity", functions).await.unwrap();
    let number = |name: &str| measured["functions"][0][name].as_u64().unwrap();
    (number("cyclomatic"), number("cognitive"), number("nesting"))
}

async fn check(language: &str, cases: &[(&str, (u64, u64, u64))]) {
    for (source, expected) in cases {
        assert_eq!(measure(language, source).await, *expected, "{source}");
    }
}

#[tokio::test]
async fn python_constructs_count_as_documented() {
    check(
        "python",
        &[
            ("def f():\n    return 1\n", (1, 0, 0)),
            ("def f(a):\n    if a:\n        pass\n", (2, 1, 1)),
            ("def f(a):\n    if a:\n        pass\n    else:\n        pass\n", (2, 2, 1)),
            ("def f(a):\n    if a:\n        pass\n    elif a > 1:\n        pass\n    else:\n        pass\n", (3, 3, 1)),
            ("def f(a):\n    return 1 if a else 2\n", (2, 1, 0)),
            ("def f(a):\n    for x in a:\n        pass\n    else:\n        pass\n", (2, 2, 1)),
            ("def f(a):\n    while a:\n        a -= 1\n", (2, 1, 1)),
            ("def f(a):\n    try:\n        a()\n    except ValueError:\n        pass\n    except (A, B) as e:\n        pass\n    else:\n        pass\n    finally:\n        pass\n", (3, 2, 1)),
            ("def f(a):\n    with a as b:\n        assert b\n", (1, 0, 0)),
            ("def f(a):\n    return [x for x in a if x]\n", (3, 0, 0)),
            ("def f(a, b):\n    return a and b\n", (2, 1, 0)),
            ("def f(a, b, c):\n    return a and b and c\n", (3, 1, 0)),
            ("def f(a, b, c):\n    return a and b or c\n", (3, 2, 0)),
            ("def f(a):\n    match a:\n        case 1:\n            pass\n        case 2 if a:\n            pass\n        case _:\n            pass\n", (4, 1, 1)),
            // A lambda counts to the function, a function inside does not.
            ("def f(a):\n    return lambda x: 1 if x else 2\n", (2, 2, 0)),
            ("def f(a):\n    def g(x):\n        if x:\n            return 1\n    return g\n", (1, 0, 0)),
            ("async def f(a):\n    async for x in a:\n        await x\n", (2, 1, 1)),
            // Levels: for 1, if 1 + 1, while 1 + 2.
            ("def f(a):\n    for x in a:\n        if x:\n            while x:\n                x -= 1\n", (4, 6, 3)),
        ],
    )
    .await;
}

#[tokio::test]
async fn rust_constructs_count_as_documented() {
    check(
        "rust",
        &[
            ("fn f() -> u8 { 1 }", (1, 0, 0)),
            ("fn f(a: bool) { if a {} }", (2, 1, 1)),
            ("fn f(a: bool) { if a {} else {} }", (2, 2, 1)),
            (
                "fn f(a: u8) { if a > 1 {} else if a > 0 {} else {} }",
                (3, 3, 1),
            ),
            ("fn f(a: Option<u8>) { if let Some(_) = a {} }", (2, 1, 1)),
            (
                "fn f(a: Option<u8>) { let Some(_) = a else { return }; }",
                (2, 1, 0),
            ),
            ("fn f(a: &[u8]) { for _ in a {} }", (2, 1, 1)),
            ("fn f(mut a: u8) { while a > 0 { a -= 1 } }", (2, 1, 1)),
            ("fn f() { loop { break } }", (1, 1, 1)),
            ("fn f() { 'a: loop { loop { break 'a } } }", (1, 4, 2)),
            (
                "fn f(a: u8) { match a { 0 => {} 1 => {} _ => {} } }",
                (3, 1, 1),
            ),
            (
                "fn f(a: u8) { match a { 0 if a > 0 => {} _ => {} } }",
                (3, 1, 1),
            ),
            ("fn f(a: u8) { match a {} }", (1, 1, 1)),
            ("fn f(a: bool, b: bool) -> bool { a && b }", (2, 1, 0)),
            (
                "fn f(a: bool, b: bool, c: bool) -> bool { a && b && c }",
                (3, 1, 0),
            ),
            (
                "fn f(a: bool, b: bool, c: bool) -> bool { a && b || c }",
                (3, 2, 0),
            ),
            (
                "fn f(a: Option<u8>, b: bool) { if let Some(_) = a && b {} }",
                (3, 2, 1),
            ),
            ("fn f() -> Option<u8> { let x = g()?; h(x)? }", (1, 0, 0)),
            // A closure counts to the function and is a level; a function inside is neither.
            ("fn f() { g(|x| if x { 1 } else { 2 }) }", (2, 3, 1)),
            ("fn f() { fn g(x: bool) { if x {} } }", (1, 0, 0)),
            ("fn f() { g(|| 1) }", (1, 0, 0)),
            // Levels: for 1, match 1 + 1, if 1 + 2, else 1.
            (
                "fn f(a: &[u8]) { for x in a { match x { 0 => if g() {} else {}, _ => {} } } }",
                (4, 7, 3),
            ),
        ],
    )
    .await;
}

/// A whole function as people write it, counted on paper.
#[tokio::test]
async fn the_longest_function_of_the_sample_agrees_with_a_count_by_hand() {
    let found = run(
        "code.extract",
        json!({"path": "examples/code_review/sample.py"}),
    )
    .await
    .unwrap();
    let measured = run("code.complexity", json!({"functions": found["functions"]}))
        .await
        .unwrap();
    let decide = measured["functions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["name"] == "decide");
    // 2 for, 10 if/elif, 6 and/or: 18 decisions. Levels: for, if, if, if, if, if.
    let expected = json!({"cyclomatic": 19, "nesting": 6, "lines": 31, "parameters": 6});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&decide.unwrap()[name], value, "{name}");
    }
    assert_eq!(measured["max_cyclomatic"], 19);
    // (1 + 2 + 2 + 1 + 6 + 19 + 6 + 3 + 3) / 9
    assert_eq!(measured["mean_cyclomatic"], 4.78);
}

#[tokio::test]
async fn a_method_is_measured_the_same_wherever_its_text_is_indented() {
    let deep = "class A:\n  class B:\n    async def m(self, a):\n      '''Doc\n   text'''\n      if a:\n        return [\n1]\n      # end\n      return 2\n";
    assert_eq!(measure("python", deep).await, (2, 1, 1));
}

#[tokio::test]
async fn functions_without_source_are_refused_with_advice() {
    let with = json!({"source": "def f(): pass", "language": "python", "keep_source": false});
    let found = run("code.extract", with).await.unwrap();
    assert_eq!(found["functions"][0]["source"], Value::Null);
    for kind in ["code.complexity", "code.detect"] {
        let error = run(kind, json!({"functions": found["functions"]}))
            .await
            .unwrap_err();
        assert!(
            error.message.contains("`f` (source:1)") && error.message.contains("keep_source"),
            "{error}"
        );
    }
}
