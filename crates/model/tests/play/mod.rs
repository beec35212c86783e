//! Plays a run without an engine: completes its steps in a random order and checks on the way that
//! replaying the journal, and resuming from a snapshot, gives the same run.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(dead_code, reason = "each test binary uses a part")]
use std::sync::Arc;

use runstone_model::{
    failure::Failure,
    flow::{Flow, KindInfo, Kinds},
    ids::RunId,
    run::{
        Active, Command, Entry, ItemRef, Outcome, Prepared, RunEnd, RunInfo, RunState, Secrets,
        Status, StepId, Wait,
    },
    time::Timestamp,
};
use serde_json::{Value, json};

/// Any `with`, any result.
pub(crate) struct AnyKind;

impl Kinds for AnyKind {
    fn get(&self, name: &str) -> Option<KindInfo> {
        matches!(name, "test" | "set").then(|| KindInfo {
            with: json!({}),
            result: json!({}),
            side_effects: false,
        })
    }

    fn names(&self) -> Vec<String> {
        vec!["test".to_owned(), "set".to_owned()]
    }
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _: &str) -> Option<String> {
        None
    }
}

/// The flow of a document.
pub(crate) fn flow(document: &Value) -> Arc<Flow> {
    Arc::new(Flow::parse(&document.to_string(), &AnyKind).unwrap_or_else(|p| panic!("{p:#?}")))
}

/// The flow of a YAML text.
pub(crate) fn yaml(text: &str) -> Arc<Flow> {
    Arc::new(Flow::parse(text, &AnyKind).unwrap_or_else(|p| panic!("{p:#?}")))
}

/// What a step is asked.
pub(crate) struct Asked<'a> {
    pub(crate) name: &'a str,
    pub(crate) visit: u32,
    pub(crate) item: Option<u32>,
    pub(crate) attempt: u32,
}

