//! Group commit: the commits of all runs go through one queue, and each flush takes everything
//! that queued while the last one ran. No artificial delay. A run's commits are written in the
//! order in which they came; a caller is answered when its rows are durable.
mod flush;
mod meter;
mod settle;
mod work;

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use runstone_db::{Database, Dialect};
use runstone_model::ids::RunId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use work::Work;

pub use meter::CommitStats;

use crate::{Commit, Error, catalog::Catalog};

/// Flushes at the same time. SQLite has one writer: a second lane only splits the group in two and
/// doubles the flushes to the disk (measured: 0.6 of the throughput).
const LANES_SQLITE: usize = 1;
/// A server works on one flush while the next one gathers. With three the groups shrink to a
/// fifth and nothing is won.
const LANES_SERVER: usize = 2;
/// Rows of one flush, of all tables: beyond it a flush gets longer, not better.
const FLUSH_ROWS: usize = 512;
/// Bytes of one flush.
const FLUSH_BYTES: usize = 4 << 20;
/// What may wait in the queue, in KiB; who comes then waits before the queue.
const ROOM_KIB: u32 = 64 << 10;

/// Where flushes go.
#[derive(Debug)]
struct Sink {
    db: Database,
    sql: Arc<Catalog>,
    meter: meter::Meter,
}

impl Sink {
    /// Writes `works`, which are sorted by run, in one transaction.
    async fn flush(&self, works: &[Work]) -> Result<(), runstone_db::Error> {
        let began = Instant::now();
        let done = self.db.batch(flush::batch(&self.sql, works.iter())).await;
        self.meter.flushed(works.len(), began, done.is_err());
        done.map(|_| ())
    }
}

#[derive(Debug)]
struct Shared {
    sink: Sink,
    lanes: usize,
    room: Arc<Semaphore>,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Lanes at work.
    busy: usize,
    /// Runs of the flushes at work: their next commits must wait, or they could overtake.
    in_flight: HashSet<RunId>,
    /// Whether the last flush carried several commits.
    crowded: bool,
}

#[derive(Debug)]
struct Waiting {
    work: Work,
    answer: oneshot::Sender<Result<(), Error>>,
    _room: OwnedSemaphorePermit,
}

impl Queue {
    /// Whether a further lane would find something to write.
    fn has_work(&self) -> bool {
        self.waiting
            .iter()
            .any(|waiting| !self.in_flight.contains(&waiting.work.run))
    }

    /// Takes what the next flush writes.
    fn take(&mut self) -> Vec<Waiting> {
        let (mut count, mut bytes) = (0, 0);
        let mut taken: Vec<Waiting> = Vec::with_capacity(self.waiting.len().min(FLUSH_ROWS));
        let mut left = VecDeque::new();
        while let Some(next) = self.waiting.pop_front() {
            if self.in_flight.contains(&next.work.run) {
                left.push_back(next);
                continue;
            }
            count += next.work.count;
            bytes += next.work.bytes;
            if !taken.is_empty() && (count > FLUSH_ROWS || bytes > FLUSH_BYTES) {
                left.push_back(next);
                break;
            }
            taken.push(next);
        }
        left.append(&mut self.waiting);
        self.waiting = left;
        self.in_flight
            .extend(taken.iter().map(|waiting| waiting.work.run));
        self.crowded = taken.len() > 1;
        taken
    }
}

/// The queue's front door.
#[derive(Debug)]
pub(crate) struct Committer {
    shared: Arc<Shared>,
}

impl Committer {
    pub(crate) fn new(db: Database, sql: Arc<Catalog>) -> Self {
        let lanes = match db.dialect() {
            Dialect::Sqlite => LANES_SQLITE,
            Dialect::Postgres | Dialect::Mysql | Dialect::Mssql => LANES_SERVER,
        };
        let room = Arc::new(Semaphore::new(ROOM_KIB as usize));
        let queue = Mutex::new(Queue::default());
        Self {
            shared: Arc::new(Shared {
                sink: Sink {
                    db,
                    sql,
                    meter: meter::Meter::default(),
                },
                lanes,
                room,
                queue,
            }),
        }
    }

    /// What flushes carried so far, and what waits.
    pub(crate) fn stats(&self) -> CommitStats {
        let waiting = self.shared.lock().waiting.len();
        self.shared.sink.meter.stats(waiting)
    }

    /// Makes `commit` durable, or nothing of it.
    pub(crate) async fn commit(&self, commit: Commit) -> Result<(), Error> {
        let work = Work::new(commit).await?;
        if work.count == 0 {
            return Ok(());
        }
        let kib = u32::try_from(work.bytes / 1024)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let room = Arc::clone(&self.shared.room)
            .acquire_many_owned(kib.min(ROOM_KIB))
            .await
            .map_err(|_| stopped())?;
        match self.enter(work, room) {
            Entry::Direct { lane, work, _room } => lane.alone(work).await,
            Entry::Queued(answered) => answered.await.unwrap_or_else(|_| Err(stopped())),
        }
    }

