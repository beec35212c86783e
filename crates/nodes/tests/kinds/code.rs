//! `code.*`: what is found in source, which issues, which suggestions, which score.
use runstone_model::failure::Class;
use runstone_nodes::Builtin;
use serde_json::{Value, json};

use super::{context, kinds, run};

async fn extract(source: &str, language: &str) -> Value {
    run(
        "code.extract",
        json!({"source": source, "language": language}),
    )
    .await
    .unwrap()
}

/// `name line-end_line parameters flags` of every function.
fn outline(found: &Value) -> Vec<String> {
    let flag = |f: &Value, name: &str| {
        if f[name] == true {
            format!(" {name}")
        } else {
            String::new()
        }
    };
    found["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let flags: String = ["is_async", "doc", "public", "test"]
                .iter()
                .map(|name| flag(f, name))
                .collect();
            format!(
                "{} {}-{} {}{flags}",
                f["name"].as_str().unwrap(),
                f["line"],
                f["end_line"],
                f["parameters"]
            )
        })
        .collect()
}

/// `rule line` of every issue.
async fn issues(source: &str, language: &str) -> Vec<String> {
    let found = extract(source, language).await;
    let with = json!({"functions": found["functions"], "files": found["files"]});
    let detected = run("code.detect", with).await.unwrap();
    let all = detected["issues"].as_array().unwrap();
    all.iter()
        .map(|i| format!("{} {}", i["rule"].as_str().unwrap(), i["line"]))
        .collect()
}

#[tokio::test]
async fn python_functions_are_found_with_their_facts() {
    let source = r#"
def plain(a, b=1, *rest, c: int = 2, **more): pass

class Cart:
    @property
    def total(self):
        """Doc."""
        def inner(x): return x
        return inner(1)

    @classmethod
    async def load(cls, key, /, *, fresh=False):
        # a comment first
        'doc'

    def _hidden(self): pass

class TestCart:
    def helper(self): pass

def test_it():
    pass
"#;
    let expected = [
        "plain 2-2 5 public",
        "Cart.total 6-9 0 doc public",
        "Cart.total.inner 8-8 1",
        "Cart.load 12-14 2 is_async doc public",
        "Cart._hidden 16-16 0",
        "TestCart.helper 19-19 0 public test",
        "test_it 21-22 0 public test",
    ];
    assert_eq!(outline(&extract(source, "python").await), expected);
}

#[tokio::test]
async fn rust_functions_are_found_with_their_facts() {
    let source = r#"
/// Doc.
#[must_use]
pub async fn outer<T>(a: T, mut b: &str, (c, d): (u8, u8)) -> u8 {
    fn inner() {}
    0
}

//// no doc
pub(crate) fn narrow() {}

impl<T> Cart<T> {
    // no doc
    pub const fn total(&self, rate: f64) -> f64 { rate }
}

trait Shape {
    fn area(&self) -> f64;
    /** Doc. */
    fn name(&self) -> String { String::new() }
}

#[cfg(test)]
mod tests {
    fn helper() {}
    #[tokio::test(start_paused = true)]
    async fn works() {}
}

#[cfg(not(test))]
fn real() {}
"#;
    let expected = [
        "outer 4-7 3 is_async doc public",
        "outer::inner 5-5 0",
        "narrow 10-10 0",
        "Cart::total 14-14 1 public",
        "Shape::name 20-20 0 doc",
        "helper 25-25 0 test",
        "works 27-27 0 is_async test",
        "real 31-31 0",
    ];
    assert_eq!(outline(&extract(source, "rust").await), expected);
}

#[tokio::test]
async fn python_rules_find_what_they_name_and_nothing_else() {
    let source = r#"# FIXME: module
def f(a, b=[], c=dict(), d=(), e=None, *, g={1}):
    """Doc."""
    try:
        a.b = eval(a)
    except:
        raise
    try:
        pass
    except Exception as error:
        raise Wrapped() from error
    except BaseException:
        log()
    except (ValueError, KeyError):
        # XXX and TODO
        pass
    if a == None or None != b or c is None or d == 1:
        print(a)
        self.print(a)
        "TODO in a text"
    breakpoint()

def main():
    """Doc."""
    print(1)

def test_x():
    print(1)
"#;
    let expected = [
        "todo 1",
        "too_many_parameters 2",
        "mutable_default 2",
        "mutable_default 2",
        "mutable_default 2",
        "dynamic_code 5",
        "bare_except 6",
        "broad_except 12",
        "todo 15",
        "none_comparison 17",
        "none_comparison 17",
        "debug_left 18",
        "debug_left 21",
    ];
    assert_eq!(issues(source, "python").await, expected);
}

