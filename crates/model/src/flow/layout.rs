//! Writes a document in the one layout: short maps and lists on one line, others one entry a line,
//! quotes only where YAML needs them.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    comments::Comments,
    doc::{Content, Doc, Entry},
    scalar::is_text,
};

/// The longest line that a map or list is put on.
const WIDTH: usize = 100;

/// Parts of a flow that get one line an entry even when they would fit on one line.
const ALWAYS_LISTED: [&str; 3] = ["state", "nodes", "edges"];

/// The document as JSON, two blanks a level, in the order it has.
pub(super) fn json(doc: &Doc) -> String {
    let mut out = String::new();
    write_json(doc, 0, &mut out);
    out.push('\n');
    out
}

fn write_json(doc: &Doc, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth + 1);
    let one_line = doc.to_value().to_string();
    let nested = match &doc.content {
        Content::List(items) => items.iter().any(|d| matches!(d.content, Content::Map(_))),
        Content::Map(entries) => !entries.is_empty(),
        _ => false,
    };
    match &doc.content {
        Content::List(items) if nested => {
            out.push_str("[\n");
            for (i, item) in items.iter().enumerate() {
                out.push_str(&pad);
                write_json(item, depth + 1, out);
                out.push_str(if i + 1 < items.len() { ",\n" } else { "\n" });
            }
            out.push_str(&format!("{}]", "  ".repeat(depth)));
        }
        Content::Map(entries) if nested => {
            out.push_str("{\n");
            for (i, entry) in entries.iter().enumerate() {
                out.push_str(&format!("{pad}{}: ", Value::from(entry.key.as_str())));
                write_json(&entry.value, depth + 1, out);
                out.push_str(if i + 1 < entries.len() { ",\n" } else { "\n" });
            }
            out.push_str(&format!("{}}}", "  ".repeat(depth)));
        }
        _ => out.push_str(&one_line),
    }
}

/// The document as YAML with its comments.
pub(super) fn yaml(doc: &Doc, comments: &Comments) -> String {
    let mut writer = Writer {
        before: BTreeMap::new(),
        behind: BTreeMap::new(),
        commented: BTreeSet::new(),
        out: String::new(),
    };
    let trailing = writer.attach(doc, comments);
    match &doc.content {
        Content::Map(entries) if !entries.is_empty() => writer.map(entries, 0),
        Content::List(items) if !items.is_empty() => writer.list(items, 0),
        _ => {
            let text = writer.inline(doc);
            writer.out.push_str(&text);
            writer.out.push('\n');
        }
    }
    for comment in trailing {
        writer.out.push_str(&comment);
        writer.out.push('\n');
    }
    writer.out
}

/// A key or list item, by where it stands in the file.
type Anchor = (u32, u32);

struct Writer {
    /// Comments on lines of their own before an entry.
    before: BTreeMap<Anchor, Vec<String>>,
    /// The comment behind an entry.
    behind: BTreeMap<Anchor, Vec<String>>,
    /// Places of all commented entries: what holds one is not put on one line.
    commented: BTreeSet<Anchor>,
    out: String,
}

impl Writer {
    /// Gives each comment to an entry; those after the last entry are returned.
    fn attach(&mut self, doc: &Doc, comments: &Comments) -> Vec<String> {
        let mut entries = Vec::new();
        anchors(doc, &mut entries);
        entries.sort_unstable();
        let mut trailing = Vec::new();
        for comment in comments.iter() {
            let place = (comment.place.line, comment.place.column);
            let next = entries.partition_point(|entry| *entry < place);
            if comment.alone && next == 0 && !entries.is_empty() {
                // The head of the file stays its head, also when the keys change their order.
                self.out.push_str(&comment.text);
                self.out.push('\n');
            } else if comment.alone {
                match entries.get(next) {
                    Some(entry) => self
                        .before
                        .entry(*entry)
                        .or_default()
                        .push(comment.text.clone()),
                    None => trailing.push(comment.text.clone()),
                }
            } else if let Some(last) = next.checked_sub(1).and_then(|i| entries.get(i)) {
                // The first entry of its line: the others may end up on the same line anyway.
                let first = entries.partition_point(|entry| entry.0 < last.0);
                let owner = entries.get(first).unwrap_or(last);
                self.behind
                    .entry(*owner)
                    .or_default()
                    .push(comment.text.clone());
            } else {
                trailing.push(comment.text.clone());
            }
        }
        self.commented = self
            .before
            .keys()
            .chain(self.behind.keys())
            .copied()
            .collect();
        trailing
    }

