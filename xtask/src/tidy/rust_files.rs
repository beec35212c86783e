//! Rust files: a head that says what the file owns, bounded sizes, names that mean something.

use super::{Findings, Source};

const MAX_LINES: usize = 600;
const MAX_P90: usize = 400;
const MAX_P50: usize = 150;
/// Longer tests inside a file move to a sibling `tests.rs`.
const MAX_INLINE_TEST_LINES: usize = 200;
/// Names that say nothing, so that everything ends up there.
const EMPTY_NAMES: [&str; 6] = ["common", "util", "utils", "helper", "helpers", "manager"];
/// In two parts, so that this file does not find itself.
const ALLOW: [&str; 2] = [concat!("#[", "allow("), concat!("#![", "allow(")];

pub(super) fn check(sources: &[Source], findings: &mut Findings) {
    let mut sizes = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".rs")) {
        let size = Size::of(source);
        check_one(source, &size, findings);
        if !size.is_test_file {
            sizes.push(size.code);
        }
    }
    let (p50, p90) = (percentile(&mut sizes, 50), percentile(&mut sizes, 90));
    findings.figure(format!(
        "rust files: {} without tests, lines p50 {p50} (at most {MAX_P50}), p90 {p90} (at most \
         {MAX_P90}), longest {}",
        sizes.len(),
        sizes.last().unwrap_or(&0)
    ));
    for (name, found, limit) in [("half", p50, MAX_P50), ("90 %", p90, MAX_P90)] {
        if found > limit {
            findings.problem(
                "rust files",
                format!(
                    "{name} of them must be at most {limit} lines, now {found}: split the long ones"
                ),
            );
        }
    }
}

fn check_one(source: &Source, size: &Size, findings: &mut Findings) {
    let Source { path, text } = source;
    if !text.starts_with("//!") {
        findings.problem(
            path,
            "does not open with //! (what it owns, what it must not do)",
        );
    }
    if size.code > MAX_LINES {
        let lines = size.code;
        findings.problem(
            path,
            format!("{lines} lines, {MAX_LINES} at most: split it by idea"),
        );
    }
    if size.inline_tests > MAX_INLINE_TEST_LINES {
        let lines = size.inline_tests;
        findings.problem(
            path,
            format!("{lines} lines of tests inside: move them to tests.rs"),
        );
    }
    for (index, line) in text.lines().enumerate() {
        if ALLOW.iter().any(|allow| line.contains(allow)) {
            let place = format!("{path}:{}", index + 1);
            findings.problem(
                place,
                "use #[expect(…, reason = \"…\")], which ends by itself",
            );
        }
    }
    let names = path
        .split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part));
    for name in names.filter(|name| EMPTY_NAMES.contains(name)) {
        findings.problem(
            path,
            format!("`{name}` says nothing: name the idea it holds"),
        );
    }
}

struct Size {
    /// All lines, less the test module at the end.
    code: usize,
    inline_tests: usize,
    is_test_file: bool,
}

impl Size {
    fn of(source: &Source) -> Self {
        let all = source.text.lines().count();
        let mut parts = source.path.split('/').rev();
        let file = parts.next().unwrap_or_default();
        let is_test_file =
            file == "tests.rs" || parts.any(|folder| matches!(folder, "tests" | "benches"));
        let lines: Vec<&str> = source.text.lines().collect();
        let tests = lines.windows(3).position(|next| {
            next[0] == "#[cfg(test)]"
                && next[1..].iter().any(|line| line.starts_with("mod tests {"))
        });
        let inline_tests = tests.filter(|_| !is_test_file).map_or(0, |at| all - at);
        Size {
            code: all - inline_tests,
            inline_tests,
            is_test_file,
        }
    }
}

fn percentile(sizes: &mut [usize], percent: usize) -> usize {
    sizes.sort_unstable();
    let at = (sizes.len() * percent).div_ceil(100).saturating_sub(1);
    sizes.get(at).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&[source], &mut findings);
        findings.problems
    }

    #[test]
    fn a_small_file_with_a_head_is_fine() {
        assert!(problems("crates/model/src/ids.rs", "//! Ids.\nfn f() {}\n").is_empty());
    }

    #[test]
    fn missing_head_allow_and_empty_name_are_named_with_their_place() {
        let text = format!("fn f() {{}}\n{}dead_code)]\n", ALLOW[0]);
        let found = problems("crates/db/src/utils.rs", &text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("crates/db/src/utils.rs:2: use #[expect"))
        );
    }

    #[test]
    fn a_test_module_at_the_end_does_not_count_as_code() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// t\n".repeat(150));
        let text = format!("//! Head.\n{}{tests}", "// c\n".repeat(120));
        assert!(problems("a.rs", &text).is_empty());
        assert!(!problems("a.rs", &text.replace("mod tests", "mod other")).is_empty());
    }

    #[test]
    fn long_files_and_long_inline_tests_are_found() {
        let long = format!("//! Head.\n{}", "// c\n".repeat(MAX_LINES));
        assert!(problems("tests/a.rs", &long)[0].contains("601 lines"));
        let tests = format!(
            "//! Head.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            "// t\n".repeat(200)
        );
        assert!(problems("a.rs", &tests)[0].contains("lines of tests inside"));
    }

    #[test]
    fn percentile_takes_the_nearest_rank() {
        let mut sizes = [5, 1, 4, 2, 3, 9, 7, 8, 6, 10];
        assert_eq!(percentile(&mut sizes, 50), 5);
        assert_eq!(percentile(&mut sizes, 90), 9);
        assert_eq!(percentile(&mut [], 90), 0);
    }
}
