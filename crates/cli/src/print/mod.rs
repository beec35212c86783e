//! What people and programs read: texts on stdout, notes on stderr, tables, durations, problems.
//! A reader that goes away (a closed pipe) is no error.
pub(crate) mod acks;
pub(crate) mod duration;
pub(crate) mod error;
pub(crate) mod paint;
pub(crate) mod problem;
pub(crate) mod run;
pub(crate) mod steps;
pub(crate) mod table;

use std::io::{ErrorKind, Write as _};

use serde::Serialize;

/// Writes `text` to stdout.
pub(crate) fn out(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes the one JSON document of `--json`.
pub(crate) fn json(document: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    out(&text)
}

/// Writes a line to stderr.
pub(crate) fn note(line: &str) {
    // Who closed stderr does not want to know.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// `text` on one line and without anything that moves a terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The first `most` characters of `text`, with `…` when there are more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}

/// `1 step`, `2 steps`.
pub(crate) fn count(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}
