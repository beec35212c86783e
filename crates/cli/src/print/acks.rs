//! `run seq` on stdout for every row as soon as it is durable: for tests that kill this process.
use std::io::Write as _;

use runstone_engine::{Event, EventKind};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Prints until the engine is gone or nobody reads.
pub(crate) fn print(mut events: Receiver<Event>) {
    let mut out = std::io::stdout().lock();
    loop {
        match events.blocking_recv() {
            Ok(event) => {
                let EventKind::Committed { seq, .. } = event.kind else {
                    continue;
                };
                // One write a line: what a killed process got out is whole.
                let line = format!("{} {seq}\n", event.run);
                if out.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
