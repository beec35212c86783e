//! Text to [`Doc`]: YAML and JSON through one parser, with every cap and every feature that a flow
//! file may not use refused by name. Knows nothing of what the keys mean.
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use saphyr_parser::{Event, Marker, Parser, Span, Tag};

use super::{
    doc::{Content, Doc, Entry, Source, Style},
    scalar::{is_block, scalar, written},
};
use crate::{
    limits::{MAX_DEPTH, MAX_FLOW_BYTES, MAX_FLOW_VALUES},
    problem::{Place, Problem},
};

/// What a file holds besides its values; only the formatter asks.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The scalars in order.
    pub(super) scalars: Vec<Scalar>,
    /// Whether a part is written once and used again.
    pub(super) aliases: bool,
}

/// Where a scalar stands, as character positions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalar {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) style: Style,
}

/// The document of a file, and problems that do not keep it from being read.
pub(super) fn read(text: &str) -> Result<(Doc, Layout, Vec<Problem>), Problem> {
    if text.len() > MAX_FLOW_BYTES {
        return Err(problem(
            "too_large",
            Place::default(),
            format!(
                "the file has {} bytes; at most {MAX_FLOW_BYTES} are read",
                text.len()
            ),
            "split the flow, or pass large data as input",
        ));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    refuse_control_characters(text)?;
    let text = join_surrogates(text);
    Builder::default()
        .run(&text)
        .map_err(|p| explain_tab(p, &text))
}

pub(super) fn problem(
    code: &'static str,
    place: Place,
    message: impl Into<String>,
    mend: &str,
) -> Problem {
    Problem {
        code,
        place,
        path: String::new(),
        message: message.into(),
        mend: mend.to_owned(),
    }
}

fn place(mark: &Marker) -> Place {
    Place {
        line: u32::try_from(mark.line()).unwrap_or(u32::MAX),
        column: u32::try_from(mark.col() + 1).unwrap_or(u32::MAX),
    }
}

/// YAML forbids them (and more, which JSON allows), and the parser takes a NUL for the end of the file.
fn refuse_control_characters(text: &str) -> Result<(), Problem> {
    let (mut line, mut column) = (1, 0);
    for c in text.chars() {
        column += 1;
        match c {
            '\n' => (line, column) = (line + 1, 0),
            '\t' | '\r' => {}
            c if c < ' ' => {
                return Err(problem(
                    "syntax",
                    Place { line, column },
                    format!(
                        "the file holds the control character U+{:04X}",
                        u32::from(c)
                    ),
                    "remove it, or write it as an escape inside double quotes",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// JSON writes characters beyond U+FFFF as two `\u` escapes; YAML knows only `\U`.
fn join_surrogates(text: &str) -> Cow<'_, str> {
    let has_escape = text.contains("\\ud") || text.contains("\\uD");
    if !has_escape || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let pair = rest.get(2..6).zip(rest.get(8..12)).and_then(|(high, low)| {
            let high = u16::from_str_radix(high, 16).ok()?;
            let low = u16::from_str_radix(low, 16).ok()?;
            char::decode_utf16([high, low]).next()?.ok()
        });
        match pair {
            Some(c) if rest.starts_with("\\u") && rest[6..].starts_with("\\u") => {
                out.push_str(&format!("\\U{:08X}", u32::from(c)));
                rest = &rest[12..];
            }
            _ => {
                let two = rest.char_indices().nth(2).map_or(rest.len(), |(i, _)| i);
                out.push_str(&rest[..two]);
                rest = &rest[two..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A tab in an indentation is the usual cause of a syntax error that speaks of something else.
fn explain_tab(mut problem: Problem, text: &str) -> Problem {
    if problem.code != "syntax" {
        return problem;
    }
    let source = Source::new(text);
    for number in [problem.place.line, problem.place.line.saturating_sub(1)] {
        let line = source.line(number);
        let indent = &line[..line.len() - line.trim_start().len()];
        if let Some(at) = indent.find('\t') {
            let column = u32::try_from(indent[..at].chars().count() + 1).unwrap_or(1);
            problem.place = Place {
                line: number,
                column,
            };
            problem.message = "a tab in the indentation".to_owned();
            problem.mend = "indent with spaces".to_owned();
            break;
        }
    }
    problem
}

/// A list or map that is still open.
struct Open {
    at: Place,
    anchor: usize,
    parts: Parts,
    /// Values inside so far, for the cap on what an alias repeats.
    count: usize,
}

enum Parts {
    List(Vec<Doc>),
    Map {
        entries: Vec<Entry>,
        seen: BTreeSet<String>,
        key: Option<(Place, String)>,
    },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Doc, usize)>,
    root: Option<Doc>,
    documents: usize,
    total: usize,
    bytes: usize,
    layout: Layout,
    problems: Vec<Problem>,
}

impl Builder {
    fn run(mut self, text: &str) -> Result<(Doc, Layout, Vec<Problem>), Problem> {
        let mut parser = Parser::new_from_str(text);
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(|e| {
                let info = e.info();
                problem(
                    "syntax",
                    place(e.marker()),
                    format!("the file is not valid YAML or JSON: {info}"),
                    "check brackets, quotes and indentation here and on the line before",
                )
            })?;
            self.event(event, &span)?;
        }
        let root = self.root.ok_or_else(|| {
            problem(
                "syntax",
                Place { line: 1, column: 1 },
                "the file is empty",
                "write a flow",
            )
        })?;
        Ok((root, self.layout, self.problems))
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        let at = place(&span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let mend = "keep one flow a file; remove the `---` line or what follows it";
                    return Err(problem(
                        "syntax",
                        at,
                        "the file holds a second document",
                        mend,
                    ));
                }
                Ok(())
            }
            Event::Alias(id) => self.alias(at, id),
            Event::Scalar(text, style, anchor, tag) => {
                let style = written(style);
                let (start, mut end) = (span.start.index(), span.end.index());
                if text.trim_end_matches('\n').is_empty() && is_block(style) {
                    // The range of an empty block is that of its `|`, and of a comment behind it.
                    end = start;
                }
                self.layout.scalars.push(Scalar { start, end, style });
                let doc = scalar(at, text, style, tag.as_deref())?;
                self.grow(at, 1, doc.as_text().map_or(0, str::len))?;
                self.done(doc, anchor, 1)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(at, tag.as_deref())?;
                self.enter(at, anchor, Parts::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(at, tag.as_deref())?;
                let parts = Parts::Map {
                    entries: Vec::new(),
                    seen: BTreeSet::new(),
                    key: None,
                };
                self.enter(at, anchor, parts)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
        }
    }

    /// Counts values and the bytes of their texts, aliases expanded.
    fn grow(&mut self, at: Place, values: usize, bytes: usize) -> Result<(), Problem> {
        self.total += values;
        self.bytes += bytes;
        if self.total > MAX_FLOW_VALUES || self.bytes > MAX_FLOW_BYTES {
            let message = format!(
                "with its aliases written out the file has more than {MAX_FLOW_VALUES} values \
                 or {MAX_FLOW_BYTES} bytes"
            );
            let mend = "use fewer aliases, or pass large data as input";
            return Err(problem("too_large", at, message, mend));
        }
        Ok(())
    }

    fn enter(&mut self, at: Place, anchor: usize, parts: Parts) -> Result<(), Problem> {
        self.refuse_as_key(at)?;
        if self.open.len() >= MAX_DEPTH {
            let message = format!("the file is nested more than {MAX_DEPTH} deep");
            return Err(problem("too_deep", at, message, "flatten the value here"));
        }
        self.grow(at, 1, 0)?;
        self.open.push(Open {
            at,
            anchor,
            parts,
            count: 1,
        });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let content = match open.parts {
            Parts::List(items) => Content::List(items),
            Parts::Map { entries, .. } => Content::Map(entries),
        };
        self.done(
            Doc {
                at: open.at,
                content,
            },
            open.anchor,
            open.count,
        )
    }

    fn alias(&mut self, at: Place, id: usize) -> Result<(), Problem> {
        self.layout.aliases = true;
        let Some((doc, count)) = self.anchors.get(&id) else {
            let mend = "write the value out; a value cannot hold itself";
            return Err(problem(
                "syntax",
                at,
                "an alias inside the value it names",
                mend,
            ));
        };
        let (doc, count) = (doc.clone(), *count);
        if self.open.len() + depth(&doc) > MAX_DEPTH {
            let message = format!("with this alias the file is nested more than {MAX_DEPTH} deep");
            return Err(problem("too_deep", at, message, "flatten the value here"));
        }
        self.grow(at, count, bytes(&doc))?;
        self.done(doc, 0, count)
    }

    fn refuse_as_key(&self, at: Place) -> Result<(), Problem> {
        match self.open.last() {
            Some(Open {
                parts: Parts::Map { key: None, .. },
                ..
            }) => Err(problem(
                "syntax",
                at,
                "a list or map as a key",
                "keys are texts; quote it if it was meant as one",
            )),
            _ => Ok(()),
        }
    }

    /// Puts a finished value where it belongs.
    fn done(&mut self, doc: Doc, anchor: usize, count: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.grow(doc.at, count, bytes(&doc))?;
            self.anchors.insert(anchor, (doc.clone(), count));
            self.layout.aliases = true;
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(doc);
            return Ok(());
        };
        open.count += count;
        match &mut open.parts {
            Parts::List(items) => items.push(doc),
            Parts::Map { entries, seen, key } => match key.take() {
                None => *key = Some((doc.at, key_text(&doc)?)),
                Some((at, name)) => {
                    if !seen.insert(name.clone()) {
                        self.problems.push(problem(
                            "duplicate_key",
                            at,
                            format!("the key `{name}` is given twice in one map"),
                            "remove one of the two, or rename it",
                        ));
                    } else {
                        entries.push(Entry {
                            at,
                            key: name,
                            value: doc,
                        });
                    }
                }
            },
        }
        Ok(())
    }
}

fn depth(doc: &Doc) -> usize {
    match &doc.content {
        Content::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Content::Map(entries) => 1 + entries.iter().map(|e| depth(&e.value)).max().unwrap_or(0),
        _ => 0,
    }
}

fn bytes(doc: &Doc) -> usize {
    match &doc.content {
        Content::Text(text, _) => text.len(),
        Content::List(items) => items.iter().map(bytes).sum(),
        Content::Map(entries) => entries.iter().map(|e| e.key.len() + bytes(&e.value)).sum(),
        _ => 0,
    }
}

fn key_text(doc: &Doc) -> Result<String, Problem> {
    match &doc.content {
        Content::Text(text, Style::Plain) if text == "<<" => Err(problem(
            "syntax",
            doc.at,
            "merge keys (`<<`) are not supported",
            "write the keys out, or use an alias for the whole value",
        )),
        Content::Text(text, _) => Ok(text.clone()),
        Content::Number(number) => Ok(number.to_string()),
        Content::Bool(b) => Ok(b.to_string()),
        _ => Err(problem(
            "syntax",
            doc.at,
            "an empty key",
            "give the key a name",
        )),
    }
}

fn refuse_tag(at: Place, tag: Option<&Tag>) -> Result<(), Problem> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && ["map", "seq"].contains(&&*tag.suffix)) => {
            Err(unknown_tag(at, tag))
        }
        _ => Ok(()),
    }
}

pub(super) fn unknown_tag(at: Place, tag: &Tag) -> Problem {
    let message = format!("the YAML tag `{tag}` is not supported");
    problem(
        "syntax",
        at,
        message,
        "remove the tag; quote the value to make it text",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> serde_json::Value {
        read(text).unwrap().0.to_value()
    }

    #[test]
    fn plain_texts_follow_the_core_schema() {
        assert_eq!(
            value("[1, -2, 0x1f, 0o17, 1.5, .5, 1e3, true, ~, yes, on, 1.2.3, '1', 0x, 1e]"),
            json!([
                1, -2, 31, 15, 1.5, 0.5, 1000.0, true, null, "yes", "on", "1.2.3", "1", "0x", "1e"
            ])
        );
    }

    #[test]
    fn json_as_python_writes_it_is_read() {
        assert_eq!(
            value("{\n\t\"a\": \"\\ud83d\\ude00 \\/ \\\\ud83d\",\n\t\"b\": [1,2.0e0]\n}"),
            json!({"a": "😀 / \\ud83d", "b": [1, 2.0]})
        );
    }

    #[test]
    fn an_alias_repeats_its_value_and_a_bomb_is_refused() {
        assert_eq!(value("a: &x [1]\nb: *x"), json!({"a": [1], "b": [1]}));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let alias = format!("*a{}", i - 1);
            bomb += &format!("a{i}: &a{i} [{}]\n", vec![alias; 10].join(", "));
        }
        assert_eq!(read(&bomb).unwrap_err().code, "too_large");
    }

    #[test]
    fn deep_nesting_is_refused_whatever_its_style() {
        for text in [
            "[".repeat(100_000),
            "- ".repeat(100_000),
            "{a: ".repeat(100_000),
        ] {
            let code = read(&text).unwrap_err().code;
            assert!(code == "too_deep" || code == "syntax", "{code}");
        }
    }
}
