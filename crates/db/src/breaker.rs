//! Whether a server is known to be away. While it is, nobody waits for it: whoever wants a
//! connection is refused at once, except one that tries, after a pause that grows. Knows nothing
//! of connections; connections that work are used whatever stands here.
use crate::error::{Class, Error};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// So many failures in a row, and the server counts as away.
const FAILURES: u32 = 3;
/// The pause before the first probe; doubled with every probe that fails.
const FIRST: Duration = Duration::from_millis(50);
/// No pause is longer: one attempt a second costs nobody anything.
const LONGEST: Duration = Duration::from_secs(1);

/// What is known of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Circuit {
    /// It answers, or nothing else is known.
    #[default]
    Closed,
    /// It is away: new connections are refused at once until the next probe.
    Open,
    /// It was away, and one caller is trying whether it still is.
    HalfOpen,
}

impl Circuit {
    /// Its name in JSON and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// Whether a database can be reached, as far as this process has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What is known of the server. A database in this process is always there.
    pub circuit: Circuit,
    /// Failed attempts to connect since the last that succeeded.
    pub failures: u32,
    /// Why the last attempt failed; None after one that succeeded.
    pub last_error: Option<String>,
    /// Milliseconds until the next attempt is made; None unless the circuit is open.
    pub retry_in_ms: Option<u64>,
    /// How busy its connections are.
    pub pool: crate::PoolStats,
}

#[derive(Debug)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug)]
struct State {
    circuit: Circuit,
    failures: u32,
    pause: Duration,
    /// When the next probe may be made.
    until: Instant,
    why: Option<String>,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            circuit: Circuit::Closed,
            failures: 0,
            pause: FIRST,
            until: Instant::now(),
            why: None,
        }))
    }

    /// Leave to try, or at once the reason why not.
    pub(crate) fn admit(&self) -> Result<Attempt<'_>, Error> {
        let mut state = self.lock();
        let probe = match state.circuit {
            Circuit::Closed => false,
            Circuit::Open if Instant::now() >= state.until => {
                state.circuit = Circuit::HalfOpen;
                true
            }
            Circuit::Open | Circuit::HalfOpen => return Err(state.refusal()),
        };
        Ok(Attempt {
            breaker: self,
            probe,
            over: false,
        })
    }

    /// Whether an attempt would be refused now; makes none.
    pub(crate) fn refuses(&self) -> Option<Error> {
        let state = self.lock();
        match state.circuit {
            Circuit::Closed => None,
            Circuit::Open if Instant::now() >= state.until => None,
            Circuit::Open | Circuit::HalfOpen => Some(state.refusal()),
        }
    }

    /// What it knows, with the pool's numbers left empty.
    pub(crate) fn health(&self) -> Health {
        let state = self.lock();
        let left = state.until.saturating_duration_since(Instant::now());
        Health {
            circuit: state.circuit,
            failures: state.failures,
            last_error: state.why.clone(),
            retry_in_ms: (state.circuit == Circuit::Open)
                .then(|| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            pool: crate::PoolStats::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refusal(&self) -> Error {
        let why = self.why.as_deref().unwrap_or("the server does not answer");
        Error::new(
            Class::Unavailable,
            format!("{why} (it is tried again every {LONGEST:?} at most)"),
        )
    }

    fn succeeded(&mut self) {
        self.circuit = Circuit::Closed;
        self.failures = 0;
        self.pause = FIRST;
        self.why = None;
    }

    fn failed(&mut self, probe: bool, error: &Error) {
        self.failures = self.failures.saturating_add(1);
        self.why = Some(error.message.clone());
        let opens = match self.circuit {
            Circuit::Closed => self.failures >= FAILURES,
            // What began before the circuit opened says nothing new.
            Circuit::Open | Circuit::HalfOpen => probe,
        };
        if opens {
            self.circuit = Circuit::Open;
            // Many processes lose a server at the same time; they must not all come back at once.
            let jitter = 0.5 + 0.5 * rand::random::<f64>();
            self.until = Instant::now() + self.pause.mul_f64(jitter);
            self.pause = (self.pause * 2).min(LONGEST);
        }
    }
}

/// One attempt to reach the server.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    breaker: &'a Breaker,
    probe: bool,
    over: bool,
}

impl Attempt<'_> {
    /// Says how it ended.
    pub(crate) fn ended<T>(mut self, done: &Result<T, Error>) {
        self.over = true;
        let mut state = self.breaker.lock();
        match done {
            Err(error) if no_answer(error.class) => state.failed(self.probe, error),
            // Whoever answers, even with a refusal, is there.
            _ => state.succeeded(),
        }
    }
}

fn no_answer(class: Class) -> bool {
    matches!(class, Class::Unavailable | Class::Gone | Class::Timeout)
}

impl Drop for Attempt<'_> {
    /// The caller went away: nothing was learnt, and the next one may try at once.
    fn drop(&mut self) {
        if self.probe && !self.over {
            let mut state = self.breaker.lock();
            if state.circuit == Circuit::HalfOpen {
                state.circuit = Circuit::Open;
                state.until = Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests;
