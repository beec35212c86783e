//! The formatter: one layout, the same meaning, no comment lost.
use runstone_model::flow::{self, Flow};

use crate::kinds::{REVIEW, TestKinds};

fn format(text: &str) -> String {
    flow::format(text).map_err(|p| p.render()).unwrap()
}

const MESSY: &str = r#"# A flow to tidy up.
name:   messy
runstone: 1

edges:    # the way through
  # first the easy one
  - "first -> second"
  -  to:   end   # and out
     from: second
nodes:
    # talks
    first: {with: {message: 'say "hi"'}, uses: log}
    second:
        with:
            text: |
                dear ${{ input.name }},

                  bye
            note: "yes"
            list: [ "1", 2, ~, -x ]
            long: {alpha: aaaaaaaaaaaaaaaaaaaaaaaaaaa, beta: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, gamma: cccccccccccccc}
            # left over
            deep: [[a, b], {c: d}]
        uses: template
# the end
"#;

#[test]
fn the_layout_is_one_and_keeps_comments() {
    let out = format(MESSY);
    insta::assert_snapshot!("format_messy", out);
    insta::assert_snapshot!("format_review", format(REVIEW));
}

#[test]
fn formatting_twice_changes_nothing_and_means_the_same() {
    for text in [MESSY, REVIEW] {
        let once = format(text);
        assert_eq!(format(&once), once);
        let canonical = |t: &str| Flow::parse(t, &TestKinds).map(|f| f.canonical.to_string());
        assert_eq!(
            canonical(&once).map_err(|p| p.render()),
            canonical(text).map_err(|p| p.render())
        );
    }
}

#[test]
fn a_comment_after_a_block_of_text_is_kept() {
    let text = "a: |\n  # not a comment\n  x\n# a comment\nb: 1  # too\nc: \"# not\"\n";
    assert_eq!(format(text), text);
}

#[test]
fn a_quoted_merge_key_is_a_key_like_any_other() {
    let text = "a:\n  \"<<\": 1  # c\n";
    assert_eq!(format(text), text);
    let merged = flow::format("a: &a {b: 1}\nc:\n  <<: *a # c\n").unwrap_err();
    assert!(
        merged.render().contains("merge keys"),
        "{}",
        merged.render()
    );
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let code = |text: &str| flow::format(text).unwrap_err().0[0].code;
    assert_eq!(code("a: &x [1]\nb: *x\n"), "cannot_format");
    assert_eq!(code("a: [1"), "syntax");
}

#[test]
fn a_json_file_stays_json_and_keeps_its_order() {
    let out = format(
        "{\"nodes\": {\"b\": {\"with\": {}, \"uses\": \"echo\"}, \"a\": {\"uses\": \"echo\"}},\"runstone\": 1, \"name\": \"x\", \"edges\": [\"b -> a\"]}",
    );
    insta::assert_snapshot!("format_json", out);
    assert_eq!(format(&out), out);
}
