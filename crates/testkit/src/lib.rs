//! What tests are made of: the in-memory oracle, stores that fail by seed, random flows, the seeded
//! simulation of the engine, the conformance suite of stores. Only ever a dev-dependency.
pub mod differential;
pub mod faults;
pub mod oracle;
pub mod random;
pub mod servers;
pub mod sim;
