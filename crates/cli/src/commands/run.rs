//! `runstone run`: reads and checks everything first, so that bad input leaves no trace, then starts
//! the run and follows it to its end.
use std::sync::Arc;

use runstone_engine::{Engine, StartRun};
use runstone_model::ids::ProjectId;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::end::{self, Telling};
use crate::{
    args::RunArgs,
    exit::Exit,
    open::{self, Purpose, Running},
    print::{self, paint::Paint},
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

    let who = format!("runstone run {}", args.flow.display());
    // A run that is only created needs no right to execute runs.
    let purpose = if args.detach {
        Purpose::Create
    } else {
        Purpose::Execute
    };
    let store = open::store(&args.db, purpose, &who).await;
    let store = store.map_err(|error| open::trouble(&args.db, error))?;
    if args.detach {
        let engine = Engine::new(Arc::clone(&store) as _, registry, Default::default());
        let flow = engine.store_flow(ProjectId::DEFAULT, flow).await?;
        let project = ProjectId::DEFAULT;
        let handle = engine
            .start(StartRun {
                project,
                flow,
                input,
                detach: true,
            })
            .await?;
        let done = created(&engine, handle.id, &args).await;
        store.close().await;
        return done;
    }
    let mut signals = Signals::listen()?;
    let running = Running::start(store, registry, &args.engine, open::alone(&args.db), false);
    let started = async {
        let flow = running.engine.store_flow(ProjectId::DEFAULT, flow).await?;
        // Listening begins before the run does, so that nothing is missed.
        let feed = Feed {
            events: running.engine.events(),
            logged,
        };
        let (project, pinned) = (ProjectId::DEFAULT, flow.clone());
        let start = StartRun {
            project,
            flow: pinned,
            input,
            detach: false,
        };
        anyhow::Ok((running.engine.start(start).await?, flow, feed))
    };
    let (handle, flow, feed) = match started.await {
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

fn warn(args: &RunArgs, read: &ReadFlow) {
    let paint = Paint::stderr();
    let file = args.flow.display().to_string();
    let kind = paint.yellow("warning");
    for warning in &read.flow.warnings {
        print::note(&print::problem::shown(
            &file, &read.text, warning, &kind, paint,
        ));
    }
}

/// Tells of a run that was only created.
async fn created(
    engine: &Engine,
    run: runstone_model::ids::RunId,
    args: &RunArgs,
) -> anyhow::Result<Exit> {
    let again = end::flag(&args.db);
    if args.json {
        let record = engine.store().run(run).await?;
        let record = record.ok_or(runstone_engine::Error::NoSuchRun(run))?;
        let document: Value = json!({
            "run_id": run.to_string(),
            "flow": record.flow,
            "version": record.version,
            "status": record.status,
            "output": null,
            "state": engine.state(run).await?,
            "error": null,
            "steps": 0,
            "duration_ms": null,
        });
        print::json(&document)?;
    } else {
        print::out(&format!("{run}\n"))?;
    }
    if !args.quiet {
        print::note(&format!(
            "created; carry it out with: runstone resume {run}{again}"
        ));
    }
    Ok(Exit::Ok)
}
