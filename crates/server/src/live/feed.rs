//! One watched run: the end of its journal, read once for all its watchers. Who is further behind
//! reads the database. What is kept is bounded in bytes, for one run and for all.
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use runstone_model::ids::{ProjectId, RunId};
use runstone_store::{StoredRow, Walk};
use tokio::sync::watch;

use super::step;
use crate::{Answer, App};

/// Entries kept of a watched run.
const TAIL: usize = 512;
/// Bytes kept of a watched run.
const TAIL_BYTES: usize = 256 << 10;
/// Bytes kept of all watched runs.
const ALL_BYTES: usize = 64 << 20;
/// Bytes of what one watcher is handed at a time, after which it comes again; one entry at least.
const HANDED_BYTES: usize = 256 << 10;
/// Entries read at a time for all watchers.
const PAGE: u32 = 200;
/// Entries read at a time for one watcher.
const OWN_PAGE: u32 = 64;

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
    tail: Mutex<Tail>,
    /// The newest entry that is in the tail.
    head: watch::Sender<Head>,
    /// Only one reads the database for all.
    reading: tokio::sync::Mutex<()>,
    wanted: Mutex<Wanted>,
}

/// How far the journal was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The newest entry.
    pub(crate) seq: u64,
    /// Nothing comes after it.
    pub(crate) is_end: bool,
}

/// How far the feed is to be read, and whether somebody does.
#[derive(Debug, Default)]
struct Wanted {
    until: u64,
    taken: bool,
}

/// The newest entries.
#[derive(Debug)]
struct Tail {
    events: VecDeque<Event>,
    bytes: usize,
    /// Of the tails of all runs.
    all: Arc<AtomicUsize>,
}

impl Tail {
    fn push(&mut self, event: Event) {
        self.bytes += event.data.len();
        self.all.fetch_add(event.data.len(), Ordering::Relaxed);
        self.events.push_back(event);
        while self.events.len() > TAIL
            || self.bytes > TAIL_BYTES
            || (self.all.load(Ordering::Relaxed) > ALL_BYTES && !self.events.is_empty())
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.bytes -= oldest.data.len();
            self.all.fetch_sub(oldest.data.len(), Ordering::Relaxed);
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The first of `events`, as many as are handed over at a time.
fn handed(events: impl Iterator<Item = Event>) -> Vec<Event> {
    let mut left = HANDED_BYTES;
    let fits = events.take_while(|event| {
        let fits = left > 0;
        left = left.saturating_sub(event.data.len());
        fits
    });
    fits.take(OWN_PAGE as usize).collect()
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
    /// `all` counts the bytes of all tails.
    pub(crate) fn new(project: ProjectId, run: RunId, head: u64, all: Arc<AtomicUsize>) -> Self {
        Self {
            project,
            run,
            tail: Mutex::new(Tail {
                events: VecDeque::new(),
                bytes: 0,
                all,
            }),
            head: watch::channel(Head {
                seq: head,
                is_end: false,
            })
            .0,
            reading: tokio::sync::Mutex::default(),
            wanted: Mutex::default(),
        }
    }

    /// The newest entry that is known.
    pub(crate) fn head(&self) -> u64 {
        self.head.borrow().seq
    }

    /// Tells when there are newer ones.
    pub(crate) fn news(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Asks for all up to `until`. True when the caller is the one to read it, as [`Feed::wanted`]
    /// says from then on.
    pub(crate) fn want(&self, until: u64) -> bool {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.until = wanted.until.max(until);
        let take = !wanted.taken && wanted.until > self.head();
        wanted.taken |= take;
        take
    }

    /// How far to read; None when that is done or `gives_up`, and somebody else may be the one.
    pub(crate) fn wanted(&self, gives_up: bool) -> Option<u64> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.taken = !gives_up && wanted.until > self.head();
        wanted.taken.then_some(wanted.until)
    }

    /// Reads what was added to the journal, up to `until` at least when it is there.
    pub(crate) async fn catch_up(&self, app: &App, until: u64) -> Answer<()> {
        let _reading = self.reading.lock().await;
        while self.head() < until {
            let from = Walk::after(self.head(), PAGE);
            let rows = app
                .store
                .project_journal(self.project, self.run, &from, false)
                .await?;
            let new = events(&rows);
            let Some(newest) = new.last().map(|event| Head {
                seq: event.seq,
                is_end: event.last,
            }) else {
                break;
            };
            {
                let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
                new.into_iter().for_each(|event| tail.push(event));
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
            let first = tail.events.front().map(|first| first.seq);
            if first.is_some_and(|first| first <= after + 1) {
                let new = tail.events.iter().filter(|event| event.seq > after);
                return Ok(handed(new.cloned()));
            }
        }
        let rows = app
            .store
            .project_journal(self.project, self.run, &Walk::after(after, OWN_PAGE), false)
            .await?;
        Ok(handed(events(&rows).into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use runstone_model::ids::{ProjectId, RunId};
    use uuid::Uuid;

    use super::*;

    fn event(seq: u64, bytes: usize) -> Event {
        Event {
            seq,
            kind: "step_completed",
            data: "x".repeat(bytes).into(),
            last: false,
        }
    }

    fn feed(all: &Arc<AtomicUsize>) -> Feed {
        let run = RunId(Uuid::from_u128(1));
        Feed::new(ProjectId::DEFAULT, run, 0, Arc::clone(all))
    }

    #[test]
    fn what_is_kept_of_watched_runs_is_bounded_in_bytes_and_given_back() {
        let all = Arc::new(AtomicUsize::new(0));
        let feeds: Vec<Feed> = (0..300).map(|_| feed(&all)).collect();
        for feed in &feeds {
            let mut tail = feed.tail.lock().unwrap_or_else(PoisonError::into_inner);
            for seq in 1..=100 {
                tail.push(event(seq, 16 << 10));
            }
            assert!(tail.bytes <= TAIL_BYTES);
            assert!(all.load(Ordering::Relaxed) <= ALL_BYTES);
        }
        let of_first = feeds[0].tail.lock().map(|tail| tail.events.len());
        assert_eq!(of_first.ok(), Some(TAIL_BYTES / (16 << 10)));
        drop(feeds);
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_watcher_is_handed_a_little_at_a_time_and_one_entry_at_least() {
        let handed_seqs = |bytes| {
            let all = (1..=1000).map(|seq| event(seq, bytes));
            handed(all).iter().map(|event| event.seq).max()
        };
        assert_eq!(handed_seqs(1), Some(u64::from(OWN_PAGE)));
        assert_eq!(handed_seqs(HANDED_BYTES / 4), Some(4));
        assert_eq!(handed_seqs(HANDED_BYTES * 4), Some(1));
    }
}
