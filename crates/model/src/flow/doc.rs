//! A flow file as a tree of values that remember their place, and the source text they came from.
//! Knows nothing of what the keys mean.
use serde_json::{Map, Number, Value};

use crate::problem::Place;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Doc {
    pub(super) at: Place,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(String, Style),
    List(Vec<Doc>),
    Map(Vec<Entry>),
}

/// One key of a map, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Place,
    pub(super) key: String,
    pub(super) value: Doc,
}

/// How a text is written in the file: needed to find a place inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
    /// Not from a file.
    Unplaced,
}

impl Doc {
    /// What a person would call the value.
    pub(super) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "true or false",
            Content::Number(_) => "a number",
            Content::Text(..) => "text",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// Whether there is nothing inside: also true of a single value.
    pub(super) fn is_empty(&self) -> bool {
        match &self.content {
            Content::List(items) => items.is_empty(),
            Content::Map(entries) => entries.is_empty(),
            _ => true,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON. Nesting is capped when the file is read, so recursion is safe.
    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(b) => Value::Bool(*b),
            Content::Number(n) => Value::Number(n.clone()),
            Content::Text(text, _) => Value::String(text.clone()),
            Content::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Content::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|e| (e.key.clone(), e.value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// A document without places.
    pub(super) fn from_value(value: &Value) -> Self {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(b) => Content::Bool(*b),
            Value::Number(n) => Content::Number(n.clone()),
            Value::String(text) => Content::Text(text.clone(), Style::Unplaced),
            Value::Array(items) => Content::List(items.iter().map(Self::from_value).collect()),
            Value::Object(map) => Content::Map(
                map.iter()
                    .map(|(key, value)| Entry {
                        at: Place::default(),
                        key: key.clone(),
                        value: Self::from_value(value),
                    })
                    .collect(),
            ),
        };
        Self {
            at: Place::default(),
            content,
        }
    }

    /// The value of `key`, if this is a map that has it and it is not null.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(entries) => entries
                .iter()
                .find(|e| e.key == key && !e.value.is_null())
                .map(|e| &e.value),
            _ => None,
        }
    }

    /// Where `key` of this map is written.
    pub(super) fn key_place(&self, key: &str) -> Option<Place> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|e| e.key == key).map(|e| e.at),
            _ => None,
        }
    }

    /// A JSON pointer into this value as the end of a path: `/a/0` is `.a[0]`.
    pub(super) fn shown_pointer(&self, pointer: &str) -> String {
        let mut shown = String::new();
        let mut parent = String::new();
        for token in pointer.split('/').skip(1) {
            let in_list = matches!(self.at_pointer(&parent).content, Content::List(_));
            let name = token.replace("~1", "/").replace("~0", "~");
            shown += &if in_list {
                format!("[{name}]")
            } else {
                format!(".{name}")
            };
            parent = format!("{parent}/{token}");
        }
        shown
    }

    /// The part at a JSON pointer, as far down as it exists.
    pub(super) fn at_pointer(&self, pointer: &str) -> &Self {
        let mut here = self;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let next = match &here.content {
                Content::Map(entries) => entries.iter().find(|e| e.key == token).map(|e| &e.value),
                Content::List(items) => token.parse().ok().and_then(|i: usize| items.get(i)),
                _ => None,
            };
            match next {
                Some(next) => here = next,
                None => break,
            }
        }
        here
    }
}

/// The text of a file with its lines found.
#[derive(Debug)]
pub(super) struct Source<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        for (i, byte) in bytes.iter().enumerate() {
            let ends =
                *byte == b'\n' || (*byte == b'\r' && bytes.get(i + 1).is_none_or(|b| *b != b'\n'));
            if ends {
                lines.push(i + 1);
            }
        }
        Self { text, lines }
    }

    /// The line's text from 1, without what ends it; empty when there is no such line.
    pub(super) fn line(&self, line: u32) -> &'a str {
        let Some(index) = (line as usize).checked_sub(1) else {
            return "";
        };
        let Some(start) = self.lines.get(index) else {
            return "";
        };
        let end = self
            .lines
            .get(index + 1)
            .copied()
            .unwrap_or(self.text.len());
        self.text[*start..end].trim_end_matches(['\n', '\r'])
    }

    /// The place of the character `offset` of the text that `doc` holds; the start of `doc` when
    /// that cannot be told.
    pub(super) fn inside(&self, doc: &Doc, offset: usize) -> Place {
        let Content::Text(text, style) = &doc.content else {
            return doc.at;
        };
        if doc.at.line == 0 {
            return doc.at;
        }
        match style {
            Style::Plain | Style::Folded => self.walk(doc.at, 0, offset, |_| 1),
            Style::Single => self.walk(doc.at, 1, offset, |rest| {
                if rest.starts_with("''") { 2 } else { 1 }
            }),
            Style::Double => self.walk(doc.at, 1, offset, escape_len),
            Style::Literal => in_literal(doc.at, text, offset),
            Style::Unplaced => doc.at,
        }
    }

    /// Steps over `offset` written characters, each as long as `len` says, on the line of `at`.
    fn walk(&self, at: Place, skip: usize, offset: usize, len: impl Fn(&str) -> usize) -> Place {
        let line = self.line(at.line);
        let mut column = at.column as usize - 1 + skip;
        let mut rest = skip_chars(line, column);
        for _ in 0..offset {
            if rest.is_empty() {
                break;
            }
            let step = len(rest);
            column += step;
            rest = skip_chars(rest, step);
        }
        Place {
            line: at.line,
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }
}

/// In a `|` block: `at` is where the text of the first line that is not empty begins.
fn in_literal(at: Place, text: &str, offset: usize) -> Place {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let leading = text.len() - text.trim_start_matches('\n').len();
    let before = text
        .char_indices()
        .nth(offset)
        .map_or(text, |(i, _)| &text[..i]);
    let newlines = before.matches('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count();
    Place {
        line: (at.line + count(newlines)).saturating_sub(count(leading)),
        column: at.column + count(column),
    }
}

fn skip_chars(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or("", |(i, _)| &text[i..])
}

/// Characters that one character of a double-quoted text takes in the file.
fn escape_len(rest: &str) -> usize {
    let mut chars = rest.chars();
    if chars.next() != Some('\\') {
        return 1;
    }
    match chars.next() {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        _ => 2,
    }
}
