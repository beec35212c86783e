//! `runstone cancel`: ends a run here when nobody executes it, else asks its owner and waits a
//! while for the end.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use runstone_engine::{Clock as _, Error, SystemClock};
use runstone_model::{ids::RunId, run::Status};
use runstone_store::{OpenError, SqlStore, Store as _};
use serde_json::json;

use super::end;
use crate::{
    args::CancelArgs,
    exit::Exit,
    open::{self, Purpose, Running},
    print::{self, paint::Paint},
    read,
    trouble::Trouble,
};

/// How long the end is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often is looked for it.
const LOOK: Duration = Duration::from_millis(100);

pub(super) async fn run(args: CancelArgs) -> anyhow::Result<Exit> {
    let who = format!("runstone cancel {}", args.run);
    let status = match open::store(&args.db, Purpose::GoOn, &who).await {
        Ok(store) => cancel_here(store, &args).await?,
        Err(OpenError::Locked { holder }) => {
            let store = open::store(&args.db, Purpose::Ask, &who).await;
            let store = store.map_err(|error| open::trouble(&args.db, error))?;
            let asked = ask(&store, &args, Some(&holder)).await;
            store.close().await;
            asked?
        }
        Err(error) => return Err(open::trouble(&args.db, error).into()),
    };
    tell(&args, status)
}

/// With the right to execute runs: the run ends here unless another process executes it.
async fn cancel_here(store: Arc<SqlStore>, args: &CancelArgs) -> anyhow::Result<(RunId, Status)> {
    let run = match read::run_id::find(&store, &args.run).await {
        Ok(run) => run,
        Err(error) => {
            store.close().await;
            return Err(error);
        }
    };
    let alone = open::alone(&args.db);
    let registry = open::registry(None)?;
    let running = Running::start(Arc::clone(&store), registry, &args.engine, alone, None);
    let cancelled = async {
        match running.engine.cancel(run, &args.reason).await {
            Ok(true) => Ok((run, status(&store, run).await?)),
            Ok(false) => ask(&store, args, None).await,
            Err(Error::AlreadyEnded(_, status)) => Err(ended(run, status).into()),
            Err(error) => Err(error.into()),
        }
    };
    let cancelled = cancelled.await;
    running.finish().await?;
    cancelled
}

/// Asks whoever executes the run, and waits for the end.
async fn ask(
    store: &SqlStore,
    args: &CancelArgs,
    holder: Option<&str>,
) -> anyhow::Result<(RunId, Status)> {
    let run = read::run_id::find(store, &args.run).await?;
    let open = store.request_cancel(run, SystemClock.now()).await?;
    // Without a holder it was asked for before: that may be why the run is over.
    if !open && holder.is_some() {
        return Err(ended(run, status(store, run).await?.name()).into());
    }
    let holder = holder.unwrap_or("another process");
    print::note(&format!(
        "asked {} to cancel it, waiting",
        print::plain(holder)
    ));
    let until = Instant::now() + PATIENCE;
    loop {
        let status = status(store, run).await?;
        if status.is_final() || Instant::now() >= until {
            return Ok((run, status));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn status(store: &SqlStore, run: RunId) -> anyhow::Result<Status> {
    Ok(store.run(run).await?.ok_or(Error::NoSuchRun(run))?.status)
}

fn ended(run: RunId, status: &str) -> Trouble {
    Trouble::at(format!("run {run}"), format!("is already {status}"))
        .mend("only a run that is not over can be cancelled")
}

fn tell(args: &CancelArgs, (run, status): (RunId, Status)) -> anyhow::Result<Exit> {
    if args.json {
        print::json(&json!({"run_id": run.to_string(), "status": status}))?;
    } else {
        print::out(&format!("{}  run {run}\n", Paint::stdout().status(status)))?;
    }
    let look = format!("runstone show {run}{}", end::flag(&args.db));
    Ok(match status {
        Status::Cancelled => Exit::Ok,
        Status::Completed | Status::Failed => {
            print::note("it ended before the request reached it");
            Exit::Failed
        }
        Status::Pending | Status::Running | Status::Waiting | Status::Paused => {
            print::note(&format!("it was asked to end and will; look with: {look}"));
            Exit::Unfinished
        }
    })
}
