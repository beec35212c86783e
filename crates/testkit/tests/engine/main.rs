//! The engine on real databases: clocks that jump, nodes that misbehave, runs that are large.
#![expect(clippy::unwrap_used, reason = "tests")]
mod clock;
mod harness;
mod large;
mod nodes;
mod outage;
mod parking;
mod retry;
