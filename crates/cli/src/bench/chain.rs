//! Chain, start and fanout: many runs, a bounded number of them in flight.
use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use runstone_db::bare::Rate;
use runstone_engine::{Engine, Options, PinnedFlow, RunResult, StartRun, loops::Loops};
use runstone_model::{
    ids::{ProjectId, RunId},
    run::{Entry, RunEnd},
};
use runstone_store::{OpenOptions, SqlStore};
use serde_json::{Value, json};

use super::{Args, Scenario, flows, raw, report::Report};
use crate::{print::acks, progress};

/// Runs before the clock starts.
const WARM_UP: usize = 32;

/// An engine on the database to measure.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) store: Arc<SqlStore>,
    pub(super) url: String,
    loops: Loops,
    _folder: Option<tempfile::TempDir>,
}

impl Bench {
    pub(super) async fn open(db: Option<&str>, lease: Duration) -> anyhow::Result<Self> {
        let (url, folder) = match db {
            Some(url) => (url.to_owned(), None),
            None => {
                let folder = tempfile::tempdir_in(".").context("no temporary folder here")?;
                let file = folder.path().join("bench.db");
                (format!("sqlite:{}", file.display()), Some(folder))
            }
        };
        let options = OpenOptions {
            migrate: true,
            engine_lock: true,
            who: "runstone bench".to_owned(),
            ..OpenOptions::default()
        };
        let store = Arc::new(SqlStore::open(&url, options).await?);
        let options = Options {
            lease,
            ..Options::default()
        };
        let engine = Engine::new(store.clone(), crate::open::registry(None)?, options);
        progress::outage::tell(&engine);
        let loops = Loops::start(&engine, false);
        Ok(Self {
            engine,
            store,
            url,
            loops,
            _folder: folder,
        })
    }

    pub(super) async fn flow(&self, document: &Value) -> anyhow::Result<PinnedFlow> {
        let text = document.to_string();
        Ok(self.engine.put_flow(ProjectId::DEFAULT, &text).await?)
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.engine.drain(Duration::from_secs(5)).await?;
        self.loops.join().await;
        Ok(())
    }
}

/// One run from start to end; its id and how long it took.
pub(super) async fn one(
    engine: &Engine,
    flow: &PinnedFlow,
    input: Value,
    want: i64,
) -> anyhow::Result<(RunId, Duration)> {
    let began = Instant::now();
    let start = StartRun {
        project: ProjectId::DEFAULT,
        flow: flow.clone(),
        input,
        detach: false,
        labels: Vec::new(),
    };
    let handle = engine.start(start).await?;
    let id = handle.id;
    match handle.wait().await {
        RunResult::Ended {
            end: RunEnd::Completed(output),
            ..
        } => {
            ensure!(
                output["n"] == want,
                "run {id} counted to {}, not {want}",
                output["n"]
            );
            Ok((id, began.elapsed()))
        }
        other => bail!("run {id} ended with {other:?}"),
    }
}

pub(super) async fn run(args: &Args) -> anyhow::Result<Report> {
    let steps = args.steps.unwrap_or(match args.scenario {
        Scenario::Start => 1,
        Scenario::Fanout => 32,
        Scenario::Chain | Scenario::Storage | Scenario::Api => 10,
    });
    ensure!(
        steps > 0 && args.runs > 0 && args.concurrency > 0,
        "zero makes no sense here"
    );
    let bench = Bench::open(args.db.as_deref(), Duration::from_secs(args.lease)).await?;
    let flow = bench.flow(&flows::flow(args.scenario, steps)).await?;
    let input = json!({"value": flows::value(args.state_bytes)});
    let want = i64::try_from(steps)?;
    let (sample, _) = one(&bench.engine, &flow, input.clone(), want).await?;
    let row_bytes = read_back(&bench.engine, sample, args, steps).await?;
    let raw = raw::measure(&bench.url, args.concurrency, row_bytes).await?;
    many(
        &bench.engine,
        &flow,
        &input,
        want,
        WARM_UP.min(args.runs),
        args.concurrency,
    )
    .await?;
    let began = Instant::now();
    let (runs, concurrency) = (args.runs, args.concurrency);
    let (errors, mut times) = many(&bench.engine, &flow, &input, want, runs, concurrency).await?;
    let seconds = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let measured = Measured {
        steps,
        row_bytes,
        raw,
        errors,
        times,
        seconds,
    };
    let report = measured.report(args, &bench.url);
    bench.close().await?;
    Ok(report)
}

/// What the clock said.
struct Measured {
    steps: usize,
    row_bytes: usize,
    raw: Rate,
    errors: usize,
    /// Of whole runs, ascending.
    times: Vec<Duration>,
    seconds: f64,
}

impl Measured {
    /// The time in milliseconds that this share of the runs did not take longer than.
    fn at_ms(&self, share: f64) -> f64 {
        let place = ((self.times.len() as f64 - 1.0) * share).round() as usize;
        self.times
            .get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }

