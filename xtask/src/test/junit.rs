//! Reads the test cases out of the JUnit file that nextest writes.
//!
//! Only what that file holds: `<testcase name="…" classname="…">` with `<failure`, `<error` or
//! `<skipped` inside, and the output of the test.

/// One executed test.
#[derive(Debug, PartialEq)]
pub(super) struct Case {
    /// The test binary, `crate::target`.
    pub(super) suite: String,
    pub(super) name: String,
    pub(super) outcome: Outcome,
    /// What it did without, as it printed it.
    pub(super) left_out: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    /// With the reason that the test printed.
    Skipped(String),
}

/// What a test prints at the start of a line before it returns without having tested.
const SKIPPED: &str = "SKIPPED";
/// What a test prints that did its work on fewer databases than there could be.
const LEFT_OUT: &str = "LEFT OUT";

pub(super) fn cases(xml: &str) -> Vec<Case> {
    xml.split("<testcase ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let (head, rest) = text.split_once('>').unwrap_or((text, ""));
    let body = match head.ends_with('/') {
        true => "",
        false => rest
            .split_once("</testcase>")
            .map_or(rest, |(body, _)| body),
    };
    let failed = ["<failure", "<error"].iter().any(|tag| body.contains(tag));
    let reason = body.lines().find_map(|line| said(line, SKIPPED));
    let left_out = body.lines().filter_map(|line| said(line, LEFT_OUT));
    let outcome = match (failed, reason) {
        (true, _) => Outcome::Failed,
        (false, Some(reason)) => Outcome::Skipped(unescape(reason)),
        (false, None) if body.contains("<skipped") => Outcome::Skipped("ignored".to_owned()),
        (false, None) => Outcome::Passed,
    };
    Case {
        suite: attribute(head, "classname"),
        name: attribute(head, "name"),
        outcome,
        left_out: left_out.map(unescape).collect(),
    }
}

/// The reason on a line that begins with `word`, which may share its line with the tags around the
/// output.
fn said<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let text = line.trim_start();
    let text = match text.split_once('>') {
        Some((tag, text)) if tag.starts_with("<system-") => text,
        _ => text,
    };
    let reason = text.strip_prefix(word)?;
    let reason = reason.split_once("</").map_or(reason, |(reason, _)| reason);
    Some(reason.trim_start_matches(':').trim())
}

fn attribute(head: &str, name: &str) -> String {
    let opening = format!("{name}=\"");
    let value = head
        .match_indices(&opening)
        // `classname="` ends with `name="`.
        .find(|(at, _)| *at == 0 || head.as_bytes()[at - 1].is_ascii_whitespace())
        .and_then(|(at, _)| head[at + opening.len()..].split('"').next());
    unescape(value.unwrap_or_default())
}

fn unescape(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_report_is_read() {
        let xml = r#"<testsuites><testsuite name="runstone-db" tests="4">
            <testcase name="tokens::finds_names" classname="runstone-db" timestamp="t" time="0.1">
            </testcase>
            <testcase name="postgres::round_trip" classname="runstone-db::live" time="0.2">
              <failure type="test failure">panicked at &lt;here&gt;</failure>
            </testcase>
            <testcase name="mssql::round_trip" classname="runstone-db::live" time="0.2">
              <system-err>SKIPPED: RUNSTONE_TEST_MSSQL_URL isn&apos;t set</system-err>
            </testcase>
            <testcase name="matrix::sqlite::all" classname="runstone-db" time="0.2">
              <system-err>LEFT OUT: mssql
LEFT OUT: mysql</system-err>
            </testcase>
            <testcase name="last" classname="runstone-db" time="0.2"/>
            </testsuite></testsuites>"#;
        let found = cases(xml);
        let shown: Vec<_> = found
            .iter()
            .map(|c| (c.suite.as_str(), c.name.as_str(), &c.outcome))
            .collect();
        let skipped = Outcome::Skipped("RUNSTONE_TEST_MSSQL_URL isn't set".to_owned());
        assert_eq!(
            shown,
            [
                ("runstone-db", "tokens::finds_names", &Outcome::Passed),
                (
                    "runstone-db::live",
                    "postgres::round_trip",
                    &Outcome::Failed
                ),
                ("runstone-db::live", "mssql::round_trip", &skipped),
                ("runstone-db", "matrix::sqlite::all", &Outcome::Passed),
                ("runstone-db", "last", &Outcome::Passed),
            ]
        );
        let left_out: Vec<_> = found.iter().flat_map(|c| &c.left_out).collect();
        assert_eq!(left_out, ["mssql", "mysql"]);
    }
}
