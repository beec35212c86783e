//! A problem in a flow file, shown where it is: `file:line:col: code: message`, the line with a
//! caret under the column, and the way to mend it.
use runstone_model::problem::Problem;

use super::{paint::Paint, plain};

/// A line of a file is shown in a window of so many characters.
const WINDOW: usize = 100;
/// What is kept before the caret in a long line.
const BEFORE: usize = 60;

/// The problem as shown to people, in a file of these `lines`. `kind` is `error` or `warning`,
/// painted.
pub(crate) fn shown(
    file: &str,
    lines: &[&str],
    problem: &Problem,
    kind: &str,
    paint: Paint,
) -> String {
    let (file, message) = (plain(file), plain(&problem.message));
    let place = problem.place;
    let mut out = if place.line > 0 {
        format!(
            "{file}:{}:{}: {kind}: {}: {message}",
            place.line, place.column, problem.code
        )
    } else if problem.path.is_empty() {
        format!("{file}: {kind}: {}: {message}", problem.code)
    } else {
        format!(
            "{file}: {}: {kind}: {}: {message}",
            plain(&problem.path),
            problem.code
        )
    };
    let line = place
        .line
        .checked_sub(1)
        .and_then(|at| lines.get(at as usize));
    if let Some(line) = line {
        let (line, caret) = window(line, place.column.saturating_sub(1) as usize);
        let number = place.line.to_string();
        let gutter = " ".repeat(number.len());
        let caret = format!("{}{}", " ".repeat(caret), paint.red("^"));
        out.push_str(&format!("\n  {} {line}", paint.dim(&format!("{number} |"))));
        out.push_str(&format!(
            "\n  {} {caret}",
            paint.dim(&format!("{gutter} |"))
        ));
    }
    if !problem.mend.is_empty() {
        out.push_str("\n  mend: ");
        out.push_str(&plain(&problem.mend));
    }
    out
}

/// The part of `line` around `column` (from 0), and the column in it.
fn window(line: &str, column: usize) -> (String, usize) {
    let line = plain(line);
    let length = line.chars().count();
    let column = column.min(length);
    if length <= WINDOW {
        return (line.trim_end().to_owned(), column);
    }
    let start = column.saturating_sub(BEFORE).min(length - WINDOW);
    let lead = if start > 0 { "…" } else { "" };
    let tail = if start + WINDOW < length { "…" } else { "" };
    let part: String = line.chars().skip(start).take(WINDOW).collect();
    (
        format!("{lead}{part}{tail}"),
        column - start + lead.chars().count(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use runstone_model::problem::Place;

    fn problem(line: u32, column: u32) -> Problem {
        Problem {
            code: "unknown_key",
            place: Place { line, column },
            path: "nodes.a".to_owned(),
            message: "`ues` is not a key of a node".to_owned(),
            mend: "write `uses`".to_owned(),
        }
    }

    #[test]
    fn the_caret_stands_under_the_column() {
        let text = "nodes:\n  a: {ues: set}\n";
        let shown = shown(
            "f.yaml",
            &text.lines().collect::<Vec<_>>(),
            &problem(2, 7),
            "error",
            Paint::never(),
        );
        let want = "f.yaml:2:7: error: unknown_key: `ues` is not a key of a node\n\
                    \x20 2 |   a: {ues: set}\n\
                    \x20   |       ^\n\
                    \x20 mend: write `uses`";
        assert_eq!(shown, want);
    }

    #[test]
    fn a_long_line_is_shown_around_the_caret() {
        let line = format!("{}HERE{}", "x".repeat(500), "y".repeat(500));
        let (part, caret) = window(&line, 500);
        assert!(part.chars().count() <= WINDOW + 2);
        assert_eq!(part.chars().skip(caret).take(4).collect::<String>(), "HERE");
    }

    #[test]
    fn a_place_beyond_the_text_shows_no_line() {
        let shown = shown("f.yaml", &["a"], &problem(9, 9), "error", Paint::never());
        assert!(!shown.contains('|'));
        let nowhere = super::shown("f.yaml", &["a"], &problem(0, 0), "error", Paint::never());
        assert!(nowhere.starts_with("f.yaml: nodes.a: error: unknown_key:"));
    }
}
