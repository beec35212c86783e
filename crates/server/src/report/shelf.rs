//! The reports that are kept in this process, bounded in number and in bytes, and the gates at which
//! callers of one missing report wait for the one who computes it. Knows nothing of what makes a
//! report void but its age.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use runstone_model::time::Timestamp;

use super::{ReportKey, Standing};

/// Reports at most.
const MOST: usize = 1024;
/// Bytes of all of them at most.
const MOST_BYTES: usize = 32 << 20;
/// What one takes besides its body.
const OVERHEAD: usize = 256;

/// A report that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The answer as JSON.
    pub(super) body: Bytes,
    /// When its computation began.
    pub(super) at: Timestamp,
    /// The same, among arrivals and computations.
    pub(super) turn: u64,
    /// Where its project stood then.
    pub(super) standing: Standing,
}

impl Kept {
    /// How old it is; None when that is more than `lifetime`, or when the clock was set back.
    pub(super) fn age(&self, now: Timestamp, lifetime: Duration) -> Option<Duration> {
        let us = u64::try_from(now.0.saturating_sub(self.at.0)).ok()?;
        let age = Duration::from_micros(us);
        (age < lifetime).then_some(age)
    }
}

/// One report's place, also while it is only being computed.
#[derive(Debug, Default)]
struct Place {
    gate: Arc<tokio::sync::Mutex<()>>,
    kept: Option<Kept>,
}

impl Place {
    fn bytes(&self) -> usize {
        OVERHEAD + self.kept.as_ref().map_or(0, |kept| kept.body.len())
    }
}

#[derive(Debug, Default)]
struct Places {
    all: HashMap<ReportKey, Place>,
    bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Places>);

impl Shelf {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report, when it is not older than `lifetime`.
    pub(super) fn find(&self, key: ReportKey, now: Timestamp, lifetime: Duration) -> Option<Kept> {
        let places = self.places();
        let kept = places.all.get(&key)?.kept.as_ref()?;
        kept.age(now, lifetime).map(|_| kept.clone())
    }

    /// Where callers wait for who computes it.
    pub(super) fn gate(&self, key: ReportKey) -> Arc<tokio::sync::Mutex<()>> {
        let mut places = self.places();
        if !places.all.contains_key(&key) {
            places.insert(key, Place::default());
            places.shrink(None);
        }
        let place = places.all.get(&key);
        place
            .map(|place| Arc::clone(&place.gate))
            .unwrap_or_default()
    }

    /// Keeps a report; what is older than `lifetime`, and what there is no room for, goes.
    pub(super) fn keep(&self, key: ReportKey, kept: Kept, lifetime: Duration) {
        let mut places = self.places();
        let now = kept.at;
        let mut place = places.remove(&key).unwrap_or_default();
        place.kept = Some(kept);
        places.insert(key, place);
        places.shrink(Some((now, lifetime)));
    }

    /// What is kept, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.places().bytes
    }
}

impl Places {
    fn insert(&mut self, key: ReportKey, place: Place) {
        self.bytes += place.bytes();
        self.all.insert(key, place);
    }

    fn remove(&mut self, key: &ReportKey) -> Option<Place> {
        let place = self.all.remove(key)?;
        self.bytes -= place.bytes();
        Some(place)
    }

    fn is_over(&self, reports: usize, bytes: usize) -> bool {
        self.all.len() > reports || self.bytes > bytes
    }

    /// Makes room, when there is too little: first what nobody can use any more, then what was
    /// computed first, until an eighth is free, so that this is done seldom.
    fn shrink(&mut self, by: Option<(Timestamp, Duration)>) {
        if !self.is_over(MOST, MOST_BYTES) {
            return;
        }
        let useless = |place: &Place| match &place.kept {
            Some(kept) => by
                .is_some_and(|(now, lifetime)| kept.at <= now && kept.age(now, lifetime).is_none()),
            None => Arc::strong_count(&place.gate) == 1,
        };
        // What is being computed goes last.
        let turn = |place: &Place| place.kept.as_ref().map_or(u64::MAX, |kept| kept.turn);
        let mut order: Vec<(bool, u64, ReportKey)> = self
            .all
            .iter()
            .map(|(key, place)| (!useless(place), turn(place), *key))
            .collect();
        order.sort_unstable_by_key(|(useful, turn, _)| (*useful, *turn));
        for (useful, _, key) in order {
            if useful && !self.is_over(MOST / 8 * 7, MOST_BYTES / 8 * 7) {
                return;
            }
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use runstone_model::ids::ProjectId;
    use uuid::Uuid;

    use super::*;

    fn key(number: u128) -> ReportKey {
        ReportKey {
            project: ProjectId(Uuid::from_u128(number)),
            of: [0; 32],
        }
    }

    fn kept(bytes: usize, turn: u64) -> Kept {
        Kept {
            body: vec![b' '; bytes].into(),
            at: Timestamp(10),
            turn,
            standing: Standing {
                here: 0,
                everywhere: None,
            },
        }
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn it_holds_so_many_reports_and_bytes_and_the_oldest_go() {
        let shelf = Shelf::default();
        let found = |number| shelf.find(key(number), Timestamp(10), LONG).is_some();
        for number in 0..3000 {
            shelf.keep(key(number.into()), kept(1, number), LONG);
            assert!(shelf.places().all.len() <= MOST);
        }
        assert!(!found(0) && !found(1500) && found(2500) && found(2999));
        for number in 0..100 {
            shelf.keep(key(number.into()), kept(1 << 20, 3000 + number), LONG);
            assert!(shelf.bytes() <= MOST_BYTES);
        }
        assert!(!found(0) && found(90) && found(99));
        let counted: usize = shelf.places().all.values().map(Place::bytes).sum();
        assert_eq!(shelf.bytes(), counted);
    }

    #[test]
    fn what_is_too_old_is_not_found() {
        let shelf = Shelf::default();
        shelf.keep(key(1), kept(1, 10), LONG);
        let found = |key, now| {
            shelf
                .find(key, Timestamp(now), Duration::from_micros(5))
                .is_some()
        };
        assert!(found(key(1), 10) && found(key(1), 14));
        assert!(!found(key(1), 15), "too old");
        assert!(!found(key(1), 9), "the clock was set back");
        assert!(!found(key(2), 10));
    }

    #[test]
    fn places_of_reports_that_were_never_made_go_too() {
        let shelf = Shelf::default();
        let held = shelf.gate(key(0));
        for number in 1..5000 {
            drop(shelf.gate(key(number)));
        }
        assert!(shelf.places().all.len() <= MOST);
        let again = shelf.gate(key(0));
        assert!(Arc::ptr_eq(&held, &again), "who computes keeps the gate");
    }
}
