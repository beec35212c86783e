//! What went wrong with a step or a run, as data: it is journaled, shown and branched on.
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kind of trouble; `retry.on` names these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The other side could not be reached or the connection broke.
    Network,
    /// Something took longer than its limit.
    Timeout,
    /// The other side asked to slow down.
    RateLimit,
    /// Input, output or a patch does not fit its schema or type.
    Validation,
    /// The other side answered with an error of its own.
    Dependency,
    /// The flow asked for something that makes no sense (an assertion, an expression).
    Logic,
    /// A setting or a secret is missing or wrong.
    Configuration,
    /// A limit on size, memory, steps or time was reached.
    Resource,
    /// Cancelled before it ended.
    Cancelled,
}

impl Class {
    /// Every class, in the order the documents list them.
    pub const ALL: [Self; 9] = [
        Self::Network,
        Self::Timeout,
        Self::RateLimit,
        Self::Validation,
        Self::Dependency,
        Self::Logic,
        Self::Configuration,
        Self::Resource,
        Self::Cancelled,
    ];

    /// The name used in flow files and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::RateLimit => "rate_limit",
            Self::Validation => "validation",
            Self::Dependency => "dependency",
            Self::Logic => "logic",
            Self::Configuration => "configuration",
            Self::Resource => "resource",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether trying again may help when a flow does not say otherwise.
    #[must_use]
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::Network | Self::Timeout | Self::RateLimit | Self::Dependency
        )
    }
}

/// A failure as journaled with a step or a run and put in scope as `error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code, e.g. `dead_end`, `write_conflict`, `node_failed`, `expression`.
    pub code: String,
    /// The kind of trouble.
    pub class: Class,
    /// One plain sentence that says what happened and, where known, what to do.
    pub message: String,
    /// The chain of causes, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The node it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The attempt it happened in, from 1; 0 when no attempt was made.
    #[serde(default)]
    pub attempt: u32,
    /// Whether another attempt may help.
    #[serde(default)]
    pub retryable: bool,
    /// How long the other side asked to wait before another attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure with the class's own idea of whether a retry may help.
    pub fn new(code: impl Into<String>, class: Class, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            class,
            message: message.into(),
            causes: Vec::new(),
            node: None,
            attempt: 0,
            retryable: class.retryable(),
            retry_after_ms: None,
        }
    }

    /// An attempt that reached the time limit of its node.
    #[must_use]
    pub fn timed_out(limit: Duration) -> Self {
        let message = format!("took longer than its timeout of {limit:?}");
        Self::new("node_failed", Class::Timeout, message)
    }

    /// The same failure, named as happening in `node`.
    #[must_use]
    pub fn in_node(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }
}
