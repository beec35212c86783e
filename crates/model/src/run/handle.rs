//! Deciding: a command against the run gives the entries to journal and changes the run as they
//! say. What cannot be is a [`Rejection`], data like everything else.
use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Status,
    entry::{Entry, ItemRef, PatchValue, RunEnd, StepDone, StepRef},
    fire::expression_failure,
    retry::DEADLINE,
    scope::StepScope,
    state::{Active, RunState, StepId},
};
use crate::{
    expr::Template,
    failure::{Class, Failure},
    flow::{Node, OnError, OnItemError, Out, Retry},
    ids::ServerId,
    time::Timestamp,
};

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// An attempt of a started step (or one item of it) is over.
    Finished {
        /// Which step.
        id: StepId,
        /// Which item of its map.
        item: Option<ItemRef>,
        /// The attempt, from 1.
        attempt: u32,
        /// When it started.
        started_at: Timestamp,
        /// How long it took, in microseconds.
        duration_us: u64,
        /// What it gave.
        outcome: Outcome,
    },
    /// The time that a started step (or one item of it) waits for has come.
    Due {
        /// Which step.
        id: StepId,
        /// Which item of its map.
        item: Option<u32>,
        /// The attempt that waits, from 1.
        attempt: u32,
    },
    /// Somebody wants the run to end.
    Cancel {
        /// Why, for people.
        reason: String,
    },
    /// The run's time is up.
    DeadlinePassed,
    /// Another server owns the run now.
    TakenOver {
        /// Which.
        server: ServerId,
    },
}

/// What an attempt gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A result.
    Done(Value),
    /// A result that counts only from a time on: until then the step waits.
    Later {
        /// From when on.
        until: Timestamp,
        /// The result.
        result: Value,
    },
    /// A failure.
    Failed(Failure),
    /// The node's `if` is false.
    Skipped,
    /// The map's list is empty.
    NoItems,
}

/// Why a command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The run is over.
    #[error("the run is already {}", .0.name())]
    AlreadyEnded(Status),
    /// The step is not running: cancelled, or over.
    #[error("that step is not running")]
    NotRunning,
    /// The step has its result and waits for its time.
    #[error("that step waits for its time")]
    Waiting,
    /// The step waits for nothing.
    #[error("that step does not wait for a time")]
    NotWaiting,
    /// The outcome belongs to another attempt.
    #[error("attempt {got} is not the one that runs ({want})")]
    StaleAttempt {
        /// The attempt that runs.
        want: u32,
        /// The attempt the outcome came from.
        got: u32,
    },
}

/// One attempt, as journaled with its outcome.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub(super) step: StepRef,
    pub(super) number: u32,
    pub(super) started_at: Timestamp,
    pub(super) duration_us: u64,
}

impl RunState {
    /// Decides on `command` and changes the run accordingly. The entries are in journal order; they
    /// must be durable before an effect is carried out.
    pub fn handle(&mut self, command: Command, now: Timestamp) -> Result<Vec<Entry>, Rejection> {
        if self.status.is_final() {
            return Err(Rejection::AlreadyEnded(self.status));
        }
        let mut entries = match command {
            Command::Finished {
                id,
                item,
                attempt,
                started_at,
                duration_us,
                outcome,
            } => {
                let active = self.find(id).ok_or(Rejection::NotRunning)?;
                let key = item.map(|item| item.index);
                let whole_map_over = key.is_none()
                    && active.items.is_some()
                    && !matches!(outcome, Outcome::Failed(_));
                if whole_map_over || key.is_some_and(|index| active.item_done(index)) {
                    return Err(Rejection::NotRunning);
                }
                if active.wait(key).is_some() {
                    return Err(Rejection::Waiting);
                }
                let (want, _) = active.next_attempt(key);
                if attempt != want {
                    return Err(Rejection::StaleAttempt { want, got: attempt });
                }
                let step = StepRef {
                    node: active.node,
                    visit: active.visit,
                    item,
                };
                let attempt = Attempt {
                    step,
                    number: attempt,
                    started_at,
                    duration_us,
                };
                self.finished(id, attempt, outcome, now)
            }
            Command::Due { id, item, attempt } => self.due(id, item, attempt, now)?,
            Command::Cancel { reason } => vec![self.ended(RunEnd::Cancelled(reason), now)],
            Command::DeadlinePassed => {
                let message = "the run took longer than its limit on duration".to_owned();
                let failure = Failure::new(DEADLINE, Class::Timeout, message);
                vec![self.ended(RunEnd::Failed(failure), now)]
            }
            Command::TakenOver { server } => vec![Entry::TakenOver { server, at: now }],
        };
        if let Some(end) = self.conclude() {
            entries.push(self.ended(end, now));
        }
        self.seq += entries.len() as u64;
        Ok(entries)
    }

