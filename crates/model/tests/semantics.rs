//! What the flow guide says of joins, branches, loops, maps and failures, flow by flow.
#![expect(clippy::unwrap_used, reason = "tests")]
mod play;

use play::{Played, Rng, Script, play, yaml};
use runstone_model::{
    failure::{Class, Failure},
    run::{Entry, RunEnd, Status},
};
use serde_json::{Value, json};

/// Each step answers its own name and visit, `a#1`.
fn named() -> Script {
    Script::new(|step, _| {
        let item = step.item.map(|item| format!(".{item}")).unwrap_or_default();
        Ok(json!(format!("{}#{}{item}", step.name, step.visit)))
    })
}

/// Plays under many orders: every one must end the same, to the byte.
fn every_order(text: &str, input: &Value, script: &Script) -> Played {
    let flow = yaml(text);
    let mut first: Option<Played> = None;
    for seed in 0..50 {
        let played = play(&flow, input.clone(), script, &mut Rng::new(seed));
        if let Some(first) = &first {
            assert_eq!(first.end, played.end, "order {seed}");
            if played.status == Status::Completed {
                assert_eq!(first.starts, played.starts, "order {seed}");
            }
        }
        first.get_or_insert(played);
    }
    first.unwrap()
}

fn output(played: &Played) -> &Value {
    match played.end.as_ref().unwrap() {
        RunEnd::Completed(output) => output,
        other => panic!("{other:?}"),
    }
}

