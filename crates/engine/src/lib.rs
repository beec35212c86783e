//! Runs flows.
pub mod node;
