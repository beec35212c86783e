//! `set`, `template`, `assert`, `log`, `sleep`.
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use runstone_engine::node::NodeError;
use runstone_model::failure::Class;
use runstone_nodes::{Builtin, log::Level};
use serde_json::{Value, json};

use super::{context, kinds, run, run_unchecked};

#[tokio::test]
async fn set_gives_what_it_gets() {
    for with in [json!({}), json!({"a": [1, {"b": null}], "c": 0.5})] {
        assert_eq!(run("set", with.clone()).await.unwrap(), with);
    }
}

#[tokio::test]
async fn a_template_sees_its_values_and_keeps_their_types() {
    let cases = [
        (json!({"text": "plain"}), "plain"),
        (
            json!({"text": "{{ a }} {{ b.c[1] }}", "values": {"a": 1, "b": {"c": [0, "x"]}}}),
            "1 x",
        ),
        (
            json!({"text": "{{ n + 1 }} {{ f }} {{ z }}", "values": {"n": i64::MAX - 1, "f": 0.5, "z": null}}),
            "9223372036854775807 0.5 None",
        ),
        (
            json!({"text": "{{ n }}", "values": {"n": u64::MAX}}),
            "18446744073709551615",
        ),
        (
            json!({"text": "{% for x in xs %}\n  {{ x }}\n{% endfor %}\n", "values": {"xs": [1, 2]}}),
            "  1\n  2\n",
        ),
        (json!({"text": "{{ h }}", "values": {"h": "<b>&"}}), "<b>&"),
        (
            json!({"text": "{{ v | tojson }}", "values": {"v": {"b": [true], "a": 1}}}),
            r#"{"a": 1, "b": [true]}"#,
        ),
        (json!({"text": "{{ gone | default('-') }}"}), "-"),
        (
            json!({
                "text": "Dear {{ name }},\n{% for item in items %}\n- {{ item.title }}: \
                         {{ '%.2f' | format(item.price) }}\n{% endfor %}\n",
                "values": {"name": "Ada", "items": [{"title": "Tea", "price": 3.5}]},
            }),
            "Dear Ada,\n- Tea: 3.50\n",
        ),
    ];
    for (with, text) in cases {
        assert_eq!(run("template", with.clone()).await.unwrap(), text, "{with}");
    }
}

async fn template(text: &str) -> NodeError {
    run("template", json!({"text": text, "values": {"a": [1]}}))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_template_that_cannot_be_rendered_says_where_and_why() {
    let undefined = template("one\n{{ nobody.name }}").await;
    assert_eq!(
        (undefined.class, undefined.retryable),
        (Class::Validation, Some(false))
    );
    assert!(
        undefined
            .message
            .contains("line 2 uses a name that `values` does not have"),
        "{undefined}"
    );
    for text in [
        "{{ nobody }}",
        "{% if x %}",
        "{{ 1 / }}",
        "{{ a | nofilter }}",
        "{% include 'x' %}",
        "{{ a.b.c }}",
    ] {
        assert_eq!(template(text).await.class, Class::Validation, "{text}");
    }
}

#[tokio::test]
async fn a_template_has_limits_on_work_output_and_size() {
    let endless = "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}";
    let wide = "{% for a in range(9000) %}{{ 'x' * 9000 }}{% endfor %}";
    for text in [endless, wide, &"x".repeat(300_000)] {
        let error = template(text).await;
        assert_eq!(
            (error.class, error.retryable),
            (Class::Resource, Some(false)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn assert_fails_as_logic_with_its_message() {
    assert_eq!(
        run("assert", json!({"that": true, "message": "m"}))
            .await
            .unwrap(),
        true
    );
    let error = run("assert", json!({"that": false, "message": "too few"}))
        .await
        .unwrap_err();
    assert_eq!((error.class, error.retryable), (Class::Logic, Some(false)));
    assert_eq!(error.message, "too few");
    let silent = run("assert", json!({"that": false})).await.unwrap_err();
    assert_eq!(silent.message, "what `a_node` asserts does not hold");
}

#[tokio::test]
async fn a_with_of_the_wrong_shape_is_a_validation_error_that_names_the_kind() {
    for (kind, with) in [
        ("assert", json!({"that": "true"})),
        ("assert", json!({})),
        ("assert", json!({"that": true, "messsage": "x"})),
        ("template", json!([])),
        ("log", json!({"message": 1})),
        ("log", json!({"message": "x", "level": "loud"})),
        ("sleep", json!({"for": "soon"})),
        ("sleep", json!(null)),
        ("http", json!({"url": "http://x/", "expect": 700})),
        ("code.extract", json!({"language": "cobol"})),
        ("code.score", json!({"issues": [1]})),
    ] {
        let error = run_unchecked(kind, with.clone()).await.unwrap_err();
        assert_eq!(
            (error.class, error.retryable),
            (Class::Validation, Some(false)),
            "{with}"
        );
        assert!(error.message.contains(&format!("`{kind}`")), "{error}");
    }
}

#[tokio::test]
async fn a_logged_line_is_the_result_and_reaches_the_sink() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let options = Builtin {
        log: Some(Arc::new(move |line| {
            kept.lock().unwrap().push(line.clone())
        })),
        ..Builtin::default()
    };
    let log = kinds(options).remove("log").unwrap();
    let with = json!({"message": "done", "level": "warn", "fields": {"n": 1}});
    assert_eq!(log.run(context(), with).await.unwrap().result, "done");
    let line = lines.lock().unwrap().remove(0);
    assert_eq!(
        (&*line.node, line.level, &*line.message),
        ("a_node", Level::Warn, "done")
    );
    assert_eq!(Value::Object(line.fields), json!({"n": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_short_sleep_takes_as_long_as_it_says_on_the_paused_clock() {
    for (length, ms) in [
        (json!("700ms"), 700),
        (json!(250), 250),
        (json!("2s"), 2000),
    ] {
        let start = tokio::time::Instant::now();
        let result = run("sleep", json!({"for": length})).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_millis(ms));
        assert_eq!(result, json!({"slept_ms": ms}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_sleep_says_at_once_when_it_is_over() {
    let sleep = kinds(Builtin::default()).remove("sleep").unwrap();
    for (length, ms) in [
        ("2001ms", 2001),
        ("1h", 3_600_000),
        ("3650d", 315_360_000_000),
    ] {
        let start = tokio::time::Instant::now();
        let with = json!({"for": length});
        let outcome = sleep.run(context(), with).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        let until = context().started_at.plus(Duration::from_millis(ms));
        assert_eq!(outcome.until, Some(until));
        assert_eq!(outcome.result, json!({"slept_ms": ms}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sleep_over_ten_years_is_refused() {
    let error = run("sleep", json!({"for": 315_363_600_000_u64}))
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Validation);
    assert!(
        error.message.contains("`for: 87601h`") && error.message.contains("ten years"),
        "{error}"
    );
}

#[tokio::test]
async fn only_quick_kinds_are_instant_and_only_http_changes_something_outside() {
    for (name, kind) in kinds(Builtin::default()) {
        let spec = kind.spec();
        assert_eq!(
            spec.instant,
            ["set", "template", "assert", "log"].contains(&name),
            "{name}"
        );
        assert_eq!(spec.side_effects, name == "http", "{name}");
    }
}
