//! What every part of the reading shares: collecting problems with place and path, and taking
//! values of a known shape out of a document. Decides nothing about flows.
use std::{fmt, time::Duration};

use super::{
    Kinds,
    doc::{Content, Doc, Entry, Source},
    duration,
};
use crate::{
    failure::Class,
    problem::{Place, Problem, nearest},
};

/// Suggestions looked for in one file; a file with more typos than that is not a typo.
const MAX_SUGGESTIONS: usize = 200;

/// A path in the document, written out only when a problem needs it.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part<'a>,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(super) const ROOT: Path<'static> = Path {
        parent: None,
        part: Part::Root,
    };

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Path {
            parent: Some(self),
            part: Part::Key(key),
        }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Path {
            parent: Some(self),
            part: Part::Index(index),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.part {
            Part::Root => Ok(()),
            Part::Index(index) => write!(f, "[{index}]"),
            Part::Key(key) => {
                let first = self.parent.is_none_or(|p| matches!(p.part, Part::Root));
                write!(f, "{}{key}", if first { "" } else { "." })
            }
        }
    }
}

/// Collects what is wrong while a document is read.
pub(super) struct Reader<'a> {
    pub(super) kinds: &'a dyn Kinds,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    source: Option<Source<'a>>,
    suggestions: usize,
    /// Names whose exact place was looked for.
    pub(super) located: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(kinds: &'a dyn Kinds, text: Option<&'a str>) -> Self {
        Self {
            kinds,
            problems: Vec::new(),
            warnings: Vec::new(),
            source: text.map(Source::new),
            suggestions: 0,
            located: 0,
        }
    }

    pub(super) fn problem(
        &mut self,
        code: &'static str,
        place: Place,
        path: impl fmt::Display,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let (message, mend) = (message.into(), mend.into());
        self.problems.push(Problem {
            code,
            place,
            path: path.to_string(),
            message,
            mend,
        });
    }

    pub(super) fn warning(
        &mut self,
        code: &'static str,
        place: Place,
        path: impl fmt::Display,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let (message, mend) = (message.into(), mend.into());
        self.warnings.push(Problem {
            code,
            place,
            path: path.to_string(),
            message,
            mend,
        });
    }

    /// The place of the character `offset` of a text.
    pub(super) fn inside(&self, doc: &Doc, offset: usize) -> Place {
        self.source
            .as_ref()
            .map_or(doc.at, |source| source.inside(doc, offset))
    }

    /// The candidate that `name` was probably meant to be.
    pub(super) fn suggest<'n>(
        &mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'n str>,
    ) -> Option<&'n str> {
        self.suggestions += 1;
        if self.suggestions > MAX_SUGGESTIONS {
            None
        } else {
            nearest(name, candidates)
        }
    }

    /// "did you mean …?" when a candidate is near, else `otherwise`.
    pub(super) fn did_you_mean<'n>(
        &mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'n str>,
        otherwise: impl FnOnce() -> String,
    ) -> String {
        match self.suggest(name, candidates) {
            Some(near) => format!("did you mean `{near}`?"),
            None => otherwise(),
        }
    }

    /// Reports every key that is not known; `later` are keys whose feature is not built yet.
    pub(super) fn only_keys(&mut self, doc: &Doc, path: &Path<'_>, known: &[&str], later: &[&str]) {
        let Content::Map(entries) = &doc.content else {
            return;
        };
        for entry in entries {
            let key = entry.key.as_str();
            if known.contains(&key) {
                continue;
            }
            if later.contains(&key) {
                self.not_yet(entry.at, &path.key(key), key);
                continue;
            }
            let mend = self.did_you_mean(key, known.iter().copied(), || {
                format!("remove it; known here: {}", known.join(", "))
            });
            self.problem(
                "unknown_key",
                entry.at,
                path.key(key),
                format!("unknown key `{key}`"),
                mend,
            );
        }
    }

    pub(super) fn not_yet(&mut self, place: Place, path: &Path<'_>, what: &str) {
        self.problem(
            "not_supported_yet",
            place,
            path,
            format!("`{what}` is not supported yet"),
            "remove it",
        );
    }

    pub(super) fn wrong_type(&mut self, doc: &Doc, path: &Path<'_>, expected: &str) {
        self.problem(
            "wrong_type",
            doc.at,
            path,
            format!("expected {expected}, found {}", doc.kind()),
            format!("write {expected}"),
        );
    }

    pub(super) fn bad_value(
        &mut self,
        doc: &Doc,
        path: &Path<'_>,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.problem("bad_value", doc.at, path, message, mend);
    }

    pub(super) fn map<'d>(&mut self, doc: &'d Doc, path: &Path<'_>) -> Option<&'d [Entry]> {
        match &doc.content {
            Content::Map(entries) => Some(entries),
            _ => {
                self.wrong_type(doc, path, "a map");
                None
            }
        }
    }

    pub(super) fn list<'d>(&mut self, doc: &'d Doc, path: &Path<'_>) -> Option<&'d [Doc]> {
        match &doc.content {
            Content::List(items) => Some(items),
            _ => {
                self.wrong_type(doc, path, "a list");
                None
            }
        }
    }

    pub(super) fn text<'d>(&mut self, doc: &'d Doc, path: &Path<'_>) -> Option<&'d str> {
        let text = doc.as_text();
        if text.is_none() {
            let expected = match doc.content {
                Content::List(_) | Content::Map(_) => "text",
                _ => "text (in quotes)",
            };
            self.wrong_type(doc, path, expected);
        }
        text
    }

    /// A whole number from `low` to `high`.
    pub(super) fn whole(&mut self, doc: &Doc, path: &Path<'_>, low: u64, high: u64) -> Option<u64> {
        let Content::Number(number) = &doc.content else {
            self.wrong_type(doc, path, "a whole number");
            return None;
        };
        let value = number.as_u64().filter(|n| (low..=high).contains(n));
        if value.is_none() {
            let message = format!("{number} is not a whole number from {low} to {high}");
            self.bad_value(doc, path, message, "write a number in that range");
        }
        value
    }

    pub(super) fn number(
        &mut self,
        doc: &Doc,
        path: &Path<'_>,
        low: f64,
        high: f64,
    ) -> Option<f64> {
        let Content::Number(number) = &doc.content else {
            self.wrong_type(doc, path, "a number");
            return None;
        };
        let value = number.as_f64().filter(|n| (low..=high).contains(n));
        if value.is_none() {
            let message = format!("{number} is not a number from {low} to {high}");
            self.bad_value(doc, path, message, "write a number in that range");
        }
        value
    }

    pub(super) fn duration(&mut self, doc: &Doc, path: &Path<'_>) -> Option<Duration> {
        const MEND: &str = "write for example 200ms, 30s, 5m, 1h30m or 2d";
        match &doc.content {
            Content::Text(text, _) => match duration::parse(text) {
                Ok(duration) => Some(duration),
                Err(reason) => {
                    self.bad_value(doc, path, format!("`{text}`: {reason}"), MEND);
                    None
                }
            },
            Content::Number(number) => {
                let message = format!("the duration {number} has no unit");
                self.bad_value(doc, path, message, MEND);
                None
            }
            _ => {
                self.wrong_type(doc, path, "a duration");
                None
            }
        }
    }

    /// A duration longer than nothing.
    pub(super) fn some_duration(&mut self, doc: &Doc, path: &Path<'_>) -> Option<Duration> {
        let duration = self.duration(doc, path)?;
        if duration.is_zero() {
            let mend = "write a longer one, or remove the key";
            self.bad_value(doc, path, "the duration is zero", mend);
            return None;
        }
        Some(duration)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        doc: &Doc,
        path: &Path<'_>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(doc, path)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let mend = self.did_you_mean(text, all.iter().copied(), || {
                format!("write one of {}", all.join(", "))
            });
            self.bad_value(
                doc,
                path,
                format!("`{text}` is not one of {}", all.join(", ")),
                mend,
            );
        }
        found
    }

    pub(super) fn class(&mut self, doc: &Doc, path: &Path<'_>) -> Option<Class> {
        self.word(doc, path, &Class::ALL.map(|class| (class.name(), class)))
    }
}

/// A name that expressions can use: a letter, then letters, digits and `_`; for nodes also `-`,
/// which is then read as `results["a-b"]`.
pub(super) fn is_name(name: &str, hyphens: bool) -> bool {
    const RESERVED: [&str; 4] = ["in", "true", "false", "null"];
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || (hyphens && c == '-'))
        && name.len() <= 63
        && !RESERVED.contains(&name)
}

/// What to say about a name that [`is_name`] refuses.
pub(super) const STATE_NAME: &str =
    "use a letter, then letters, digits and `_`, at most 63 (not `in`, `true`, `false`, `null`)";
/// The same for nodes.
pub(super) const NODE_NAME: &str = "use a letter, then letters, digits, `_` and `-`, at most 63 \
     (not `in`, `true`, `false`, `null`)";
