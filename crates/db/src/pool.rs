//! The pool of connections that every server's driver uses: size, fair waiting, ages, a ping for
//! what has rested, the breaker, and numbers. A driver says how to connect and how to ping; what
//! it sends over a connection is its own business. Nothing that went half-way is ever put back.
use crate::{
    breaker::{Breaker, Health},
    database::PoolStats,
    error::{Class, Error},
    options::Options,
};
use deadpool::managed::{
    self, Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// A connection that rested for longer is asked for a sign of life before it is used.
const RESTED: Duration = Duration::from_secs(2);
/// How long that sign may take.
const PING: Duration = Duration::from_secs(2);
/// A connection lives up to this part shorter than allowed, so that those which were made at the
/// same time are not replaced at the same time.
const JITTER: f64 = 0.2;
/// Pauses while the server has no connection left for us.
const FULL_FIRST: Duration = Duration::from_millis(10);
const FULL_LONGEST: Duration = Duration::from_millis(500);

/// What a driver does for the pool.
pub(crate) trait Driver: fmt::Debug + Send + Sync + 'static {
    /// A connection. Dropping it must close it.
    type Conn: Send + 'static;

    /// Makes a connection, ready for statements. [`Class::Unavailable`] when there is no server
    /// (the breaker counts these), [`Class::Busy`] when the server has no connection left.
    fn connect(&self) -> impl Future<Output = Result<Self::Conn, Error>> + Send;

    /// Whether it is already known to be broken; must not wait.
    fn is_broken(&self, conn: &Self::Conn) -> bool;

    /// Asks for a sign of life. Dropped half-way, the connection is thrown away.
    fn ping(&self, conn: &mut Self::Conn) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Connections to one server. Clones share them.
pub(crate) struct Pool<D: Driver> {
    inner: managed::Pool<Keeper<D>>,
}

impl<D: Driver> Clone for Pool<D> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

struct Keeper<D> {
    driver: D,
    /// The URL without its password, for messages.
    shown: String,
    options: Options,
    breaker: Breaker,
    counts: Counts,
    started: Instant,
    /// Connections that were put back before this (microseconds since `started`) are not trusted.
    distrusted_us: AtomicU64,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    created: AtomicU64,
    reused: AtomicU64,
    wait_us: AtomicU64,
    wait_max_us: AtomicU64,
}

/// A connection and its times.
struct Held<C> {
    conn: C,
    dies: Option<Instant>,
    idle_since: Instant,
}

impl<D: Driver> Pool<D> {
    /// An empty pool. Must be called inside a runtime: old idle connections are closed in the
    /// background.
    pub(crate) fn new(driver: D, shown: String, options: &Options) -> Result<Self, Error> {
        let keeper = Keeper {
            driver,
            shown,
            options: options.clone(),
            breaker: Breaker::new(),
            counts: Counts::default(),
            started: Instant::now(),
            distrusted_us: AtomicU64::new(0),
        };
        let inner = managed::Pool::builder(keeper)
            .max_size(options.pool_size.max(1))
            // The one used last is the one used next: what is not needed grows old.
            .queue_mode(QueueMode::Lifo)
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|e| Error::other(format!("no pool of connections: {e}")))?;
        let pool = Self { inner };
        pool.close_old_ones();
        Ok(pool)
    }

    /// A connection, in the order of asking. Waits at most `acquire_timeout`, not at all while
    /// the server is known to be away.
    pub(crate) async fn lease(&self) -> Result<Lease<D>, Error> {
        let keeper = self.inner.manager();
        let (began, limit) = (Instant::now(), keeper.options.acquire_timeout);
        let mut pause = FULL_FIRST;
        loop {
            if let Some(away) = keeper.breaker.refuses()
                && self.inner.status().size == 0
                && !self.inner.is_closed()
            {
                return Err(away);
            }
            let timeouts = Timeouts {
                wait: Some(limit.saturating_sub(began.elapsed())),
                create: None,
                recycle: None,
            };
            match self.inner.timeout_get(&timeouts).await {
                Ok(object) => {
                    keeper.counts.waited(began.elapsed());
                    return Ok(Lease {
                        object: Some(object),
                    });
                }
                // Others use up the server's connections; one of ours may come back meanwhile.
                Err(PoolError::Backend(error)) if error.class == Class::Busy => {
                    if began.elapsed() + pause >= limit {
                        return Err(error);
                    }
                    sleep(pause.mul_f64(0.5 + 0.5 * rand::random::<f64>())).await;
                    pause = (pause * 2).min(FULL_LONGEST);
                }
                Err(error) => return Err(keeper.fault(error)),
            }
        }
    }

    /// How busy it is.
    pub(crate) fn stats(&self) -> PoolStats {
        let (status, counts) = (self.inner.status(), &self.inner.manager().counts);
        PoolStats {
            max: status.max_size,
            open: status.size,
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            waiting: status.waiting,
            ..counts.stats()
        }
    }

    /// Whether the server can be reached, as far as is known; asks nobody.
    pub(crate) fn health(&self) -> Health {
        Health {
            pool: self.stats(),
            ..self.inner.manager().breaker.health()
        }
    }

    /// Closes what is idle and refuses what comes; what is in use is closed when it comes back.
    pub(crate) fn close(&self) {
        self.inner.close();
    }

    fn close_old_ones(&self) {
        let options = &self.inner.manager().options;
        let ages = [options.idle_age, options.max_age];
        let Some(shortest) = ages.into_iter().filter(|age| !age.is_zero()).min() else {
            return;
        };
        let period = (shortest / 4).clamp(Duration::from_millis(20), Duration::from_secs(30));
        let pool = self.inner.weak();
        tokio::spawn(async move {
            loop {
                sleep(period).await;
                let Some(pool) = pool.upgrade() else { return };
                if pool.is_closed() {
                    return;
                }
                drop(retain_usable(&pool));
            }
        });
    }
}

