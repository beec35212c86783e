//! What is so while an engine takes a run, by a start or a claim: which runs are claimed by their id
//! just now, and what is put right when that does not come to its end. Must not claim anything.
use std::sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering};

use runstone_model::ids::RunId;
use tokio::sync::mpsc::UnboundedReceiver;

use super::control::Control;
use crate::engine::Inner;

/// Runs that are this server's already, or will be in a moment, without being live in it yet. Some
/// of them twice.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<Vec<RunId>>);

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, Vec<RunId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has(&self, run: RunId) -> bool {
        self.lock().contains(&run)
    }
}

/// A start or a claim. Dropped before its outcome is known, as by an error or by who does not wait
/// for it, it makes the engine look for runs that it owns without knowing.
pub(super) struct Taking<'a> {
    inner: &'a Inner,
    only: Option<RunId>,
    /// Noted as live, and executed by nobody yet.
    entered: Option<RunId>,
    known: bool,
}

impl<'a> Taking<'a> {
    /// `only` is what is claimed by its id.
    pub(super) fn begin(inner: &'a Inner, only: Option<RunId>) -> Self {
        if let Some(run) = only {
            inner.taking.lock().push(run);
        }
        Self {
            inner,
            only,
            entered: None,
            known: false,
        }
    }

    /// Notes a new run as live; `None` when it is already.
    pub(super) fn enter(&mut self, run: RunId) -> Option<UnboundedReceiver<Control>> {
        let control = self.inner.live.enter(run);
        self.entered = control.is_some().then_some(run);
        control
    }

    /// Notes a claimed run as live; `None` when its earlier owner here has not left yet.
    pub(super) fn enter_claimed(&mut self, run: RunId) -> Option<UnboundedReceiver<Control>> {
        let control = self.inner.live.enter_claimed(run);
        self.entered = control.is_some().then_some(run);
        control
    }

    /// The run that was entered is executed.
    pub(super) fn launched(&mut self) {
        self.entered = None;
    }

    /// The run that was entered does not go on here.
    pub(super) fn leave(&mut self) {
        if let Some(run) = self.entered.take() {
            self.inner.live.leave(run);
        }
    }

    /// Every run that was taken is live now, or is known not to go on here.
    pub(super) fn known(mut self) {
        self.known = true;
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.leave();
        if let Some(run) = self.only {
            let mut taking = self.inner.taking.lock();
            if let Some(at) = taking.iter().position(|other| *other == run) {
                taking.swap_remove(at);
            }
        }
        if !self.known {
            self.inner.suspect.store(true, Ordering::Relaxed);
        }
    }
}
