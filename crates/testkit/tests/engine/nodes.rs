//! Nodes that panic, that give too much, that take too long: the run ends as it should, the
//! process and its other runs go on.
use std::time::{Duration, Instant};

use runstone_model::{failure::Class, run::RunEnd};
use runstone_testkit::on_every_database;
use serde_json::json;

use crate::harness::{Place, end, output, start};

fn one(kind: &str, with: &str) -> String {
    format!(
        "{{runstone: 1, name: one, start: a, nodes: {{a: {{uses: {kind}, with: {with}}}}}, \
         edges: [a -> end]}}"
    )
}

const SOUND: &str = "{runstone: 1, name: sound, start: a, nodes: {a: {uses: template, \
    with: {text: fine}}}, edges: [a -> end], output: {said: '${{ results.a }}'}}";

on_every_database! {
    async fn what_a_node_does_wrong_fails_its_run_and_nothing_else(place: &Place) {
        let engine = place.engine().await;
        for (kind, class, said) in [
            (
                "test.panic",
                Class::Logic,
                "the node panicked: out of cheese",
            ),
            (
                "test.panic_at_once",
                Class::Logic,
                "the node panicked: out of cheese",
            ),
            (
                "test.large",
                Class::Resource,
                "over the limit of 16777216 bytes",
            ),
            ("test.deep", Class::Resource, "nested more than 64 deep"),
        ] {
            let wrong = start(&engine, &one(kind, "{}")).await;
            let sound = start(&engine, SOUND).await;
            match end(wrong).await {
                RunEnd::Failed(failure) => {
                    assert_eq!(failure.class, class, "{failure:?}");
                    assert!(failure.message.contains(said), "{failure:?}");
                }
                other => panic!("{kind}: {other:?}"),
            }
            assert_eq!(output(sound).await, json!({"said": "fine"}));
        }
        assert_eq!(engine.live(), 0);
    }

    async fn cancelling_a_run_does_not_wait_for_its_slow_step(place: &Place) {
        let engine = place.engine().await;
        let handle = start(&engine, &one("sleep", "{for: 1h}")).await;
        let began = Instant::now();
        assert!(engine.cancel(handle.id, "enough").await.unwrap());
        assert_eq!(end(handle).await, RunEnd::Cancelled("enough".to_owned()));
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
    }
}
