//! placeholder
pub mod servers;
