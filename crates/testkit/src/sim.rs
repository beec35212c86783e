//! Seeded simulation: the real engine on the oracle, virtual time, errors and crashes at any store
//! call, two servers with one of them frozen. The same flow without faults says what must come out.
mod check;
mod work;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, bail};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use runstone_engine::{Clock, Engine, Ids, Options, PinnedFlow, StartRun, loops::Loops};
use runstone_model::{
    flow::Flow,
    ids::{ProjectId, RunId},
    time::Timestamp,
};
use runstone_store::Store;
use serde_json::json;
use uuid::Uuid;

pub use self::work::Effects;
use crate::{
    faults::{Faults, Rates},
    oracle::Oracle,
    random,
};

/// How long a server may be silent, in virtual time.
const LEASE: Duration = Duration::from_secs(10);
/// Runs that wait for so long leave memory.
const PARK: Duration = Duration::from_secs(2);
/// Runs of a simulation.
const RUNS: usize = 2;
/// Lives before the last one, which has no faults.
const LIVES: u64 = 4;
/// A simulation that takes longer, in virtual time, is stuck.
const STUCK: Duration = Duration::from_secs(3600);

/// Virtual time: tokio's paused clock, going on from life to life.
struct SimClock {
    base: Timestamp,
    began: tokio::time::Instant,
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.base.plus(self.began.elapsed())
    }
}

/// Counted identifiers; they sort as UUID v7 do.
struct SimIds(Mutex<u128>);

impl Ids for SimIds {
    fn next(&self) -> Uuid {
        let mut last = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *last += 1;
        Uuid::from_u128((0x0190_0000_0000_7000_8000_u128 << 48) + *last)
    }
}

struct World {
    oracle: Arc<Oracle>,
    ids: Arc<SimIds>,
    effects: Arc<Effects>,
    flow: Arc<Flow>,
    /// Once it is stored.
    pinned: Option<PinnedFlow>,
    seed: u64,
    now: Timestamp,
    runs: Vec<RunId>,
    parked: u64,
}

/// What a simulation was like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Store calls in all lives.
    pub calls: u64,
    /// Times the process died.
    pub crashes: u64,
    /// Steps committed.
    pub steps: u64,
    /// Attempts made, the repeated ones included.
    pub attempts: u64,
    /// Times that a run left memory to wait.
    pub parked: u64,
}

/// Simulates by `seed`; the error says what went wrong.
pub fn run(seed: u64) -> anyhow::Result<Summary> {
    let text = random::flow(seed).to_string();
    let kinds = work::registry(&Arc::default(), seed);
    let flow = Arc::new(Flow::parse(&text, &kinds).map_err(|p| anyhow::anyhow!("{p:#?}"))?);
    let calm = Rates {
        error_before: 0,
        error_after: 0,
        slow: 0,
    };
    let mut expected = World::new(Arc::clone(&flow), seed);
    expected
        .life(0, calm, 0, false)
        .context("the run without faults")?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    let mut world = World::new(flow, seed);
    let mut summary = Summary::default();
    for life in 0..=LIVES {
        let last = life == LIVES;
        let rates = if last {
            calm
        } else {
            Rates {
                error_before: 30,
                error_after: 30,
                slow: 100,
            }
        };
        // Some come far: while runs wait, many calls are made for nothing.
        let calls = if rng.random_bool(0.5) { 25 } else { 150 };
        let crash_at = if last { 0 } else { rng.random_range(1..calls) };
        let frozen = !last && rng.random_bool(0.2);
        let lived = world
            .life(life + 1, rates, crash_at, frozen)
            .context(format!("life {life}"))?;
        summary.calls += lived.0;
        summary.crashes += u64::from(lived.1);
    }
    summary.parked = world.parked;
    (summary.steps, summary.attempts) = check::compare(&expected, &world)?;
    Ok(summary)
}

impl World {
    fn new(flow: Arc<Flow>, seed: u64) -> Self {
        Self {
            oracle: Arc::new(Oracle::new()),
            ids: Arc::new(SimIds(Mutex::new(0))),
            effects: Arc::new(Effects::default()),
            flow,
            pinned: None,
            seed,
            now: Timestamp(1_000_000_000_000),
            runs: Vec::new(),
            parked: 0,
        }
    }

