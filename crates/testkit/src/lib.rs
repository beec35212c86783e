//! What tests are made of: the in-memory oracle, stores that fail by seed, random flows, the seeded
//! simulation of the engine, the conformance suite of stores. Only ever a dev-dependency.
#[cfg(feature = "runs")]
pub mod differential;
#[cfg(feature = "runs")]
pub mod faults;
#[cfg(feature = "runs")]
pub mod oracle;
#[cfg(feature = "runs")]
pub mod random;
pub mod servers;
#[cfg(feature = "runs")]
pub mod sim;
