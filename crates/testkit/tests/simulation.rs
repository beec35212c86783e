//! Ten thousand seeded histories of the engine: errors, lost answers, crashes at store calls, two
//! servers at once. `RUNSTONE_SIM_SEEDS=1000000` for a night, `RUNSTONE_SIM_SEED=n` for one.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::sync::atomic::{AtomicU64, Ordering};

use runstone_testkit::sim::{self, Summary};

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn slow_every_seed_ends_as_it_does_without_faults() {
    if let Some(seed) = setting("RUNSTONE_SIM_SEED") {
        println!("{:?}", sim::run(seed).unwrap());
        return;
    }
    let seeds = setting("RUNSTONE_SIM_SEEDS").unwrap_or(10_000);
    let next = AtomicU64::new(0);
    let lanes = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let total = std::thread::scope(|scope| {
        let lane = || {
            let mut sum = Summary::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return sum;
                }
                let one = sim::run(seed).unwrap_or_else(|why| panic!("seed {seed}: {why:#}"));
                sum.calls += one.calls;
                sum.crashes += one.crashes;
                sum.steps += one.steps;
                sum.attempts += one.attempts;
                sum.parked += one.parked;
            }
        };
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .fold(Summary::default(), |a, b| Summary {
                calls: a.calls + b.calls,
                crashes: a.crashes + b.crashes,
                steps: a.steps + b.steps,
                attempts: a.attempts + b.attempts,
                parked: a.parked + b.parked,
            })
    });
    println!("{seeds} seeds: {total:?}");
    assert!(
        total.crashes > seeds,
        "the simulation hardly crashes: it shows nothing"
    );
    assert!(
        total.parked > seeds,
        "hardly a run was ever parked: it shows nothing"
    );
    assert!(
        total.attempts > total.steps,
        "nothing was ever repeated: it shows nothing"
    );
}
