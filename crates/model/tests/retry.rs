//! Going on after the end: from which entry on, and that a journal which went back folds to the run
//! that never failed.
#![expect(clippy::unwrap_used, reason = "tests")]
mod play;

use play::{Rng, Script, fresh, play, yaml};
use runstone_model::{
    failure::{Class, Failure},
    run::{Command, Entry, NoRetry, Outcome, Replay, RunEnd, RunState, Status, retry},
    time::Timestamp,
};
use serde_json::json;

const AT: Timestamp = Timestamp(9_000_000);

/// Parallel branches, a loop, a join; `b` fails in its second visit as long as it is told to.
const FLOW: &str = "
runstone: 1
name: f
start: a
state: {log: {type: array, reducer: append, default: []}}
nodes:
  a: {uses: test, out: {log: '${{ result }}'}}
  b: {uses: test, retry: {max_attempts: 2, initial: 1ms}, out: {log: '${{ result }}'}}
  c: {uses: test, out: {log: '${{ result }}'}}
  d: {uses: test, out: {log: '${{ result }}'}}
edges:
  - a -> b
  - a -> c -> d
  - {from: b, to: b, when: 'visits.b < 3', max: 5}
  - {from: b, to: d, else: true}
  - d -> end
output: '${{ state.log }}'
";

fn failure() -> Failure {
    let mut failure = Failure::new("refused", Class::Network, "not now");
    failure.retryable = true;
    failure
}

fn script(refusing: bool) -> Script {
    Script::new(move |asked, _| match (asked.name, asked.visit) {
        ("b", 2) if refusing => Err(failure()),
        (name, visit) => Ok(json!(format!("{name}{visit}"))),
    })
}

/// Ends one active step after the other, well.
fn finish(state: &mut RunState, rng: &mut Rng) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !state.status().is_final() {
        let active = &state.active()[rng.below(state.active().len())];
        let name = &state.flow().nodes[active.node].name;
        let id = active.id;
        let command = match active.wait(None).map(|wait| wait.attempt) {
            Some(attempt) => Command::Due {
                id,
                item: None,
                attempt,
            },
            None => Command::Finished {
                id,
                item: None,
                attempt: active.next_attempt(None).0,
                started_at: AT,
                duration_us: 1,
                outcome: Outcome::Done(json!(format!("{name}{}", active.visit))),
            },
        };
        entries.extend(state.handle(command, AT).unwrap());
    }
    entries
}

fn fold(journal: &[Entry]) -> RunState {
    let mut replay = Replay::new(fresh(&yaml(FLOW), &json!({})));
    for (at, entry) in journal.iter().enumerate() {
        replay.push(entry.clone());
        assert_eq!(replay.seq(), at as u64 + 1);
    }
    replay.end()
}

#[test]
fn a_run_that_went_back_ends_as_the_one_that_never_failed() {
    let flow = yaml(FLOW);
    let clean = play(&flow, json!({}), &script(false), &mut Rng::new(1));
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let failed = play(&flow, json!({}), &script(true), &mut rng);
        assert_eq!(failed.status, Status::Failed);
        let mut journal = failed.journal;
        let seq = journal.len() as u64;
        let [.., before, last] = journal.as_slice() else {
            panic!("{journal:?}")
        };
        let turn = retry(Some(before), last, seq, AT).unwrap();
        assert_eq!(
            turn,
            Entry::Retried {
                to: seq - 2,
                at: AT
            }
        );
        let mut stood = fold(&journal[..journal.len() - 2]);
        journal.push(turn);

        let mut state = fold(&journal);
        assert_eq!((state.status(), state.seq()), (Status::Running, seq + 1));
        assert_eq!(state.state_json(), stood.state_json());
        let active = |state: &RunState| {
            let steps = state.active().iter().map(|a| (a.node, a.visit));
            steps.collect::<Vec<_>>()
        };
        assert_eq!(active(&state), active(&stood));
        let attempts = state.active().iter().map(|a| a.next_attempt(None));
        assert!(attempts.into_iter().all(|next| next == (1, None)));

        journal.extend(finish(&mut state, &mut rng));
        assert_eq!(state.end(), clean.end.as_ref());
        let mut folded = fold(&journal);
        assert_eq!(folded.end(), state.end());
        assert_eq!((folded.seq(), folded.steps()), (state.seq(), state.steps()));
        assert_eq!(folded.state_json(), state.state_json());
        let steps = journal
            .iter()
            .filter(|entry| matches!(entry, Entry::Step(_)));
        assert_eq!(
            state.steps(),
            steps.count() as u64,
            "what was undone is counted"
        );
    }
}

#[test]
fn a_journal_that_never_went_back_folds_as_it_always_did() {
    let flow = yaml(FLOW);
    for seed in 0..50 {
        let played = play(
            &flow,
            json!({}),
            &script(seed % 2 == 0),
            &mut Rng::new(seed),
        );
        for until in 0..=played.journal.len() {
            let mut plain = fresh(&flow, &json!({}));
            played.journal[..until]
                .iter()
                .for_each(|entry| plain.apply(entry));
            let mut replayed = fold(&played.journal[..until]);
            assert_eq!((replayed.seq(), replayed.end()), (plain.seq(), plain.end()));
            assert_eq!(replayed.state_json(), plain.state_json());
        }
    }
}

#[test]
fn where_it_goes_on_depends_on_how_it_ended() {
    let flow = yaml(FLOW);
    let failed = play(&flow, json!({}), &script(true), &mut Rng::new(3));
    let step = &failed.journal[failed.journal.len() - 2];
    let end = |end: RunEnd| Entry::Ended { end, at: AT };
    let to = |before: Option<&Entry>, last: &Entry| {
        retry(before, last, 9, AT).map(|entry| match entry {
            Entry::Retried { to, .. } => to,
            other => panic!("{other:?}"),
        })
    };
    let deadline = Failure::new("deadline", Class::Timeout, "too long");
    assert_eq!(to(Some(step), &end(RunEnd::Failed(failure()))), Ok(7));
    assert_eq!(to(Some(step), &end(RunEnd::Failed(deadline))), Ok(8));
    assert_eq!(
        to(Some(step), &end(RunEnd::Cancelled("enough".to_owned()))),
        Ok(8)
    );
    assert_eq!(to(None, &end(RunEnd::Failed(failure()))), Ok(8));
    let completed = end(RunEnd::Completed(json!({}).into()));
    assert_eq!(to(Some(step), &completed), Err(NoRetry::Completed));
    assert_eq!(to(None, step), Err(NoRetry::NotEnded));
}