type Answer = dyn Fn(&Asked<'_>, &Value) -> Result<Value, Failure> + Send + Sync;

/// What the steps answer.
pub(crate) struct Script(Box<Answer>);

impl Script {
    pub(crate) fn new(
        answer: impl Fn(&Asked<'_>, &Value) -> Result<Value, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(answer))
    }
}

/// A small seeded generator (SplitMix64).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// A played run.
pub(crate) struct Played {
    pub(crate) status: Status,
    pub(crate) end: Option<RunEnd>,
    pub(crate) starts: Vec<u64>,
    pub(crate) journal: Vec<Entry>,
    pub(crate) state: Value,
}

fn info() -> RunInfo {
    let id = RunId(uuid::Uuid::from_u128(7));
    RunInfo {
        id,
        version: 1,
        created_at: Timestamp(1_000_000),
    }
}

pub(crate) fn fresh(flow: &Arc<Flow>, input: &Value) -> RunState {
    RunState::new(Arc::clone(flow), info(), Arc::new(input.clone()))
}

/// One thing that can end next.
type Open = (StepId, Option<ItemRef>);

fn open(state: &mut RunState) -> Vec<(Open, Option<Outcome>)> {
    let ids: Vec<StepId> = state.active().iter().map(|active| active.id).collect();
    let mut open = Vec::new();
    for id in ids {
        match state.prepare(id, &NoSecrets) {
            Ok(Prepared::Call(_)) => open.push(((id, None), None)),
            Ok(Prepared::Skip) => open.push(((id, None), Some(Outcome::Skipped))),
            Ok(Prepared::Items(0)) => open.push(((id, None), Some(Outcome::NoItems))),
            Ok(Prepared::Items(total)) => {
                let done = |index| state.find(id).unwrap().item_done(index);
                let items = (0..total).filter(|index| !done(*index));
                open.extend(items.map(|index| ((id, Some(ItemRef { index, total })), None)));
            }
            Err(failure) => open.push(((id, None), Some(Outcome::Failed(failure)))),
        }
    }
    open
}

fn answer(state: &mut RunState, (id, item): Open, script: &Script) -> Outcome {
    let with = match item {
        Some(item) => state.prepare_item(id, item.index, &NoSecrets),
        None => state
            .prepare(id, &NoSecrets)
            .map(|prepared| match prepared {
                Prepared::Call(with) => with,
                other => panic!("{other:?}"),
            }),
    };
    let with = match with {
        Ok(with) => with,
        Err(failure) => return Outcome::Failed(failure),
    };
    let active = state.find(id).unwrap();
    let asked = Asked {
        name: &state.flow().nodes[active.node].name,
        visit: active.visit,
        item: item.map(|item| item.index),
        attempt: active.next_attempt(item.map(|item| item.index)).0,
    };
    match (script.0)(&asked, &with) {
        Ok(result) => Outcome::Done(result),
        Err(failure) => Outcome::Failed(failure),
    }
}

/// Plays a run to its end; steps end in the order that `rng` draws.
pub(crate) fn play(flow: &Arc<Flow>, input: Value, script: &Script, rng: &mut Rng) -> Played {
    let mut state = fresh(flow, &input);
    let mut journal: Vec<Entry> = Vec::new();
    let mut now = 1_000_000;
    while !state.status().is_final() {
        let mut choices = open(&mut state);
        assert!(!choices.is_empty(), "deadlock: {state:#?}");
        let chosen = choices.swap_remove(rng.below(choices.len()));
        now += 1;
        let at = Timestamp(now);
        let command = next(&mut state, chosen, script, at, rng);
        journal.extend(state.handle(command, at).unwrap());
        if rng.below(16) == 0 {
            state = again(flow, &input, &journal, state, rng);
        }
    }
    let mut replayed = fresh(flow, &input);
    journal.iter().for_each(|entry| replayed.apply(entry));
    assert_eq!(replayed.seq(), journal.len() as u64);
    assert_eq!(replayed.end(), state.end(), "a replayed run ends the same");
    assert_eq!(
        replayed.state_json(),
        state.state_json(),
        "a replayed run has the same state"
    );
    let mut starts = vec![0; flow.nodes.len()];
    let steps = journal.iter().filter_map(|entry| match entry {
        Entry::Step(done) => Some((done.step.node, done.step.visit)),
        Entry::AttemptFailed { .. }
        | Entry::Waiting { .. }
        | Entry::TakenOver { .. }
        | Entry::Retried { .. }
        | Entry::Ended { .. } => None,
    });
    for (node, _) in steps.collect::<std::collections::BTreeSet<_>>() {
        starts[node] += 1;
    }
    Played {
        status: state.status(),
        end: state.end().cloned(),
        starts,
        journal,
        state: state.state_json(),
    }
}

/// What happens next to what was chosen: it ends, now and then only after a wait, or its wait is over.
fn next(
    state: &mut RunState,
    ((id, item), outcome): (Open, Option<Outcome>),
    script: &Script,
    at: Timestamp,
    rng: &mut Rng,
) -> Command {
    let key = item.map(|item| item.index);
    let active = state.find(id).unwrap();
    if let Some(wait) = active.wait(key) {
        let attempt = wait.attempt;
        let item = key;
        return Command::Due { id, item, attempt };
    }
    let attempt = active.next_attempt(key).0;
    let outcome = match outcome.unwrap_or_else(|| answer(state, (id, item), script)) {
        Outcome::Done(result) if rng.below(4) == 0 => Outcome::Later {
            until: Timestamp(at.0 + 1),
            result,
        },
        outcome => outcome,
    };
    Command::Finished {
        id,
        item,
        attempt,
        started_at: at,
        duration_us: 1,
        outcome,
    }
}

/// A crash: the run is folded again from its journal, sometimes from a snapshot.
fn again(
    flow: &Arc<Flow>,
    input: &Value,
    journal: &[Entry],
    mut old: RunState,
    rng: &mut Rng,
) -> RunState {
    let cut = rng.below(journal.len() + 1);
    let mut state = fresh(flow, input);
    journal[..cut].iter().for_each(|entry| state.apply(entry));
    if let Some(snapshot) = state.snapshot() {
        let text = snapshot.to_string();
        let snapshot = serde_json::from_str(&text).unwrap();
        let input = Arc::new(input.clone());
        state = RunState::from_snapshot(Arc::clone(flow), info(), input, snapshot).unwrap();
        assert_eq!(state.seq(), cut as u64);
    }
    journal[cut..].iter().for_each(|entry| state.apply(entry));
    let of = |state: &RunState| {
        let mut active: Vec<_> = state
            .active()
            .iter()
            .map(|a| (a.node, a.visit, a.id, waits(a)))
            .collect();
        active.sort_unstable_by_key(|(_, _, id, _)| *id);
        active
    };
    assert_eq!(of(&state), of(&old), "a folded run runs the same steps");
    assert_eq!(
        state.state_json(),
        old.state_json(),
        "a folded run has the same state"
    );
    state
}

/// What a step and the first items of its map wait for.
fn waits(active: &Active) -> Vec<Wait> {
    let items = std::iter::once(None).chain((0..20).map(Some));
    items
        .filter_map(|item| active.wait(item).cloned())
        .collect()
}
