//! Every state of a run against every command: what it decides, what it asks for, or why not. One
//! text, reviewed as a whole when it changes.
#![expect(clippy::unwrap_used, reason = "tests")]
mod play;

use std::{fmt::Write as _, sync::Arc};

use play::yaml;
use runstone_model::{
    failure::{Class, Failure},
    ids::{RunId, ServerId},
    run::{Command, Effect, Entry, ItemRef, Outcome, RunInfo, RunState, Secrets, StepId},
    time::Timestamp,
};
use serde_json::json;

const FLOW: &str = "
runstone: 1
name: machine
state: {log: {type: array, reducer: append}}
nodes:
  a: {uses: test, retry: {max_attempts: 2, initial: 1s, jitter: 0}, out: {log: a}}
  b: {uses: test, out: {log: b}}
  m: {uses: test, for_each: '${{ [1, 2] }}', out: {log: '${{ item }}'}}
  d: {uses: test}
edges:
  - a -> b -> d
  - a -> m -> d
";

struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _: &str) -> Option<String> {
        None
    }
}

const NOW: Timestamp = Timestamp(5_000_000);

fn fresh() -> RunState {
    let info = RunInfo {
        id: RunId(uuid::Uuid::from_u128(1)),
        version: 1,
        created_at: NOW,
    };
    RunState::new(yaml(FLOW), info, Arc::new(json!({})))
}

fn finished(id: u64, item: Option<ItemRef>, attempt: u32, outcome: Outcome) -> Command {
    Command::Finished {
        id: StepId(id),
        item,
        attempt,
        started_at: NOW,
        duration_us: 1,
        outcome,
    }
}

fn done() -> Outcome {
    Outcome::Done(json!("r"))
}

fn later() -> Outcome {
    Outcome::Later {
        until: NOW.plus(std::time::Duration::from_secs(5)),
        result: json!("r"),
    }
}

fn due(id: u64, item: Option<u32>, attempt: u32) -> Command {
    let id = StepId(id);
    Command::Due { id, item, attempt }
}

fn broken(class: Class) -> Outcome {
    Outcome::Failed(Failure::new("node_failed", class, "broken"))
}

fn item(index: u32) -> Option<ItemRef> {
    Some(ItemRef { index, total: 2 })
}

/// Every kind of state, by name.
fn states() -> Vec<(&'static str, RunState)> {
    let after = |commands: Vec<Command>| {
        let mut state = fresh();
        for command in commands {
            let active: Vec<StepId> = state.active().iter().map(|active| active.id).collect();
            for id in active {
                state.prepare(id, &NoSecrets).unwrap();
            }
            state.handle(command, NOW).unwrap();
        }
        let active: Vec<StepId> = state.active().iter().map(|active| active.id).collect();
        for id in active {
            state.prepare(id, &NoSecrets).unwrap();
        }
        state.take_effects();
        state
    };
    let ok = |id| finished(id, None, 1, done());
    let one = |index| finished(3, item(index), 1, done());
    vec![
        ("new: a runs", after(vec![])),
        (
            "a waits for its second attempt",
            after(vec![finished(1, None, 1, broken(Class::Network))]),
        ),
        (
            "a waits for its time",
            after(vec![finished(1, None, 1, later())]),
        ),
        (
            "a waits for its time in its second attempt",
            after(vec![
                finished(1, None, 1, broken(Class::Network)),
                finished(1, None, 2, later()),
            ]),
        ),
        ("b and m run", after(vec![ok(1)])),
        (
            "b waits, and one item of m",
            after(vec![
                ok(1),
                finished(2, None, 1, later()),
                finished(3, item(1), 1, later()),
            ]),
        ),
        ("one item of m is over", after(vec![ok(1), one(0)])),
        ("d runs", after(vec![ok(1), ok(2), one(0), one(1)])),
        (
            "completed",
            after(vec![ok(1), ok(2), one(0), one(1), ok(4)]),
        ),
        (
            "failed",
            after(vec![finished(1, None, 1, broken(Class::Logic))]),
        ),
        (
            "cancelled",
            after(vec![Command::Cancel {
                reason: "enough".to_owned(),
            }]),
        ),
    ]
}

