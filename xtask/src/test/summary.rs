//! What ran where: one row a suite, one column a database, and the total as last line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::junit::{Case, Outcome};
use crate::servers::Kind;

/// Pure, or all databases inside one test.
pub(super) const NO_DATABASE: usize = 0;
const SQLITE: usize = 1;
/// A test belongs to the database that is a word of its path: the columns after the first.
const WORDS: [&str; COLUMNS - 1] = [
    "sqlite",
    "postgres13",
    "postgres",
    "postgres18",
    "mariadb",
    "mysql",
    "mssql",
];
const COLUMNS: usize = 8;
const WIDTH: usize = 10;

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

    fn of(outcome: &Outcome) -> Self {
        Count {
            passed: u32::from(*outcome == Outcome::Passed),
            failed: u32::from(*outcome == Outcome::Failed),
            skipped: u32::from(matches!(outcome, Outcome::Skipped(_))),
        }
    }

    fn add(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    fn cell(self) -> String {
        match self {
            Count {
                passed: 0,
                failed: 0,
                skipped: 0,
            } => String::new(),
            Count {
                passed,
                failed,
                skipped,
            } => format!("{passed}/{failed}/{skipped}"),
        }
    }
}

pub(super) struct Summary {
    heads: [[String; 2]; COLUMNS],
    rows: BTreeMap<String, [Count; COLUMNS]>,
    skipped: BTreeMap<String, u32>,
    left_out: BTreeMap<String, u32>,
    not_run: Vec<String>,
}

impl Summary {
    /// With the versions of the servers there are.
    pub(super) fn new(versions: &[(Kind, Option<&str>)]) -> Self {
        let mut heads = std::array::from_fn(|_| [String::new(), String::new()]);
        heads[NO_DATABASE] = ["no".to_owned(), "database".to_owned()];
        heads[SQLITE] = ["SQLite".to_owned(), "bundled".to_owned()];
        for kind in Kind::ALL {
            let found = versions.iter().find(|(found, _)| *found == kind);
            let version = match found {
                Some((_, Some(version))) => version,
                Some((_, None)) => "given",
                None => "not there",
            };
            if let Some(column) = column_of(kind.word()) {
                heads[column] = [kind.title().to_owned(), version.to_owned()];
            }
        }
        Self {
            heads,
            rows: BTreeMap::new(),
            skipped: BTreeMap::new(),
            left_out: BTreeMap::new(),
            not_run: Vec::new(),
        }
    }

    /// A row is a test program, or the part of one that runs on databases.
    pub(super) fn add_cases(&mut self, cases: Vec<Case>) {
        let with_database: BTreeSet<(String, String)> = cases
            .iter()
            .filter(|case| column(case) != NO_DATABASE)
            .map(|case| (case.suite.clone(), part(case).to_owned()))
            .collect();
        for case in cases {
            let (suite, part) = (case.suite.as_str(), part(&case).to_owned());
            let short = suite.strip_prefix("runstone-").unwrap_or(suite);
            let split =
                !part.is_empty() && with_database.contains(&(suite.to_owned(), part.clone()));
            let row = if split {
                format!("{short} {part}")
            } else {
                short.to_owned()
            };
            self.add(&row, column(&case), Count::of(&case.outcome));
            if let Outcome::Skipped(reason) = case.outcome {
                *self.skipped.entry(reason).or_default() += 1;
            }
            for what in case.left_out {
                *self.left_out.entry(what).or_default() += 1;
            }
        }
    }

    pub(super) fn add(&mut self, row: &str, column: usize, count: Count) {
        self.rows.entry(row.to_owned()).or_default()[column].add(count);
    }

    pub(super) fn not_run(&mut self, what: &str, why: &str) {
        self.not_run.push(format!("{what}: {why}"));
    }

    pub(super) fn print(&self) {
        print!("{}", self.text());
    }

    fn text(&self) -> String {
        let width = self.rows.keys().map(|row| row.chars().count()).max();
        let width = width.unwrap_or(0).max(5);
        let line = |name: &str, cells: [&str; COLUMNS]| {
            let mut line = format!("{name:width$}");
            for cell in cells {
                // Writing to a String cannot fail.
                let _ = write!(line, " {cell:>WIDTH$}");
            }
            line.trim_end().to_owned() + "\n"
        };
        let head = |at: usize| std::array::from_fn(|column| self.heads[column][at].as_str());
        let mut text = "\n".to_owned() + &line("", head(0)) + &line("suite", head(1));
        let mut totals = [Count::default(); COLUMNS];
        for (row, counts) in &self.rows {
            for (total, count) in totals.iter_mut().zip(counts) {
                total.add(*count);
            }
            let cells = counts.map(Count::cell);
            text += &line(row, std::array::from_fn(|column| cells[column].as_str()));
        }
        let cells = totals.map(Count::cell);
        text += &line("all", std::array::from_fn(|column| cells[column].as_str()));
        text += "\nA cell is passed/failed/skipped. Every server that was started has its default \
                 durability: each commit is on disk.\n";
        for (reason, count) in &self.skipped {
            let _ = write!(text, "\nSKIPPED {count} tests: {reason}\n");
        }
        for (what, count) in &self.left_out {
            let _ = write!(text, "\nLEFT OUT in {count} tests that ran: {what}\n");
        }
        for what in &self.not_run {
            let _ = write!(text, "\nNOT RUN on {what}\n");
        }
        let mut total = Count::default();
        totals.into_iter().for_each(|count| total.add(count));
        let Count {
            passed,
            failed,
            skipped,
        } = total;
        text + &format!("\n{passed} passed, {failed} failed, {skipped} skipped\n")
    }
}

fn column(case: &Case) -> usize {
    let words = [&case.suite, &case.name].into_iter();
    let mut words = words.flat_map(|path| path.split([':', '_']));
    words.find_map(column_of).unwrap_or(NO_DATABASE)
}

fn column_of(word: &str) -> Option<usize> {
    let at = WORDS.iter().position(|known| *known == word)?;
    Some(at + 1)
}

/// The first module of a test's path, unless that is a database or the test itself.
fn part(case: &Case) -> &str {
    match case.name.split_once("::") {
        Some((first, _)) if column_of(first).is_none() => first,
        _ => "",
    }
}

#[cfg(test)]
mod tests;