    fn map(&mut self, entries: &[Entry], indent: usize) {
        let mut after_block = false;
        for (i, entry) in entries.iter().enumerate() {
            let anchor = (entry.at.line, entry.at.column);
            let key = key_text(&entry.key);
            let listed = indent == 0 && ALWAYS_LISTED.contains(&entry.key.as_str());
            let value = self
                .one_line(&entry.value, indent + key.chars().count() + 2)
                .filter(|_| !listed || entry.value.is_empty());
            let block =
                indent == 0 && value.is_none() && !matches!(entry.value.content, Content::Text(..));
            if i > 0 && (block || after_block) {
                self.out.push('\n');
            }
            after_block = block;
            self.comments_before(anchor, indent);
            self.pad(indent);
            self.out.push_str(&key);
            self.out.push(':');
            self.value(&entry.value, value, anchor, indent);
        }
    }

    /// What follows the colon of a key.
    fn value(&mut self, doc: &Doc, one_line: Option<String>, anchor: Anchor, indent: usize) {
        if let Some(text) = one_line {
            if !text.is_empty() {
                self.out.push(' ');
                self.out.push_str(&text);
            }
            self.comment_behind(anchor);
            return;
        }
        match &doc.content {
            Content::Map(entries) => {
                self.comment_behind(anchor);
                self.map(entries, indent + 2);
            }
            Content::List(items) => {
                self.comment_behind(anchor);
                self.list(items, indent + 2);
            }
            Content::Text(text, _) => {
                self.out.push(' ');
                self.block_text(text, anchor, indent + 2);
            }
            Content::Null | Content::Bool(_) | Content::Number(_) => self.comment_behind(anchor),
        }
    }

    fn list(&mut self, items: &[Doc], indent: usize) {
        for item in items {
            let anchor = (item.at.line, item.at.column);
            let one_line = self.one_line(item, indent + 2);
            if let (None, Content::Map(entries)) = (&one_line, &item.content) {
                // `- key: …`: the first key stands on the line of the dash.
                self.comments_before(anchor, indent);
                let start = self.out.len();
                self.map(entries, indent + 2);
                let first = self.out[start..].starts_with(&" ".repeat(indent + 2))
                    && !self.out[start + indent + 2..].starts_with('#');
                if first {
                    self.out
                        .replace_range(start + indent..start + indent + 1, "-");
                } else {
                    self.out
                        .insert_str(start, &format!("{}-\n", " ".repeat(indent)));
                }
                continue;
            }
            self.comments_before(anchor, indent);
            self.pad(indent);
            self.out.push('-');
            self.value(item, one_line, anchor, indent);
        }
    }

