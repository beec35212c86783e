//! Whether a text is finished: our own formula, in `docs/documents.md`. Required sections 50 %,
//! placeholders 30 %, empty sections 20 %; without required sections the other two 60 % and 40 %.
use std::collections::HashSet;

use super::{
    Finding,
    language::Language,
    number,
    outline::{Outline, slug},
    placeholder, share, weighted,
};

/// So many placeholders leave nothing of their part.
const PLACEHOLDERS_AT_ZERO: usize = 5;

pub(super) fn of(
    outline: &Outline,
    language: Language,
    required: &[String],
    findings: &mut Vec<Finding>,
) -> f64 {
    let placeholders = 100.0 * placeholders(outline, language, findings);
    let sections = 100.0 * sections(outline, findings);
    if required.is_empty() {
        return weighted(&[(placeholders, 60.0), (sections, 40.0)]);
    }
    let there = 100.0 * present(outline, required, findings);
    weighted(&[(there, 50.0), (placeholders, 30.0), (sections, 20.0)])
}

fn placeholders(outline: &Outline, language: Language, findings: &mut Vec<Finding>) -> f64 {
    let headings = outline.headings.iter().map(|h| (h.line, h.text.as_str()));
    let blocks = outline.blocks.iter().map(|b| (b.line, b.text.as_str()));
    let mut count = 0;
    for (line, text) in headings.chain(blocks) {
        for found in placeholder::find(text, language) {
            count += 1;
            let message = format!("`{found}` is a placeholder; fill it in");
            findings.push(Finding::new("placeholder", line, message));
        }
    }
    1.0 - (number(count) / number(PLACEHOLDERS_AT_ZERO)).min(1.0)
}

fn sections(outline: &Outline, findings: &mut Vec<Finding>) -> f64 {
    let mut filled = 0;
    for heading in &outline.headings {
        if heading.has_content {
            filled += 1;
        } else {
            let message = format!("the section `{}` is empty", shown(&heading.text));
            findings.push(Finding::new("empty_section", heading.line, message));
        }
    }
    share(filled, outline.headings.len())
}

fn shown(heading: &str) -> String {
    const SHOWN_CHARS: usize = 80;
    heading.trim().chars().take(SHOWN_CHARS).collect()
}

fn present(outline: &Outline, required: &[String], findings: &mut Vec<Finding>) -> f64 {
    let headings = outline.headings.iter();
    let known: HashSet<String> = headings.map(|heading| slug(&heading.text)).collect();
    let mut there = 0;
    for name in required {
        if known.contains(&slug(name)) {
            there += 1;
        } else {
            let message = format!("the section `{name}` is required and not there");
            findings.push(Finding::new("missing_section", 0, message));
        }
    }
    share(there, required.len())
}
