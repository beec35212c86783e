//! What tests are made of: the in-memory oracle, stores that fail by seed, random flows, the seeded
//! simulation of the engine, the servers there are and a proxy that misbehaves before them. Only ever a dev-dependency.
#[cfg(feature = "runs")]
pub mod differential;
#[cfg(feature = "runs")]
pub mod faults;
#[cfg(feature = "runs")]
pub mod oracle;
pub mod proxy;
#[cfg(feature = "runs")]
pub mod random;
pub mod servers;
#[cfg(feature = "runs")]
pub mod sim;
