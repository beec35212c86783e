//! Every scenario of `runstone bench`, small: it runs, counts right and prints what the table of the
//! bars reads. Nothing is said of speed.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::process::Command;

use serde_json::Value;

fn bench(args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_runstone"))
        .arg("bench")
        .args(args)
        .arg("--json")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{args:?}: {said}");
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn slow_every_scenario_counts_right_and_prints_its_figures() {
    for scenario in ["chain", "start", "fanout"] {
        let printed = bench(&[scenario, "--runs", "40", "--concurrency", "8"]);
        assert_eq!(printed["errors"], 0, "{printed}");
        assert_eq!(printed["runs"], 40, "{printed}");
        for field in ["steps_per_s", "p50_ms", "raw_rows_per_s", "ratio_to_raw"] {
            assert!(
                printed[field].as_f64().unwrap() > 0.0,
                "{field} in {printed}"
            );
        }
    }
    let printed = bench(&["storage", "--steps", "50"]);
    assert!(
        printed["state_bytes"].as_u64().unwrap() > 50_000,
        "{printed}"
    );
}
