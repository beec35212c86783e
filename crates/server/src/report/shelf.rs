//! The reports that are kept in this process, bounded in number and in bytes, and the gates at which
//! callers of one missing report wait for the one who computes it. Knows nothing of what makes a
//! report void but its age.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;

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
    pub(super) at: Instant,
    /// The same, among arrivals and computations.
    pub(super) turn: u64,
    /// Where its project stood then.
    pub(super) standing: Standing,
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
    pub(super) fn find(&self, key: ReportKey, lifetime: Duration) -> Option<Kept> {
        let places = self.places();
        let kept = places.all.get(&key)?.kept.as_ref()?;
        (kept.at.elapsed() < lifetime).then(|| kept.clone())
    }

    /// Where callers wait for who computes it.
    pub(super) fn gate(&self, key: ReportKey) -> Arc<tokio::sync::Mutex<()>> {
        let mut places = self.places();
        if !places.all.contains_key(&key) {
            places.insert(key, Place::default());
            places.shrink(Duration::MAX);
        }
        let place = places.all.get(&key);
        place.map(|place| Arc::clone(&place.gate)).unwrap_or_default()
    }

    /// Keeps a report; what is older than `lifetime`, and what there is no room for, goes.
    pub(super) fn keep(&self, key: ReportKey, kept: Kept, lifetime: Duration) {
        let mut places = self.places();
        let mut place = places.remove(&key).unwrap_or_default();
        place.kept = Some(kept);
        places.insert(key, place);
        places.shrink(lifetime);
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

    fn is_full(&self) -> bool {
        self.all.len() > MOST || self.bytes > MOST_BYTES
    }

    /// Makes room, when there is too little: first what nobody can use any more, then the oldest.
    fn shrink(&mut self, lifetime: Duration) {
        if !self.is_full() {
            return;
        }
        let useless = |place: &Place| match &place.kept {
            Some(kept) => kept.at.elapsed() >= lifetime,
            None => Arc::strong_count(&place.gate) == 1,
        };
        let age = |place: &Place| place.kept.as_ref().map(|kept| kept.at);
        let mut order: Vec<(bool, Option<Instant>, ReportKey)> = self
            .all
            .iter()
            .map(|(key, place)| (!useless(place), age(place), *key))
            .collect();
        order.sort_unstable_by_key(|(useful, at, _)| (*useful, at.is_none(), *at));
        for (useful, _, key) in order {
            if useful && !self.is_full() {
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

    fn kept(bytes: usize) -> Kept {
        Kept {
            body: vec![b' '; bytes].into(),
            at: Instant::now(),
            turn: 0,
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
        for number in 0..3000 {
            shelf.keep(key(number), kept(1), LONG);
        }
        assert_eq!(shelf.places().all.len(), MOST);
        assert!(shelf.find(key(0), LONG).is_none());
        assert!(shelf.find(key(2999), LONG).is_some());
        for number in 0..100 {
            shelf.keep(key(number), kept(1 << 20), LONG);
            assert!(shelf.bytes() <= MOST_BYTES);
        }
        assert!(shelf.find(key(99), LONG).is_some());
        let counted: usize = shelf.places().all.values().map(Place::bytes).sum();
        assert_eq!(shelf.bytes(), counted);
    }

    #[test]
    fn what_is_too_old_is_not_found() {
        let shelf = Shelf::default();
        shelf.keep(key(1), kept(1), LONG);
        assert!(shelf.find(key(1), Duration::ZERO).is_none());
        assert!(shelf.find(key(2), LONG).is_none());
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
