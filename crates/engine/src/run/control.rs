//! What can be said to a live run from outside.

/// A message to a live run. A run is told at most a few of these in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// End it as cancelled.
    Cancel {
        /// Why, for people.
        reason: String,
    },
}
