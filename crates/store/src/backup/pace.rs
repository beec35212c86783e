//! How many rows to ask for next, so that a page stays small whatever its rows hold.
use runstone_db::Value;

use super::archive::rows_weight;

/// The first page: rows may be large.
const FIRST: usize = 8;
/// Bytes that a page is held to.
const BYTES: usize = 1 << 20;

/// A number of rows that follows their size.
#[derive(Debug)]
pub(super) struct Pace {
    rows: usize,
    most: usize,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        Self {
            rows: FIRST.min(most),
            most,
        }
    }

    /// How many rows to ask for.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The same as a parameter.
    pub(super) fn limit(&self) -> Value {
        Value::Int(i64::try_from(self.rows).unwrap_or(1))
    }

    /// Notes what a page held.
    pub(super) fn took(&mut self, rows: &[Vec<Value>]) {
        let bytes: usize = rows.iter().map(|row| rows_weight(row)).sum();
        if bytes > BYTES {
            self.rows = (self.rows / 4).max(1);
        } else if bytes < BYTES / 4 {
            self.rows = (self.rows * 2).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_with_small_rows_and_shrink_with_large_ones() {
        let mut pace = Pace::new(100);
        let small = vec![vec![Value::Null]];
        for want in [8, 16, 32, 64, 100, 100] {
            assert_eq!(pace.rows(), want);
            pace.took(&small);
        }
        let large = vec![vec![Value::Text("x".repeat(BYTES + 1))]];
        for want in [100, 25, 6, 1, 1] {
            assert_eq!(pace.rows(), want);
            pace.took(&large);
        }
    }
}
