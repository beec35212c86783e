//! Runs that travel together: a few of them, then their snapshots, then their journals. A group is
//! small enough to be held in memory, however large the database.
use runstone_db::Value;
use uuid::Uuid;

use super::archive::rows_weight;

/// A group is closed at so many runs …
const RUNS: usize = 128;
/// … or so many bytes of them.
const BYTES: usize = 1 << 20;

/// A group that is being filled.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) ids: Vec<Uuid>,
    /// First and last ids of runs between which the database has no other run.
    pub(super) ranges: Vec<(Uuid, Uuid)>,
    last: Option<u64>,
    bytes: usize,
}

impl Group {
    /// Adds the run that is number `ordinal` of all runs.
    pub(super) fn add(&mut self, id: Uuid, ordinal: u64, row: Vec<Value>) {
        self.bytes += rows_weight(&row);
        self.ids.push(id);
        self.rows.push(row);
        match self.ranges.last_mut() {
            Some((_, end)) if self.last.map(|last| last + 1) == Some(ordinal) => *end = id,
            _ => self.ranges.push((id, id)),
        }
        self.last = Some(ordinal);
    }

    pub(super) fn is_full(&self) -> bool {
        self.ids.len() >= RUNS || self.bytes >= BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn neighbours_are_one_range_and_a_gap_begins_another() {
        let mut group = Group::default();
        for (ordinal, number) in [(4, 40), (5, 50), (6, 60), (9, 90), (11, 110), (12, 120)] {
            group.add(id(number), ordinal, vec![Value::Uuid(id(number))]);
        }
        let ranges = [(40, 60), (90, 90), (110, 120)];
        assert_eq!(group.ranges, ranges.map(|(a, b)| (id(a), id(b))));
        assert!(!group.is_full());
    }

    #[test]
    fn a_group_is_full_by_its_runs_or_by_their_bytes() {
        let mut group = Group::default();
        group.add(id(1), 1, vec![Value::Text("x".repeat(BYTES))]);
        assert!(group.is_full());
        let mut group = Group::default();
        for number in 0..RUNS as u64 {
            assert!(!group.is_full());
            group.add(id(number.into()), number, Vec::new());
        }
        assert!(group.is_full());
    }
}
