//! So many connections, each of which asks again as soon as it was answered, for a time or until
//! enough was asked. Every answer is checked, every time is kept. All on one thread.
use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::task::{JoinSet, LocalSet};

use super::{
    calls::{self, Asker, Call, Ground},
    wire::{Connection, Head, Target},
};

/// Calls of each connection before the clock starts.
const WARM_UP: u64 = 3;

/// How much to ask.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// As long as this.
    Time(Duration),
    /// So many requests in all.
    Requests(u64),
}

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Of the right answers, ascending.
    pub(super) times: Vec<Duration>,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    pub(super) seconds: f64,
}

/// What the lanes have in common.
struct Shared {
    target: Target,
    ground: Ground,
    call: Call,
    until: Cell<Until>,
    asked: Cell<u64>,
    began: Cell<Instant>,
}

/// Measures `call` on `connections` connections.
pub(super) async fn run(
    target: Target,
    call: Call,
    connections: usize,
    until: Until,
) -> anyhow::Result<Outcome> {
    let ground = calls::prepare(&target, call).await?;
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(target.connect().await?);
    }
    let shared = Rc::new(Shared {
        target,
        ground,
        call,
        until: Cell::new(Until::Requests(WARM_UP * connections as u64)),
        asked: Cell::new(0),
        began: Cell::new(Instant::now()),
    });
    let (open, warm) = lanes(&shared, open).await?;
    let why = warm.first_error.unwrap_or_default();
    ensure!(warm.errors == 0, "before measuring: {why}");
    shared.until.set(until);
    let (_, mut outcome) = lanes(&shared, open).await?;
    outcome.times.sort_unstable();
    Ok(outcome)
}

/// One lane for each connection; gives back those that are still open.
async fn lanes(
    shared: &Rc<Shared>,
    open: Vec<Connection>,
) -> anyhow::Result<(Vec<Connection>, Outcome)> {
    shared.asked.set(0);
    shared.began.set(Instant::now());
    let (local, mut tasks) = (LocalSet::new(), JoinSet::new());
    let mut kept = Vec::with_capacity(open.len());
    for (lane, connection) in open.into_iter().enumerate() {
        let shared = Rc::clone(shared);
        tasks.spawn_local_on(async move { one(&shared, lane, connection).await }, &local);
    }
    let all = local
        .run_until(async {
            let mut all = Outcome::default();
            while let Some(done) = tasks.join_next().await {
                let (connection, outcome) = done?;
                kept.extend(connection);
                all.add(outcome);
            }
            anyhow::Ok(all)
        })
        .await;
    let mut all = all?;
    all.seconds = shared.began.get().elapsed().as_secs_f64();
    Ok((kept, all))
}

async fn one(shared: &Shared, lane: usize, first: Connection) -> (Option<Connection>, Outcome) {
    let mut asker = Asker::new(&shared.target, &shared.ground, shared.call, lane);
    let mut connection = Some(first);
    let mut outcome = Outcome::default();
    while shared.goes_on() {
        let ask = asker.next();
        let began = Instant::now();
        let answered = answer(shared, connection.take(), &ask.bytes).await;
        let took = began.elapsed();
        match answered {
            Ok((open, head)) => {
                match asker.check(&ask, &open, head) {
                    Ok(()) => outcome.times.push(took),
                    Err(error) => outcome.failed(&error),
                }
                connection = Some(open);
            }
            Err(error) => outcome.failed(&error),
        }
    }
    (connection, outcome)
}

/// Asks on a connection, or on a new one.
async fn answer(
    shared: &Shared,
    connection: Option<Connection>,
    request: &[u8],
) -> anyhow::Result<(Connection, Head)> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => shared.target.connect().await?,
    };
    let head = connection.call(request).await?;
    Ok((connection, head))
}

impl Shared {
    fn goes_on(&self) -> bool {
        let asked = self.asked.replace(self.asked.get() + 1);
        match self.until.get() {
            Until::Time(time) => self.began.get().elapsed() < time,
            Until::Requests(most) => asked < most,
        }
    }
}

impl Outcome {
    fn failed(&mut self, error: &anyhow::Error) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| format!("{error:#}"));
    }

    fn add(&mut self, mut other: Self) {
        self.times.append(&mut other.times);
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// The time in milliseconds that this share of the right answers did not take longer than.
    pub(super) fn at_ms(&self, share: f64) -> f64 {
        let place = ((self.times.len() as f64 - 1.0) * share).round() as usize;
        self.times
            .get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}
