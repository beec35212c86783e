//! The time of day jumps by days while runs are under way: waits keep their length, and the runs of
//! an engine that died are found whatever the clock said then.
use runstone_engine::loops::{Claim, Heartbeat};
use runstone_testkit::{
    on_every_database,
    servers::{Fixture as _, TestDatabase},
};
use serde_json::json;

use crate::harness::{Place, output, start};

fn jumping(days: i64) -> String {
    format!(
        "{{runstone: 1, name: jump, start: a, limits: {{duration: 1h}}, nodes: {{a: {{uses: \
         test.jump_once, with: {{days: {days}}}, retry: {{max_attempts: 3, initial: 50ms}}}}}}, \
         edges: [a -> end], output: {{attempt: '${{{{ results.a }}}}'}}}}"
    )
}

const WAITING: &str = "{runstone: 1, name: wait, start: a, nodes: {a: {uses: set, with: {n: 1}}, \
    b: {uses: sleep, with: {for: 300ms}}}, state: {n: {type: integer}}, edges: [a -> b -> end], \
    output: {n: '${{ state.n }}'}}";

/// Where others may own runs too, nothing but time makes an owner dead.
#[tokio::test]
async fn on_sqlite_the_runs_of_a_dead_engine_go_on_after_any_jump_of_the_clock() {
    for days in [-5, 0, 5] {
        let place = Place::open(TestDatabase::Sqlite).await.unwrap();
        let dead = place.engine().await;
        Heartbeat(dead.clone()).run_once().await.unwrap();
        let handle = start(&dead, WAITING).await;
        let id = handle.id;
        // It is stopped and gives nothing back, as if it had been killed.
        dead.stop();
        handle.wait().await;
        place.clock.jump_days(days);
        let engine = place.engine().await;
        let mut claimed = Claim(engine.clone()).run_once().await.unwrap().claimed;
        assert_eq!(claimed.len(), 1, "{days} days");
        let handle = claimed.pop().unwrap();
        assert_eq!(handle.id, id);
        assert_eq!(output(handle).await, json!({"n": 1}), "{days} days");
    }
}

on_every_database! {
    async fn a_jump_of_the_clock_changes_neither_a_wait_nor_a_deadline(place: &Place) {
        for days in [-5, 5] {
            let engine = place.engine().await;
            let handle = start(&engine, &jumping(days)).await;
            assert_eq!(output(handle).await, json!({"attempt": 2}), "{days} days");
        }
    }
}
