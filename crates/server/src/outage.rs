//! A database that goes away is one line in the log, and its return another, however many runs,
//! watchers and loops wait for it.
use runstone_store::Error;

use crate::App;

/// Logs every outage; ends when the server stops.
pub(crate) async fn tell(app: App) {
    let mut outages = app.engine.outages();
    let mut stopping = app.stopping.subscribe();
    let mut told = false;
    loop {
        tokio::select! {
            changed = outages.changed() => if changed.is_err() { return },
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let why = outages.borrow_and_update().clone();
        match why {
            Some(why) if !told => {
                tracing::error!(%why, "the database does not answer; runs wait for it");
                told = true;
            }
            None if told => {
                tracing::info!("the database answers again; runs go on");
                told = false;
            }
            Some(_) | None => {}
        }
    }
}

/// Logs what could not be done, in a whisper where the outage has been told of.
pub(crate) fn complain(error: &Error, what: &'static str) {
    match error {
        Error::Unavailable(_) => tracing::debug!(%error, "{what}"),
        Error::Fenced | Error::Corrupt { .. } | Error::Damaged(_) | Error::Other(_) => {
            tracing::warn!(%error, "{what}");
        }
    }
}
