//! The runs that somebody watches here, and what wakes their feeds: the engine's news for runs that
//! are executed here, and one cheap query in a while for those that others execute.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak, atomic::AtomicUsize},
    time::Duration,
};

use runstone_engine::EventKind;
use runstone_model::ids::{ProjectId, RunId};
use tokio::sync::broadcast::error::RecvError;

use super::feed::Feed;
use crate::{App, outage};

/// How often other servers' runs are looked at.
const POLL: Duration = Duration::from_millis(250);
/// Runs of one look.
const SLICE: usize = 1000;

/// The watched runs.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    feeds: Mutex<HashMap<RunId, Weak<Feed>>>,
    /// Bytes of what is kept of all of them.
    bytes: Arc<AtomicUsize>,
}

impl Hub {
    /// Starts waking; ends when the server stops.
    pub(crate) fn start(app: &App) {
        tokio::spawn(listen(app.clone()));
        tokio::spawn(poll(app.clone()));
    }

    /// The feed of a run, shared by all who watch it. `head` is the newest entry known to the
    /// caller.
    pub(crate) fn feed(&self, project: ProjectId, run: RunId, head: u64) -> Arc<Feed> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&run).and_then(Weak::upgrade)
            && feed.project == project
        {
            return feed;
        }
        let feed = Arc::new(Feed::new(project, run, head, Arc::clone(&self.bytes)));
        feeds.insert(run, Arc::downgrade(&feed));
        feed
    }

    fn one(&self, run: RunId) -> Option<Arc<Feed>> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.get(&run).and_then(Weak::upgrade)
    }

    /// Those that somebody still watches; the others are forgotten.
    fn all(&self) -> Vec<Arc<Feed>> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|_, feed| feed.strong_count() > 0);
        feeds.values().filter_map(Weak::upgrade).collect()
    }
}

/// News of runs that are executed here.
async fn listen(app: App) {
    let mut news = app.engine.events();
    let mut stopping = app.stopping.subscribe();
    loop {
        let event = tokio::select! {
            event = news.recv() => event,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        match event {
            Ok(event) => {
                let EventKind::Committed { seq, .. } = event.kind else {
                    continue;
                };
                if let Some(feed) = app.hub.one(event.run) {
                    wake(&app, feed, seq);
                }
            }
            // Some news were lost; the next look finds what they told.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Runs that other servers execute.
async fn poll(app: App) {
    let mut stopping = app.stopping.subscribe();
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        look(&app).await;
    }
}

async fn look(app: &App) {
    let feeds = app.hub.all();
    for slice in feeds.chunks(SLICE) {
        let runs: Vec<RunId> = slice.iter().map(|feed| feed.run).collect();
        let heads = match app.store.journal_heads(&runs).await {
            Ok(heads) => heads,
            Err(error) => {
                outage::complain(&error, "watched runs cannot be looked at");
                return;
            }
        };
        let heads: HashMap<RunId, u64> = heads.into_iter().collect();
        for feed in slice {
            if let Some(head) = heads.get(&feed.run) {
                wake(app, Arc::clone(feed), *head);
            }
        }
    }
}

/// Has a feed read up to `until`, by one reader for each run, so that a slow one holds up no other
/// and none is there twice.
fn wake(app: &App, feed: Arc<Feed>, until: u64) {
    if !feed.want(until) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        let mut next = feed.wanted(false);
        while let Some(until) = next {
            let read = feed.catch_up(&app, until).await;
            // What could not be read now, the next look asks for again.
            next = feed.wanted(read.is_err() || feed.head() < until);
            if let Err(fault) = read {
                fault.log(None);
            }
        }
    });
}
