//! One watcher: follows a feed from its place on and hands events over through a small queue. A
//! watcher that does not take them for long is cut off.
use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::feed::{Event, Feed};
use crate::{Answer, App, Fault};

/// Events on their way to a watcher.
const QUEUE: usize = 8;

/// Starts following `feed` after the entry `after`. The queue ends after the run's last entry, when
/// the server stops, or when the watcher is too slow.
pub(crate) fn start(app: &App, feed: Arc<Feed>, after: u64) -> Answer<mpsc::Receiver<Event>> {
    let seat = Arc::clone(&app.seats).try_acquire_owned().map_err(|_| {
        let detail = "too many watchers are there already";
        Fault::new(runstone_api::Code::Overloaded, detail).retry_after(5)
    })?;
    let (sender, receiver) = mpsc::channel(QUEUE);
    app.metrics.watchers.add(1);
    let app = app.clone();
    tokio::spawn(async move {
        follow(&app, &feed, after, &sender, seat).await;
        app.metrics.watchers.add(-1);
    });
    Ok(receiver)
}

async fn follow(
    app: &App,
    feed: &Feed,
    mut after: u64,
    sender: &mpsc::Sender<Event>,
    _seat: OwnedSemaphorePermit,
) {
    let mut news = feed.news();
    let mut stopping = app.stopping.subscribe();
    let patience = Duration::from_millis(app.settings.limits.slow_watcher_ms);
    loop {
        let head = *news.borrow_and_update();
        let events = match feed.after(app, after).await {
            Ok(events) => events,
            Err(fault) => {
                fault.log(None);
                return; // the watcher comes back with its last place
            }
        };
        let idle = events.is_empty();
        for event in events {
            let (seq, last) = (event.seq, event.last);
            match sender.send_timeout(event, patience).await {
                Ok(()) => app.metrics.events.add(1),
                Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                    app.metrics.cut_off.add(1);
                    return;
                }
                Err(mpsc::error::SendTimeoutError::Closed(_)) => return,
            };
            after = seq;
            // A run that was gone on with has more after its end.
            if last && seq >= feed.head() {
                return;
            }
        }
        if !idle {
            continue;
        }
        // Who waits for a place beyond the end waits for nothing.
        if head.is_end && after >= head.seq {
            return;
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}