fn failure(played: &Played) -> &Failure {
    match played.end.as_ref().unwrap() {
        RunEnd::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

const LOG: &str = "
runstone: 1
name: t
state: {log: {type: array, reducer: append}}
output: {log: '${{ state.log }}'}
";

fn nodes(names: &str) -> String {
    let node =
        |name: &str| format!("  {name}: {{uses: test, out: {{log: '${{{{ result }}}}'}}}}\n");
    let all: String = names.split(' ').map(node).collect();
    format!("{LOG}nodes:\n{all}edges:\n")
}

#[test]
fn a_diamonds_foot_starts_once_after_both_sides() {
    let flow = nodes("a b c d") + "- a -> b -> d\n- a -> c -> d\n";
    let played = every_order(&flow, &json!({}), &named());
    assert_eq!(output(&played)["log"], json!(["a#1", "b#1", "c#1", "d#1"]));
}

#[test]
fn a_long_and_a_short_branch_join_and_fold_by_depth() {
    let flow = nodes("a b b2 c d") + "- a -> b -> b2 -> d\n- a -> c -> d\n";
    let played = every_order(&flow, &json!({}), &named());
    assert_eq!(
        output(&played)["log"],
        json!(["a#1", "b#1", "c#1", "b2#1", "d#1"])
    );
}

#[test]
fn a_side_not_taken_is_not_waited_for() {
    let flow = nodes("a b c d")
        + "- {from: a, to: b, when: 'input.left'}\n- {from: a, to: c, else: true}\n\
             - b -> d\n- c -> d\n";
    let played = every_order(&flow, &json!({"left": true}), &named());
    assert_eq!(output(&played)["log"], json!(["a#1", "b#1", "d#1"]));
    let played = every_order(&flow, &json!({"left": false}), &named());
    assert_eq!(output(&played)["log"], json!(["a#1", "c#1", "d#1"]));
}

#[test]
fn a_nested_loop_starts_its_count_afresh_each_outer_round() {
    let flow = nodes("outer inner tail")
        + "- outer -> inner\n\
             - {from: inner, to: inner, when: 'true', max: 2}\n\
             - {from: inner, to: tail, else: true}\n\
             - {from: tail, to: outer, when: 'true', max: 1}\n\
             - {from: tail, to: end, else: true}\n";
    let played = every_order(&flow, &json!({}), &named());
    assert_eq!(played.starts, [2, 6, 2]);
}

#[test]
fn two_loops_sharing_a_node_each_keep_their_count() {
    let flow = nodes("hub left right")
        + "- {from: hub, to: left, when: 'visits.left < 2'}\n\
             - {from: hub, to: right, when: 'visits.left >= 2 && visits.right < 3'}\n\
             - {from: hub, to: end, else: true}\n- left -> hub\n- right -> hub\n";
    let played = every_order(&flow, &json!({}), &named());
    assert_eq!(played.starts, [6, 2, 3]);
}

#[test]
fn a_loop_inside_a_branch_does_not_hold_up_the_other_until_the_join() {
    let flow = nodes("a l m c d")
        + "- a -> l -> m\n- {from: m, to: l, when: 'visits.m < 3'}\n\
             - {from: m, to: d, else: true}\n- a -> c -> d\n";
    let played = every_order(&flow, &json!({}), &named());
    assert_eq!(played.starts, [1, 3, 3, 1, 1]);
    assert_eq!(
        output(&played)["log"],
        json!([
            "a#1", "l#1", "c#1", "m#1", "l#2", "m#2", "l#3", "m#3", "d#1"
        ])
    );
}

#[test]
fn what_stands_behind_a_loop_starts_once_and_sees_all_of_it() {
    let flow = nodes("h x z")
        + "- h -> x\n- h -> z\n- {from: x, to: h, when: 'visits.x < 3'}\n\
             - {from: x, to: end, else: true}\n";
    let played = every_order(&flow, &json!({}), &named());
    assert_eq!(played.starts, [3, 3, 1]);
    assert_eq!(
        output(&played)["log"],
        json!(["h#1", "x#1", "h#2", "x#2", "h#3", "x#3", "z#1"])
    );
}

#[test]
fn join_each_starts_once_for_every_arrival() {
    let flow = nodes("h x")
        + "- h -> x\n- h -> z\n- {from: x, to: h, when: 'visits.x < 3'}\n\
             - {from: x, to: end, else: true}\n";
    let flow = flow.replace(
        "edges:",
        "  z: {uses: test, join: each, out: {log: '${{ result }}'}}\nedges:",
    );
    let played = every_order(&flow, &json!({}), &named());
    assert_eq!(played.starts, [3, 3, 3]);
}

#[test]
fn join_first_cancels_what_only_leads_to_it() {
    let flow = nodes("a b c") + "- a -> b -> w\n- a -> c -> w\n";
    let flow = flow.replace(
        "edges:",
        "  w: {uses: test, join: first, out: {log: '${{ result }}'}}\nedges:",
    );
    for seed in 0..20 {
        let played = play(&yaml(&flow), json!({}), &named(), &mut Rng::new(seed));
        assert_eq!(played.status, Status::Completed);
        let log = output(&played)["log"].as_array().unwrap().clone();
        assert_eq!(log.len(), 3, "one of b and c is cancelled: {log:?}");
        assert_eq!(log[2], "w#1");
    }
}

#[test]
fn a_dead_end_fails_the_run_and_names_every_condition() {
    let flow = nodes("a b") + "- {from: a, to: b, when: 'input.x > 3'}\n";
    let played = every_order(&flow, &json!({"x": 1}), &named());
    let failure = failure(&played);
    assert_eq!(
        (failure.code.as_str(), failure.node.as_deref()),
        ("dead_end", Some("a"))
    );
    assert!(
        failure.message.contains("`input.x > 3` is false"),
        "{}",
        failure.message
    );
}

#[test]
fn a_condition_that_cannot_be_evaluated_fails_the_run() {
    let flow = nodes("a b")
        + "- {from: a, to: b, when: 'input.x > 3'}\n- {from: a, to: end, else: true}\n";
    let played = every_order(&flow, &json!({"x": "text"}), &named());
    assert_eq!(failure(&played).code, "expression");
}

#[test]
fn parallel_writes_of_a_replace_key_are_a_conflict_naming_both() {
    let flow = "
runstone: 1
name: t
state: {k: {}}
nodes:
  a: {uses: test}
  b: {uses: test, out: {k: '${{ result }}'}}
  c: {uses: test, out: {k: '${{ result }}'}}
  d: {uses: test}
edges:
  - {from: a, to: b, when: 'true'}
  - {from: a, to: c, when: 'true'}
  - b -> d
  - c -> d
";
    let played = every_order(flow, &json!({}), &named());
    let failure = failure(&played);
    assert_eq!(failure.code, "write_conflict");
    assert!(failure.message.contains("b and c"), "{}", failure.message);
}

#[test]
fn a_branch_never_sees_its_neighbours_half_done_work() {
    let flow = "
runstone: 1
name: t
state: {log: {type: array, reducer: append}, seen: {type: array, reducer: append}}
nodes:
  a: {uses: test, out: {log: '${{ result }}'}}
  b: {uses: test, with: {seen: '${{ state.log }}'}, out: {log: b, seen: '${{ [result] }}'}}
  c: {uses: test, with: {seen: '${{ state.log }}'}, out: {log: c, seen: '${{ [result] }}'}}
  d: {uses: test, with: {seen: '${{ state.log }}'}, out: {seen: '${{ [result] }}'}}
edges:
  - a -> b -> d
  - a -> c -> d
";
    let echo = Script::new(|step, with| {
        Ok(if step.name == "a" {
            json!("a")
        } else {
            with["seen"].clone()
        })
    });
    let played = every_order(flow, &json!({}), &echo);
    let seen = json!([["a"], ["a"], ["a", "b", "c"]]);
    assert_eq!(
        output(&played),
        &json!({"log": ["a", "b", "c"], "seen": seen})
    );
}

#[test]
fn a_map_gives_its_results_in_order_and_folds_by_item() {
    let flow = "
runstone: 1
name: t
state: {log: {type: array, reducer: append}}
nodes:
  m: {uses: test, for_each: '${{ input.items }}', with: {v: '${{ item }}'}, out: {log: '${{ item }}'}}
  after: {uses: test}
edges: [m -> after]
output: {log: '${{ state.log }}', results: '${{ results.m }}'}
";
    let played = every_order(flow, &json!({"items": [3, 1, 2]}), &named());
    let results = json!(["m#1.0", "m#1.1", "m#1.2"]);
    assert_eq!(
        output(&played),
        &json!({"log": [3, 1, 2], "results": results})
    );
    let played = every_order(flow, &json!({"items": []}), &named());
    assert_eq!(output(&played), &json!({"log": [], "results": []}));
}

fn failing(node: &'static str, attempts: u32) -> Script {
    Script::new(move |step, _| {
        if step.name == node && step.attempt <= attempts {
            return Err(Failure::new("node_failed", Class::Network, "no answer"));
        }
        Ok(json!(format!("{}#{}", step.name, step.visit)))
    })
}

#[test]
fn a_run_with_a_failed_node_is_failed_never_completed() {
    let flow = nodes("a b c") + "- a -> b\n- a -> c\n";
    let played = every_order(&flow, &json!({}), &failing("b", 99));
    assert_eq!(played.status, Status::Failed);
    assert_eq!(failure(&played).node.as_deref(), Some("b"));
}

#[test]
fn retries_are_counted_and_then_the_step_completes() {
    let flow = nodes("b").replace("uses: test,", "uses: test, retry: {max_attempts: 3},");
    let flow = flow.replace("edges:\n", "");
    let played = every_order(&flow, &json!({}), &failing("b", 2));
    assert_eq!(played.status, Status::Completed);
    let failed = played
        .journal
        .iter()
        .filter(|e| matches!(e, Entry::AttemptFailed { .. }))
        .count();
    assert_eq!(failed, 2);
    let played = every_order(&flow, &json!({}), &failing("b", 3));
    assert_eq!(failure(&played).attempt, 3);
}

#[test]
fn on_error_goto_puts_the_failure_in_scope() {
    let flow = "
runstone: 1
name: t
state: {log: {type: array, reducer: append}}
nodes:
  a: {uses: test, on_error: {goto: mend}}
  b: {uses: test, out: {log: b}}
  mend: {uses: test, with: {why: '${{ error.message }}'}, out: {log: '${{ result }}'}}
edges: [a -> b]
";
    let echo = Script::new(|step, with| match step.name {
        "a" => Err(Failure::new("node_failed", Class::Logic, "broken")),
        _ => Ok(with["why"].clone()),
    });
    let played = every_order(flow, &json!({}), &echo);
    assert_eq!(output(&played), &json!({"log": ["broken"]}));
}

#[test]
fn on_error_continue_goes_on_with_null_and_the_error_on_the_edges() {
    let flow = "
runstone: 1
name: t
state: {log: {type: array, reducer: append}}
nodes:
  a: {uses: test, on_error: continue}
  good: {uses: test, out: {log: good}}
  bad: {uses: test, out: {log: bad}}
edges:
  - {from: a, to: bad, when: 'results.a == null'}
  - {from: a, to: good, else: true}
";
    let played = every_order(flow, &json!({}), &failing("a", 99));
    assert_eq!(output(&played), &json!({"log": ["bad"]}));
}

#[test]
fn a_skipped_step_has_a_null_result_and_the_run_goes_on() {
    let flow = nodes("a b").replace("  b: {uses: test,", "  b: {uses: test, if: 'input.go',");
    let flow = flow + "- a -> b\n";
    let played = every_order(&flow, &json!({"go": false}), &named());
    assert_eq!(output(&played), &json!({"log": ["a#1"]}));
}

#[test]
fn an_endless_loop_ends_at_the_step_limit() {
    let flow = nodes("a") + "- {from: a, to: a, when: 'true'}\nlimits: {steps: 20}\n";
    let played = play(&yaml(&flow), json!({}), &named(), &mut Rng::new(1));
    assert_eq!(failure(&played).code, "step_limit");
}

#[test]
fn fail_ends_the_run_with_the_edges_message() {
    let flow = nodes("a") + "- {from: a, to: fail, message: 'no: ${{ input.x }}'}\n";
    let played = every_order(&flow, &json!({"x": 4}), &named());
    assert_eq!(failure(&played).message, "no: 4");
}
