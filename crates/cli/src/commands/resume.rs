//! `runstone resume RUN`: goes on with one run from its last committed step.
use std::time::{Duration, Instant};

use runstone_engine::{Engine, Error, RunHandle};
use runstone_model::ids::RunId;
use tokio::sync::mpsc;

use super::end::{self, Telling};
use crate::{
    args::{DbArgs, ResumeArgs},
    exit::Exit,
    open::{self, Purpose, Running},
    print::{self, paint::Paint},
    progress::{self, Feed},
    read,
    signals::Signals,
    trouble::Trouble,
};

/// How often is asked whether the run's owner is dead.
const ASK: Duration = Duration::from_millis(250);

pub(super) async fn run(args: ResumeArgs) -> anyhow::Result<Exit> {
    let name = args.run.clone().unwrap_or_default();
    let (lines, logged) = mpsc::unbounded_channel();
    let registry = open::registry(Some(lines))?;
    let store = open::store(&args.db, Purpose::GoOn, &format!("runstone resume {name}")).await;
    let store = store.map_err(|error| open::trouble(&args.db, error))?;
    let run = match read::run_id::find(&store, &name).await {
        Ok(run) => run,
        Err(error) => {
            store.close().await;
            return Err(error);
        }
    };
    let mut signals = Signals::listen()?;
    let running = Running::start(store, registry, &args.engine, open::alone(&args.db), None);
    let begun = async {
        let record = running
            .engine
            .store()
            .run(run)
            .await?
            .ok_or(Error::NoSuchRun(run))?;
        let flow = running.engine.flow_version(record.flow_version).await?;
        let feed = Feed {
            events: running.engine.events(),
            logged,
        };
        let handle = take(&running.engine, run, &args, &mut signals).await?;
        anyhow::Ok((handle, flow, feed))
    };
    let (handle, flow, feed) = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            running.finish().await?;
            return Err(explained(error, &args.db));
        }
    };
    let Some(handle) = handle else {
        running.finish().await?;
        return Ok(Exit::Unfinished);
    };
    if !args.quiet {
        let paint = Paint::stderr();
        let version = format!("{}@{}", print::plain(&flow.flow.name), flow.version);
        print::note(&format!("▸ {}  run {run}, resumed", paint.bold(&version)));
    }
    let engine = running.engine.clone();
    let followed = progress::follow(&engine, handle, flow.flow, feed, args.quiet, &mut signals);
    let result = followed.await;
    let telling = Telling {
        json: args.json,
        quiet: args.quiet,
    };
    end::end(running, run, &result, &args.db, telling).await
}

/// Takes the run over. An owner that does not show up within its lease is dead; until then it is
/// waited for. `None`: Ctrl-C came first.
async fn take(
    engine: &Engine,
    run: RunId,
    args: &ResumeArgs,
    signals: &mut Signals,
) -> Result<Option<RunHandle>, Error> {
    let until = Instant::now() + args.engine.lease + ASK;
    let mut told = args.quiet;
    loop {
        match engine.resume(run).await {
            Ok(handle) => return Ok(Some(handle)),
            Err(Error::OwnedElsewhere(run)) if Instant::now() >= until => {
                return Err(Error::OwnedElsewhere(run));
            }
            Err(Error::OwnedElsewhere(_)) => {}
            Err(error) => return Err(error),
        }
        if !told {
            print::note("the run belongs to another process; waiting to see whether that lives");
            told = true;
        }
        tokio::select! {
            () = signals.stop() => return Ok(None),
            () = tokio::time::sleep(ASK) => {}
        }
    }
}

/// What the engine refuses, with the way to mend it.
fn explained(error: anyhow::Error, db: &DbArgs) -> anyhow::Error {
    let again = end::flag(db);
    match error.downcast_ref::<Error>() {
        Some(Error::AlreadyEnded(run, status)) => {
            let mend = if *status == "failed" {
                "a failed run stays failed: mend the cause, then start it again with `runstone run`"
            } else {
                "there is nothing to go on with"
            };
            let reason = format!("is already {status}; see: runstone show {run}{again}");
            Trouble::at(format!("run {run}"), reason).mend(mend).into()
        }
        Some(Error::OwnedElsewhere(run)) => Trouble::at(
            format!("run {run}"),
            "another process executes it, and that one is alive",
        )
        .mend(format!("watch it with: runstone show {run}{again}"))
        .into(),
        _ => error,
    }
}
