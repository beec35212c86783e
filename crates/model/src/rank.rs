//! Order statistics of measured values, by nearest rank: always a value that was measured, and the
//! same on every machine. The store's sums of agents use the same rule in SQL.

/// The smallest of `sorted` values that at least `percent` in a hundred of them do not exceed; None
/// of none.
#[must_use]
pub fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_value_that_was_measured() {
        let twenty: Vec<i64> = (1..=20).collect();
        assert_eq!(nearest_rank(&twenty, 50), Some(10));
        assert_eq!(nearest_rank(&twenty, 95), Some(19));
        assert_eq!(nearest_rank(&twenty, 100), Some(20));
        assert_eq!(nearest_rank(&twenty, 0), Some(1));
        assert_eq!(nearest_rank(&[7], 95), Some(7));
        assert_eq!(nearest_rank(&[1, 2], 50), Some(1));
        assert_eq!(nearest_rank(&[], 50), None);
    }
}
