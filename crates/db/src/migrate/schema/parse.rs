//! Reads the DDL that we write (and SQLite keeps): `CREATE TABLE`, `CREATE INDEX`, `ALTER TABLE …
//! ADD`. No general parser: what it does not know it passes over.
use std::collections::BTreeSet;

use super::{Column, Index, Reference, Schema, Table, words};
use crate::{
    dialect::Dialect,
    error::Error,
    migrate::split,
    token::{Token, Tokens},
};

/// Words that end a column's type.
const AFTER_TYPE: [&str; 14] = [
    "not",
    "null",
    "primary",
    "unique",
    "references",
    "check",
    "default",
    "constraint",
    "collate",
    "character",
    "generated",
    "identity",
    "on",
    "auto_increment",
];

pub(super) fn script(text: &str, dialect: Dialect) -> Result<Schema, Error> {
    let told = |line: usize, problem: &str| Error::other(format!("line {line}: {problem}"));
    let mut schema = Schema::default();
    let pieces =
        split::statements(text, dialect).map_err(|broken| told(broken.line, broken.problem))?;
    for piece in pieces {
        let mut parts =
            Parts::cut(piece.sql, dialect).map_err(|problem| told(piece.line, problem))?;
        statement(&mut schema, &mut parts);
    }
    Ok(schema)
}

/// The tokens of one statement that mean something, from a place on.
#[derive(Clone)]
struct Parts<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    dialect: Dialect,
}