/// Takes out what must not be used any more.
fn retain_usable<D: Driver>(pool: &managed::Pool<Keeper<D>>) -> Vec<Held<D::Conn>> {
    let (keeper, now) = (pool.manager(), Instant::now());
    pool.retain(|held, _| keeper.usable(held, now)).removed
}

impl<D: Driver> Keeper<D> {
    fn usable(&self, held: &Held<D::Conn>, now: Instant) -> bool {
        let idle = now.saturating_duration_since(held.idle_since);
        let limit = self.options.idle_age;
        self.micros(held.idle_since) >= self.distrusted_us.load(Ordering::Acquire)
            && (limit.is_zero() || idle < limit)
            && held.dies.is_none_or(|dies| now < dies)
            && !self.driver.is_broken(&held.conn)
    }

    fn micros(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// The server went away under a connection: all that rest now are likely dead too.
    fn distrust(&self) {
        let now = self.micros(Instant::now()).saturating_add(1);
        self.distrusted_us.fetch_max(now, Ordering::AcqRel);
    }

    fn fault(&self, error: PoolError<Error>) -> Error {
        match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => Error::closed(),
            PoolError::Timeout(_) => Error::new(
                Class::Busy,
                format!(
                    "all {} connections to {} were in use for {:?}; raise `pool_size` or \
                     `acquire_timeout_ms` in the URL",
                    self.options.pool_size.max(1),
                    self.shown,
                    self.options.acquire_timeout
                ),
            ),
            other => Error::other(format!("no connection to {}: {other}", self.shown)),
        }
    }
}

impl<D: Driver> Manager for Keeper<D> {
    type Type = Held<D::Conn>;
    type Error = Error;

