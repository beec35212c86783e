//! Journal entries: everything that ever happened to a run, in order. Turning them into rows is the
//! engine's job.
use std::sync::Arc;

use serde_json::Value;

use crate::{
    failure::Failure,
    flow::{EdgeIx, NodeIx},
    ids::ServerId,
    time::Timestamp,
};

/// The stable numbers of the entry kinds in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub enum Kind {
    /// A step ended well.
    StepCompleted = 1,
    /// A step failed for good.
    StepFailed = 2,
    /// A step was skipped by its `if`.
    StepSkipped = 3,
    /// An attempt failed, another will follow.
    AttemptFailed = 4,
    /// Another server took the run over.
    TakenOver = 5,
    /// The run ended well.
    RunCompleted = 6,
    /// The run failed.
    RunFailed = 7,
    /// The run was cancelled.
    RunCancelled = 8,
    /// The run goes on after it had failed or was cancelled.
    RunRetried = 9,
    /// A step has its result and waits for its time.
    Waiting = 10,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::StepCompleted,
        Self::StepFailed,
        Self::StepSkipped,
        Self::AttemptFailed,
        Self::TakenOver,
        Self::RunCompleted,
        Self::RunFailed,
        Self::RunCancelled,
        Self::RunRetried,
        Self::Waiting,
    ];

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i16 == number)
    }

    /// The name shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StepCompleted => "completed",
            Self::StepFailed => "failed",
            Self::StepSkipped => "skipped",
            Self::AttemptFailed => "attempt_failed",
            Self::TakenOver => "taken_over",
            Self::RunCompleted => "run_completed",
            Self::RunFailed => "run_failed",
            Self::RunCancelled => "run_cancelled",
            Self::RunRetried => "run_retried",
            Self::Waiting => "waiting",
        }
    }
}

/// One item of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemRef {
    /// From 0.
    pub index: u32,
    /// How many items the map has.
    pub total: u32,
}

/// Names a step: a start of a node, or one item of a map's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepRef {
    /// The node.
    pub node: NodeIx,
    /// Its start, from 1. With `join: each` the arrivals are numbered edge by edge.
    pub visit: u32,
    /// The item of a map.
    pub item: Option<ItemRef>,
}

/// The value of one state key in a patch.
#[derive(Clone, Debug, PartialEq)]
pub enum PatchValue {
    /// The value itself.
    Value(Arc<Value>),
    /// The part of the step's result at this path of members: stored once, in the result.
    Result(Box<[String]>),
}

impl PatchValue {
    /// The value, given the step's result.
    #[must_use]
    pub fn resolve(&self, result: &Arc<Value>) -> Arc<Value> {
        match self {
            Self::Value(value) => Arc::clone(value),
            Self::Result(path) if path.is_empty() => Arc::clone(result),
            Self::Result(path) => {
                let part = path
                    .iter()
                    .try_fold(&**result, |value, name| value.get(name));
                Arc::new(part.cloned().unwrap_or_default())
            }
        }
    }
}

/// A step that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDone {
    /// Which step.
    pub step: StepRef,
    /// The attempt that ended it, from 1; 0 when none was made (skipped, empty map).
    pub attempt: u32,
    /// When that attempt started.
    pub started_at: Timestamp,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// The result; null for a failed or skipped step.
    pub result: Arc<Value>,
    /// What it writes: (index in `Flow::state`, value).
    pub patch: Vec<(usize, PatchValue)>,
    /// The edges that fired; for a map on its last item.
    pub fired: Vec<EdgeIx>,
    /// Whether `if` skipped it.
    pub skipped: bool,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// A result that counts only from a time on: the attempt is over for whoever made it, and the step
/// ends when the time has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// The attempt, from 1.
    pub attempt: u32,
    /// When that attempt started.
    pub started_at: Timestamp,
    /// When the step ends; earlier when the node's time limit comes first.
    pub until: Timestamp,
    /// The result that it ends with.
    pub result: Arc<Value>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEnd {
    /// Well, with this output.
    Completed(Arc<Value>),
    /// With this failure.
    Failed(Failure),
    /// By a cancel, for this reason.
    Cancelled(String),
}

/// One journal entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A step is over. From running, to running.
    Step(Box<StepDone>),
    /// An attempt failed and another follows at `retry_at`. From running, to running.
    AttemptFailed {
        /// Which step.
        step: StepRef,
        /// When the attempt started.
        started_at: Timestamp,
        /// How long it took, in microseconds.
        duration_us: u64,
        /// Why; holds the attempt's number.
        failure: Failure,
        /// When the next attempt is due.
        retry_at: Timestamp,
    },
    /// An attempt has given its result, which counts from a later time on. From running, to
    /// running.
    Waiting {
        /// Which step.
        step: StepRef,
        /// What it waits for.
        wait: Wait,
    },
    /// Another server owns the run from here on. Changes nothing in the run.
    TakenOver {
        /// The new owner.
        server: ServerId,
        /// When.
        at: Timestamp,
    },
    /// The run goes on after its end, from where it stood after the entry `to`: what came between
    /// counts as not done. From failed or cancelled, to running.
    Retried {
        /// The last entry that stands.
        to: u64,
        /// When.
        at: Timestamp,
    },
    /// The run is over. From running, to a final status.
    Ended {
        /// How.
        end: RunEnd,
        /// When.
        at: Timestamp,
    },
}

impl Entry {
    /// The kind under which it is journaled.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Step(done) if done.skipped => Kind::StepSkipped,
            Self::Step(done) if done.failure.is_some() => Kind::StepFailed,
            Self::Step(_) => Kind::StepCompleted,
            Self::AttemptFailed { .. } => Kind::AttemptFailed,
            Self::Waiting { .. } => Kind::Waiting,
            Self::TakenOver { .. } => Kind::TakenOver,
            Self::Retried { .. } => Kind::RunRetried,
            Self::Ended {
                end: RunEnd::Completed(_),
                ..
            } => Kind::RunCompleted,
            Self::Ended {
                end: RunEnd::Failed(_),
                ..
            } => Kind::RunFailed,
            Self::Ended {
                end: RunEnd::Cancelled(_),
                ..
            } => Kind::RunCancelled,
        }
    }
}
