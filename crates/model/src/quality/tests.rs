//! Laws of the scores on any text, and what known texts get.
#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const TAGS: &[&str] = &[
    "en", "de", "es", "fr", "it", "nl", "pt", "ru", "pl", "ja", "", "x-é",
];

/// Pieces of Markdown and of Unicode that parsers stumble on.
const SOUP: &[&str] = &[
    "# ",
    "## ",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    "```",
    "`",
    "[a](#b)",
    "[](",
    "](",
    "<",
    ">",
    "|",
    "---\n",
    "TODO",
    "{{x}}",
    "[insert it]",
    "http://e.x/a ",
    "![",
    "*",
    "_",
    "\\",
    "\0",
    "\r",
    "\u{feff}",
    "\u{200d}",
    "👩‍👩‍👧",
    "漢字かな",
    "สวัสดี",
    "e\u{301}",
    "\u{202e}",
    "Straße",
    "a.b.c. D",
    "İ",
    "ﬃ",
    "&amp;",
    "<a id=\"x\">",
    "<!-- c -->",
    "[^1]",
    "[^1]: note",
    "    code",
    "\t",
    "| a | b |\n|---|---|\n",
    "%",
    "#%zz",
];

fn within(value: f64) -> bool {
    (0.0..=100.0).contains(&value)
}

proptest! {
    #[test]
    fn every_score_of_any_text_is_within_0_and_100(
        text in prop_oneof![
            any::<String>(),
            vec(prop_oneof![select(SOUP).prop_map(str::to_owned), "\\PC{0,12}"], 0..60)
                .prop_map(|parts| parts.concat()),
        ],
        tag in select(TAGS),
        required in vec("\\PC{0,8}", 0..3),
    ) {
        let found = assess(&text, tag, &required);
        prop_assert!(within(found.overall), "{found:?}");
        prop_assert!(within(found.structure), "{found:?}");
        prop_assert!(within(found.completeness), "{found:?}");
        prop_assert!(found.links.is_none_or(within), "{found:?}");
        if let Some(readability) = &found.readability {
            prop_assert!(within(readability.score), "{found:?}");
            prop_assert!(readability.value.is_finite(), "{found:?}");
            prop_assert!(readability.gunning_fog.is_none_or(f64::is_finite), "{found:?}");
        }
        prop_assert!(found.findings.len() <= MAX_FINDINGS);
        prop_assert!(found.findings_total >= found.findings.len());
        let lines = text.lines().count().max(1) + 1;
        prop_assert!(found.findings.iter().all(|finding| finding.line <= lines), "{found:?}");
        prop_assert_eq!(assess(&text, tag, &required), found);
    }
}

const GOOD: &str = "# Moving house\n\nWe move on Monday. The van comes at nine.\n\n\
    ## What to pack\n\n- Plates go first.\n- Books go last.\n\nSee [the plan](#the-plan).\n\n\
    ## The plan\n\nWe load the van. Then we drive. We eat at noon.\n";

#[test]
fn a_plain_and_finished_text_gets_the_best() {
    let found = assess(GOOD, "en", &["The plan".to_owned()]);
    assert_eq!(found.findings, []);
    assert_eq!(
        (
            found.overall,
            found.structure,
            found.completeness,
            found.links
        ),
        (100.0, 100.0, 100.0, Some(100.0))
    );
    let readability = found.readability.unwrap();
    assert_eq!(readability.formula, Formula::FleschReadingEase);
    assert!(readability.value > 100.0, "{readability:?}");
    assert!(!readability.enough_words);
    assert_eq!((found.counts.sentences, found.counts.headings), (8, 3));
}

