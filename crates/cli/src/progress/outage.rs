//! The database goes away and comes back: a line each on stderr, however many runs wait for it.
use std::sync::Arc;

use runstone_engine::Engine;
use tokio::sync::watch;

use crate::print::{self, plain};

/// It is back.
pub(super) const OVER: &str = "the database answers again";

/// It is away.
pub(super) fn begun(why: &str) -> String {
    format!("the database does not answer, waiting: {}", plain(why))
}

/// Tells of every outage for as long as the engine lives.
pub(crate) fn tell(engine: &Engine) {
    tokio::spawn(follow(engine.outages()));
}

async fn follow(mut outages: watch::Receiver<Option<Arc<str>>>) {
    let mut told = false;
    while outages.changed().await.is_ok() {
        let why = outages.borrow_and_update().clone();
        match why {
            Some(why) if !told => {
                print::note(&format!("! {}", begun(&why)));
                told = true;
            }
            None if told => {
                print::note(OVER);
                told = false;
            }
            Some(_) | None => {}
        }
    }
}