    async fn create(&self) -> Result<Held<D::Conn>, Error> {
        let attempt = self.breaker.admit()?;
        // Boxed: it is large, and would make every future that may need a connection as large.
        let made = timeout(
            self.options.acquire_timeout,
            Box::pin(self.driver.connect()),
        )
        .await;
        let made = made.unwrap_or_else(|_| {
            Err(Error::new(
                Class::Unavailable,
                format!(
                    "no connection to {}: the server does not answer",
                    self.shown
                ),
            ))
        });
        attempt.ended(&made);
        let (conn, now, age) = (made?, Instant::now(), self.options.max_age);
        self.counts.created();
        let dies = (!age.is_zero())
            .then(|| now.checked_add(age.mul_f64(1.0 - JITTER * rand::random::<f64>())))
            .flatten();
        Ok(Held {
            conn,
            dies,
            idle_since: now,
        })
    }

    async fn recycle(&self, held: &mut Self::Type, _: &Metrics) -> RecycleResult<Error> {
        let now = Instant::now();
        if !self.usable(held, now) {
            return Err(RecycleError::message("old or broken"));
        }
        if now.saturating_duration_since(held.idle_since) >= RESTED {
            match timeout(PING, Box::pin(self.driver.ping(&mut held.conn))).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => {
                    self.distrust();
                    return Err(RecycleError::message("no sign of life"));
                }
            }
        }
        self.counts.reused();
        Ok(())
    }
}

impl Counts {
    /// One was made.
    pub(crate) fn created(&self) {
        self.created.fetch_add(1, Ordering::Relaxed);
    }

    /// One that was there was used.
    pub(crate) fn reused(&self) {
        self.reused.fetch_add(1, Ordering::Relaxed);
    }

    /// The numbers, with the sizes left empty.
    pub(crate) fn stats(&self) -> PoolStats {
        PoolStats {
            created: self.created.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            wait_us: self.wait_us.load(Ordering::Relaxed),
            wait_max_us: self.wait_max_us.load(Ordering::Relaxed),
            ..PoolStats::default()
        }
    }

    /// A caller waited so long.
    pub(crate) fn waited(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.wait_us.fetch_add(us, Ordering::Relaxed);
        self.wait_max_us.fetch_max(us, Ordering::Relaxed);
    }
}

/// A connection out of the pool. Unless it is kept or settled it is thrown away, so that a caller
/// who drops a future half-way leaves no open transaction behind.
pub(crate) struct Lease<D: Driver> {
    object: Option<Object<Keeper<D>>>,
}

impl<D: Driver> Lease<D> {
    /// The connection.
    pub(crate) fn conn(&self) -> &D::Conn {
        let object = self.object.as_ref();
        &object.expect("it is taken in keep and drop only").conn
    }

    /// The connection, for drivers whose calls change it.
    pub(crate) fn conn_mut(&mut self) -> &mut D::Conn {
        let object = self.object.as_mut();
        &mut object.expect("it is taken in keep and drop only").conn
    }

    /// Puts it back.
    pub(crate) fn keep(mut self) {
        if let Some(mut object) = self.object.take() {
            object.idle_since = Instant::now();
        }
    }

    /// Puts it back, unless the work on it ended in a way that makes its state unknown. When the
    /// server went away, what rests in the pool is thrown away as well.
    pub(crate) fn settle<T>(self, done: &Result<T, Error>) {
        match done.as_ref().map_err(|error| error.class) {
            Err(Class::Gone | Class::Unavailable) => self.gone(),
            Err(Class::Timeout) => drop(self),
            Ok(_) | Err(_) => self.keep(),
        }
    }

    fn gone(mut self) {
        let Some(object) = self.object.take() else {
            return;
        };
        let pool = Object::pool(&object);
        drop(Object::take(object));
        if let Some(pool) = pool {
            pool.manager().distrust();
            drop(retain_usable(&pool));
        }
    }
}

impl<D: Driver> Drop for Lease<D> {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

impl<D: Driver> fmt::Debug for Pool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("shown", &self.inner.manager().shown)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl<D: Driver> fmt::Debug for Lease<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
