//! Keeps the first findings of each check and counts the others: a million of one kind tell no
//! more than twenty, and do not fit into memory.
use std::collections::BTreeMap;

use super::{Finding, Severity};

/// Findings of one check that are told one by one.
const MOST: u64 = 20;

#[derive(Default)]
pub(super) struct Book {
    told: Vec<Finding>,
    counts: BTreeMap<&'static str, Count>,
}

#[derive(Default)]
struct Count {
    all: u64,
    more: u64,
    fixed: u64,
    severity: Option<Severity>,
    mend: String,
}

impl Book {
    pub(super) fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.check).or_default();
        count.all += 1;
        if count.all <= MOST {
            self.told.push(finding);
            return;
        }
        count.more += 1;
        count.fixed += u64::from(finding.fixed.is_some());
        count.severity = count.severity.max(Some(finding.severity));
        count.mend = finding.mend;
    }

    pub(super) fn has(&self, check: &str) -> bool {
        self.counts.contains_key(check)
    }

    /// All that was told, and for each check how many more there were.
    pub(super) fn close(self) -> Vec<Finding> {
        let mut told = self.told;
        for (check, count) in self.counts {
            let Some(severity) = count.severity else {
                continue;
            };
            let all_fixed = count.fixed == count.more;
            told.push(Finding {
                check,
                severity,
                message: format!("and {} more like these", count.more),
                mend: count.mend,
                fixed: all_fixed.then(|| format!("the same was done about {}", count.fixed)),
            });
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(fixed: bool) -> Finding {
        Finding {
            check: "some",
            severity: Severity::Warning,
            message: "m".to_owned(),
            mend: "mend it".to_owned(),
            fixed: fixed.then(|| "done".to_owned()),
        }
    }

    #[test]
    fn beyond_twenty_findings_are_counted() {
        let mut book = Book::default();
        (0..20).for_each(|_| book.add(finding(false)));
        assert_eq!(book.close().len(), 20);
        for fixed in [true, false] {
            let mut book = Book::default();
            (0..123).for_each(|n| book.add(finding(fixed || n != 50)));
            let told = book.close();
            assert_eq!(told.len(), 21);
            assert_eq!(told[20].message, "and 103 more like these");
            assert_eq!(told[20].mend, "mend it");
            assert_eq!(told[20].is_open(), !fixed, "one of them is open still");
        }
    }
}