#[test]
fn everything_wrong_is_named_with_its_line() {
    let text =
        "# A\n\n### B\n\nTODO, see [there](#nowhere) and http://e.x/y.\n\n# C\n\n[x]()\n\n## D\n";
    let found = assess(text, "en", &["Costs".to_owned()]);
    let lines: Vec<(usize, &str)> = found
        .findings
        .iter()
        .map(|f| (f.line, f.code.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (0, "missing_section"),
            (3, "skipped_level"),
            (5, "bare_url"),
            (5, "broken_anchor"),
            (5, "placeholder"),
            (7, "second_title"),
            (9, "empty_link"),
            (11, "empty_section"),
        ]
    );
    // Levels: 2 of 4 headings are sound. Completeness: 0 of 1 section, 1 placeholder, 3 of 4 filled.
    assert_eq!(found.structure, 85.0);
    assert_eq!(found.completeness, 39.0);
    assert_eq!(found.links, Some(0.0));
}

#[test]
fn an_empty_text_gets_nothing() {
    for text in ["", "   \n\n", "***"] {
        let found = assess(text, "en", &[]);
        assert_eq!(
            (found.overall, found.structure, found.completeness),
            (0.0, 0.0, 0.0),
            "{text:?}"
        );
        assert_eq!((found.readability, found.links), (None, None));
        assert_eq!(found.findings[0].code, "empty_text");
    }
}

#[test]
fn code_is_not_read_as_prose() {
    let text = "Short words.\n\n```\nTODO incomprehensibilities http://e.x/y\n```\n\n    TODO\n";
    let found = assess(text, "en", &[]);
    assert_eq!(found.counts.words, 2);
    assert_eq!((found.completeness, found.links), (100.0, None));
}

#[test]
fn code_lists_tables_images_and_deeper_sections_fill_a_section() {
    for content in [
        "```\nx\n```",
        "- a",
        "| a |\n|---|\n| b |",
        "![](x.png)",
        "## Sub\n\ntext",
        "<b>x</b>",
    ] {
        let found = assess(&format!("# A\n\n{content}\n\n# B\n\nend"), "en", &[]);
        let empty = found
            .findings
            .iter()
            .any(|finding| finding.code == "empty_section");
        assert!(!empty, "{content}: {found:?}");
    }
    let comment = assess("# A\n\n<!-- nothing -->\n", "en", &[]);
    assert_eq!(comment.findings[0].code, "empty_section");
}

#[test]
fn anchors_are_those_of_headings_repeated_ones_and_html() {
    let text = "# Übersicht & Ziele!\n\nx\n\n# Same\n\nx\n\n# Same\n\n<a id=\"here\"></a>x\n\n\
        [a](#übersicht--ziele) [b](#same) [c](#same-1) [d](#here) [e](#%C3%BCbersicht--ziele)\n";
    assert_eq!(assess(text, "de", &[]).links, Some(100.0));
}

#[test]
fn text_without_spaces_between_words_has_no_readability() {
    let found = assess(
        "# 計画\n\n明日は引っ越しです。車は九時に来ます。",
        "ja",
        &[],
    );
    assert_eq!(found.readability, None);
    assert!(found.overall > 0.0);
}

#[test]
fn walls_of_text_and_missing_headings_lower_the_structure() {
    let text = "One two three four five. ".repeat(200);
    let found = assess(&text, "en", &[]);
    let codes: Vec<&str> = found
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(codes, ["few_headings", "long_paragraph"]);
    assert_eq!(found.structure, 30.0);
}

#[test]
fn findings_beyond_the_limit_are_counted() {
    let found = assess(&"TODO\n\n".repeat(250), "en", &[]);
    assert_eq!(
        (found.findings.len(), found.findings_total),
        (MAX_FINDINGS, 250)
    );
    assert_eq!(found.completeness, 40.0);
}

#[test]
fn slow_a_large_text_is_read_in_time_that_grows_with_its_size() {
    for piece in [
        "[",
        "> ",
        "*a ",
        "`",
        "# \n",
        "- ",
        "http://",
        "{{",
        "<",
        "a\n\n",
        "![](",
        "[a](#b)\n",
        "## a\n\nb\n\n",
        "![",
    ] {
        let found = assess(&piece.repeat(300_000 / piece.len()), "en", &[]);
        assert!(within(found.overall), "{piece}");
    }
}
