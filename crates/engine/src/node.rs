//! The node trait: what a node kind is to the engine. Registering one from a user's own program
//! takes an `impl Node` and `Registry::add`.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use runstone_model::{
    failure::{Class, Failure},
    ids::RunId,
    time::Timestamp,
};
use serde_json::Value;

/// What a kind says of itself: used by validation, documentation and the scheduler.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The name used in `uses:`.
    pub name: &'static str,
    /// One line for `runstone` help and documents.
    pub summary: &'static str,
    /// JSON Schema of `with`; an object schema with `properties`, `required` and
    /// `additionalProperties: false` where the keys are fixed.
    pub with: Value,
    /// JSON Schema of the result.
    pub result: Value,
    /// Whether it changes something outside the run.
    pub side_effects: bool,
    /// Whether it only computes for a few microseconds and never waits: such a node is run in
    /// place instead of as a task of its own.
    pub instant: bool,
}

/// A node kind.
pub trait Node: Send + Sync + 'static {
    /// What it is.
    fn spec(&self) -> Spec;

    /// Does the work of one attempt. `with` is evaluated and fits the schema. The future may be
    /// dropped when the step is cancelled or times out.
    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>>;
}

/// What an attempt gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The result: kept in the journal, seen as `results.<node>`.
    pub result: Value,
    /// The step ends at this time and not before: what takes long by waiting holds no task, and is
    /// not begun again after a crash. Both are journaled; the node's `timeout` bounds the wait.
    pub until: Option<Timestamp>,
}

impl From<Value> for Outcome {
    fn from(result: Value) -> Self {
        let until = None;
        Self { result, until }
    }
}

impl Outcome {
    /// This result, at this time.
    #[must_use]
    pub fn at(until: Timestamp, result: Value) -> Self {
        let until = Some(until);
        Self { result, until }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct NodeError {
    /// The kind of trouble.
    pub class: Class,
    /// One plain sentence: what happened, and what to do if that is known.
    pub message: String,
    /// The chain of causes, outermost first.
    pub causes: Vec<String>,
    /// Whether another attempt may help; `None`: as the class says.
    pub retryable: Option<bool>,
    /// How long the other side asked to wait.
    pub retry_after: Option<Duration>,
}

impl NodeError {
    /// An error of `class`.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            causes: Vec::new(),
            retryable: None,
            retry_after: None,
        }
    }

    /// The failure to journal for `attempt`.
    #[must_use]
    pub fn into_failure(self, node: &str, attempt: u32) -> Failure {
        let mut failure = Failure::new("node_failed", self.class, self.message).in_node(node);
        failure.causes = self.causes;
        failure.attempt = attempt;
        failure.retryable = self.retryable.unwrap_or(self.class.retryable());
        failure.retry_after_ms = self
            .retry_after
            .map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        failure
    }
}

/// What an attempt may use.
#[derive(Clone, Debug)]
pub struct Context {
    /// The run.
    pub run: RunId,
    /// The node's name in the flow.
    pub node: Arc<str>,
    /// The start of the node, from 1.
    pub visit: u32,
    /// The item of a map.
    pub item: Option<u32>,
    /// The attempt, from 1.
    pub attempt: u32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// Made of run, node, visit and item: the same through retries, crashes and take-overs.
    pub idempotency_key: Arc<str>,
    /// Asks a long computation to stop.
    pub cancelled: Cancelled,
}

/// A flag that a long computation looks at from time to time.
#[derive(Clone, Debug, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// Whether to stop.
    #[must_use]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
