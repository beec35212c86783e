//! Going on with a run that has failed or was cancelled: from which of its entries on, and how a
//! journal with such a turn is folded. The entries that are gone back over stay in the journal; the
//! fold counts them and leaves out what they did.
use std::collections::VecDeque;

use super::{
    Status,
    entry::{Entry, RunEnd},
    state::RunState,
};
use crate::{failure::Failure, time::Timestamp};

/// The code of the failure of a run that took too long.
pub(super) const DEADLINE: &str = "deadline";
/// Entries that one retry goes back over: the run's end, and the step that brought it about.
const MOST: usize = 2;

/// Why a run cannot be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRetry {
    /// It has not ended.
    #[error("the run has not ended")]
    NotEnded,
    /// It ended well.
    #[error("the run has completed")]
    Completed,
}

/// The entry by which a run goes on whose journal ends in `last`, at `seq`, with `before` in front of
/// it. A run that was cancelled, or was out of time, goes on where it stood. One that failed goes on
/// before the step that made it fail: that step runs again, with all of its attempts.
pub fn retry(
    before: Option<&Entry>,
    last: &Entry,
    seq: u64,
    now: Timestamp,
) -> Result<Entry, NoRetry> {
    let Entry::Ended { end, .. } = last else {
        return Err(NoRetry::NotEnded);
    };
    let step_too = match end {
        RunEnd::Completed(_) => return Err(NoRetry::Completed),
        RunEnd::Cancelled(_) => false,
        RunEnd::Failed(failure) => !is_deadline(failure) && matches!(before, Some(Entry::Step(_))),
    };
    let back = 1 + u64::from(step_too);
    Ok(Entry::Retried {
        to: seq.saturating_sub(back),
        at: now,
    })
}

fn is_deadline(failure: &Failure) -> bool {
    failure.code == DEADLINE
}

/// Folds a journal that may have gone back. The last entries are held until it is known that they
/// stand.
#[derive(Clone, Debug)]
pub struct Replay {
    state: RunState,
    held: VecDeque<Entry>,
}

impl Replay {
    /// Goes on from `state`.
    #[must_use]
    pub fn new(state: RunState) -> Self {
        Self {
            state,
            held: VecDeque::with_capacity(MOST + 1),
        }
    }

    /// The last entry that was taken in.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.state.seq() + self.held.len() as u64
    }

    /// Takes in the next entry. Total, as [`RunState::apply`] is.
    pub fn push(&mut self, entry: Entry) {
        let Entry::Retried { to, .. } = &entry else {
            self.held.push_back(entry);
            if self.held.len() > MOST {
                self.apply_first();
            }
            return;
        };
        let to = *to;
        while self.state.seq() < to && !self.held.is_empty() {
            self.apply_first();
        }
        for undone in self.held.drain(..) {
            self.state.pass(&undone);
        }
        self.state.apply(&entry);
    }

    fn apply_first(&mut self) {
        if let Some(entry) = self.held.pop_front() {
            self.state.apply(&entry);
            // Nobody carries them out; a long journal would pile them up.
            self.state.effects.clear();
        }
    }

    /// The run with everything folded in.
    #[must_use]
    pub fn end(mut self) -> RunState {
        while !self.held.is_empty() {
            self.apply_first();
        }
        self.state
    }
}

impl RunState {
    /// Counts an entry that a later one goes back over.
    fn pass(&mut self, undone: &Entry) {
        self.seq += 1;
        let Entry::Step(done) = undone else {
            return;
        };
        self.committed += 1;
        // It runs again: what it had given, and waited with, was what failed.
        if let Some(active) = self.started(done.step) {
            active.waits.clear();
        }
    }

    /// The run goes on: whatever is started gets all of its attempts again.
    pub(super) fn retried(&mut self) {
        // An end that is not gone back over stays one: this entry cannot come from this program.
        if self.status != Status::Running {
            return;
        }
        for active in &mut self.active {
            active.attempts.clear();
        }
    }
}
