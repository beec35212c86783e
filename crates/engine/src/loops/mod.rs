//! Background loops: each is a `run_once` that takes no input, is safe to run twice and gives a
//! report; the driver owns ticking, backoff and shutdown.
mod claim;
mod driver;
mod heartbeat;

pub use claim::{Claim, ClaimReport};
pub use driver::Loops;
pub use heartbeat::{Heartbeat, HeartbeatReport};
