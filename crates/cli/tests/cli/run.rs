//! `runstone run`: the examples, ways to give an input, the ways a run ends.
use serde_json::json;

use crate::harness::{Place, example};

pub(crate) const HELLO: &str = r#"
runstone: 1
name: hello
input:
  type: object
  required: [who]
  properties: {who: {type: string}, times: {type: integer, default: 2}, deep: {type: object}}
state:
  count: {type: integer, default: 0}
  lines: {type: array, reducer: append, default: []}
start: greet
nodes:
  greet: {uses: template, with: {text: "Hello, ${{ input.who }}"}, out: {lines: "${{ result }}"}}
  count: {uses: set, with: {count: "${{ state.count + 1 }}"}}
  say: {uses: log, with: {message: "greeted ${{ string(state.count) }} times", level: warn}}
edges:
  - greet -> count
  - {from: count, to: greet, when: "state.count < input.times", max: 5}
  - {from: count, to: say, else: true}
  - say -> end
output: {lines: "${{ state.lines }}", deep: "${{ has(input.deep) ? input.deep : null }}"}
"#;

#[test]
fn a_run_shows_its_progress_and_prints_its_output() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let said = place.run(&["run", "hello.yaml", "--set", "who=Ada"]);
    insta::assert_snapshot!(said.told());
}

#[test]
fn json_is_one_document_with_the_promised_fields() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let said = place.run(&["run", "hello.yaml", "--set", "who=Ada", "--json"]);
    let document = said.json();
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    let want = [
        "duration_ms",
        "error",
        "flow",
        "output",
        "run_id",
        "state",
        "status",
        "steps",
        "version",
    ];
    assert_eq!(keys, want);
    assert_eq!(document["flow"], "hello");
    assert_eq!(document["version"], 1);
    assert_eq!(document["status"], "completed");
    assert_eq!(document["steps"], 5);
    assert_eq!(document["error"], json!(null));
    let lines = json!(["Hello, Ada", "Hello, Ada"]);
    assert_eq!(document["output"], json!({"lines": lines, "deep": null}));
    assert_eq!(document["state"], json!({"lines": lines, "count": 2}));
    assert!(document["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(
        said.err.contains("✓ greet"),
        "progress goes to stderr: {said:?}"
    );
}