    pub(super) fn finished(
        &mut self,
        id: StepId,
        attempt: Attempt,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Entry> {
        let flow = Arc::clone(&self.flow);
        let node = &flow.nodes[attempt.step.node];
        let mut done = StepDone {
            step: attempt.step,
            attempt: attempt.number,
            started_at: attempt.started_at,
            duration_us: attempt.duration_us,
            result: Arc::default(),
            patch: Vec::new(),
            fired: Vec::new(),
            skipped: false,
            failure: None,
        };
        let failure = match outcome {
            Outcome::Done(result) => {
                done.result = Arc::new(result);
                match self.find(id).map(|active| self.patch(node, active, &done)) {
                    Some(Ok(patch)) => {
                        done.patch = patch;
                        None
                    }
                    Some(Err(failure)) => Some(failure),
                    None => None,
                }
            }
            Outcome::Later { until, result } => {
                return vec![self.begin_wait(attempt, until, result)];
            }
            Outcome::Skipped => {
                (done.skipped, done.attempt) = (true, 0);
                None
            }
            Outcome::NoItems => {
                (done.result, done.attempt) = (Arc::new(Value::Array(Vec::new())), 0);
                None
            }
            Outcome::Failed(failure) => Some(failure),
        };
        let Some(mut failure) = failure else {
            return self.over(node, done, now);
        };
        failure.attempt = attempt.number;
        failure.node.get_or_insert_with(|| node.name.clone());
        if retries(&node.retry, &failure) {
            return vec![self.attempt_failed(id, attempt, failure, node, now)];
        }
        done.result = Arc::default();
        if let Some(item) = done.step.item {
            let on_item = node
                .for_each
                .as_ref()
                .map_or(OnItemError::Fail, |map| map.on_item_error);
            match on_item {
                OnItemError::Continue => {}
                OnItemError::Fail => {
                    failure.message = format!("item {}: {}", item.index, failure.message);
                    done.step.item = None;
                }
            }
        }
        done.failure = Some(failure);
        self.over(node, done, now)
    }

    fn attempt_failed(
        &mut self,
        id: StepId,
        attempt: Attempt,
        failure: Failure,
        node: &Node,
        now: Timestamp,
    ) -> Entry {
        let wait = backoff(&node.retry, &failure, self.info.id.0.as_u128(), attempt);
        let entry = Entry::AttemptFailed {
            step: attempt.step,
            started_at: attempt.started_at,
            duration_us: attempt.duration_us,
            failure,
            retry_at: now.plus(wait),
        };
        self.note_attempt(attempt.step, attempt.number, now.plus(wait));
        debug_assert!(
            self.find(id).is_some(),
            "a failed attempt leaves its step running"
        );
        entry
    }

    /// The step (or item) is over, well or not: what fires, and whether the run ends with it.
    fn over(&mut self, node: &Node, mut done: StepDone, now: Timestamp) -> Vec<Entry> {
        let Some(place) = self.absorb(&done) else {
            return vec![Entry::Step(Box::new(done))];
        };
        let whole_failed = self.history[place].failure.is_some();
        let end = match self.fire(place) {
            Ok(fired) => {
                done.fired = fired;
                let fatal = done
                    .failure
                    .clone()
                    .filter(|_| whole_failed && node.on_error == OnError::Fail);
                fatal.or_else(|| self.failing_edge(place, &done.fired))
            }
            Err(failure) => Some(failure),
        };
        self.arrive(place, &done.fired);
        self.settle();
        let mut entries = vec![Entry::Step(Box::new(done))];
        if let Some(failure) = end {
            entries.push(self.ended(RunEnd::Failed(failure), now));
        }
        entries
    }

    /// What the step writes.
    fn patch(
        &self,
        node: &Node,
        active: &Active,
        done: &StepDone,
    ) -> Result<Vec<(usize, PatchValue)>, Failure> {
        let patch: Vec<(usize, PatchValue)> = match &node.out {
            Out::None => return Ok(Vec::new()),
            Out::With => self.whole_object(node, &done.result, |key| {
                PatchValue::Result(Box::new([key.to_owned()]))
            })?,
            Out::Keys(keys) => {
                let mut patch = Vec::with_capacity(keys.len());
                for (key, template) in keys {
                    let value = match template.as_result_path() {
                        Some(path) if has_path(&done.result, path) => {
                            PatchValue::Result(path.into())
                        }
                        _ => PatchValue::Value(Arc::new(self.out(node, active, done, template)?)),
                    };
                    patch.push((*key, value));
                }
                patch
            }
            Out::Object(template) => {
                let object = Arc::new(self.out(node, active, done, template)?);
                self.whole_object(node, &object, |key| {
                    PatchValue::Value(Arc::new(object.get(key).cloned().unwrap_or_default()))
                })?
            }
        };
        for (key, value) in &patch {
            let declared = &self.flow.state[*key];
            if declared.reducer == crate::reducer::Reducer::Replace
                && let Err(why) = declared.ty.check(&value.resolve(&done.result))
            {
                let message = format!("{} cannot write state.{}: {why}", node.name, declared.name);
                return Err(Failure::new("patch", Class::Validation, message).in_node(&node.name));
            }
        }
        Ok(patch)
    }

    fn out(
        &self,
        node: &Node,
        active: &Active,
        done: &StepDone,
        template: &Template,
    ) -> Result<Value, Failure> {
        let mut scope = StepScope::new(self, &active.view);
        scope.clock = Some(&active.clock);
        scope.error = active.error.as_deref();
        scope.result = Some(&done.result);
        scope.item = done.step.item.and_then(|item| active.item(item.index));
        template
            .eval(&scope)
            .map_err(|error| expression_failure(&node.name, "`out`", &error))
    }

    fn whole_object(
        &self,
        node: &Node,
        object: &Value,
        value: impl Fn(&str) -> PatchValue,
    ) -> Result<Vec<(usize, PatchValue)>, Failure> {
        let fail =
            |message: String| Failure::new("patch", Class::Validation, message).in_node(&node.name);
        let Value::Object(members) = object else {
            let got = super::scope::brief(object);
            return Err(fail(format!(
                "`out` of {} must give an object, got {got}",
                node.name
            )));
        };
        let mut patch = Vec::with_capacity(members.len());
        for name in members.keys() {
            let Some(key) = self.flow.state.iter().position(|key| key.name == *name) else {
                let message = format!(
                    "{} writes state.{name}, which the flow does not declare under `state`",
                    node.name
                );
                return Err(fail(message));
            };
            patch.push((key, value(name)));
        }
        patch.sort_unstable_by_key(|(key, _)| *key);
        Ok(patch)
    }
}

fn has_path(result: &Value, path: &[String]) -> bool {
    path.iter()
        .try_fold(result, |value, name| value.get(name))
        .is_some()
}

fn retries(retry: &Retry, failure: &Failure) -> bool {
    let class = if retry.on.is_empty() {
        failure.retryable
    } else {
        retry.on.contains(&failure.class)
    };
    failure.attempt > 0 && failure.attempt < retry.max_attempts && class
}

/// Exponential backoff: `initial * factor^(attempt-1)`, at most `max`, at least what the other side
/// asked for, moved by up to ±`jitter`. The jitter comes from the attempt's identity, so that a
/// replay decides the same.
fn backoff(retry: &Retry, failure: &Failure, run: u128, attempt: Attempt) -> Duration {
    let power = i32::try_from(attempt.number.saturating_sub(1)).unwrap_or(i32::MAX);
    let base = retry.initial.as_secs_f64() * retry.factor.powi(power);
    let base = base.min(retry.max.as_secs_f64());
    let mut hash = blake3::Hasher::new();
    hash.update(&run.to_be_bytes());
    hash.update(format!("{:?}/{}", attempt.step, attempt.number).as_bytes());
    let mut draw = [0; 4];
    draw.copy_from_slice(&hash.finalize().as_bytes()[..4]);
    let draw = f64::from(u32::from_be_bytes(draw)) / f64::from(u32::MAX) * 2.0 - 1.0;
    let wait = (base * (1.0 + retry.jitter * draw)).clamp(0.0, 86_400.0);
    let asked = failure
        .retry_after_ms
        .map_or(Duration::ZERO, Duration::from_millis);
    Duration::from_secs_f64(wait).max(asked.min(Duration::from_secs(86_400)))
}
