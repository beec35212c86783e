//! Whether a text is divided so that one finds one's way: our own formula, in `docs/documents.md`.
//! 40 % enough headings, 30 % levels without jumps, 30 % paragraphs of a bearable length.
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Finding, number, outline::Outline, share, weighted, words::Counts};

/// A text of at most so many words needs no heading.
const WORDS_WITHOUT_HEADING: usize = 300;
/// A longer one needs a heading for so many words.
const WORDS_A_HEADING: usize = 500;
/// A longer paragraph is a wall.
const PARAGRAPH_WORDS: usize = 150;

pub(super) fn of(outline: &Outline, counts: &Counts, findings: &mut Vec<Finding>) -> f64 {
    weighted(&[
        (100.0 * headings(counts, findings), 40.0),
        (100.0 * levels(outline, findings), 30.0),
        (100.0 * paragraphs(outline, findings), 30.0),
    ])
}

fn headings(counts: &Counts, findings: &mut Vec<Finding>) -> f64 {
    if counts.words <= WORDS_WITHOUT_HEADING {
        return 1.0;
    }
    let wanted = counts.words.div_ceil(WORDS_A_HEADING);
    if counts.headings < wanted {
        findings.push(Finding::new(
            "few_headings",
            0,
            format!(
                "{} words have {} headings; {wanted} would divide them",
                counts.words, counts.headings
            ),
        ));
    }
    (number(counts.headings) / number(wanted)).min(1.0)
}

fn levels(outline: &Outline, findings: &mut Vec<Finding>) -> f64 {
    let (mut before, mut tops, mut sound) = (None, 0, 0);
    for heading in &outline.headings {
        tops += usize::from(heading.level == 1);
        let jumps = before.is_some_and(|before| heading.level > before + 1);
        let second_top = heading.level == 1 && tops > 1;
        if jumps {
            findings.push(Finding::new(
                "skipped_level",
                heading.line,
                format!(
                    "a heading of level {} follows one of level {}; use level {}",
                    heading.level,
                    before.unwrap_or(0),
                    before.unwrap_or(0) + 1
                ),
            ));
        }
        if second_top {
            findings.push(Finding::new(
                "second_title",
                heading.line,
                "there is a heading of level 1 already; use level 2 for a section".to_owned(),
            ));
        }
        sound += usize::from(!jumps && !second_top);
        before = Some(heading.level);
    }
    share(sound, outline.headings.len())
}

fn paragraphs(outline: &Outline, findings: &mut Vec<Finding>) -> f64 {
    let (mut all, mut bearable) = (0, 0);
    for block in outline.blocks.iter().filter(|block| block.is_paragraph) {
        all += 1;
        let words = block.text.unicode_words().count();
        if words <= PARAGRAPH_WORDS {
            bearable += 1;
        } else {
            findings.push(Finding::new(
                "long_paragraph",
                block.line,
                format!("the paragraph has {words} words; divide it below {PARAGRAPH_WORDS}"),
            ));
        }
    }
    share(bearable, all)
}