    /// Chooses the way: straight to an idle store, else through the queue.
    fn enter(&self, work: Work, room: OwnedSemaphorePermit) -> Entry {
        let mut queue = self.shared.lock();
        if queue.busy == 0 && queue.waiting.is_empty() && !queue.crowded {
            queue.in_flight.insert(work.run);
            let lane = Lane::start(&self.shared, &mut queue);
            return Entry::Direct {
                lane,
                work,
                _room: room,
            };
        }
        let (answer, answered) = oneshot::channel();
        queue.waiting.push_back(Waiting {
            work,
            answer,
            _room: room,
        });
        if queue.busy < self.shared.lanes {
            let lane = Lane::start(&self.shared, &mut queue);
            drop(queue);
            tokio::spawn(lane.run());
        }
        Entry::Queued(answered)
    }
}

/// How a commit goes in.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for one match; a box would cost the shortest way an allocation"
)]
enum Entry {
    Direct {
        lane: Lane,
        work: Work,
        _room: OwnedSemaphorePermit,
    },
    Queued(oneshot::Receiver<Result<(), Error>>),
}

fn stopped() -> Error {
    Error::Unavailable("this process is ending; what became of the commit is not known".to_owned())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing under this lock panics half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to flush. Given back when dropped, however that comes about.
struct Lane {
    shared: Arc<Shared>,
    /// The runs of the flush at work.
    runs: Vec<RunId>,
    /// Whether it got to run at all: the runtime drops new tasks when it ends.
    ran: bool,
}

impl Lane {
    fn start(shared: &Arc<Shared>, queue: &mut Queue) -> Self {
        queue.busy += 1;
        Self {
            shared: Arc::clone(shared),
            runs: Vec::new(),
            ran: false,
        }
    }

    /// Writes one commit in the caller's own task: the shortest way for a store that is idle.
    async fn alone(mut self, work: Work) -> Result<(), Error> {
        self.ran = true;
        self.runs.push(work.run);
        let sink = &self.shared.sink;
        let works = [work];
        match sink.flush(&works).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let mut answers = settle::settle(sink, &works, error).await;
                let answer = answers.pop().unwrap_or_else(|| Err(stopped()));
                self.fail(&works, std::slice::from_ref(&answer));
                answer
            }
        }
    }

    /// Flushes until nothing is left.
    async fn run(mut self) {
        self.ran = true;
        loop {
            self.gather().await;
            let mut taken = self.next();
            if taken.is_empty() {
                return;
            }
            // Sorted, two flushes never wait for each other's rows; the order of a run's own
            // commits stays.
            taken.sort_by_key(|waiting| waiting.work.run);
            let (works, answers): (Vec<Work>, Vec<_>) = taken
                .into_iter()
                .map(|waiting| (waiting.work, waiting.answer))
                .unzip();
            let sink = &self.shared.sink;
            match sink.flush(&works).await {
                Ok(()) => {
                    for answer in answers {
                        let _ = answer.send(Ok(()));
                    }
                }
                Err(error) => {
                    let results = settle::settle(sink, &works, error).await;
                    self.fail(&works, &results);
                    for (answer, result) in answers.into_iter().zip(results) {
                        let _ = answer.send(result);
                    }
                }
            }
        }
    }

    /// Lets those whom the last flush answered hand in their next commits: as long as each pass of
    /// the runtime over its ready tasks brings more. Never waits for time to pass. Measured with
    /// 128 callers: without it flushes carry 64 commits, with one pass 78, with all of them 127.
    async fn gather(&self) {
        let mut before = self.shared.lock().waiting.len();
        while before < FLUSH_ROWS {
            tokio::task::yield_now().await;
            let now = self.shared.lock().waiting.len();
            if now <= before {
                return;
            }
            before = now;
        }
    }

    /// Ends one flush and takes the next.
    fn next(&mut self) -> Vec<Waiting> {
        let mut queue = self.shared.lock();
        for run in self.runs.drain(..) {
            queue.in_flight.remove(&run);
        }
        let taken = queue.take();
        self.runs
            .extend(taken.iter().map(|waiting| waiting.work.run));
        taken
    }

    /// Answers what waits for runs that just failed: written after a gap it would be worse than
    /// lost.
    fn fail(&self, works: &[Work], results: &[Result<(), Error>]) {
        let mut queue = self.shared.lock();
        for (work, result) in works.iter().zip(results) {
            let Err(error) = result else { continue };
            let waiting = std::mem::take(&mut queue.waiting);
            for next in waiting {
                if next.work.run == work.run && next.work.epoch <= work.epoch {
                    let _ = next.answer.send(Err(error.clone()));
                } else {
                    queue.waiting.push_back(next);
                }
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        for run in self.runs.drain(..) {
            queue.in_flight.remove(&run);
        }
        queue.busy -= 1;
        if self.ran
            && queue.busy < self.shared.lanes
            && queue.has_work()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let lane = Self::start(&self.shared, &mut queue);
            drop(queue);
            runtime.spawn(lane.run());
        }
    }
}
