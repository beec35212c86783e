//! Bad input of every kind: exit 2 with the place and the reason, and nothing left behind; what only
//! a run can find out is exit 1 with a clear failure.
use serde_json::json;

use crate::{harness::Place, run::HELLO};

fn flow(body: &str) -> String {
    format!("runstone: 1\nname: f\n{body}")
}

/// What is wrong, a flow with it, and what the refusal must say.
type BadFlow = (&'static str, String, &'static [&'static str]);

fn bad_flows() -> Vec<BadFlow> {
    let node = "start: a\nnodes:\n  a: {uses: set, with: {}}\n";
    vec![
        (
            "broken YAML",
            "runstone: 1\nname: [f\n".to_owned(),
            &["f.yaml:", "syntax"][..],
        ),
        ("broken JSON", "{\"runstone\": 1,".to_owned(), &["f.yaml:"]),
        ("empty", String::new(), &["f.yaml"]),
        ("not a map", "- 1\n".to_owned(), &["f.yaml:1:1", "map"]),
        (
            "another version",
            "runstone: 7\nname: f\nstart: a\n".to_owned(),
            &["runstone"],
        ),
        (
            "unknown key",
            flow(&format!("{node}nodez: {{}}\nedges: [a -> end]\n")),
            &["unknown_key", "did you mean `nodes`"],
        ),
        (
            "wrong type",
            flow("start: [a]\nnodes:\n  a: {uses: set, with: {}}\nedges: [a -> end]\n"),
            &["f.yaml:3:"],
        ),
        (
            "unknown kind",
            flow("start: a\nnodes:\n  a: {uses: sett, with: {}}\nedges: [a -> end]\n"),
            &["unknown_kind", "did you mean `set`"],
        ),
        (
            "unknown node",
            flow(&format!("{node}edges: [a -> b -> end]\n")),
            &["f.yaml:6:", "`b`"],
        ),
        (
            "cycle without exit",
            flow(
                "start: a\nnodes:\n  a: {uses: set, with: {}}\n  b: {uses: set, with: {}}\nedges: [a -> b -> a]\n",
            ),
            &["endless_cycle"],
        ),
        (
            "bad expression",
            flow(
                "start: a\nnodes:\n  a: {uses: template, with: {text: \"${{ 1 + }}\"}}\nedges: [a -> end]\n",
            ),
            &["bad_expression", "^"],
        ),
        (
            "feature to come",
            flow(
                &format!("{node}edges: [a -> end]\n")
                    .replace("with: {}", "with: {}, interrupt: before"),
            ),
            &["not supported yet"],
        ),
    ]
}

#[test]
fn a_bad_flow_is_refused_before_anything_is_written() {
    for (why, text, wants) in bad_flows() {
        let place = Place::new();
        place.file("f.yaml", &text);
        let said = place.run(&["run", "f.yaml"]);
        assert_eq!(said.code, 2, "{why}: {said:?}");
        assert_eq!(said.out, "", "{why}");
        for want in wants {
            assert!(
                said.err.contains(want),
                "{why}: `{want}` is not in {}",
                said.err
            );
        }
        assert!(said.err.contains("mend: "), "{why}: {}", said.err);
        assert_eq!(place.files(), ["f.yaml"], "{why}: nothing is left behind");
    }
}

#[test]
fn a_flow_that_is_no_file_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("folder")).unwrap();
    std::fs::write(place.path().join("binary"), [0xff, 0xfe, 0x00]).unwrap();
    for (flow, why) in [
        ("nowhere.yaml", "there is no such file"),
        ("folder", "is a folder"),
        ("binary", "not UTF-8"),
    ] {
        for command in ["run", "graph", "fmt", "validate"] {
            let said = place.run(&[command, flow]);
            assert_eq!(said.code, 2, "{command} {flow}: {said:?}");
            let told = format!("{}{}", said.out, said.err);
            assert!(
                told.contains(why) && told.contains(flow),
                "{command} {flow}: {told}"
            );
        }
    }
    assert_eq!(place.files(), ["binary", "folder"]);
}

#[test]
fn an_input_that_does_not_fit_is_refused_with_every_misfit() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.file("broken.json", "{\"who\": \n  nobody}");
    place.file("list.json", "[1]");
    for (args, wants) in [
        (&[][..], &["does not fit the flow `hello`", "who"][..]),
        (
            &["--input", r#"{"who": 7, "times": "x"}"#],
            &["/who", "/times"],
        ),
        (&["--input", "list.json"], &["does not fit"]),
        (&["--input", "broken.json"], &["broken.json:2:", "not JSON"]),
        (&["--input", "{\"who\""], &["--input:1:6", "not JSON"]),
        (
            &["--input", "nowhere.json"],
            &["nowhere.json", "no such file"],
        ),
        (&["--input", "."], &["is a folder"]),
        (&["--set", "who"], &["--set who", "no `=`"]),
        (
            &["--set", "who=Ada", "--set", "who.first=Ada"],
            &["not an object"],
        ),
    ] {
        let said = place.run(&[&["run", "hello.yaml"], args].concat());
        assert_eq!(said.code, 2, "{args:?}: {said:?}");
        for want in wants {
            assert!(
                said.err.contains(want),
                "{args:?}: `{want}` is not in {}",
                said.err
            );
        }
    }
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let said = place.run_with_stdin(&["run", "hello.yaml", "--input", "-"], deep.as_bytes());
    assert_eq!(said.code, 2);
    assert!(said.err.contains("deep"), "{said:?}");
    assert_eq!(place.files(), ["broken.json", "hello.yaml", "list.json"]);
}

#[test]
fn with_json_an_error_is_one_document_too() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.file("bad.yaml", "runstone: 1\nname: [f\n");
    let said = place.run(&["run", "hello.yaml", "--json"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.json()["error"]["message"],
        "the input does not fit the flow `hello`"
    );
    assert!(said.err.starts_with("error: "), "{said:?}");
    let said = place.run(&["run", "bad.yaml", "--json"]);
    assert_eq!(said.json()["error"]["problems"][0]["code"], "syntax");
    let said = place.run(&["runs", "--json"]);
    assert_eq!(said.code, 2);
    assert_eq!(said.json()["error"]["place"], json!("sqlite:runstone.db"));
}

#[test]
fn an_output_template_that_fails_is_a_failed_run() {
    let place = Place::new();
    place.file(
        "f.yaml",
        &flow(
            "input: {type: object, properties: {x: {type: integer, default: 0}}}\nstart: a\n\
             nodes:\n  a: {uses: set, with: {}}\nedges: [a -> end]\n\
             output: {x: \"${{ 10 / input.x }}\"}\n",
        ),
    );
    let said = place.run(&["run", "f.yaml"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("✗ failed"), "{said:?}");
    assert!(
        said.err.contains("output") && said.err.contains("division by zero"),
        "{said:?}"
    );
    assert_eq!(
        place.run(&["run", "f.yaml", "--set", "x=5", "-q"]).json(),
        json!({"x": 2})
    );
}

#[test]
fn a_wrong_allow_list_is_refused() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let mut command = place.command(&["run", "hello.yaml", "--set", "who=A"]);
    let output = command
        .env("RUNSTONE_HTTP_ALLOW", "http://10.0.0.1/")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("RUNSTONE_HTTP_ALLOW") && said.contains("10.0.0.0/8"),
        "{said}"
    );
}
