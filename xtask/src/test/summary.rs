//! What ran where: suite × database with passed, failed and skipped, and the total as last line.

use std::collections::BTreeMap;

use super::junit::{Case, Outcome};

/// A test belongs to the database that is a word of its path.
const DATABASES: [(&str, &str); 4] = [
    ("sqlite", "SQLite"),
    ("postgres", "PostgreSQL"),
    ("mssql", "SQL Server"),
    ("mysql", "MySQL / MariaDB"),
];
/// Pure, or all databases inside one test.
pub(super) const NO_DATABASE: &str = "-";

#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub(super) struct Count {
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Count {
    /// From cargo test's `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub(super) fn of_result_line(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("test result: ")?;
        let number = |word: &str| -> Option<u32> {
            let before = rest.split(&format!(" {word};")).next()?;
            before.rsplit(' ').next()?.parse().ok()
        };
        Some(Count {
            passed: number("passed")?,
            failed: number("failed")?,
            skipped: number("ignored")?,
        })
    }

    fn add(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

#[derive(Default)]
pub(super) struct Summary {
    rows: BTreeMap<(String, &'static str), Count>,
    skipped: BTreeMap<String, u32>,
    not_run: Vec<String>,
}

impl Summary {
    pub(super) fn add_case(&mut self, case: &Case) {
        let count = match &case.outcome {
            Outcome::Passed => Count {
                passed: 1,
                ..Count::default()
            },
            Outcome::Failed => Count {
                failed: 1,
                ..Count::default()
            },
            Outcome::Skipped(reason) => {
                *self.skipped.entry(reason.clone()).or_default() += 1;
                Count {
                    skipped: 1,
                    ..Count::default()
                }
            }
        };
        let words = || {
            [&case.suite, &case.name]
                .into_iter()
                .flat_map(|path| path.split([':', '_']))
        };
        let named = DATABASES
            .iter()
            .find(|(word, _)| words().any(|part| part == *word));
        self.add(
            &case.suite,
            named.map_or(NO_DATABASE, |(_, name)| name),
            count,
        );
    }

    pub(super) fn add(&mut self, suite: &str, database: &'static str, count: Count) {
        self.rows
            .entry((suite.to_owned(), database))
            .or_default()
            .add(count);
    }

    pub(super) fn not_run(&mut self, what: &str, why: &str) {
        self.not_run.push(format!("{what}: {why}"));
    }

    pub(super) fn print(&self) {
        print!("{}", self.text());
    }

    fn text(&self) -> String {
        let width = self
            .rows
            .keys()
            .map(|(suite, _)| suite.len())
            .max()
            .unwrap_or(0)
            .max(5);
        let line = |suite: &str, database: &str, numbers: [&str; 3]| {
            let [passed, failed, skipped] = numbers;
            format!("{suite:width$}  {database:15}  {passed:>6}  {failed:>6}  {skipped:>7}\n")
        };
        let mut text = String::from("\n");
        text += &line("suite", "database", ["passed", "failed", "skipped"]);
        let mut total = Count::default();
        for ((suite, database), count) in &self.rows {
            let numbers = [count.passed, count.failed, count.skipped].map(|n| n.to_string());
            text += &line(suite, database, [&numbers[0], &numbers[1], &numbers[2]]);
            total.add(*count);
        }
        for (reason, count) in &self.skipped {
            text += &format!("\nSKIPPED {count} tests: {reason}\n");
        }
        for what in &self.not_run {
            text += &format!("\nNOT RUN on {what}\n");
        }
        let Count {
            passed,
            failed,
            skipped,
        } = total;
        text + &format!("\n{passed} passed, {failed} failed, {skipped} skipped\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(suite: &str, name: &str, outcome: Outcome) -> Case {
        Case {
            suite: suite.to_owned(),
            name: name.to_owned(),
            outcome,
        }
    }

    #[test]
    fn cargo_test_result_line_is_counted() {
        let line =
            "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 2 filtered out";
        let count = Count {
            passed: 12,
            failed: 3,
            skipped: 1,
        };
        assert_eq!(Count::of_result_line(line), Some(count));
        assert_eq!(Count::of_result_line("test a::b ... ok"), None);
    }

    #[test]
    fn table_has_one_row_a_suite_and_database_and_ends_with_the_total() {
        let mut summary = Summary::default();
        summary.add_case(&case(
            "store",
            "conformance::sqlite::claims",
            Outcome::Passed,
        ));
        summary.add_case(&case(
            "store",
            "conformance::postgres::claims",
            Outcome::Passed,
        ));
        summary.add_case(&case(
            "store",
            "conformance::postgres::fences",
            Outcome::Failed,
        ));
        summary.add_case(&case("model", "time::parses_sqlitely", Outcome::Passed));
        let why = Outcome::Skipped("no server".to_owned());
        summary.add_case(&case("store", "kill_on_postgres", why));
        summary.not_run("SQL Server", "not built yet");
        let expected = "
suite  database         passed  failed  skipped
model  -                     1       0        0
store  PostgreSQL            1       1        1
store  SQLite                1       0        0

SKIPPED 1 tests: no server

NOT RUN on SQL Server: not built yet

3 passed, 1 failed, 1 skipped
";
        assert_eq!(summary.text(), expected);
    }
}