#[tokio::test]
async fn rust_rules_find_what_they_name_and_nothing_else() {
    let source = r#"
// TODO outside
/// Doc.
pub fn f(a: Option<u8>) -> u8 {
    let b = a.unwrap();
    let c = a.unwrap_or(0) + a.expect("so") + a.unwrap_or_default();
    println!("{} {}", a.unwrap(), unwrap(b));
    dbg!(c);
    if b > 3 { panic!("no") } else { unreachable!() }
    /* HACK */
    "TODO".len() as u8
}

fn main() { println!("ok"); dbg!(1); }

#[cfg(test)]
mod tests {
    #[test]
    fn t() { Some(1).unwrap(); panic!(); println!(); }
}
"#;
    let expected = [
        "todo 2",
        "unwrap 5",
        "unwrap 6",
        "debug_left 7",
        "unwrap 7",
        "debug_left 8",
        "panic 9",
        "todo 10",
        "debug_left 14",
    ];
    assert_eq!(issues(source, "rust").await, expected);
}

#[tokio::test]
async fn limits_decide_and_the_excess_weighs() {
    let branches = "    if a: pass\n".repeat(30);
    let source = format!("def f(a):\n    '''Doc.'''\n{branches}");
    let functions = &extract(&source, "python").await["functions"];
    let found = run("code.detect", json!({"functions": functions}))
        .await
        .unwrap();
    let issue = &found["issues"][0];
    assert_eq!(
        (&issue["rule"], &issue["value"], &issue["limit"]),
        (&json!("too_complex"), &json!(31), &json!(10))
    );
    assert_eq!(
        (&issue["severity"], &issue["points"]),
        (&json!("error"), &json!(15))
    );

    let with = json!({"functions": functions, "limits": {"complexity": 30}});
    assert_eq!(
        run("code.detect", with).await.unwrap()["issues"][0]["points"],
        6
    );
    let with = json!({"functions": functions, "limits": {"complexity": 31}});
    assert_eq!(run("code.detect", with).await.unwrap()["count"], 0);
    let with = json!({"functions": functions, "disable": ["too_complex"]});
    assert_eq!(run("code.detect", with).await.unwrap()["count"], 0);
}

fn issue(rule: &str, severity: &str, line: u32) -> Value {
    json!({"rule": rule, "severity": severity, "path": "a.py", "line": line, "message": "m"})
}

