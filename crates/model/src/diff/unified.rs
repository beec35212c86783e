//! A difference as text in the unified format, as `diff -u` and `patch` know it.
use std::fmt::Write as _;

use super::{Change, Diff, Hunk};

/// The unified diff, with `old_name` and `new_name` in its head; empty when nothing changed.
#[must_use]
pub fn unified(diff: &Diff, old_name: &str, new_name: &str) -> String {
    let mut out = String::new();
    if diff.hunks.is_empty() {
        return out;
    }
    let (old_name, new_name) = (one_line(old_name), one_line(new_name));
    let _ = writeln!(out, "--- {old_name}\n+++ {new_name}");
    for hunk in &diff.hunks {
        write_hunk(&mut out, hunk);
    }
    out
}

/// A name with a line feed would end the head.
fn one_line(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

fn write_hunk(out: &mut String, hunk: &Hunk) {
    let range = |start: usize, lines: usize| match lines {
        1 => start.to_string(),
        _ => format!("{start},{lines}"),
    };
    let old = range(hunk.old_start, hunk.old_lines);
    let new = range(hunk.new_start, hunk.new_lines);
    let _ = writeln!(out, "@@ -{old} +{new} @@");
    for line in &hunk.lines {
        out.push(match line.change {
            Change::Same => ' ',
            Change::Added => '+',
            Change::Removed => '-',
        });
        out.push_str(&line.text);
        out.push('\n');
        if line.no_newline {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}