impl<'a> Parts<'a> {
    fn cut(text: &'a str, dialect: Dialect) -> Result<Self, &'static str> {
        let mut tokens = Vec::new();
        let mut cutter = Tokens::new(text);
        loop {
            let from = cutter.offset();
            let Some(token) = cutter.next() else { break };
            match token.map_err(|broken| broken.problem)? {
                Token::Space(_) | Token::Comment(_) => {}
                // `[name]`, as SQL Server quotes.
                Token::Symbol("[" | "]") if dialect == Dialect::Mssql => {}
                _ => tokens.push(&text[from..cutter.offset()]),
            }
        }
        Ok(Self {
            tokens,
            at: 0,
            dialect,
        })
    }

    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn is(&self, word: &str) -> bool {
        self.peek().eq_ignore_ascii_case(word)
    }

    /// Takes the words when they come next.
    fn take(&mut self, words: &[&str]) -> bool {
        let ahead = self.tokens.iter().skip(self.at).take(words.len());
        let found = ahead.len() == words.len()
            && ahead
                .zip(words)
                .all(|(token, word)| token.eq_ignore_ascii_case(word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn is_over(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn name(&mut self) -> String {
        let mut name = words::unquoted(self.next());
        // Of `schema.table` the table.
        while self.is(".") {
            self.at += 1;
            name = words::unquoted(self.next());
        }
        name
    }

    /// What stands between the parentheses that open here.
    fn inside(&mut self) -> Self {
        let from = self.at + 1;
        let mut depth = 0_usize;
        while !self.is_over() {
            match self.next() {
                "(" => depth += 1,
                ")" if depth == 1 => break,
                ")" => depth -= 1,
                _ => {}
            }
        }
        let end = self.at.saturating_sub(1).max(from).min(self.tokens.len());
        Self {
            tokens: self.tokens.get(from..end).unwrap_or_default().to_vec(),
            at: 0,
            dialect: self.dialect,
        }
    }

    /// The parts between commas, those in parentheses apart.
    fn items(self) -> Vec<Self> {
        let mut items = Vec::new();
        let (mut depth, mut from) = (0_usize, 0);
        for (at, token) in self.tokens.iter().enumerate() {
            match *token {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    items.push(self.part(from, at));
                    from = at + 1;
                }
                _ => {}
            }
        }
        items.push(self.part(from, self.tokens.len()));
        items
    }

    fn part(&self, from: usize, to: usize) -> Self {
        Self {
            tokens: self.tokens[from..to].to_vec(),
            at: 0,
            dialect: self.dialect,
        }
    }

    /// `(a, b)`: names; an order or a length behind one is passed over.
    fn names(&mut self) -> Vec<String> {
        let items = self.inside().items().into_iter();
        items.map(|mut item| item.name()).collect()
    }

    fn text(&self) -> String {
        self.tokens[self.at.min(self.tokens.len())..].join(" ")
    }
}

fn statement(schema: &mut Schema, parts: &mut Parts<'_>) {
    if parts.take(&["create", "table"]) {
        parts.take(&["if", "not", "exists"]);
        let name = parts.name();
        let items = parts.inside().items();
        let table = schema.tables.entry(name).or_default();
        read_items(table, items);
    } else if parts.take(&["alter", "table"]) {
        let name = parts.name();
        if parts.take(&["add"]) {
            parts.take(&["column"]);
            let rest = parts.part(parts.at, parts.tokens.len());
            let table = schema.tables.entry(name).or_default();
            read_items(table, vec![rest]);
        }
    } else if parts.take(&["create"]) {
        create_index(schema, parts);
    }
}

fn create_index(schema: &mut Schema, parts: &mut Parts<'_>) {
    let unique = parts.take(&["unique"]);
    while parts.take(&["clustered"]) || parts.take(&["nonclustered"]) {}
    if !parts.take(&["index"]) {
        return;
    }
    parts.take(&["if", "not", "exists"]);
    let name = parts.name();
    parts.take(&["on"]);
    let table = schema.tables.entry(parts.name()).or_default();
    let columns = parts.names();
    let only = parts
        .take(&["where"])
        .then(|| words::condition(&parts.text(), parts.dialect, table.columns.keys()));
    if unique {
        table.unique.insert(columns);
    } else {
        table.indexes.insert(name, Index { columns, only });
    }
}

/// Columns first: checks are read with their names.
fn read_items(table: &mut Table, items: Vec<Parts<'_>>) {
    let mut checks = Vec::new();
    for mut item in items {
        if item.take(&["constraint"]) {
            item.name();
        }
        if !constraint(table, &mut item, &mut checks) {
            column(table, &mut item, &mut checks);
        }
    }
    let names: BTreeSet<String> = table.columns.keys().cloned().collect();
    for check in checks {
        let text = check.text();
        let check = words::condition(&text, check.dialect, names.iter());
        table.checks.insert(check);
    }
}

/// A constraint of the table; false when it is a column.
fn constraint<'a>(table: &mut Table, item: &mut Parts<'a>, checks: &mut Vec<Parts<'a>>) -> bool {
    if item.take(&["primary", "key"]) {
        to_parenthesis(item);
        table.primary_key = item.names();
    } else if item.take(&["unique"]) {
        to_parenthesis(item);
        table.unique.insert(item.names());
    } else if item.take(&["key"]) || item.take(&["index"]) {
        let name = item.name();
        let columns = item.names();
        table.indexes.insert(
            name,
            Index {
                columns,
                only: None,
            },
        );
    } else if item.take(&["foreign", "key"]) {
        to_parenthesis(item);
        let columns = item.names();
        item.take(&["references"]);
        let reference = reference(item, columns);
        table.references.insert(reference);
    } else if item.take(&["check"]) {
        checks.push(item.inside());
    } else {
        return false;
    }
    true
}

/// Past a name, `KEY`, `CLUSTERED` and the like.
fn to_parenthesis(item: &mut Parts<'_>) {
    while !item.is_over() && item.peek() != "(" {
        item.next();
    }
}

fn reference(item: &mut Parts<'_>, columns: Vec<String>) -> Reference {
    let table = item.name();
    let to = item.names();
    let mut on_delete = "no action".to_owned();
    if item.take(&["on", "delete"]) {
        on_delete = item.next().to_ascii_lowercase();
        if matches!(&*on_delete, "no" | "set") {
            on_delete.push(' ');
            on_delete.push_str(&item.next().to_ascii_lowercase());
        }
    }
    Reference {
        columns,
        table,
        to,
        on_delete,
    }
}

fn column<'a>(table: &mut Table, item: &mut Parts<'a>, checks: &mut Vec<Parts<'a>>) {
    let name = item.name();
    if name.is_empty() {
        return;
    }
    let mut kind = String::new();
    while !item.is_over() && !AFTER_TYPE.iter().any(|word| item.is(word)) {
        let token = item.next();
        let joined =
            kind.is_empty() || matches!(token, "(" | ")" | ",") || kind.ends_with(['(', ',']);
        kind.push_str(if joined { "" } else { " " });
        kind.push_str(token);
    }
    let mut column = Column {
        kind: words::kind(&kind, item.dialect),
        nullable: true,
    };
    while !item.is_over() {
        if item.take(&["not", "null"]) {
            column.nullable = false;
        } else if item.take(&["primary", "key"]) {
            column.nullable = false;
            table.primary_key = vec![name.clone()];
        } else if item.take(&["unique"]) {
            table.unique.insert(vec![name.clone()]);
        } else if item.take(&["references"]) {
            let reference = reference(item, vec![name.clone()]);
            table.references.insert(reference);
        } else if item.take(&["check"]) {
            checks.push(item.inside());
        } else if item.peek() == "(" {
            item.inside();
        } else {
            item.next();
        }
    }
    table.columns.insert(name, column);
}
