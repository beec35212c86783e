//! Steps that have their result and wait for a time: when they are due, what bounds the wait, that it
//! ends once, and what becomes of it when the run ends and is gone on with.
#![expect(clippy::unwrap_used, reason = "tests")]
mod play;

use std::{sync::Arc, time::Duration};

use play::{fresh, yaml};
use runstone_model::{
    failure::Class,
    flow::Flow,
    run::{
        Command, Effect, Entry, Kind, Outcome, Rejection, Replay, RunEnd, RunState, Status, StepId,
        retry,
    },
    time::Timestamp,
};
use serde_json::{Value, json};

const AT: Timestamp = Timestamp(1_000_000);

fn flow(options: &str) -> Arc<Flow> {
    yaml(&format!(
        "{{runstone: 1, name: w, start: a, state: {{got: {{type: string}}}}, nodes: {{a: {{uses: \
         test, out: {{got: '${{{{ result }}}}'}}{options}}}}}, edges: [a -> end]}}"
    ))
}

fn second(at: u64) -> Timestamp {
    AT.plus(Duration::from_secs(at))
}

/// The first step's attempt says at once that it is done after so many seconds.
fn waits(state: &mut RunState, attempt: u32, seconds: u64) -> Vec<Entry> {
    let command = Command::Finished {
        id: StepId(1),
        item: None,
        attempt,
        started_at: AT,
        duration_us: 5,
        outcome: Outcome::Later {
            until: second(seconds),
            result: json!("r"),
        },
    };
    state.handle(command, AT).unwrap()
}

fn due(attempt: u32) -> Command {
    Command::Due {
        id: StepId(1),
        item: None,
        attempt,
    }
}

fn asked_for(state: &mut RunState) -> Vec<Timestamp> {
    let effects = state.take_effects().into_iter();
    let times = effects.filter_map(|effect| match effect {
        Effect::Wait { at, .. } => Some(at),
        _ => None,
    });
    times.collect()
}

fn output(state: &RunState) -> Value {
    match state.end() {
        Some(RunEnd::Completed(output)) => (**output).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_ends_once_with_its_result_when_it_is_due() {
    let mut state = fresh(&flow(""), &json!({}));
    let journal = waits(&mut state, 1, 60);
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0].kind(), Kind::Waiting);
    assert_eq!(asked_for(&mut state), [second(60)]);
    assert_eq!(state.steps(), 0);
    let ended = state.handle(due(1), second(61)).unwrap();
    let Entry::Step(done) = &ended[0] else {
        panic!("{ended:?}");
    };
    assert_eq!((done.started_at, done.duration_us), (AT, 61_000_000));
    assert_eq!(output(&state), json!({"got": "r"}));
    let again = state.handle(due(1), second(62));
    assert_eq!(again, Err(Rejection::AlreadyEnded(Status::Completed)));
}

#[test]
fn an_attempt_that_waits_gives_no_second_outcome() {
    let mut state = fresh(&flow(""), &json!({}));
    waits(&mut state, 1, 60);
    let late = Command::Finished {
        id: StepId(1),
        item: None,
        attempt: 1,
        started_at: AT,
        duration_us: 5,
        outcome: Outcome::Done(json!("other")),
    };
    assert_eq!(state.handle(late, AT), Err(Rejection::Waiting));
    assert_eq!(
        state.handle(due(2), AT),
        Err(Rejection::StaleAttempt { want: 1, got: 2 })
    );
}

#[test]
fn the_time_limit_of_the_node_bounds_the_wait() {
    let options = ", timeout: 10s, retry: {max_attempts: 2, initial: 1s, jitter: 0}";
    let mut state = fresh(&flow(options), &json!({}));
    waits(&mut state, 1, 60);
    assert_eq!(asked_for(&mut state), [second(10)]);
    let failed = state.handle(due(1), second(10)).unwrap();
    let Entry::AttemptFailed { failure, .. } = &failed[0] else {
        panic!("{failed:?}");
    };
    assert_eq!(failure.class, Class::Timeout);
    let stale = state.handle(due(1), second(11));
    assert_eq!(stale, Err(Rejection::NotWaiting));
    waits(&mut state, 2, 10);
    state.handle(due(2), second(10)).unwrap();
    assert_eq!(
        output(&state),
        json!({"got": "r"}),
        "in time, to the second"
    );
}

#[test]
fn a_cancelled_run_that_is_gone_on_with_waits_for_the_same_time() {
    let flow = flow("");
    let mut state = fresh(&flow, &json!({}));
    let mut journal = waits(&mut state, 1, 60);
    let reason = "enough".to_owned();
    journal.extend(state.handle(Command::Cancel { reason }, second(5)).unwrap());
    let mut again = gone_on(&flow, &journal);
    let wait = again.active()[0].wait(None).unwrap();
    assert_eq!(wait.until, second(60));
    again.handle(due(1), second(60)).unwrap();
    assert_eq!(output(&again), json!({"got": "r"}));
}

#[test]
fn a_step_that_failed_by_its_wait_is_made_anew_when_the_run_is_gone_on_with() {
    let flow = flow(", timeout: 10s");
    let mut state = fresh(&flow, &json!({}));
    let mut journal = waits(&mut state, 1, 60);
    journal.extend(state.handle(due(1), second(10)).unwrap());
    assert_eq!(state.status(), Status::Failed);
    let again = gone_on(&flow, &journal);
    assert!(again.active()[0].wait(None).is_none());
    assert_eq!(again.active()[0].next_attempt(None).0, 1);
}

fn gone_on(flow: &Arc<Flow>, journal: &[Entry]) -> RunState {
    let mut last = journal.iter().rev();
    let (end, before) = (last.next().unwrap(), last.next());
    let turn = retry(before, end, journal.len() as u64, second(99)).unwrap();
    let mut replay = Replay::new(fresh(flow, &json!({})));
    for entry in journal.iter().cloned().chain([turn]) {
        replay.push(entry);
    }
    replay.end()
}
