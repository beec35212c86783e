//! The connections that only read: opened when needed, used on blocking threads, so that a long
//! scan keeps neither the writer nor the callers' threads.
use super::open::{self, Link, Place};
use crate::{
    database::PoolStats,
    error::{Class, Error},
    options::Options,
    pool::Counts,
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{sync::Semaphore, time};

pub(super) struct Readers {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

struct Shared {
    place: Arc<Place>,
    options: Options,
    idle: Mutex<Vec<Link>>,
    open: AtomicUsize,
    counts: Counts,
}

impl Readers {
    pub(super) fn new(place: Arc<Place>, options: Options) -> Self {
        let permits = Arc::new(Semaphore::new(options.readers.max(1)));
        let shared = Shared {
            place,
            options,
            idle: Mutex::default(),
            open: AtomicUsize::new(0),
            counts: Counts::default(),
        };
        Self {
            shared: Arc::new(shared),
            permits,
            waiting: AtomicUsize::new(0),
        }
    }

    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&Link) -> Result<T, Error> + Send + 'static,
    {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(tokio::sync::TryAcquireError::Closed) => return Err(Error::closed()),
            Err(tokio::sync::TryAcquireError::NoPermits) => {
                let _waiting = Waiting::new(&self.waiting);
                let limit = self.shared.options.acquire_timeout;
                let asked = time::Instant::now();
                let permits = Arc::clone(&self.permits);
                let permit = time::timeout(limit, permits.acquire_owned()).await;
                self.shared.counts.waited(asked.elapsed());
                match permit {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => return Err(Error::closed()),
                    Err(_) => {
                        return Err(Error::new(
                            Class::Busy,
                            format!("all SQLite readers were in use for {limit:?}"),
                        ));
                    }
                }
            }
        };
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || {
            // The permit goes back only after the connection has.
            let _permit = permit;
            let link = shared.take()?;
            link.limited();
            let done = work(&link);
            shared.lock().push(link);
            done
        });
        task.await
            .unwrap_or_else(|_| Err(Error::other("a read on SQLite was interrupted")))
    }

    pub(super) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.shared.place)
    }

    pub(super) fn stats(&self) -> PoolStats {
        let open = self.shared.open.load(Ordering::Relaxed);
        let idle = self.shared.lock().len();
        PoolStats {
            max: self.shared.options.readers.max(1),
            open,
            in_use: open.saturating_sub(idle),
            idle,
            waiting: self.waiting.load(Ordering::Relaxed),
            ..self.shared.counts.stats()
        }
    }

    /// Waits for what is running, refuses what comes.
    pub(super) async fn close(&self) {
        let all = u32::try_from(self.shared.options.readers.max(1)).unwrap_or(u32::MAX);
        let _running = self.permits.acquire_many(all).await;
        self.permits.close();
        self.shared.lock().clear();
        self.shared.open.store(0, Ordering::Relaxed);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Link, Error> {
        let idle = self.lock().pop();
        if let Some(link) = idle {
            self.counts.reused();
            return Ok(link);
        }
        let link = open::reader(&self.place, &self.options)?;
        self.open.fetch_add(1, Ordering::Relaxed);
        self.counts.created();
        Ok(link)
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
