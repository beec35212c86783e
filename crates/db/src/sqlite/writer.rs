//! The one writing connection. Work runs on the calling thread when the connection is free and
//! the work is small, because waking two threads would cost more than the flush itself; else it
//! queues for the writer's own thread. Nothing that was accepted is ever dropped half-way.
use super::{open::Link, work};
use crate::{
    database::PoolStats,
    error::{Class, Error},
    pool::Counts,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// After a write that took longer than this the next one is queued: a slow disk must not keep the
/// callers' threads.
const SLOW: Duration = Duration::from_millis(10);

enum Job {
    Work(Box<dyn FnOnce(&Link) + Send>, Instant),
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Job>,
}

struct Shared {
    /// None once closed.
    link: Mutex<Option<Link>>,
    /// Jobs that are queued or running on the writer's thread.
    queued: AtomicUsize,
    /// How long the last write took.
    last_us: AtomicU64,
    counts: Counts,
}

impl Writer {
    pub(super) fn start(link: Link) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            link: Mutex::new(Some(link)),
            queued: AtomicUsize::new(0),
            last_us: AtomicU64::new(0),
            counts: Counts::default(),
        });
        shared.counts.created();
        let (queue, jobs) = mpsc::channel();
        let own = Arc::clone(&shared);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || own.serve(&jobs))
            .map_err(|e| Error::other(format!("no thread for the SQLite writer: {e}")))?;
        Ok(Self { shared, queue })
    }

    /// Runs `work` on the writing connection. `work` must leave no transaction open, and must
    /// have changed nothing when it answers [`Class::Busy`]: then it is run once more.
    pub(super) async fn run<T, W>(&self, small: bool, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Link) -> Result<T, Error> + Send + 'static,
    {
        if small && let Some(done) = self.shared.inline(&work) {
            return done;
        }
        let (answer, answered) = oneshot::channel();
        self.queue(Box::new(move |link| {
            let done = link.in_place().and_then(|()| {
                link.wait_for_locks(true)?;
                link.limited();
                work(link)
            });
            // The caller may have gone away; the work is done all the same.
            let _ = answer.send(done);
        }))?;
        answered.await.unwrap_or_else(|_| Err(Error::closed()))
    }

    /// Hands the connection to `job` on the writer's thread.
    pub(super) fn queue(&self, job: Box<dyn FnOnce(&Link) + Send>) -> Result<(), Error> {
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        let job = Job::Work(job, Instant::now());
        self.queue.send(job).map_err(|_| Error::closed())
    }

    pub(super) fn stats(&self) -> PoolStats {
        let waiting = self.shared.queued.load(Ordering::Acquire);
        let (open, idle) = match self.shared.link.try_lock() {
            Ok(link) => (usize::from(link.is_some()), usize::from(link.is_some())),
            Err(_) => (1, 0),
        };
        PoolStats {
            max: 1,
            open,
            in_use: open - idle,
            idle,
            waiting: waiting.saturating_sub(1 - idle.min(1)),
            ..self.shared.counts.stats()
        }
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Job::Close(done)).is_ok() {
            let _ = closed.await;
        }
    }
}

impl Shared {
    /// Runs `work` here and now, or answers None: the connection is taken, others wait for it,
    /// another process holds the lock, or the disk is slow.
    fn inline<T>(&self, work: &impl Fn(&Link) -> Result<T, Error>) -> Option<Result<T, Error>> {
        if self.queued.load(Ordering::Acquire) > 0
            || Duration::from_micros(self.last_us.load(Ordering::Relaxed)) > SLOW
        {
            return None;
        }
        let guard = match self.link.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let Some(link) = guard.as_ref() else {
            return Some(Err(Error::closed()));
        };
        self.counts.reused();
        let started = Instant::now();
        let done = link.in_place().and_then(|()| {
            link.wait_for_locks(false)?;
            link.limited();
            work(link)
        });
        self.took(started);
        match done {
            Err(error) if error.class == Class::Busy => None,
            done => Some(done),
        }
    }

    fn took(&self, started: Instant) {
        let us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_us.store(us, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Link>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let mut guard = self.lock();
            match (job, guard.as_ref()) {
                (Job::Work(job, queued), Some(link)) => {
                    let started = Instant::now();
                    self.counts.reused();
                    self.counts
                        .waited(started.saturating_duration_since(queued));
                    // A panic drops the job's answer, so its caller gets an error; the connection
                    // goes on serving the others.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(link)));
                    work::rollback(link);
                    self.took(started);
                    self.queued.fetch_sub(1, Ordering::AcqRel);
                }
                (Job::Close(done), _) => {
                    *guard = None;
                    let _ = done.send(());
                    return;
                }
                (Job::Work(..), None) => return,
            }
        }
        // The last handle is gone.
        *self.lock() = None;
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
