//! Functions on text, and regular expressions with caps on what a pattern may cost.
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{Args, Function, owned, type_name};
use crate::expr::{
    budget::{Budget, Stop},
    eval::Found,
};

/// Work of compiling a pattern that is not a literal.
pub(crate) const COMPILE_WORK: u64 = 20_000;
/// Bytes of a pattern that is not a literal.
const LONGEST_PATTERN: usize = 4096;
/// Bytes of compiled program beyond which a pattern is refused.
const LARGEST_PROGRAM: usize = 1 << 20;
/// Searching one byte costs a unit of work per this many bytes of program. Measured on patterns
/// made to be slow: the whole budget is then spent within about half a second.
const PROGRAM_BYTES_PER_UNIT: usize = 2560;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// How large the program is, not counting what Unicode adds: that makes it large, not slow.
    program_bytes: usize,
}

/// Compiles a pattern; the search time is linear in the text for every pattern.
pub(crate) fn compile(pattern: &str) -> Result<Pattern, String> {
    if pattern.len() > LONGEST_PATTERN {
        return Err(format!(
            "the pattern is longer than {LONGEST_PATTERN} bytes"
        ));
    }
    let compiled = RegexBuilder::new(pattern)
        .size_limit(LARGEST_PROGRAM)
        .dfa_size_limit(1 << 20)
        .nest_limit(50)
        .build();
    match compiled {
        Ok(regex) => Ok(Pattern {
            regex,
            program_bytes: program_bytes(pattern),
        }),
        Err(regex::Error::CompiledTooBig(_)) => Err(
            "the pattern is too large once compiled; repeat less, or write [a-z0-9_] for \\w"
                .to_owned(),
        ),
        Err(_) => Err("the pattern is not a regular expression".to_owned()),
    }
}

/// The size of the program to the next power of two; the regex crate tells it only by refusing.
fn program_bytes(pattern: &str) -> usize {
    let mut bytes = 512;
    while bytes < LARGEST_PROGRAM {
        let fits = regex::bytes::RegexBuilder::new(pattern)
            .unicode(false)
            .size_limit(bytes)
            .build();
        match fits {
            Err(regex::Error::CompiledTooBig(_)) => bytes *= 2,
            Ok(_) => break,
            // It needs Unicode: a class of characters, most likely one of many.
            Err(_) => return 16 << 10,
        }
    }
    bytes
}

pub(crate) fn matches<'a>(value: &Value, pattern: &Pattern, budget: &Budget) -> Found<'a> {
    let Value::String(text) = value else {
        return Err(Stop::Failed(format!(
            "`matches` needs text, not {}",
            type_name(value)
        )));
    };
    budget.spend(
        (text.len().saturating_mul(pattern.program_bytes) / PROGRAM_BYTES_PER_UNIT) as u64,
    )?;
    Ok(owned(pattern.regex.is_match(text)))
}

/// Texts of a list with `separator` between them; other scalars are written as JSON.
pub(super) fn join<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let separator = match args.given(1) {
        Some(_) => args.text(1)?,
        None => "",
    };
    let mut joined = String::new();
    for (place, item) in args.list(0)?.iter().enumerate() {
        budget.spend(1)?;
        if place > 0 {
            budget.build(separator.len())?;
            joined.push_str(separator);
        }
        match item {
            Value::String(text) => {
                budget.build(text.len())?;
                joined.push_str(text);
            }
            Value::Number(_) | Value::Bool(_) => joined.push_str(&item.to_string()),
            other => {
                return Err(Stop::Failed(format!(
                    "`join` puts texts together, not {}; use map(x, string(x)) before",
                    type_name(other)
                )));
            }
        }
    }
    Ok(owned(joined))
}

pub(super) fn split<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let (text, separator) = (args.text(0)?, args.text(1)?);
    if separator.is_empty() {
        return Err(Stop::Failed(
            "`split` needs a separator that is not empty".to_owned(),
        ));
    }
    budget.build(text.len())?;
    let mut parts = Vec::new();
    for part in text.split(separator) {
        budget.spend(1)?;
        parts.push(Value::from(part));
    }
    Ok(owned(parts))
}

pub(super) fn replace<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let (text, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    if from.is_empty() {
        return Err(Stop::Failed(
            "`replace` needs a text to look for".to_owned(),
        ));
    }
    budget.read(text.len() + from.len())?;
    let found = text.matches(from).count();
    let room = text.len() - found * from.len() + found.saturating_mul(to.len());
    budget.build(room)?;
    Ok(owned(text.replace(from, to)))
}

/// `startsWith` and `endsWith`.
pub(super) fn edge<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let (text, part) = (args.text(0)?, args.text(1)?);
    budget.read(part.len())?;
    Ok(owned(if args.function == Function::StartsWith {
        text.starts_with(part)
    } else {
        text.ends_with(part)
    }))
}

/// `lower`, `upper` and `trim`.
pub(super) fn changed<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let text = args.text(0)?;
    // A character may become up to three when its case changes.
    budget.build(text.len().saturating_mul(3))?;
    Ok(owned(match args.function {
        Function::Lower => text.to_lowercase(),
        Function::Upper => text.to_uppercase(),
        _ => text.trim().to_owned(),
    }))
}
