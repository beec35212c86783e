//! How long statements take, by name: sums for a report, and one call for each that was slow. Knows
//! names, times and counts; a value never gets here.
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{batch::Batch, error::Error};

/// Names that are kept apart. Statements are a closed list; batches are named after theirs.
const KEPT: usize = 1000;
/// Under this name goes what exceeds it.
const OTHERS: &str = "others";

/// A statement that was slow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowStatement {
    /// Its name, as in `run.insert`; of a transaction sent as a whole those of its statements,
    /// joined by ` + `.
    pub name: Arc<str>,
    /// How long its caller waited for it, a wait for a connection included.
    pub took: Duration,
    /// Rows that it returned or changed.
    pub rows: u64,
    /// Whether it failed.
    pub failed: bool,
}

/// What all executions of one statement took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Its name, as in [`SlowStatement`].
    pub name: Arc<str>,
    /// How many executions.
    pub count: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many of them were slow.
    pub slow: u64,
    /// Rows returned or changed by all of them.
    pub rows: u64,
    /// The time of all of them, in microseconds.
    pub total_us: u64,
    /// The longest, in microseconds.
    pub max_us: u64,
}

type Tell = Box<dyn Fn(&SlowStatement) + Send + Sync>;

/// The times of one database.
#[derive(Default)]
pub(crate) struct Timings {
    by_name: Mutex<HashMap<Arc<str>, Timing>>,
    /// In microseconds; 0: nothing is slow.
    slow_us: AtomicU64,
    tell: OnceLock<Tell>,
}

impl fmt::Debug for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timings").finish_non_exhaustive()
    }
}

impl Timings {
    /// From now on executions that take at least `slow` are told. Only the first teller counts.
    pub(crate) fn tell(&self, slow: Duration, tell: Tell) {
        if !slow.is_zero() && self.tell.set(tell).is_ok() {
            let slow = u64::try_from(slow.as_micros()).unwrap_or(u64::MAX);
            self.slow_us.store(slow.max(1), Ordering::Relaxed);
        }
    }

    /// Notes what was begun at `began` and is over now.
    pub(crate) fn note(&self, name: &Arc<str>, began: Instant, rows: Result<u64, &Error>) {
        let took = began.elapsed();
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let limit = self.slow_us.load(Ordering::Relaxed);
        let slow = limit > 0 && took_us >= limit;
        let (failed, rows) = (rows.is_err(), rows.unwrap_or(0));
        self.add(name, |timing| {
            timing.count += 1;
            timing.failed += u64::from(failed);
            timing.slow += u64::from(slow);
            timing.rows += rows;
            timing.total_us = timing.total_us.saturating_add(took_us);
            timing.max_us = timing.max_us.max(took_us);
        });
        if slow && let Some(tell) = self.tell.get() {
            tell(&SlowStatement {
                name: Arc::clone(name),
                took,
                rows,
                failed,
            });
        }
    }

    fn add(&self, name: &Arc<str>, change: impl FnOnce(&mut Timing)) {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(timing) = by_name.get_mut(name) {
            return change(timing);
        }
        let name = if by_name.len() < KEPT {
            Arc::clone(name)
        } else {
            OTHERS.into()
        };
        let timing = by_name.entry(Arc::clone(&name)).or_insert_with(|| Timing {
            name,
            ..Timing::default()
        });
        change(timing);
    }

    /// Everything that was noted, the longest first.
    pub(crate) fn all(&self) -> Vec<Timing> {
        let by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Timing> = by_name.values().cloned().collect();
        drop(by_name);
        all.sort_unstable_by(|a, b| b.max_us.cmp(&a.max_us).then_with(|| a.name.cmp(&b.name)));
        all
    }
}

/// What a batch is called.
pub(crate) fn name_of(batch: &Batch) -> Arc<str> {
    let mut steps = batch.steps.iter().filter(|step| !step.rows.is_empty());
    let Some(first) = steps.next() else {
        return "an empty batch".into();
    };
    let first = first.statement.name_arc();
    let Some(second) = steps.next() else {
        return Arc::clone(first);
    };
    let mut name = format!("{first} + {}", second.statement.name());
    for step in steps {
        name.push_str(" + ");
        name.push_str(step.statement.name());
    }
    name.into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{Dialect, Statement};

    fn named(text: &str) -> Arc<str> {
        text.into()
    }

    #[test]
    fn sums_are_kept_by_name_and_the_slow_ones_told() {
        let timings = Timings::default();
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = Arc::clone(&told);
        let tell = move |slow: &SlowStatement| teller.lock().unwrap().push(slow.clone());
        timings.tell(Duration::from_secs(1), Box::new(tell));
        let (now, early) = (Instant::now(), Instant::now() - Duration::from_secs(2));
        timings.note(&named("a.b"), now, Ok(3));
        timings.note(&named("a.b"), early, Ok(4));
        timings.note(&named("c.d"), now, Err(&Error::other("x")));
        let all = timings.all();
        assert_eq!((&*all[0].name, &*all[1].name), ("a.b", "c.d"));
        assert_eq!((all[0].count, all[0].rows, all[0].slow), (2, 7, 1));
        assert!(all[0].max_us >= 2_000_000 && all[0].total_us >= all[0].max_us);
        assert_eq!((all[1].count, all[1].failed, all[1].slow), (1, 1, 0));
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!((&*told[0].name, told[0].rows), ("a.b", 4));
    }

    #[test]
    fn without_a_limit_nothing_is_slow_and_the_names_are_bounded() {
        let timings = Timings::default();
        timings.tell(Duration::ZERO, Box::new(|_| panic!("nothing is slow")));
        let early = Instant::now() - Duration::from_secs(60);
        for number in 0..KEPT + 50 {
            timings.note(&named(&number.to_string()), early, Ok(0));
        }
        let all = timings.all();
        assert_eq!(all.len(), KEPT + 1);
        let others = all.iter().find(|timing| &*timing.name == OTHERS).unwrap();
        assert_eq!(others.count, 50);
    }

    #[test]
    fn a_batch_is_called_after_its_statements() {
        let statement = |name| {
            let text = "DELETE FROM t WHERE id = :id";
            Arc::new(Statement::render(name, text, Dialect::Sqlite).unwrap())
        };
        let mut batch = Batch::new();
        assert_eq!(&*name_of(&batch), "an empty batch");
        batch.push(&statement("t.one"), vec![vec![1.into()]], None);
        batch.push(&statement("t.none"), Vec::new(), None);
        assert_eq!(&*name_of(&batch), "t.one");
        batch.push(&statement("t.two"), vec![vec![2.into()]], None);
        batch.push(&statement("t.three"), vec![vec![3.into()]], None);
        assert_eq!(&*name_of(&batch), "t.one + t.two + t.three");
    }
}
