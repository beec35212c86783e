//! Problems found in a flow file: where, what, and how to mend it. Validation collects all of them;
//! printing them with the source line is the command line's job.
use std::fmt;

use serde::Serialize;

/// A place in a source file, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Line, from 1; 0 when the place is not known.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One problem in a flow file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable code such as `unknown_key`; `docs/errors.md` explains each.
    pub code: &'static str,
    /// Where in the file.
    pub place: Place,
    /// The path in the document, e.g. `nodes.check.with`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub mend: String,
}

/// `line:column path: code: message / mend`, on one line; parts that are not known are left out.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.line > 0 {
            write!(f, "{}:{} ", self.place.line, self.place.column)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}: {}", self.code, self.message)?;
        if !self.mend.is_empty() {
            write!(f, " / {}", self.mend)?;
        }
        Ok(())
    }
}

/// All problems of one file, in order of place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{} problem(s) in the flow", .0.len())]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// The problems one a line, as [`Problem`] prints itself.
    #[must_use]
    pub fn render(&self) -> String {
        self.0
            .iter()
            .map(|problem| format!("{problem}\n"))
            .collect()
    }
}

/// Longest name that is compared; longer ones get no suggestion.
const LONGEST_NAME: usize = 64;

/// The candidate most like `name`, if one is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // Between names of one or two letters every other one would be near.
    let allowed = if name.len() < 3 {
        0
    } else {
        (name.len() / 3).max(1)
    };
    candidates
        .into_iter()
        .filter(|c| c.len() <= LONGEST_NAME && c.len().abs_diff(name.len()) <= allowed + 1)
        .map(|c| {
            (
                distance(&name, &c.to_lowercase().chars().collect::<Vec<_>>()),
                c,
            )
        })
        .filter(|(d, _)| *d <= allowed)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_the_typo_and_nothing_far_away() {
        assert_eq!(nearest("retyr", ["retry", "timeout"]), Some("retry"));
        assert_eq!(nearest("ues", ["uses", "with"]), Some("uses"));
        assert_eq!(nearest("HTTP", ["http"]), Some("http"));
        assert_eq!(nearest("banana", ["uses", "with"]), None);
    }
}