#[tokio::test]
async fn suggestions_come_by_gain_and_each_issue_once() {
    let issues = json!([
        issue("todo", "info", 1),
        issue("bare_except", "error", 9),
        issue("unwrap", "warning", 5),
        issue("unwrap", "warning", 4),
        issue("unwrap", "warning", 4),
    ]);
    let first = run("code.suggest", json!({"issues": issues, "limit": 2}))
        .await
        .unwrap();
    let ids = |result: &Value| -> Vec<String> {
        let all = result["suggestions"].as_array().unwrap();
        all.iter()
            .map(|s| s["issue"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ["bare_except:a.py:9:0", "unwrap:a.py:4:0"]);
    assert_eq!(
        (&first["remaining"], &first["gain"]),
        (&json!(2), &json!(12))
    );

    // By what was dealt with, as suggestions or as ids; or by the number of the round.
    let with = json!({"issues": issues, "limit": 2, "round": 2, "addressed": first["suggestions"]});
    let second = run("code.suggest", with).await.unwrap();
    assert_eq!(ids(&second), ["unwrap:a.py:5:0", "todo:a.py:1:0"]);
    let with = json!({"issues": issues, "limit": 2, "round": 2, "addressed": ids(&first)});
    assert_eq!(run("code.suggest", with).await.unwrap(), second);
    let with = json!({"issues": issues, "limit": 2, "round": 2});
    assert_eq!(run("code.suggest", with).await.unwrap(), second);

    let with = json!({"issues": issues, "limit": 2, "round": 999_999});
    let none = run("code.suggest", with).await.unwrap();
    assert_eq!(
        none,
        json!({"round": 999_999, "suggestions": [], "remaining": 0, "gain": 0})
    );
}

#[tokio::test]
async fn every_rule_has_advice_of_its_own() {
    let detect = kinds(Builtin::default())
        .remove("code.detect")
        .unwrap()
        .spec();
    let rules = detect.with["properties"]["disable"]["items"]["enum"]
        .as_array()
        .unwrap()
        .clone();
    let issues: Vec<Value> = rules
        .iter()
        .map(|r| issue(r.as_str().unwrap(), "info", 1))
        .collect();
    let given = run("code.suggest", json!({"issues": issues, "limit": 100}))
        .await
        .unwrap();
    let mut changes: Vec<&str> = given["suggestions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["change"].as_str().unwrap())
        .collect();
    changes.sort_unstable();
    changes.dedup();
    assert_eq!(changes.len(), rules.len());
}

#[tokio::test]
async fn the_score_follows_its_formula() {
    let issues = json!([issue("bare_except", "error", 1), issue("todo", "info", 2)]);
    let score = |lines: Value, addressed: Value| {
        let with = json!({"files": lines, "issues": issues, "addressed": addressed});
        async move { run("code.score", with).await.unwrap() }
    };
    // 9 points on 100 lines: 10000 / 109.
    let open = score(json!([{"lines": 60}, {"lines": 40}]), json!([])).await;
    assert_eq!(
        (&open["score"], &open["grade"], &open["density"]),
        (&json!(91.7), &json!("A"), &json!(9.0))
    );
    // 10 lines count as 50: density 18.
    let short = score(json!([{"lines": 10}]), json!([])).await;
    assert_eq!(
        (&short["score"], &short["grade"]),
        (&json!(84.7), &json!("B"))
    );
    let mended = score(json!([{"lines": 10}]), json!(["bare_except:a.py:1:0"])).await;
    assert_eq!(
        (&mended["score"], &mended["open"], &mended["resolved"]),
        (&json!(98.0), &json!(1), &json!(1))
    );
    assert_eq!(
        mended["breakdown"]["bare_except"],
        json!({"open": 0, "resolved": 1, "points": 0})
    );

    let functions = json!([
        {"path": "a.py", "line": 1, "end_line": 60},
        {"path": "a.py", "line": 10, "end_line": 20},
        {"path": "b.py", "line": 1, "end_line": 40},
    ]);
    let with = json!({"functions": functions, "issues": issues});
    assert_eq!(run("code.score", with).await.unwrap()["lines"], 100);
    let with = json!({"files": [], "issues": []});
    assert_eq!(run("code.score", with).await.unwrap()["score"], 100.0);
}

#[tokio::test]
async fn the_sample_takes_three_rounds_to_a_good_score() {
    let found = run(
        "code.extract",
        json!({"path": "examples/code_review/sample.py"}),
    )
    .await
    .unwrap();
    let with = json!({"functions": found["functions"], "files": found["files"]});
    let issues = &run("code.detect", with).await.unwrap()["issues"];
    let mut addressed = Vec::new();
    let mut scores = Vec::new();
    for round in 1..=3 {
        let with = json!({"issues": issues, "addressed": addressed, "round": round});
        let given = run("code.suggest", with).await.unwrap();
        addressed.extend(given["suggestions"].as_array().unwrap().clone());
        let with = json!({"files": found["files"], "issues": issues, "addressed": addressed});
        scores.push(
            run("code.score", with).await.unwrap()["score"]
                .as_f64()
                .unwrap(),
        );
    }
    // The README of the example and docs/nodes.md quote these.
    assert_eq!(scores, [75.8, 87.7, 94.4]);
}

#[tokio::test]
async fn a_cancelled_step_stops() {
    for (kind, with) in [
        (
            "code.extract",
            json!({"source": "def f(): pass", "language": "python"}),
        ),
        (
            "code.complexity",
            json!({"functions": extract("def f(): pass", "python").await["functions"]}),
        ),
    ] {
        let ctx = context();
        ctx.cancelled.set();
        let error = kinds(Builtin::default())[kind]
            .run(ctx, with)
            .await
            .unwrap_err();
        assert_eq!(error.class, Class::Cancelled, "{kind}");
    }
}

#[tokio::test]
async fn more_issues_than_a_result_holds_are_refused_with_advice() {
    let source = format!("fn f() {{ x{} }}", ".unwrap()".repeat(20_001));
    let functions = &extract(&source, "rust").await["functions"];
    let error = run("code.detect", json!({"functions": functions}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class, error.retryable),
        (Class::Resource, Some(false))
    );
    let with = json!({"functions": functions, "disable": ["unwrap"]});
    assert_eq!(run("code.detect", with).await.unwrap()["count"], 0);
}