/// Every kind of command, by name.
fn commands() -> Vec<(&'static str, Command)> {
    vec![
        ("a done", finished(1, None, 1, done())),
        ("a done, second attempt", finished(1, None, 2, done())),
        (
            "a broken, may pass",
            finished(1, None, 1, broken(Class::Network)),
        ),
        (
            "a broken again",
            finished(1, None, 2, broken(Class::Network)),
        ),
        (
            "a broken for good",
            finished(1, None, 1, broken(Class::Logic)),
        ),
        ("a has to wait", finished(1, None, 1, later())),
        ("a due", due(1, None, 1)),
        ("a due, second attempt", due(1, None, 2)),
        ("a skipped", finished(1, None, 1, Outcome::Skipped)),
        ("b done", finished(2, None, 1, done())),
        (
            "b broken for good",
            finished(2, None, 1, broken(Class::Logic)),
        ),
        ("m item 0 done", finished(3, item(0), 1, done())),
        ("m item 1 done", finished(3, item(1), 1, done())),
        (
            "m item 1 broken",
            finished(3, item(1), 1, broken(Class::Logic)),
        ),
        ("b due", due(2, None, 1)),
        ("m item 1 has to wait", finished(3, item(1), 1, later())),
        ("m item 1 due", due(3, Some(1), 1)),
        ("m has no items", finished(3, None, 1, Outcome::NoItems)),
        ("d done", finished(4, None, 1, done())),
        ("a step that never was", finished(99, None, 1, done())),
        (
            "cancel",
            Command::Cancel {
                reason: "enough".to_owned(),
            },
        ),
        ("deadline", Command::DeadlinePassed),
        (
            "taken over",
            Command::TakenOver {
                server: ServerId(uuid::Uuid::from_u128(9)),
            },
        ),
    ]
}

fn entry(state: &RunState, entry: &Entry) -> String {
    let step = match entry {
        Entry::Step(done) => Some(done.step),
        Entry::AttemptFailed { step, .. } | Entry::Waiting { step, .. } => Some(*step),
        Entry::TakenOver { .. } | Entry::Retried { .. } | Entry::Ended { .. } => None,
    };
    let name = step.map(|step| {
        let item = step
            .item
            .map(|item| format!("[{}]", item.index))
            .unwrap_or_default();
        format!(
            "{}#{}{item} ",
            state.flow().nodes[step.node].name,
            step.visit
        )
    });
    format!("{}{}", name.unwrap_or_default(), entry.kind().name())
}

fn effect(state: &RunState, effect: &Effect) -> String {
    let name = |id: &StepId| {
        let node = state
            .find(*id)
            .map(|active| state.flow().nodes[active.node].name.clone());
        node.unwrap_or_else(|| format!("step {}", id.0))
    };
    match effect {
        Effect::Start(id) => format!("start {}", name(id)),
        Effect::Retry { id, at, .. } => {
            format!("retry {} in {} ms", name(id), (at.0 - NOW.0) / 1000)
        }
        Effect::Wait { id, at, .. } => {
            format!("{} is due in {} ms", name(id), (at.0 - NOW.0) / 1000)
        }
        Effect::Cancel(id) => format!("cancel {}", name(id)),
        Effect::Ended => "ended".to_owned(),
    }
}

#[test]
fn every_state_against_every_command() {
    let mut text = String::new();
    for (name, state) in states() {
        writeln!(text, "{name} ({})", state.status().name()).unwrap();
        for (command_name, command) in commands() {
            let mut state = state.clone();
            let said = match state.handle(command, NOW) {
                Err(rejection) => format!("refused: {rejection}"),
                Ok(entries) => {
                    let entries: Vec<_> = entries.iter().map(|e| entry(&state, e)).collect();
                    let effects: Vec<_> = state
                        .take_effects()
                        .iter()
                        .map(|e| effect(&state, e))
                        .collect();
                    format!(
                        "{} | {} -> {}",
                        entries.join(", "),
                        effects.join(", "),
                        state.status().name()
                    )
                }
            };
            writeln!(text, "  {command_name:24} {said}").unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