#[test]
fn quiet_prints_the_output_and_nothing_else() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let said = place.run(&["run", "hello.yaml", "--set", "who=Ada", "--quiet"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(said.json()["lines"][0], "Hello, Ada");
}

#[test]
fn the_input_comes_from_a_file_from_stdin_or_from_the_command_line() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.file("in.json", r#"{"who": "file", "times": 1}"#);
    let lines = |args: &[&str], stdin: &str| {
        let args = [&["run", "hello.yaml", "-q"], args].concat();
        let said = place.run_with_stdin(&args, stdin.as_bytes());
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    };
    assert_eq!(
        lines(&["--input", "in.json"], "")["lines"],
        json!(["Hello, file"])
    );
    assert_eq!(
        lines(&["--input", r#"{"who":"inline","times":1}"#], "")["lines"],
        json!(["Hello, inline"])
    );
    let stdin = r#"{"who": "stdin", "times": 1}"#;
    assert_eq!(
        lines(&["--input", "-"], stdin)["lines"],
        json!(["Hello, stdin"])
    );
    let over = lines(
        &[
            "--input",
            "in.json",
            "--set",
            "who=over",
            "--set",
            "deep.a.b=[1]",
        ],
        "",
    );
    assert_eq!(
        over,
        json!({"lines": ["Hello, over"], "deep": {"a": {"b": [1]}}})
    );
}

#[test]
fn every_example_runs() {
    let place = Place::new();
    let sample = format!("path={}", example("code_review/sample.py"));
    for (file, set, check) in [
        ("asymmetric.yaml", "", json!({"starts_of_d": 1})),
        ("diamond.yaml", "", json!({"sum": 111, "starts_of_foot": 1})),
        (
            "map.yaml",
            "names=[\"Ada\"]",
            json!({"greetings": ["1. Hello, Ada!"]}),
        ),
        ("nested_loop.yaml", "", json!({"chapters": 3, "pages": 6})),
        (
            "code_review/flow.yaml",
            sample.as_str(),
            json!({"rounds": 3}),
        ),
    ] {
        let file = example(file);
        let mut args = vec!["run", file.as_str(), "--json"];
        if !set.is_empty() {
            args.extend(["--set", set]);
        }
        let said = place.run(&args);
        assert_eq!(said.code, 0, "{file}: {said:?}");
        let document = said.json();
        for (key, want) in check.as_object().unwrap() {
            assert_eq!(&document["output"][key], want, "{file}");
        }
    }
}

#[test]
fn a_loop_shows_its_rounds_and_a_map_its_count() {
    let place = Place::new();
    let said = place.run(&["run", &example("nested_loop.yaml")]);
    assert!(said.err.contains("↺ back to chapter, round 2"), "{said:?}");
    assert!(said.err.contains("✓ page (visit 6)"), "{said:?}");
    let said = place.run(&["run", &example("map.yaml")]);
    assert!(said.err.contains("… greet 1 of 4 items"), "{said:?}");
    assert!(said.err.contains("✓ greet 4 of 4 items"), "{said:?}");
}

#[test]
fn a_failed_run_is_exit_1_and_says_why_and_what_to_do() {
    let place = Place::new();
    place.file(
        "fail.yaml",
        "runstone: 1\nname: fail\nstart: a\nnodes:\n  a: {uses: assert, with: {that: false, \
         message: it cannot be}}\nedges: [a -> end]\n",
    );
    let said = place.run(&["run", "fail.yaml"]);
    insta::assert_snapshot!(said.told());
    let document = place.run(&["run", "fail.yaml", "--json", "-q"]);
    assert_eq!(document.code, 1);
    assert_eq!(document.json()["error"]["node"], "a");
    assert!(
        document.err.contains("it cannot be"),
        "quiet still tells of a failure"
    );
}

#[test]
fn a_secret_that_is_not_set_fails_as_configuration_and_names_its_variable() {
    let place = Place::new();
    place.file(
        "call.yaml",
        "runstone: 1\nname: call\nnodes:\n  a: {uses: http, with: {url: \"http://127.0.0.1:1/\", \
         headers: {X-Token: \"${{ secrets.token }}\"}}}\nedges: [a -> end]\n",
    );
    let said = place.run(&["run", "call.yaml", "--json"]);
    assert_eq!(said.code, 1);
    let error = &said.json()["error"];
    assert_eq!(error["class"], "configuration", "{error}");
    assert_eq!(error["code"], "no_secret");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("RUNSTONE_SECRET_TOKEN"), "{message}");

    place.file(
        "tell.yaml",
        "runstone: 1\nname: tell\nnodes:\n  a: {uses: log, with: {message: \"${{ secrets.token \
         }}\"}}\nedges: [a -> end]\n",
    );
    let said = place.run(&["run", "tell.yaml"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("as `http` does"), "{said:?}");
}

#[test]
fn a_retry_is_told_with_its_reason_and_its_wait() {
    let place = Place::new();
    // Nothing listens on a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    place.file(
        "retry.yaml",
        "runstone: 1\nname: retry\ninput: {type: object, properties: {url: {type: string}}}\n\
         start: a\nnodes:\n  a: {uses: http, with: {url: '${{ input.url }}'}, \
         retry: {max_attempts: 2, initial: 10ms, jitter: 0}}\nedges: [a -> end]\n",
    );
    let set = format!("url=http://127.0.0.1:{port}/");
    let said = place.run(&["run", "retry.yaml", "--set", &set]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.err
            .contains("↻ a attempt 1 of 2 failed, again in 10 ms: network: "),
        "{said:?}"
    );
    assert!(said.err.contains("✗ a "), "{said:?}");
    let steps = place.last(&["--steps"])["steps"].clone();
    let told: Vec<_> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["status"].clone())
        .collect();
    assert_eq!(told, ["attempt_failed", "failed"]);
    assert_eq!(steps[1]["attempt"], 2);
}

#[test]
fn a_detached_run_is_only_created_and_resume_carries_it_out() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let said = place.run(&["run", "hello.yaml", "--set", "who=Ada", "--detach"]);
    assert_eq!(said.code, 0, "{said:?}");
    let id = said.out.trim();
    assert_eq!(place.last(&[])["status"], "pending");
    let resumed = place.run(&["resume", id, "--json"]);
    assert_eq!(
        (resumed.code, &resumed.json()["status"]),
        (0, &json!("completed"))
    );
    assert_eq!(resumed.json()["run_id"], id);

    let again = place.run(&["resume", id]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is already completed"), "{again:?}");
}

#[test]
fn resume_all_carries_out_everything_and_counts() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.file(
        "fail.yaml",
        "runstone: 1\nname: fail\nstart: a\nnodes:\n  a: {uses: assert, with: {that: false}}\n\
         edges: [a -> end]\n",
    );
    for _ in 0..3 {
        place.run(&["run", "hello.yaml", "--set", "who=Ada", "--detach", "-q"]);
    }
    let said = place.run(&["resume", "--all"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        said.out,
        "3 runs resumed: 3 completed, 0 failed, 0 cancelled\n"
    );
    assert_eq!(said.err.matches("✓ completed  run ").count(), 3, "{said:?}");
    assert_eq!(
        place.run(&["resume", "--all"]).out,
        "nothing to go on with\n"
    );

    place.run(&["run", "fail.yaml", "--detach", "-q"]);
    let failed = place.run(&["resume", "--all", "--json"]);
    assert_eq!(failed.code, 1);
    let want = json!({"resumed": 1, "completed": 0, "failed": 1, "cancelled": 0, "stopped": 0,
        "elsewhere": 0, "waiting": 0});
    assert_eq!(failed.json(), want);
}

#[test]
fn a_run_that_nobody_executes_is_cancelled_at_once() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.run(&["run", "hello.yaml", "--set", "who=Ada", "--detach"]);
    let said = place.run(&["cancel", "last", "--reason", "changed my mind"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.starts_with("■ cancelled"), "{said:?}");
    let run = place.last(&[]);
    assert_eq!(run["status"], "cancelled");
    assert_eq!(run["error"]["message"], "changed my mind");
    let again = place.run(&["cancel", "last"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is already cancelled"), "{again:?}");
}

#[test]
fn the_database_comes_from_the_flag_or_the_environment() {
    let mut place = Place::new();
    place.file("hello.yaml", HELLO);
    let said = place.run(&[
        "run",
        "hello.yaml",
        "--set",
        "who=A",
        "--db",
        "sqlite:other.db",
    ]);
    assert!(
        said.err.contains(" --db sqlite:other.db"),
        "the hint can be used: {said:?}"
    );
    place.db = Some("sqlite:third.db".to_owned());
    let said = place.run(&["run", "hello.yaml", "--set", "who=A"]);
    assert!(!said.err.contains("--db"), "{said:?}");
    let files = place.files();
    assert!(files.contains(&"other.db".to_owned()) && files.contains(&"third.db".to_owned()));
    assert!(!files.contains(&"runstone.db".to_owned()));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let mut command = place.command(&["run", "hello.yaml", "--set", "who=Ada"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("✓ completed") && !said.contains("panicked"),
        "{said}"
    );
}
