//! Large values and long journals: what is large is stored once beside the journal, and a run is
//! resumed from its last snapshot.
use runstone_engine::RunResult;
use runstone_store::Store as _;
use runstone_testkit::on_every_database;
use serde_json::json;

use crate::harness::{Place, output, start};

const LARGE: &str = "{runstone: 1, name: large, start: a, state: {text: {type: string}}, nodes: {\
    a: {uses: set, with: {text: FILL}}, b: {uses: sleep, with: {for: 2s}}, \
    c: {uses: template, with: {text: '${{ string(size(state.text)) }}'}}}, \
    edges: [a -> b -> c -> end], output: {size: '${{ results.c }}', text: '${{ state.text }}'}}";

const ROUNDS: u64 = 2_000;
const LOOP: &str = "{runstone: 1, name: rounds, start: a, state: {n: {type: integer, default: 0}, \
    log: {type: array, reducer: append, default: []}}, nodes: {\
    a: {uses: set, with: {n: '${{ state.n + 1 }}', log: 'round ${{ string(state.n) }} FILL'}}, \
    b: {uses: sleep, with: {for: 2s}}}, edges: [{from: a, to: a, when: 'state.n < 2000'}, \
    {from: a, to: b, else: true}, b -> end], output: {n: '${{ state.n }}', \
    size: '${{ size(state.log) }}', last: '${{ state.log[1999] }}'}}";

on_every_database! {
    async fn slow_a_large_text_is_stored_beside_the_journal_and_is_there_after_a_restart(place: &Place) {
        for times in [20_000, 200_000] {
            let text = "snow ".repeat(times);
            let first = place.engine().await;
            let flow = LARGE.replace("FILL", &json!(text).to_string());
            let handle = start(&first, &flow).await;
            let id = handle.id;
            while first.history(id).await.unwrap().steps.is_empty() {
                tokio::task::yield_now().await;
            }
            first.stop();
            assert_eq!(handle.wait().await, RunResult::Stopped);
            let loaded = place.store().await.load(&[id]).await.unwrap().remove(0);
            if times == 20_000 {
                assert_eq!((loaded.blobs.len(), loaded.rows.len()), (1, 1));
                assert!(
                    loaded.rows[0].row.body.len() < 1000,
                    "it is in the row itself"
                );
            } else {
                // So much at once is worth a snapshot, which holds it.
                assert_eq!(loaded.snapshot.map(|snapshot| snapshot.seq), Some(1));
            }
            let engine = place.engine().await;
            let handle = engine.resume(id).await.unwrap();
            let size = (times * 5).to_string();
            assert_eq!(output(handle).await, json!({"size": size, "text": text}));
        }
    }

    async fn slow_a_long_loop_is_resumed_from_its_snapshot(place: &Place) {
        let fill = "y".repeat(300);
        let first = place.engine().await;
        let handle = start(&first, &LOOP.replace("FILL", &fill)).await;
        let id = handle.id;
        let store = place.store().await;
        while store.journal(id, ROUNDS - 1, 1).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        first.stop();
        assert_eq!(handle.wait().await, RunResult::Stopped);
        let loaded = store.load(&[id]).await.unwrap().remove(0);
        let snapshot = loaded.snapshot.unwrap();
        assert!(
            snapshot.seq > ROUNDS / 4,
            "the last snapshot is of row {}",
            snapshot.seq
        );
        assert_eq!(
            loaded.rows.len() as u64,
            ROUNDS - snapshot.seq,
            "rows before it are read too"
        );
        assert_eq!(loaded.rows[0].row.seq, snapshot.seq + 1);
        let engine = place.engine().await;
        let handle = engine.resume(id).await.unwrap();
        let last = format!("round 1999 {fill}");
        assert_eq!(
            output(handle).await,
            json!({"n": 2000, "size": 2000, "last": last})
        );
    }
}
