//! Text that is no source, and source that nests too deep, must end in a result or a plain error.
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::run;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
});

/// The whole review of a text; panics where a kind panics or a result does not fit its schema.
async fn review(source: &str, language: &str) -> Option<Value> {
    let found = run(
        "code.extract",
        json!({"source": source, "language": language}),
    )
    .await
    .ok()?;
    let with = json!({"functions": found["functions"]});
    run("code.complexity", with).await.unwrap();
    let with = json!({"functions": found["functions"], "files": found["files"]});
    let issues = run("code.detect", with).await.unwrap();
    let with = json!({"issues": issues["issues"], "limit": 1000});
    let suggested = run("code.suggest", with).await.unwrap();
    let addressed = suggested["suggestions"].clone();
    let with = json!({"files": found["files"], "issues": issues["issues"], "addressed": addressed});
    let scored = run("code.score", with).await.unwrap();
    if issues["count"].as_u64().unwrap() <= 1000 {
        assert_eq!(scored["score"], 100.0);
    }
    Some(json!([found, issues, suggested, scored]))
}

/// Pieces of both languages in any order: closer to the grammars' corners than random letters.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "def f(",
        "fn f(",
        "):\n",
        ") {",
        "}",
        "    ",
        "\t",
        "\n",
        "if ",
        "else",
        "elif ",
        "match x ",
        "{ _ => ",
        "=> ",
        "case _:",
        "try:",
        "except:",
        "except Exception as e:",
        "raise",
        "lambda x: ",
        "|x| ",
        "|| ",
        "&& ",
        "let Some(x) = y ",
        "'a: loop ",
        "break 'a",
        "#[test]\n",
        "#[cfg(test)]\nmod t {",
        "///",
        "/*",
        "\"\"\"",
        "'",
        "\"",
        "# TODO",
        "// FIXME",
        ".unwrap()",
        "panic!(",
        "dbg!(",
        "class A:",
        "impl A<",
        "self",
        "async ",
        "pub ",
        "=[]",
        "=={",
        "None",
        "==",
        "(",
        ")",
        "[",
        "]",
        ",",
        ";",
        "é",
        "\u{2028}",
        "\r",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_reviewed_without_a_panic_and_always_the_same(
        source in prop_oneof![soup(), "\\PC{0,200}", ".{0,200}"],
        language in prop::sample::select(vec!["python", "rust"]),
    ) {
        let first = RUNTIME.block_on(review(&source, language));
        let second = RUNTIME.block_on(review(&source, language));
        prop_assert_eq!(first, second);
    }

    #[test]
    fn any_bytes_in_a_file_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        name in prop::sample::select(vec!["x.py", "x.rs"]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let read = RUNTIME.block_on(run("code.extract", json!({"path": path.to_str().unwrap()})));
        let text = std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains('\0'));
        prop_assert_eq!(read.is_ok(), text);
    }
}

#[tokio::test]
async fn slow_source_that_nests_twenty_thousand_deep_ends() {
    let n = 20_000;
    for (language, source) in [
        ("python", "(".repeat(n)),
        (
            "python",
            format!("def f():\n    return {}1{}", "[".repeat(n), "]".repeat(n)),
        ),
        ("python", format!("x = {}1", "not ".repeat(n))),
        ("rust", "{".repeat(n)),
        (
            "rust",
            format!("fn f() {{ {}1{} }}", "(".repeat(n), ")".repeat(n)),
        ),
        ("rust", "fn a(){".repeat(n)),
        ("rust", format!("{}{}", "fn a(){".repeat(n), "}".repeat(n))),
        (
            "rust",
            format!("fn f() {{ m!{}{} }}", "(".repeat(n), ")".repeat(n)),
        ),
        ("rust", format!("fn f() {{ x{} }}", ".unwrap()".repeat(n))),
        (
            "rust",
            format!("fn f() -> bool {{ a{} }}", " && a".repeat(n)),
        ),
    ] {
        review(&source, language).await;
    }
}

#[tokio::test]
async fn a_megabyte_that_is_no_source_ends() {
    let mut random = 1_u32;
    let letters: String = (0..1 << 20)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(32 + u8::try_from(random >> 16 & 63).unwrap())
        })
        .collect();
    for language in ["python", "rust"] {
        review(&letters, language).await;
    }
}
