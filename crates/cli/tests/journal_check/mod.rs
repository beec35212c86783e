//! Reads a database after the kills: what is lost, doubled, stale or stuck.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::collections::{BTreeMap, BTreeSet};

use runstone_model::run::Kind;
use runstone_store::{OpenOptions, RunFilter, SqlStore, Store as _, StoredRow};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) runs: u64,
    pub(crate) rows: u64,
    /// Acknowledged rows that are not there.
    pub(crate) lost: u64,
    /// Steps whose result is there twice.
    pub(crate) twice: u64,
    /// Rows of an owner after those of its successor.
    pub(crate) stale: u64,
    /// Runs that were taken over.
    pub(crate) taken: u64,
    /// Runs that are not over, or not as they should be.
    pub(crate) stuck: u64,
}

/// Looks at every run of the database.
pub(crate) async fn check(url: &str, acks: &BTreeMap<String, u64>) -> Found {
    let options = OpenOptions {
        read_only: true,
        ..OpenOptions::default()
    };
    let store = SqlStore::open(url, options).await.unwrap();
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    let mut beyond = None;
    loop {
        let filter = RunFilter {
            beyond,
            limit: 500,
            ..RunFilter::default()
        };
        let page = store.runs(filter).await.unwrap();
        let Some(last) = page.last() else { break };
        beyond = Some(last.id);
        for record in page {
            let rows = store.journal(record.id, 0, 10_000).await.unwrap();
            let id = record.id.to_string();
            let acked = acks.get(&id).copied().unwrap_or(0);
            found.runs += 1;
            found.lost += acked.saturating_sub(rows.len() as u64);
            found.stuck += u64::from(record.output.as_deref() != Some("{\"n\":10}"));
            found.rows(&rows);
            seen.insert(id);
        }
    }
    found.lost += acks.keys().filter(|run| !seen.contains(*run)).count() as u64;
    found
}

impl Found {
    fn rows(&mut self, rows: &[StoredRow]) {
        self.rows += rows.len() as u64;
        let mut steps = BTreeSet::new();
        let mut epoch = 0;
        let mut taken = false;
        for (at, stored) in rows.iter().enumerate() {
            let row = &stored.row;
            assert_eq!(row.seq, at as u64 + 1, "a gap in a journal");
            taken |= row.kind == Kind::TakenOver as i16;
            if row.kind == Kind::StepCompleted as i16 {
                self.twice += u64::from(!steps.insert((row.node.clone(), row.visit, row.item)));
            }
            self.stale += u64::from(stored.epoch < epoch);
            epoch = epoch.max(stored.epoch);
        }
        self.taken += u64::from(taken);
    }
}
