//! How many bytes a growing state takes on disk, next to the state itself.
use std::process::ExitCode;

use serde_json::json;

use super::{
    Args, Scenario,
    chain::{Bench, one},
    flows,
};

pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let steps = args.steps.unwrap_or(1000);
    let bench = Bench::open(args.db.as_deref(), std::time::Duration::from_secs(10)).await?;
    let flow = bench.flow(&flows::flow(Scenario::Storage, steps)).await?;
    let before = bench.store.storage_bytes().await?;
    let input = json!({"value": flows::noise(args.state_bytes)});
    let (run, took) = one(&bench.engine, &flow, input, i64::try_from(steps)?).await?;
    let history = bench.engine.history(run).await?;
    let state = history
        .state_at(history.steps.len() as u64)
        .unwrap_or_default();
    let state_bytes = serde_json::to_string(&state)?.len() as u64;
    let stored_bytes = bench.store.storage_bytes().await?.saturating_sub(before);
    let ratio = stored_bytes as f64 / state_bytes as f64;
    if args.json {
        let report = json!({
            "scenario": "storage", "db": runstone_db::masked(&bench.url), "steps": steps,
            "stored_bytes": stored_bytes, "state_bytes": state_bytes, "ratio": ratio,
            "seconds": took.as_secs_f64(),
        });
        println!("{report}");
    } else {
        println!(
            "storage: {steps} steps append to a state of {state_bytes} bytes; \
             {stored_bytes} bytes on disk, ratio {ratio:.2}"
        );
    }
    bench.close().await?;
    Ok(ExitCode::SUCCESS)
}
