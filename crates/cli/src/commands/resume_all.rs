//! `runstone resume --all`: goes on with everything that nobody executes, until nothing is left;
//! `--watch` stays for what comes.
use std::time::{Duration, Instant};

use runstone_engine::{
    Engine, Event, EventKind, RunHandle, RunResult,
    loops::{Claim, ClaimReport},
};
use runstone_model::run::{Entry, RunEnd, Status};
use runstone_store::RunFilter;
use serde::Serialize;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinSet,
};

use crate::{
    args::ResumeArgs,
    exit::Exit,
    open::{self, Purpose, Running},
    print::{self, count, paint::Paint},
    progress,
    signals::Signals,
};

/// How often is asked for runs whose owner has died.
const ASK: Duration = Duration::from_millis(250);
/// At most so many unfinished runs are counted at the end.
const COUNTED: u32 = 500;

/// What became of the runs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Counts {
    resumed: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    /// Left where they were: stopped, or this process cannot go on with them.
    stopped: u64,
    /// Those of them that cannot go on before something is mended.
    #[serde(skip)]
    stuck: u64,
    /// Unfinished runs that other processes execute.
    elsewhere: u64,
    /// Runs that wait for a time, in no process.
    waiting: u64,
}

pub(super) async fn run(args: ResumeArgs) -> anyhow::Result<Exit> {
    let who = if args.watch {
        "runstone resume --watch"
    } else {
        "runstone resume --all"
    };
    let registry = open::registry(None)?;
    // A watcher may be there before the first run is.
    let purpose = if args.watch {
        Purpose::Execute
    } else {
        Purpose::GoOn
    };
    let store = open::store(&args.db, purpose, who).await;
    let store = store.map_err(|error| open::trouble(&args.db, error))?;
    let mut signals = Signals::listen()?;
    // Who stays claims them when they are due; who ends with the last run has to keep them.
    let park = args.watch.then_some(open::PARK);
    let running = Running::start(store, registry, &args.engine, open::alone(&args.db), park);
    progress::outage::tell(&running.engine);
    let telling = tokio::spawn(tell(running.engine.events(), args.quiet));
    if args.acks {
        let events = running.engine.events();
        tokio::task::spawn_blocking(move || print::acks::print(events));
    }
    let counted = all(&running.engine, &args, &mut signals).await;
    let engine = running.engine.clone();
    let left = match &counted {
        Ok(_) if !signals.asked() => unfinished(&engine).await.unwrap_or_default(),
        _ => (0, 0),
    };
    running.finish().await?;
    drop(engine);
    // With the engine the events end, and with them the telling.
    let _ = tokio::time::timeout(Duration::from_secs(1), telling).await;
    let mut counts = counted?;
    (counts.elsewhere, counts.waiting) = left;
    report(&args, counts)
}

/// Claims and waits, round after round.
async fn all(engine: &Engine, args: &ResumeArgs, signals: &mut Signals) -> anyhow::Result<Counts> {
    let claim = Claim(engine.clone());
    let mut counts = Counts::default();
    let mut live = JoinSet::new();
    if args.watch && !args.quiet {
        print::note("waiting for runs; Ctrl-C stops");
    }
    let begun = Instant::now();
    loop {
        // Measured before the claim: one that begins later finds every dead owner dead.
        let patience = begun.elapsed() < args.engine.lease + ASK;
        let report = claim.run_once().await?;
        let (claimed, more) = take(report, &mut live);
        counts.resumed += claimed;
        if more {
            continue;
        }
        // Runs whose owner is about to be found dead are worth waiting for.
        if live.is_empty() && !args.watch && (!patience || unfinished(engine).await?.0 == 0) {
            return Ok(counts);
        }
        tokio::select! {
            () = signals.stop() => break,
            Some(ended) = live.join_next() => {
                counts.add(ended.unwrap_or(RunResult::Stopped));
                while let Some(ended) = live.try_join_next() {
                    counts.add(ended.unwrap_or(RunResult::Stopped));
                }
            }
            () = tokio::time::sleep(ASK) => {}
        }
    }
    print::note("stopping; press Ctrl-C again to end at once");
    engine.stop();
    while let Some(ended) = live.join_next().await {
        counts.add(ended.unwrap_or(RunResult::Stopped));
    }
    Ok(counts)
}

