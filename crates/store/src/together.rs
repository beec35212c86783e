//! Callers who want the same kind of thing at the same time share one statement: what comes while
//! the database is at work on the last one goes together into the next. There is no timer, so that
//! nobody waits for company. Knows no table; journals have their own way (`committer`).
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::BoxFuture;
use runstone_db::{Database, Dialect};
use tokio::sync::oneshot;

use crate::{Error, catalog::Catalog};

/// Callers who share a statement.
const MOST: usize = 256;
/// Statements at the same time on a server; SQLite has one writer, and answers at once.
const LANES_SERVER: usize = 2;
const LANES_SQLITE: usize = 1;

/// What is behind the statements.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) db: Database,
    pub(crate) sql: Arc<Catalog>,
}

/// Answers all keys, each at its place.
pub(crate) type Answer<K, V> = fn(Place, Vec<K>) -> BoxFuture<'static, Vec<Result<V, Error>>>;

/// One kind of thing that is asked for.
pub(crate) struct Together<K, V>(Arc<Shared<K, V>>);

struct Shared<K, V> {
    place: Place,
    answer: Answer<K, V>,
    lanes: usize,
    queue: Mutex<Queue<K, V>>,
}

struct Queue<K, V> {
    waiting: VecDeque<Waiting<K, V>>,
    /// Lanes at work.
    busy: usize,
}

struct Waiting<K, V> {
    key: K,
    answer: oneshot::Sender<Result<V, Error>>,
}

impl<K, V> Together<K, V>
where
    K: Send + 'static,
    V: Send + 'static,
{
    pub(crate) fn new(db: &Database, sql: &Arc<Catalog>, answer: Answer<K, V>) -> Self {
        let lanes = match db.dialect() {
            Dialect::Sqlite => LANES_SQLITE,
            Dialect::Postgres | Dialect::Mysql | Dialect::Mssql => LANES_SERVER,
        };
        let place = Place {
            db: db.clone(),
            sql: Arc::clone(sql),
        };
        let queue = Mutex::new(Queue {
            waiting: VecDeque::new(),
            busy: 0,
        });
        Self(Arc::new(Shared {
            place,
            answer,
            lanes,
            queue,
        }))
    }

    /// Asks with whoever asks now. Once begun it goes on to its end, even when the future returned
    /// here is dropped.
    pub(crate) async fn ask(&self, key: K) -> Result<V, Error> {
        let (answer, answered) = oneshot::channel();
        let lane = {
            let mut queue = self.0.lock();
            queue.waiting.push_back(Waiting { key, answer });
            (queue.busy < self.0.lanes).then(|| Lane::start(&self.0, &mut queue))
        };
        if let Some(lane) = lane {
            tokio::spawn(lane.run());
        }
        answered.await.unwrap_or_else(|_| {
            let detail = "this process is ending; what became of the request is not known";
            Err(Error::Unavailable(detail.to_owned()))
        })
    }
}

impl<K, V> Shared<K, V> {
    fn lock(&self) -> MutexGuard<'_, Queue<K, V>> {
        // Nothing under this lock panics half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to ask. Given back when dropped, however that comes about.
struct Lane<K, V>
where
    K: Send + 'static,
    V: Send + 'static,
{
    shared: Arc<Shared<K, V>>,
    /// Whether it got to run at all: the runtime drops new tasks when it ends.
    ran: bool,
    /// Whether it was given back already.
    over: bool,
}

impl<K, V> Lane<K, V>
where
    K: Send + 'static,
    V: Send + 'static,
{
    fn start(shared: &Arc<Shared<K, V>>, queue: &mut Queue<K, V>) -> Self {
        queue.busy += 1;
        Self {
            shared: Arc::clone(shared),
            ran: false,
            over: false,
        }
    }

    async fn run(mut self) {
        self.ran = true;
        loop {
            self.gather().await;
            let (keys, answers) = self.next();
            if keys.is_empty() {
                return;
            }
            let place = self.shared.place.clone();
            let found = (self.shared.answer)(place, keys).await;
            for (answer, found) in answers.into_iter().zip(found) {
                let _ = answer.send(found); // who asked may have gone
            }
        }
    }

    /// Lets those who are about to ask do so, as the committer does.
    async fn gather(&self) {
        let mut before = self.shared.lock().waiting.len();
        while before < MOST {
            tokio::task::yield_now().await;
            let now = self.shared.lock().waiting.len();
            if now <= before {
                return;
            }
            before = now;
        }
    }

    /// What to ask for next; nothing ends the lane.
    fn next(&mut self) -> (Vec<K>, Vec<oneshot::Sender<Result<V, Error>>>) {
        let mut queue = self.shared.lock();
        let most = queue.waiting.len().min(MOST);
        let taken: Vec<Waiting<K, V>> = queue.waiting.drain(..most).collect();
        // Who has left before anything began is not asked for.
        let taken = taken.into_iter().filter(|one| !one.answer.is_closed());
        let (keys, answers): (Vec<K>, Vec<_>) = taken.map(|one| (one.key, one.answer)).unzip();
        if keys.is_empty() && queue.waiting.is_empty() {
            queue.busy -= 1;
            self.over = true;
        }
        (keys, answers)
    }
}

impl<K, V> Drop for Lane<K, V>
where
    K: Send + 'static,
    V: Send + 'static,
{
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut queue = self.shared.lock();
        queue.busy -= 1;
        if self.ran
            && !queue.waiting.is_empty()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let lane = Self::start(&self.shared, &mut queue);
            drop(queue);
            runtime.spawn(lane.run());
        }
    }
}

impl<K, V> fmt::Debug for Together<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}
