//! How good a document in Markdown is, as numbers from 0 to 100 that anybody can compute again:
//! every formula is named, with its source, here and in `docs/documents.md`. Judges form, not
//! truth; total on any text, and the same answer always.
mod completeness;
mod language;
mod links;
mod outline;
mod placeholder;
mod readability;
mod structure;
mod syllables;
mod words;

use serde::{Deserialize, Serialize};

use outline::Outline;
pub use readability::{Formula, Readability};
pub use words::Counts;

/// Findings beyond this number are counted and not listed.
pub const MAX_FINDINGS: usize = 100;

/// What each part weighs in the overall score; a part that does not apply has no weight.
const READABILITY_WEIGHT: f64 = 30.0;
const STRUCTURE_WEIGHT: f64 = 25.0;
const COMPLETENESS_WEIGHT: f64 = 30.0;
const LINKS_WEIGHT: f64 = 15.0;

/// The scores of one text. All of them are from 0 to 100, rounded to one decimal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// The weighted mean of the parts that apply: readability 30, structure 25, completeness 30,
    /// links 15. 0 for a text without words.
    pub overall: f64,
    /// How easy it is to read; none for a text without words, or in a script that does not put
    /// spaces between words.
    pub readability: Option<Readability>,
    /// Headings where the length asks for them, levels without jumps, paragraphs of a bearable
    /// length.
    pub structure: f64,
    /// Required sections there, no placeholders, no empty sections.
    pub completeness: f64,
    /// The share of links that are sound; none for a text without links.
    pub links: Option<f64>,
    /// What was counted.
    pub counts: Counts,
    /// What lowered the scores, in the order of the text, at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub findings_total: usize,
}

/// One thing that lowered a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code such as `broken_anchor`; `docs/documents.md` explains each.
    pub code: String,
    /// The line of the text, from 1; 0 when it is about the text as a whole.
    pub line: usize,
    /// What was found and how to mend it.
    pub message: String,
}

impl Finding {
    fn new(code: &str, line: usize, message: String) -> Self {
        Self {
            code: code.to_owned(),
            line,
            message,
        }
    }
}

/// Computes the scores of `text`, Markdown in `language` (a BCP 47 tag such as `en` or `de-AT`),
/// that must have sections with the headings `required`.
#[must_use]
pub fn assess(text: &str, language: &str, required: &[String]) -> Quality {
    let outline = Outline::read(text);
    let language = language::Language::of(language);
    let mut counts = Counts::default();
    for block in &outline.blocks {
        counts.add(&block.text, language);
    }
    counts.headings = outline.headings.len();
    counts.links = outline.links.len() + outline.bare_urls.len();
    let mut findings = Vec::new();
    let readability = readability::of(&counts, language);
    let (structure, completeness) = if counts.words == 0 && outline.headings.is_empty() {
        findings.push(Finding::new(
            "empty_text",
            0,
            "the text has no words".to_owned(),
        ));
        completeness::of(&outline, language, required, &mut findings);
        (0.0, 0.0)
    } else {
        (
            structure::of(&outline, &counts, &mut findings),
            completeness::of(&outline, language, required, &mut findings),
        )
    };
    let links = links::of(&outline, &mut findings);
    findings.sort_by(|a, b| (a.line, &a.code).cmp(&(b.line, &b.code)));
    let findings_total = findings.len();
    findings.truncate(MAX_FINDINGS);
    let overall = if counts.words == 0 {
        0.0
    } else {
        overall(readability.as_ref(), structure, completeness, links)
    };
    Quality {
        overall,
        readability,
        structure,
        completeness,
        links,
        counts,
        findings,
        findings_total,
    }
}

fn overall(
    readability: Option<&Readability>,
    structure: f64,
    completeness: f64,
    links: Option<f64>,
) -> f64 {
    let mut parts = vec![
        (structure, STRUCTURE_WEIGHT),
        (completeness, COMPLETENESS_WEIGHT),
    ];
    parts.extend(readability.map(|found| (found.score, READABILITY_WEIGHT)));
    parts.extend(links.map(|score| (score, LINKS_WEIGHT)));
    weighted(&parts)
}

/// The mean of `(score, weight)`, as a score.
fn weighted(parts: &[(f64, f64)]) -> f64 {
    let weight: f64 = parts.iter().map(|(_, weight)| weight).sum();
    let sum: f64 = parts.iter().map(|(score, weight)| score * weight).sum();
    score(sum / weight)
}

/// Any number as a score: within 0 and 100, one decimal, never NaN.
fn score(value: f64) -> f64 {
    if value.is_nan() {
        return 0.0;
    }
    rounded(value.clamp(0.0, 100.0))
}

/// One decimal.
fn rounded(value: f64) -> f64 {
    let tenths = (value * 10.0).round() / 10.0;
    // No `-0.0` on the wire.
    if tenths == 0.0 { 0.0 } else { tenths }
}

/// A count as a number to compute with: exact up to 2^53, and no text is that long.
#[expect(
    clippy::cast_precision_loss,
    reason = "a text has fewer than 2^53 of anything"
)]
fn number(count: usize) -> f64 {
    count as f64
}

/// `part` of `whole`, from 0 to 1; all of nothing.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        number(part) / number(whole)
    }
}

#[cfg(test)]
mod tests;
