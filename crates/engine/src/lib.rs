//! Runs flows: use-cases, the executor, background loops and the node registry. Decisions are the
//! model's, storage is the store's; this crate carries out effects. Embeddable: `Engine::new` with
//! a store and a registry is all a program needs. No HTTP, no SQL, no driver.
mod clock;
mod engine;
mod error;
mod event;
mod flows;
mod live;
pub mod loops;
pub mod node;
mod outage;
mod registry;
pub mod run;
mod tally;
mod wakes;

pub use clock::{Clock, Ids, RealIds, SystemClock};
pub use engine::{Engine, Options};
pub use error::{Error, FlowError, InputError};
pub use event::{Event, EventKind};
pub use flows::PinnedFlow;
pub use registry::Registry;
pub use run::{RunHandle, RunResult, StartRun};
pub use tally::Done;
