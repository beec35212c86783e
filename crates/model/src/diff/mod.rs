//! What changed between two texts, line by line: as data, and as a unified diff. Total on any two
//! texts, and bounded in work: two large texts with little in common are shown as replaced.
mod lines;
mod unified;

use serde::{Deserialize, Serialize};

pub use unified::unified;

/// Lines around a change, unless asked for another number.
pub const CONTEXT_LINES: usize = 3;

/// The difference of two texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Lines only in the new text.
    pub added: usize,
    /// Lines only in the old text.
    pub removed: usize,
    /// Lines in both.
    pub unchanged: usize,
    /// Changes with the lines around them, in order; none for equal texts.
    pub hunks: Vec<Hunk>,
}

/// Changes near to each other, and the lines around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// The first line in the old text, from 1; the line before it when the hunk has no old lines.
    pub old_start: usize,
    /// So many lines of the old text.
    pub old_lines: usize,
    /// The first line in the new text, from 1; the line before it when the hunk has no new lines.
    pub new_start: usize,
    /// So many lines of the new text.
    pub new_lines: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// In both texts, only in the new one, or only in the old one.
    pub change: Change,
    /// Its number in the old text, from 1.
    pub old: Option<usize>,
    /// Its number in the new text, from 1.
    pub new: Option<usize>,
    /// The line without its end.
    pub text: String,
    /// Whether it is the last line of its text and has no line feed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_newline: bool,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// In both texts.
    Same,
    /// Only in the new one.
    Added,
    /// Only in the old one.
    Removed,
}

/// Compares `old` with `new`, with `context` lines around each change.
#[must_use]
pub fn compare(old: &str, new: &str, context: usize) -> Diff {
    let (old, new) = (split(old), split(new));
    let ops = lines::compare(&old, &new);
    let mut diff = Diff {
        added: 0,
        removed: 0,
        unchanged: 0,
        hunks: Vec::new(),
    };
    for op in &ops {
        let (before, after) = (op.old_range().len(), op.new_range().len());
        match op.tag() {
            similar::DiffTag::Equal => diff.unchanged += before,
            _ => {
                diff.removed += before;
                diff.added += after;
            }
        }
    }
    if diff.added + diff.removed > 0 {
        let groups = similar::group_diff_ops(ops, context);
        diff.hunks = groups.iter().map(|ops| hunk(ops, &old, &new)).collect();
    }
    diff
}

/// The lines with their ends, so that a missing one at the end of a text is a difference.
fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn hunk(ops: &[similar::DiffOp], old: &[&str], new: &[&str]) -> Hunk {
    let mut lines = Vec::new();
    let (mut old_range, mut new_range) = (None, None);
    for op in ops {
        let (before, after) = (op.old_range(), op.new_range());
        extend(&mut old_range, &before);
        extend(&mut new_range, &after);
        if op.tag() == similar::DiffTag::Equal {
            for (o, n) in before.zip(after) {
                lines.push(line(Change::Same, Some(o), Some(n), old[o]));
            }
            continue;
        }
        lines.extend(before.map(|o| line(Change::Removed, Some(o), None, old[o])));
        lines.extend(after.map(|n| line(Change::Added, None, Some(n), new[n])));
    }
    let (old_range, new_range) = (old_range.unwrap_or(0..0), new_range.unwrap_or(0..0));
    Hunk {
        old_start: old_range.start + usize::from(!old_range.is_empty()),
        old_lines: old_range.len(),
        new_start: new_range.start + usize::from(!new_range.is_empty()),
        new_lines: new_range.len(),
        lines,
    }
}

fn extend(all: &mut Option<std::ops::Range<usize>>, by: &std::ops::Range<usize>) {
    *all = Some(match all.take() {
        None => by.clone(),
        Some(range) => range.start..by.end,
    });
}

fn line(change: Change, old: Option<usize>, new: Option<usize>, text: &str) -> Line {
    let bare = text.strip_suffix('\n').unwrap_or(text);
    Line {
        change,
        old: old.map(|at| at + 1),
        new: new.map(|at| at + 1),
        text: bare.to_owned(),
        no_newline: bare.len() == text.len(),
    }
}

#[cfg(test)]
mod tests;
