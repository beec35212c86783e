//! `runstone run`: reads and checks everything first, so that bad input leaves no trace, then starts
//! the run and follows it to its end.
use std::sync::Arc;

use runstone_engine::{Engine, Error, Options, PinnedFlow, Registry, RunHandle, StartRun};
use runstone_model::{
    flow::Flow,
    ids::{ProjectId, RunId},
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::end::{self, Telling};
use crate::{
    args::RunArgs,
    exit::Exit,
    open::{self, Purpose, Running},
    print::{self, paint::Paint, run::RunDocument},
    progress::{self, Feed},
    read::{self, flow::ReadFlow},
    signals::Signals,
};

pub(super) async fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let (lines, logged) = mpsc::unbounded_channel();
    let registry = open::registry(Some(lines))?;
    let read = read::flow::flow(&args.flow, &registry)?;
    if !args.quiet {
        warn(&args, &read);
    }
    let flow = Arc::new(read.flow);
    let input = read::input::input(&flow, args.input.as_deref(), &args.sets)?;

    if args.detach {
        return create(&args, registry, flow, input).await;
    }
    let who = format!("runstone run {}", args.flow.display());
    let store = open::store(&args.db, Purpose::Execute, &who).await;
    let store = store.map_err(|error| open::trouble(&args.db, error))?;
    let mut signals = Signals::listen()?;
    let running = Running::start(store, registry, &args.engine, open::alone(&args.db), None);
    // Listening begins before the run does, so that nothing is missed.
    let feed = Feed {
        events: running.engine.events(),
        logged,
    };
    let (handle, flow) = match start(&running.engine, flow, input, false).await {
        Ok(started) => started,
        Err(error) => {
            running.finish().await?;
            return Err(error);
        }
    };
    let run = handle.id;
    if !args.quiet {
        let paint = Paint::stderr();
        let version = format!("{}@{}", print::plain(&flow.flow.name), flow.version);
        print::note(&format!("▸ {}  run {run}", paint.bold(&version)));
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

/// Stores the flow and starts a run of it.
async fn start(
    engine: &Engine,
    flow: Arc<Flow>,
    input: Value,
    detach: bool,
) -> anyhow::Result<(RunHandle, PinnedFlow)> {
    let project = ProjectId::DEFAULT;
    let pinned = engine.store_flow(project, flow).await?;
    let start = StartRun {
        project,
        flow: pinned.clone(),
        input,
        detach,
        labels: Vec::new(),
    };
    Ok((engine.start(start).await?, pinned))
}

/// Only creates the run: that needs no right to execute runs.
async fn create(
    args: &RunArgs,
    registry: Registry,
    flow: Arc<Flow>,
    input: Value,
) -> anyhow::Result<Exit> {
    let store = open::store(&args.db, Purpose::Create, "").await;
    let store = store.map_err(|error| open::trouble(&args.db, error))?;
    let engine = Engine::new(Arc::clone(&store) as _, registry, Options::default());
    let created = async {
        let (handle, _) = start(&engine, flow, input, true).await?;
        tell_created(&engine, handle.id, args).await
    };
    let created = created.await;
    store.close().await;
    created
}

fn warn(args: &RunArgs, read: &ReadFlow) {
    let paint = Paint::stderr();
    let file = args.flow.display().to_string();
    let kind = paint.yellow("warning");
    let lines: Vec<&str> = read.text.lines().collect();
    for warning in &read.flow.warnings {
        print::note(&print::problem::shown(&file, &lines, warning, &kind, paint));
    }
}

/// Tells of a run that was only created.
async fn tell_created(engine: &Engine, run: RunId, args: &RunArgs) -> anyhow::Result<Exit> {
    if args.json {
        let record = engine
            .store()
            .run(run)
            .await?
            .ok_or(Error::NoSuchRun(run))?;
        let state = engine.state(run).await?;
        print::json(&RunDocument::new(&record, state, 0))?;
    } else {
        print::out(&format!("{run}\n"))?;
    }
    if !args.quiet {
        let again = end::flag(&args.db);
        print::note(&format!(
            "created; carry it out with: runstone resume {run}{again}"
        ));
    }
    Ok(Exit::Ok)
}
