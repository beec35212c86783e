//! Going on with runs that have failed or were cancelled: from where they stood, with what they had
//! done, once.
use runstone_engine::{Engine, Error, RunHandle};
use runstone_model::{
    ids::RunId,
    run::{Entry, RunEnd, Status},
};
use runstone_testkit::on_every_database;
use serde_json::json;

use crate::harness::{Place, end, output, start};

/// Two branches, one of which fails as long as the world refuses.
const BRANCHES: &str = "{runstone: 1, name: branches, start: a, \
    state: {log: {type: array, reducer: append, default: []}}, nodes: {\
    a: {uses: set, with: {log: a}}, \
    b: {uses: test.moody, with: {refused: fail}, retry: {max_attempts: 2, initial: 1ms}, out: {log: '${{ result }}'}}, \
    c: {uses: sleep, with: {for: 20ms}, out: {log: c}}, d: {uses: set, with: {log: d}}}, \
    edges: [a -> b, a -> c, b -> d, c -> d, d -> end], output: '${{ state.log }}'}";

/// A map, one item at a time, of which the second fails as long as the world refuses.
const MAP: &str = "{runstone: 1, name: map, start: m, nodes: {m: {uses: test.moody, \
    for_each: [1, 2, 3], max_parallel: 1, with: {refused: '${{ item == 2 ? \"fail\" : \"\" }}'}}}, \
    edges: [m -> end], output: '${{ results.m }}'}";

/// The step's result leads nowhere as long as the world refuses.
const DEAD_END: &str = "{runstone: 1, name: dead, start: a, nodes: {a: {uses: test.moody, \
    with: {refused: 'no'}}}, edges: [{from: a, to: end, when: 'results.a == \"yes\"'}], \
    output: '${{ results.a }}'}";

/// A step that ends only when the world does not refuse; `LIMITS` is replaced.
const HANGING: &str = "{runstone: 1, name: hanging, start: a, LIMITS \
    state: {log: {type: array, reducer: append, default: []}}, nodes: {a: {uses: set, with: {log: a}}, \
    b: {uses: test.moody, with: {refused: hang}, out: {log: '${{ result }}'}}}, \
    edges: [a -> b -> end], output: '${{ state.log }}'}";

async fn failure(handle: RunHandle) -> String {
    match end(handle).await {
        RunEnd::Failed(failure) => failure.code,
        other => panic!("{other:?}"),
    }
}

/// What the run's history says: the kinds of its entries, and that every place of it can be seen.
async fn kinds(engine: &Engine, id: RunId) -> Vec<&'static str> {
    let history = engine.history(id).await.unwrap();
    assert_eq!(history.record.status, Status::Completed);
    assert_eq!(
        (history.record.error.as_ref(), history.record.owner),
        (None, None)
    );
    let steps = history
        .steps
        .iter()
        .filter(|step| matches!(step.entry, Entry::Step(_)));
    assert_eq!(history.record.steps, steps.count() as u64);
    for step in &history.steps {
        assert!(history.state_at(step.seq).is_some());
    }
    let last = history.steps.len() as u64;
    assert_eq!(
        history.state_at(last),
        Some(engine.state(id).await.unwrap())
    );
    history
        .steps
        .iter()
        .map(|step| step.entry.kind().name())
        .collect()
}

on_every_database! {
    async fn a_failed_run_goes_on_before_the_step_that_made_it_fail(place: &Place) {
        place.world.refuse(true);
        let first = place.engine().await;
        let handle = start(&first, BRANCHES).await;
        let id = handle.id;
        assert_eq!(failure(handle).await, "node_failed");
        assert_eq!(place.world.calls(), [2], "with all of its attempts");
        // Still refused: it fails again, after all of its attempts, as often as one likes.
        assert_eq!(failure(first.retry(id).await.unwrap()).await, "node_failed");
        assert_eq!(place.world.calls(), [4], "under the same idempotency key");
        place.world.refuse(false);
        // Another server, which knows only what the database has.
        let second = place.engine().await;
        let done = output(second.retry(id).await.unwrap()).await;
        assert_eq!(done, json!(["a", "yes", "c", "d"]));
        assert_eq!(place.world.calls(), [5]);
        let kinds = kinds(&second, id).await;
        let count = |kind: &str| kinds.iter().filter(|found| **found == kind).count();
        assert_eq!((count("run_failed"), count("run_retried"), count("run_completed")), (2, 2, 1));
        assert_eq!((count("failed"), count("attempt_failed")), (2, 2));
        assert_eq!(count("completed"), 4, "each of a, b, c and d once: {kinds:?}");
    }

    async fn the_items_of_a_map_that_are_done_stay_done(place: &Place) {
        place.world.refuse(true);
        let engine = place.engine().await;
        let handle = start(&engine, MAP).await;
        let id = handle.id;
        assert_eq!(failure(handle).await, "node_failed");
        place.world.refuse(false);
        assert_eq!(output(engine.retry(id).await.unwrap()).await, json!(["yes", "yes", "yes"]));
        assert_eq!(place.world.calls(), [1, 2, 1]);
        kinds(&engine, id).await;
    }

    async fn a_step_whose_result_led_nowhere_is_asked_again(place: &Place) {
        place.world.refuse(true);
        let engine = place.engine().await;
        let handle = start(&engine, DEAD_END).await;
        let id = handle.id;
        assert_eq!(failure(handle).await, "dead_end");
        place.world.refuse(false);
        assert_eq!(output(engine.retry(id).await.unwrap()).await, json!("yes"));
        assert_eq!(kinds(&engine, id).await, ["completed", "run_failed", "run_retried", "completed", "run_completed"]);
    }

    async fn a_cancelled_run_and_one_out_of_time_go_on_where_they_stood(place: &Place) {
        for (limits, code) in [("", "cancelled"), ("limits: {duration: 2s},", "deadline")] {
            place.world.refuse(true);
            let engine = place.engine().await;
            let handle = start(&engine, &HANGING.replace("LIMITS", limits)).await;
            let id = handle.id;
            if code == "cancelled" {
                while engine.history(id).await.unwrap().steps.is_empty() {
                    tokio::task::yield_now().await;
                }
                // As the owner of a run is asked by others.
                engine.store().request_cancel(id, runstone_model::time::Timestamp(1)).await.unwrap();
                engine.cancel(id, "enough").await.unwrap();
                assert_eq!(end(handle).await, RunEnd::Cancelled("enough".to_owned()));
            } else {
                assert_eq!(failure(handle).await, code);
            }
            place.world.refuse(false);
            let (one, two) = tokio::join!(engine.retry(id), engine.retry(id));
            let mut both = [one, two];
            both.sort_by_key(Result::is_err);
            let [one, two] = both;
            assert!(matches!(two, Err(Error::NotEnded(_) | Error::AlreadyEnded(..))), "{two:?}");
            assert_eq!(output(one.unwrap()).await, json!(["a", "yes"]));
            assert_eq!(kinds(&engine, id).await.iter().filter(|kind| **kind == "run_retried").count(), 1);
            assert!(matches!(engine.retry(id).await, Err(Error::AlreadyEnded(_, "completed"))));
        }
    }
}
