//! The runs that are live in this process, and how they are told things.
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use runstone_model::ids::RunId;
use tokio::sync::mpsc;

use crate::run::control::Control;

/// The live runs.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<HashMap<RunId, One>>);

#[derive(Debug)]
struct One {
    tell: mpsc::UnboundedSender<Control>,
    /// It was claimed anew before it had left: whoever lets it go has to go on with it.
    wanted: bool,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, One>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn has(&self, run: RunId) -> bool {
        self.lock().contains_key(&run)
    }

    /// Notes a run as live; `None` when it is already.
    pub(crate) fn enter(&self, run: RunId) -> Option<mpsc::UnboundedReceiver<Control>> {
        self.enter_as(run, false)
    }

    /// The same for a run that was just claimed: when it is live, that is how its earlier owner, which
    /// is on its way out. It is gone on with when it has left.
    pub(crate) fn enter_claimed(&self, run: RunId) -> Option<mpsc::UnboundedReceiver<Control>> {
        self.enter_as(run, true)
    }

    fn enter_as(&self, run: RunId, claimed: bool) -> Option<mpsc::UnboundedReceiver<Control>> {
        match self.lock().entry(run) {
            Entry::Occupied(mut there) => {
                there.get_mut().wanted |= claimed;
                None
            }
            Entry::Vacant(slot) => {
                let (tell, told) = mpsc::unbounded_channel();
                let wanted = false;
                slot.insert(One { tell, wanted });
                Some(told)
            }
        }
    }

    /// The run is not live any more, and is told nothing from now on. True when it was claimed
    /// meanwhile.
    pub(crate) fn leave(&self, run: RunId) -> bool {
        self.lock().remove(&run).is_some_and(|one| one.wanted)
    }

    /// Tells a live run something; false when it is not live here.
    pub(crate) fn tell(&self, run: RunId, control: Control) -> bool {
        self.lock()
            .get(&run)
            .is_some_and(|one| one.tell.send(control).is_ok())
    }
}
