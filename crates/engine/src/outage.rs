//! Whether this process waits for its database: told once however many runs wait, and once more when
//! the last of them goes on.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Who waits.
#[derive(Debug)]
pub(crate) struct Outage {
    waiting: Mutex<usize>,
    /// Why somebody waits; None while nobody does.
    why: watch::Sender<Option<Arc<str>>>,
}

impl Default for Outage {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            why: watch::Sender::new(None),
        }
    }
}

/// Somebody waits until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Outage);

impl Outage {
    /// Somebody begins to wait, for this reason.
    pub(crate) fn wait(&self, why: &str) -> Waiting<'_> {
        let mut waiting = self.lock();
        *waiting += 1;
        if *waiting == 1 {
            self.why.send_replace(Some(why.into()));
        }
        Waiting(self)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.why.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        *waiting = waiting.saturating_sub(1);
        if *waiting == 0 {
            self.0.why.send_replace(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_who_waits_is_told_of_and_the_last_who_goes_on() {
        let outage = Outage::default();
        let mut told = outage.watch();
        let mut news = || {
            let new = told.has_changed().unwrap_or_default();
            new.then(|| told.borrow_and_update().as_deref().map(str::to_owned))
        };
        let first = outage.wait("cut off");
        assert_eq!(news(), Some(Some("cut off".to_owned())));
        let second = outage.wait("no route");
        drop(first);
        assert_eq!(news(), None, "one still waits");
        drop(second);
        assert_eq!(news(), Some(None));
        let third = outage.wait("again");
        assert_eq!(news(), Some(Some("again".to_owned())));
        drop(third);
    }
}
