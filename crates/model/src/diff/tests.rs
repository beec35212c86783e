//! Laws of the difference on any two texts, and what known ones give.
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// Few different lines, so that texts have something in common.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(
            select(vec!["a\n", "b\n", "c\n", "\n", "d", "\r\n", "é\n"]),
            0..40
        )
        .prop_map(|lines| lines.concat()),
        any::<String>(),
    ]
}

/// Goes through the hunks and makes the new text of the old one.
fn patched(old: &str, diff: &Diff) -> String {
    let old: Vec<&str> = split(old);
    let mut new = String::new();
    let mut at = 0;
    for hunk in &diff.hunks {
        let start = hunk.old_start - usize::from(hunk.old_lines > 0);
        new.extend(old[at..start].iter().copied());
        at = start + hunk.old_lines;
        for line in hunk
            .lines
            .iter()
            .filter(|line| line.change != Change::Removed)
        {
            new.push_str(&line.text);
            if !line.no_newline {
                new.push('\n');
            }
        }
    }
    new.extend(old[at..].iter().copied());
    new
}

proptest! {
    #[test]
    fn the_hunks_make_the_new_text_of_the_old_one(
        old in text(),
        new in text(),
        context in 0_usize..5,
    ) {
        let diff = compare(&old, &new, context);
        prop_assert_eq!(patched(&old, &diff), new.clone());
        prop_assert_eq!(diff.unchanged + diff.removed, split(&old).len());
        prop_assert_eq!(diff.unchanged + diff.added, split(&new).len());
        prop_assert_eq!(diff.hunks.is_empty(), old == new);
        for hunk in &diff.hunks {
            let count = |change| hunk.lines.iter().filter(|line| line.change != change).count();
            prop_assert_eq!(count(Change::Added), hunk.old_lines);
            prop_assert_eq!(count(Change::Removed), hunk.new_lines);
        }
    }

    #[test]
    fn a_text_does_not_differ_from_itself(text in text()) {
        let diff = compare(&text, &text, 3);
        prop_assert_eq!((diff.added, diff.removed), (0, 0));
        prop_assert_eq!(unified(&diff, "a", "b"), "");
    }
}

#[test]
fn a_unified_diff_reads_as_that_of_diff() {
    let old = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine";
    let new = "one\n2\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";
    let diff = compare(old, new, 1);
    insta::assert_snapshot!(unified(&diff, "plan, version 1", "plan, version 2"));
}

#[test]
fn an_empty_text_becomes_one_and_goes_again() {
    let made = unified(&compare("", "a\nb\n", 3), "v1", "v2");
    assert_eq!(made, "--- v1\n+++ v2\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    let gone = unified(&compare("a\n", "", 3), "v1", "v2");
    assert_eq!(gone, "--- v1\n+++ v2\n@@ -1 +0,0 @@\n-a\n");
}

#[test]
fn large_texts_are_compared_at_their_unique_lines() {
    let old: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
    let new = old
        .replace("line 20000\n", "another\n")
        .replace("line 7\n", "");
    let diff = compare(&old, &new, 0);
    assert_eq!((diff.added, diff.removed, diff.hunks.len()), (1, 2, 2));
}

#[test]
fn large_texts_that_resist_are_shown_as_replaced() {
    let old: String = (0..40_000).map(|n| format!("{}\n", n % 7)).collect();
    let new: String = (0..40_000)
        .map(|n| format!("{}\n", n * n % 5 + 3))
        .collect();
    assert_eq!(patched(&old, &compare(&old, &new, 3)), new);
    let reversed: String = (0..40_000).rev().map(|n| format!("line {n}\n")).collect();
    let rising: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
    assert_eq!(patched(&rising, &compare(&rising, &reversed, 3)), reversed);
}

/// A million lines of one kind against a few cost as much as their product; the exact algorithm
/// would take the square of their sum.
#[test]
fn slow_a_few_lines_against_a_million_are_compared_at_once() {
    let many = "\n".repeat(1_000_000);
    for few in ["a", "a\nb\nc\nd\n", "a\n\nb\n"] {
        let began = std::time::Instant::now();
        for (old, new) in [(few, many.as_str()), (many.as_str(), few)] {
            let diff = compare(old, new, 0);
            assert_eq!(diff.unchanged + diff.added, split(new).len());
            assert_eq!(diff.unchanged + diff.removed, split(old).len());
        }
        assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    }
}

/// Every piece between two anchors is small enough for the exact algorithm; all of them are not.
#[test]
fn slow_many_pieces_that_differ_throughout_have_a_limit_together() {
    let text = |kind: &str| -> String {
        let block = |n: usize| format!("anchor {n}\n") + &format!("{kind}\n").repeat(2_000);
        (0..200).map(block).collect()
    };
    let began = std::time::Instant::now();
    let diff = compare(&text("old"), &text("new"), 0);
    assert_eq!((diff.unchanged, diff.added), (200, 400_000));
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}
