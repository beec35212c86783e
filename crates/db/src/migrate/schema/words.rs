//! What databases write differently and mean alike: types, quoted names, conditions.
use std::collections::BTreeSet;

use super::Condition;
use crate::{
    dialect::Dialect,
    token::{Token, Tokens},
};

/// A type as every version of a database would write it.
pub(super) fn kind(text: &str, dialect: Dialect) -> String {
    let text = text.to_ascii_lowercase();
    let (name, size) = match text.split_once('(') {
        Some((name, size)) => (name.trim(), format!("({size}")),
        None => (text.trim(), String::new()),
    };
    let plain = match (dialect, name) {
        (Dialect::Postgres, "int8") => "bigint",
        (Dialect::Postgres, "int" | "int4") => "integer",
        (Dialect::Postgres, "bool") => "boolean",
        (Dialect::Postgres, "float8") => "double precision",
        (Dialect::Postgres, "varchar") => "character varying",
        (Dialect::Mysql, "integer") => "int",
        (Dialect::Mysql, "bool" | "boolean") => return "tinyint(1)".to_owned(),
        (_, name) => name,
    };
    // A width of integers is for show; MariaDB still tells it.
    let shown = dialect == Dialect::Mysql && matches!(plain, "bigint" | "int");
    if shown {
        plain.to_owned()
    } else {
        format!("{plain}{size}")
    }
}

/// A name without its quotes.
pub(super) fn unquoted(name: &str) -> String {
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('`')).unwrap_or(name).to_owned()
}

/// What a condition says, given the names of the table's columns.
pub(super) fn condition<'a>(
    text: &str,
    dialect: Dialect,
    columns: impl Iterator<Item = &'a String>,
) -> Condition {
    let columns: BTreeSet<&str> = columns.map(String::as_str).collect();
    // MySQL's catalogue escapes the quotes of constants.
    let text = match dialect {
        Dialect::Mysql => text.replace("\\'", "'"),
        Dialect::Sqlite | Dialect::Postgres | Dialect::Mssql => text.to_owned(),
    };
    let mut words = BTreeSet::new();
    let mut comparison = String::new();
    // Text that cannot be cut ends there: it is our own, or the database's.
    for token in Tokens::new(&text).map_while(Result::ok) {
        match token {
            Token::Symbol(symbol @ ("<" | ">" | "=" | "!")) => {
                comparison.push_str(symbol);
                continue;
            }
            Token::Space(_) | Token::Comment(_) => continue,
            Token::Word(word) => {
                let lower = word.to_ascii_lowercase();
                let number = lower.bytes().all(|byte| byte.is_ascii_digit());
                if lower == "between" {
                    // PostgreSQL writes it out.
                    words.extend(["<=".to_owned(), ">=".to_owned()]);
                } else if number || lower == "not" || lower == "null" || columns.contains(&*lower) {
                    words.insert(lower);
                }
            }
            Token::Quoted(text) if text.starts_with('\'') => {
                words.insert(text.to_owned());
            }
            Token::Quoted(text) => {
                let name = unquoted(text);
                if columns.contains(&*name) {
                    words.insert(name);
                }
            }
            Token::Symbol(_) | Token::Param(_) | Token::Marker(_) => {}
        }
        compare(&mut words, &mut comparison);
    }
    compare(&mut words, &mut comparison);
    Condition(words)
}

/// `=` is left out: `IN` is written with it and without.
fn compare(words: &mut BTreeSet<String>, comparison: &mut String) {
    match comparison.as_str() {
        "" | "=" => {}
        "!=" => {
            words.insert("<>".to_owned());
        }
        other => {
            words.insert(other.to_owned());
        }
    }
    comparison.clear();
}
