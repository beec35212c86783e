//! A number for each project that rises with its writes on this server: a report computed under an
//! earlier one is void. Projects share a fixed number of places, so that they take no more room
//! however many there are; who shares one voids the other's reports too, which only costs time.
use std::sync::atomic::{AtomicU64, Ordering};

use runstone_model::ids::ProjectId;

/// How many places there are.
const PLACES: usize = 1 << 12;

#[derive(Debug)]
pub(super) struct Generations(Box<[AtomicU64]>);

impl Default for Generations {
    fn default() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Generations {
    fn place(&self, project: ProjectId) -> Option<&AtomicU64> {
        // The last bits of an id are random.
        let [.., high, low] = *project.0.as_bytes();
        self.0
            .get(usize::from(u16::from_be_bytes([high, low])) % PLACES)
    }

    /// Where the project stands.
    pub(super) fn of(&self, project: ProjectId) -> u64 {
        let place = self.place(project);
        place.map_or(0, |place| place.load(Ordering::SeqCst))
    }

    /// It was written in.
    pub(super) fn raise(&self, project: ProjectId) {
        if let Some(place) = self.place(project) {
            place.fetch_add(1, Ordering::SeqCst);
        }
    }
}