fn take(report: ClaimReport, live: &mut JoinSet<RunResult>) -> (u64, bool) {
    let claimed = report.claimed.len() as u64;
    for handle in report.claimed {
        live.spawn(RunHandle::wait(handle));
    }
    (claimed, report.more)
}

/// How many unfinished runs other processes execute, and how many wait for a time.
async fn unfinished(engine: &Engine) -> anyhow::Result<(u64, u64)> {
    let status: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|one| !one.is_final())
        .collect();
    let filter = RunFilter {
        status,
        limit: COUNTED,
        ..RunFilter::default()
    };
    let runs = engine.store().runs(filter).await?;
    let ours = Some(engine.server());
    let elsewhere = runs
        .iter()
        .filter(|run| run.owner.is_some() && run.owner != ours);
    let waiting = runs.iter().filter(|run| run.wake_at.is_some());
    Ok((elsewhere.count() as u64, waiting.count() as u64))
}

impl Counts {
    fn add(&mut self, result: RunResult) {
        match result {
            RunResult::Ended { end, .. } => match end {
                RunEnd::Completed(_) => self.completed += 1,
                RunEnd::Failed(_) => self.failed += 1,
                RunEnd::Cancelled(_) => self.cancelled += 1,
            },
            // It is counted when it goes on.
            RunResult::Parked { .. } => self.resumed = self.resumed.saturating_sub(1),
            RunResult::LostOwnership | RunResult::Stopped => self.stopped += 1,
            RunResult::Stuck(_) => {
                self.stopped += 1;
                self.stuck += 1;
            }
        }
    }
}

/// A line for each run that ends.
async fn tell(mut events: broadcast::Receiver<Event>, quiet: bool) {
    let paint = Paint::stderr();
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let run = event.run;
        match &event.kind {
            EventKind::Committed { entry, .. } => {
                let Entry::Ended { end, .. } = &**entry else {
                    continue;
                };
                let (status, why) = match end {
                    RunEnd::Completed(_) => (Status::Completed, String::new()),
                    RunEnd::Failed(failure) => (
                        Status::Failed,
                        format!("  {}", print::plain(&failure.message)),
                    ),
                    RunEnd::Cancelled(_) => (Status::Cancelled, String::new()),
                };
                if !quiet || status == Status::Failed {
                    print::note(&format!("{}  run {run}{why}", paint.status(status)));
                }
            }
            EventKind::Stuck { failure } => {
                print::note(&format!("! run {run}: {}", print::plain(&failure.message)));
            }
            EventKind::AttemptStarted { .. }
            | EventKind::Parked { .. }
            | EventKind::StoreUnavailable { .. }
            | EventKind::LostOwnership => {}
        }
    }
}

fn waits(runs: u64) -> String {
    let verb = if runs == 1 { "waits" } else { "wait" };
    format!("{} {verb}", count(runs, "run"))
}

fn report(args: &ResumeArgs, counts: Counts) -> anyhow::Result<Exit> {
    if args.json {
        print::json(&counts)?;
    } else {
        let Counts {
            completed,
            failed,
            cancelled,
            stopped,
            elsewhere,
            waiting,
            ..
        } = counts;
        let mut text = match counts.resumed {
            0 => "nothing to go on with".to_owned(),
            resumed => format!(
                "{} resumed: {completed} completed, {failed} failed, {cancelled} cancelled",
                count(resumed, "run")
            ),
        };
        if stopped > 0 {
            text.push_str(&format!(", {stopped} not finished"));
        }
        if elsewhere > 0 {
            text.push_str(&format!(
                "; other processes execute {}",
                count(elsewhere, "run")
            ));
        }
        if waiting > 0 {
            text.push_str(&format!("; {} for a time", waits(waiting)));
        }
        print::out(&format!("{text}\n"))?;
    }
    Ok(if counts.stuck > 0 {
        Exit::Usage
    } else if counts.failed > 0 {
        Exit::Failed
    } else if counts.stopped > 0 {
        Exit::Unfinished
    } else {
        Exit::Ok
    })
}