    fn engine(&self, store: Arc<dyn Store>, clock: &Arc<SimClock>, life: u64) -> Engine {
        let registry = work::registry(&self.effects, self.seed ^ life);
        let options = Options {
            lease: LEASE,
            heartbeat: Duration::from_secs(2),
            park: Some(PARK),
            clock: clock.clone(),
            ids: self.ids.clone(),
            ..Options::default()
        };
        let engine = Engine::new(store, registry, options);
        if let Some(pinned) = &self.pinned {
            engine.keep_flow(pinned);
        }
        engine
    }

    /// One life of a process, until it dies or everything is over. Store calls, and whether it
    /// died.
    fn life(
        &mut self,
        life: u64,
        rates: Rates,
        crash_at: u64,
        frozen: bool,
    ) -> anyhow::Result<(u64, bool)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let store: Arc<dyn Store> = self.oracle.clone();
        let seed = self.seed.wrapping_mul(31).wrapping_add(life);
        let faults = Arc::new(Faults::new(store, seed, rates, crash_at));
        let lived = runtime.block_on(async {
            let clock = Arc::new(SimClock {
                base: self.now,
                began: tokio::time::Instant::now(),
            });
            let died = tokio::select! {
                lived = self.live(&faults, &clock, life, frozen) => { lived?; false }
                () = faults.crashed() => true,
                () = tokio::time::sleep(STUCK) => bail!("stuck: nothing ends any more"),
            };
            self.now = clock.now();
            Ok((faults.calls(), died))
        });
        // Whatever the process was doing ends here, in the middle.
        drop(runtime);
        self.now = self.now.plus(LEASE + Duration::from_secs(1));
        lived
    }

    async fn live(
        &mut self,
        faults: &Arc<Faults>,
        clock: &Arc<SimClock>,
        life: u64,
        frozen: bool,
    ) -> anyhow::Result<()> {
        let engine = self.engine(faults.clone(), clock, life);
        let mut parked = 0;
        let _loops = Loops::start(&engine, true);
        if self.runs.len() < RUNS {
            self.start(&engine).await?;
        }
        let mut second = None;
        if frozen {
            // The first server's heartbeats hang; another one takes its runs over while it lives.
            faults.freeze();
            let other = self.engine(self.oracle.clone(), clock, life + 100);
            second = Some((Loops::start(&other, true), other));
        }
        while !self.over().await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
            // Counted on the way: a life may end at any moment.
            let other = second.as_ref().map_or(0, |(_, other)| other.done().parked);
            let now = engine.done().parked + other;
            self.parked += now - parked;
            parked = now;
        }
        drop(second);
        Ok(())
    }

    async fn start(&mut self, engine: &Engine) -> anyhow::Result<()> {
        while self.runs.len() < RUNS {
            let flow = Arc::clone(&self.flow);
            let Ok(flow) = engine.store_flow(ProjectId::DEFAULT, flow).await else {
                continue;
            };
            self.pinned = Some(flow.clone());
            let input = json!({"n": self.runs.len()});
            let start = StartRun {
                project: ProjectId::DEFAULT,
                flow,
                input,
                detach: false,
                labels: Vec::new(),
            };
            // A start whose answer was lost may have happened: what counts is what is stored.
            let _ = engine.start(start).await;
            self.runs = self.stored().await?;
        }
        Ok(())
    }

    async fn stored(&self) -> anyhow::Result<Vec<RunId>> {
        let filter = runstone_store::RunFilter {
            limit: 1000,
            ..Default::default()
        };
        let mut runs: Vec<RunId> = self
            .oracle
            .runs(filter)
            .await?
            .into_iter()
            .map(|record| record.id)
            .collect();
        runs.sort_unstable();
        Ok(runs)
    }

    async fn over(&self) -> anyhow::Result<bool> {
        if self.runs.len() < RUNS {
            return Ok(false);
        }
        for run in &self.runs {
            let record = self.oracle.run(*run).await?.context("a run is gone")?;
            if !record.status.is_final() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