    fn report(&self, args: &Args, url: &str) -> Report {
        let per_run = match args.scenario {
            Scenario::Fanout => self.steps + 2,
            Scenario::Chain | Scenario::Start | Scenario::Storage | Scenario::Api => self.steps,
        };
        let total = self.times.len() * per_run;
        let steps_per_s = total as f64 / self.seconds;
        let runs_per_s = self.times.len() as f64 / self.seconds;
        let ratio = match args.scenario {
            Scenario::Start => runs_per_s / (self.raw.rows_per_s / 3.0),
            // Medians on both sides: a step is a run's time over its steps, its start included.
            _ if args.concurrency == 1 => {
                self.raw.commit_us / (self.at_ms(0.5) * 1e3 / per_run as f64).max(f64::EPSILON)
            }
            Scenario::Chain | Scenario::Fanout | Scenario::Storage | Scenario::Api => {
                steps_per_s / self.raw.rows_per_s
            }
        };
        Report {
            scenario: args.scenario.name(),
            db: runstone_db::masked(url),
            durability: durability(url).to_owned(),
            concurrency: args.concurrency,
            runs: self.times.len(),
            steps: total,
            seconds: self.seconds,
            steps_per_s,
            runs_per_s,
            p50_ms: self.at_ms(0.5),
            p99_ms: self.at_ms(0.99),
            raw_rows_per_s: self.raw.rows_per_s,
            raw_commit_us: self.raw.commit_us,
            raw_batch: args.concurrency,
            row_bytes: self.row_bytes,
            ratio_to_raw: ratio,
            errors: self.errors,
        }
    }
}

fn durability(url: &str) -> &'static str {
    if url.starts_with("sqlite:") {
        "write-ahead log, synchronous=FULL"
    } else {
        "the server's own settings"
    }
}

/// The values in a run's journal are those that the steps returned. Gives a row's size.
async fn read_back(
    engine: &Engine,
    run: RunId,
    args: &Args,
    steps: usize,
) -> anyhow::Result<usize> {
    let history = engine.history(run).await?;
    if args.scenario != Scenario::Fanout {
        for (at, step) in history.steps.iter().take(steps).enumerate() {
            let Entry::Step(done) = &step.entry else {
                bail!("{:?} in the journal", step.entry)
            };
            let mut want = flows::value(args.state_bytes);
            want["n"] = json!(at + 1);
            ensure!(
                done.result["value"] == want,
                "step {at} is not read back as it was returned"
            );
        }
    }
    let rows = engine.store().journal(run, 0, 1000).await?;
    let bytes: usize = rows
        .iter()
        .map(|r| r.row.body.len() + r.row.node.as_ref().map_or(0, String::len) + 24)
        .sum();
    // The end of a run has a small row of its own, which is not one of the steps.
    Ok(bytes / rows.len().saturating_sub(1).max(1))
}

/// Carries out `runs` runs, `concurrency` of them at a time; the failed ones and the times.
async fn many(
    engine: &Engine,
    flow: &PinnedFlow,
    input: &Value,
    want: i64,
    runs: usize,
    concurrency: usize,
) -> anyhow::Result<(usize, Vec<Duration>)> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..concurrency.min(runs) {
        let (engine, flow, input) = (engine.clone(), flow.clone(), input.clone());
        let next = Arc::clone(&next);
        lanes.spawn(async move {
            let (mut errors, mut times) = (0, Vec::new());
            while next.fetch_add(1, Ordering::Relaxed) < runs {
                match one(&engine, &flow, input.clone(), want).await {
                    Ok((_, time)) => times.push(time),
                    Err(error) => {
                        if !is_away(&error) {
                            eprintln!("{error:#}");
                        }
                        errors += 1;
                    }
                }
            }
            (errors, times)
        });
    }
    let (mut errors, mut times) = (0, Vec::with_capacity(runs));
    while let Some(lane) = lanes.join_next().await {
        let (failed, took) = lane?;
        errors += failed;
        times.extend(took);
    }
    Ok((errors, times))
}

/// Whether the database is, which is told once for all.
fn is_away(error: &anyhow::Error) -> bool {
    use runstone_store::Error::Unavailable;
    matches!(
        error.downcast_ref(),
        Some(runstone_engine::Error::Store(Unavailable(_)))
    )
}

/// Keeps runs in flight and prints `run seq` for every row as soon as it is durable.
pub(super) async fn acknowledge(args: &Args) -> anyhow::Result<ExitCode> {
    let bench = Bench::open(args.db.as_deref(), Duration::from_secs(args.lease)).await?;
    let steps = args.steps.unwrap_or(10);
    let flow = bench.flow(&flows::flow(args.scenario, steps)).await?;
    let events = bench.engine.events();
    let printer = tokio::task::spawn_blocking(move || acks::print(events));
    let input = json!({"value": flows::value(args.state_bytes)});
    let want = i64::try_from(steps)?;
    let (errors, _) = many(
        &bench.engine,
        &flow,
        &input,
        want,
        args.runs,
        args.concurrency,
    )
    .await?;
    bench.close().await?;
    printer.abort();
    Ok(if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
