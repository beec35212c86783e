//! `validate`, `graph` and `fmt`: flow files without a run.
use crate::{
    harness::{Place, example},
    run::HELLO,
};

const BROKEN: &str = r#"runstone: 1
name: broken
start: a
nodes:
  a: {ues: set, with: {}}
  b: {uses: nosuch, with: {x: "${{ stat.x }}"}}
edges:
  - a -> b -> a
"#;

const EXAMPLES: [&str; 6] = [
    "asymmetric.yaml",
    "code_review/flow.yaml",
    "diamond.yaml",
    "map.yaml",
    "nested_loop.yaml",
    "retry_http.yaml",
];

#[test]
fn validate_names_every_problem_where_it_is() {
    let place = Place::new();
    place.file("broken.yaml", BROKEN);
    place.file("hello.yaml", HELLO);
    let said = place.run(&["validate", "broken.yaml", "hello.yaml", "nowhere.yaml"]);
    assert_eq!((said.code, said.err.as_str()), (2, ""));
    insta::assert_snapshot!(said.out);
}

#[test]
fn validate_json_is_one_document_for_all_files() {
    let place = Place::new();
    place.file("broken.yaml", BROKEN);
    place.file("hello.yaml", HELLO);
    let said = place.run(&["validate", "broken.yaml", "hello.yaml", "--json"]);
    assert_eq!(said.code, 2);
    let document = said.json();
    assert_eq!(document["valid"], false);
    let problems = document["files"][0]["problems"].as_array().unwrap();
    let codes: Vec<&str> = problems
        .iter()
        .map(|p| p["code"].as_str().unwrap())
        .collect();
    assert!(
        codes.contains(&"unknown_key") && codes.contains(&"unknown_kind"),
        "{codes:?}"
    );
    assert_eq!(problems[0]["place"]["line"], 5);
    assert_eq!(document["files"][1]["valid"], true);
    assert_eq!(document["files"][1]["name"], "hello");
}

#[test]
fn every_example_validates_and_can_be_drawn() {
    let place = Place::new();
    for name in EXAMPLES {
        let file = example(name);
        let said = place.run(&["validate", &file]);
        assert_eq!(said.code, 0, "{said:?}");
        for (format, want) in [
            ("text", "(set)"),
            ("mermaid", "flowchart TD"),
            ("dot", "digraph"),
            ("svg", "<svg"),
        ] {
            let said = place.run(&["graph", &file, "--format", format]);
            assert_eq!(said.code, 0, "{said:?}");
            let want = if format == "text" { "(" } else { want };
            assert!(said.out.contains(want), "{name} as {format}: {said:?}");
        }
    }
    assert_eq!(
        place.files(),
        [""; 0],
        "looking at a flow leaves nothing behind"
    );
}

#[test]
fn graph_draws_the_review_for_the_terminal() {
    let place = Place::new();
    let said = place.run(&["graph", &example("code_review/flow.yaml")]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    insta::assert_snapshot!(said.out);
}

#[test]
fn fmt_lays_a_file_out_once_and_check_says_so() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let check = place.run(&["fmt", "hello.yaml", "--check"]);
    assert_eq!(
        (check.code, check.out.as_str()),
        (1, "hello.yaml: would be laid out differently\n")
    );
    let read = || std::fs::read_to_string(place.path().join("hello.yaml")).unwrap();
    assert_eq!(read(), HELLO, "--check changes nothing");
    let said = place.run(&["fmt", "hello.yaml"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "hello.yaml: laid out\n")
    );
    let once = read();
    assert_ne!(once, HELLO);
    let again = place.run(&["fmt", "hello.yaml"]);
    assert_eq!((again.code, again.out.as_str()), (0, ""));
    assert_eq!(read(), once);
    assert_eq!(place.run(&["fmt", "hello.yaml", "--check"]).code, 0);
    assert_eq!(
        place
            .run(&["run", "hello.yaml", "--set", "who=Ada", "-q"])
            .code,
        0
    );
    assert_eq!(
        place
            .files()
            .iter()
            .filter(|name| name.contains("fmt"))
            .count(),
        0
    );
}

#[test]
fn fmt_leaves_a_file_alone_that_it_cannot_read() {
    let place = Place::new();
    place.file("bad.yaml", "runstone: 1\nname: [unclosed\n");
    place.file("hello.yaml", HELLO);
    let said = place.run(&["fmt", "bad.yaml", "hello.yaml"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("bad.yaml:"), "{said:?}");
    assert!(
        said.out.contains("hello.yaml: laid out"),
        "the others are done: {said:?}"
    );
    let read = std::fs::read_to_string(place.path().join("bad.yaml")).unwrap();
    assert_eq!(read, "runstone: 1\nname: [unclosed\n");
}
