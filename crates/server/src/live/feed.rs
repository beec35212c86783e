//! One watched run: the end of its journal, read once for all its watchers. Who is further behind
//! reads the database.
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use runstone_model::ids::{ProjectId, RunId};
use runstone_store::StoredRow;
use tokio::sync::watch;

use super::step;
use crate::{Answer, App};

/// Entries kept of a watched run.
const TAIL: usize = 512;
/// Entries read at a time.
const PAGE: u32 = 200;

/// One entry as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its place in the journal.
    pub(crate) seq: u64,
    /// The kind's name.
    pub(crate) kind: &'static str,
    /// The entry as JSON.
    pub(crate) data: Arc<str>,
    /// Whether nothing comes after it.
    pub(crate) last: bool,
}

/// A run that somebody watches.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) project: ProjectId,
    pub(crate) run: RunId,
    tail: Mutex<VecDeque<Event>>,
    /// The newest entry that is in the tail.
    head: watch::Sender<u64>,
    /// Only one reads the database for all.
    reading: tokio::sync::Mutex<()>,
}

/// Rows as events.
pub(crate) fn events(rows: &[StoredRow]) -> Vec<Event> {
    rows.iter()
        .map(|row| {
            let step = step::read(row, step::Size::Small);
            let data = serde_json::to_string(&step).unwrap_or_default();
            Event {
                seq: row.row.seq,
                kind: step::kind(row),
                data: data.into(),
                last: step::is_end(row),
            }
        })
        .collect()
}

impl Feed {
    /// A feed whose tail begins after the entry `head`.
    pub(crate) fn new(project: ProjectId, run: RunId, head: u64) -> Self {
        Self {
            project,
            run,
            tail: Mutex::default(),
            head: watch::channel(head).0,
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// The newest entry that is known.
    pub(crate) fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Tells when there are newer ones.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Reads what was added to the journal, up to `until` at least when it is there.
    pub(crate) async fn catch_up(&self, app: &App, until: u64) -> Answer<()> {
        let _reading = self.reading.lock().await;
        while self.head() < until {
            let from = (self.head(), PAGE);
            let rows = app
                .store
                .project_journal(self.project, self.run, from, false)
                .await?;
            let new = events(&rows);
            let Some(newest) = new.last().map(|event| event.seq) else {
                break;
            };
            {
                let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend(new);
                let over = tail.len().saturating_sub(TAIL);
                tail.drain(..over);
            }
            self.head.send_replace(newest);
        }
        Ok(())
    }

    /// What comes after the entry `after`: from the tail, or from the database for who is further
    /// behind. Empty when nothing does.
    pub(crate) async fn after(&self, app: &App, after: u64) -> Answer<Vec<Event>> {
        let head = self.head();
        if after >= head {
            return Ok(Vec::new());
        }
        {
            let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            if tail.front().is_some_and(|first| first.seq <= after + 1) {
                let new = tail.iter().filter(|event| event.seq > after);
                return Ok(new.take(PAGE as usize).cloned().collect());
            }
        }
        let rows = app
            .store
            .project_journal(self.project, self.run, (after, PAGE), false)
            .await?;
        Ok(events(&rows))
    }
}