    /// A text of several lines, as a `|` block.
    fn block_text(&mut self, text: &str, anchor: Anchor, indent: usize) {
        let body = text.trim_end_matches('\n');
        self.out.push_str(match text.len() - body.len() {
            0 => "|-",
            1 => "|",
            _ => "|+",
        });
        self.comment_behind(anchor);
        for line in body.split('\n') {
            if !line.is_empty() {
                self.pad(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
        for _ in 1..text.len() - body.len() {
            self.out.push('\n');
        }
    }

    fn comments_before(&mut self, anchor: Anchor, indent: usize) {
        for comment in self.before.remove(&anchor).unwrap_or_default() {
            self.pad(indent);
            self.out.push_str(&comment);
            self.out.push('\n');
        }
    }

    /// Ends the line, with the comment that stands behind it.
    fn comment_behind(&mut self, anchor: Anchor) {
        for comment in self.behind.remove(&anchor).unwrap_or_default() {
            self.out.push_str("  ");
            self.out.push_str(&comment);
        }
        self.out.push('\n');
    }

    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// The value as it stands on the line of its key, if it may.
    fn one_line(&self, doc: &Doc, used: usize) -> Option<String> {
        match &doc.content {
            Content::Text(text, _) if is_block(text) => return None,
            Content::List(items) if items.is_empty() => {}
            Content::Map(entries) if entries.is_empty() => {}
            Content::List(_) | Content::Map(_) => {
                if used > WIDTH || !self.fits(doc, &mut (WIDTH - used)) {
                    return None;
                }
                let text = self.inline(doc);
                return (used + text.chars().count() <= WIDTH).then_some(text);
            }
            _ => {}
        }
        Some(self.inline(doc))
    }

    /// A quick look whether the value may fit on the rest of a line: no comments, no blocks, and
    /// not more values than there are characters.
    fn fits(&self, doc: &Doc, room: &mut usize) -> bool {
        let Some(left) = room.checked_sub(1) else {
            return false;
        };
        *room = left;
        match &doc.content {
            Content::Text(text, _) => !is_block(text) && text.len() <= 4 * WIDTH,
            Content::List(items) => items.iter().all(|item| {
                !self.commented.contains(&(item.at.line, item.at.column)) && self.fits(item, room)
            }),
            Content::Map(entries) => entries.iter().all(|e| {
                !self.commented.contains(&(e.at.line, e.at.column)) && self.fits(&e.value, room)
            }),
            _ => true,
        }
    }

    fn inline(&self, doc: &Doc) -> String {
        match &doc.content {
            Content::Null => "null".to_owned(),
            Content::Bool(b) => b.to_string(),
            Content::Number(n) => n.to_string(),
            Content::Text(text, _) => scalar(text),
            Content::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.inline(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Content::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|e| format!("{}: {}", key_text(&e.key), self.inline(&e.value)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }
}

/// Where each key and each list item stands.
fn anchors(doc: &Doc, found: &mut Vec<Anchor>) {
    match &doc.content {
        Content::Map(entries) => {
            for entry in entries {
                found.push((entry.at.line, entry.at.column));
                anchors(&entry.value, found);
            }
        }
        Content::List(items) => {
            for item in items {
                found.push((item.at.line, item.at.column));
                anchors(item, found);
            }
        }
        _ => {}
    }
}

/// Whether a text is written as a `|` block: several lines that a block can hold unchanged.
fn is_block(text: &str) -> bool {
    let body = text.trim_end_matches('\n');
    body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && !body
            .split('\n')
            .any(|line| line.ends_with([' ', '\t']) || line.starts_with('\t'))
        && !text
            .chars()
            .any(|c| (c.is_control() && c != '\n') || c == '\u{feff}')
}

/// A text on one line: plain where YAML reads it back as the same text, else in double quotes.
fn scalar(text: &str) -> String {
    let plain = is_plain(text) && is_text(text) && !is_other_in_yaml_1_1(text);
    if plain { text.to_owned() } else { quoted(text) }
}

fn is_plain(text: &str) -> bool {
    let first = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/');
    let other = |c: char| c.is_alphanumeric() || " _-./<>=+*()!%@&|~$^;?'".contains(c);
    text.starts_with(first)
        && text.chars().all(other)
        && !text.ends_with(' ')
        && !text.ends_with(['-', '?'])
}

/// A key: as a text, but `on` needs no quotes there (any reader of a flow takes keys as texts).
fn key_text(key: &str) -> String {
    if is_plain(key) && is_text(key) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// Words and digits that older YAML readers take for something else than text.
fn is_other_in_yaml_1_1(text: &str) -> bool {
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    WORDS.contains(&text.to_ascii_lowercase().as_str())
        || text
            .chars()
            .all(|c| c.is_ascii_digit() || "+-_.".contains(c))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        match c {
            // Characters that JSON may hold and a YAML file should not.
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}
