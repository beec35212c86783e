//! Which archives have had their day. An archive that a kept one is an increment to is kept too,
//! however old.
use std::{collections::BTreeSet, time::Duration};

use runstone_model::time::Timestamp;
use uuid::Uuid;

use super::Archive;

/// What is kept. Without any rule, everything; an archive that one of the rules keeps is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many of the newest.
    pub newest: Option<usize>,
    /// Those younger than this.
    pub younger: Option<Duration>,
}

/// Those of `all` that nothing keeps, an increment before the one it is to: deleted in this order,
/// what is left can be restored at any moment.
#[must_use]
pub fn outdated(all: &[Archive], keep: Keep, now: Timestamp) -> Vec<Archive> {
    if keep == Keep::default() {
        return Vec::new();
    }
    let mut newest_first: Vec<&Archive> = all.iter().collect();
    newest_first.sort_by_key(|one| std::cmp::Reverse((one.header.created_at, one.header.id)));
    let mut kept: BTreeSet<Uuid> = BTreeSet::new();
    for (place, archive) in newest_first.iter().enumerate() {
        let among_newest = keep.newest.is_some_and(|count| place < count);
        let young = |age: Duration| {
            let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
            archive.header.created_at > now.0.saturating_sub(age)
        };
        if among_newest || keep.younger.is_some_and(young) {
            kept.insert(archive.header.id);
        }
    }
    let mut wanted: Vec<Uuid> = kept.iter().copied().collect();
    while let Some(id) = wanted.pop() {
        let parent = all
            .iter()
            .find(|one| one.header.id == id)
            .and_then(|one| one.header.parent);
        if let Some(parent) = parent
            && kept.insert(parent)
        {
            wanted.push(parent);
        }
    }
    newest_first.retain(|one| !kept.contains(&one.header.id));
    newest_first.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{super::chain::tests::archive, *};

    fn left(keep: Keep) -> Vec<u128> {
        // A full one, two increments to it, a full one, an increment to that.
        let all = [
            archive(1, None, 100),
            archive(2, Some(1), 200),
            archive(3, Some(2), 300),
            archive(4, None, 400),
            archive(5, Some(4), 500),
        ];
        let gone = outdated(&all, keep, Timestamp(600));
        let gone: Vec<Uuid> = gone.iter().map(|one| one.header.id).collect();
        assert!(gone.is_sorted_by(|a, b| a > b), "the newest go first");
        let left = all.iter().map(|one| one.header.id);
        left.filter(|id| !gone.contains(id))
            .map(|id| id.as_u128())
            .collect()
    }

    fn newest(count: usize) -> Keep {
        Keep {
            newest: Some(count),
            ..Keep::default()
        }
    }

    #[test]
    fn without_a_rule_everything_is_kept() {
        assert_eq!(left(Keep::default()), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn ancestors_of_what_is_kept_are_kept() {
        assert_eq!(left(newest(1)), [4, 5]);
        assert_eq!(left(newest(2)), [4, 5]);
        assert_eq!(left(newest(3)), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_one_rule_keeps_is_kept() {
        let younger = Some(Duration::from_micros(250));
        let keep = Keep {
            newest: Some(1),
            younger,
        };
        assert_eq!(left(keep), [4, 5]);
        let keep = Keep {
            newest: Some(0),
            younger: Some(Duration::from_micros(301)),
        };
        assert_eq!(
            left(keep),
            [1, 2, 3, 4, 5],
            "the increments' ancestors stay"
        );
        let keep = Keep {
            newest: None,
            younger: Some(Duration::ZERO),
        };
        assert_eq!(left(keep), [0_u128; 0]);
    }
}
