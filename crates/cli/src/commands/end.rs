//! The end of a run that this process executed: what is printed, and the exit code.
use runstone_engine::{Engine, RunResult};
use runstone_model::ids::RunId;

use crate::{
    args::DbArgs,
    exit::Exit,
    open::Running,
    print::{self, paint::Paint, run::RunDocument},
};

/// How the end is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    pub(super) json: bool,
    pub(super) quiet: bool,
}

/// Tells how a run left this process, and stops the engine.
pub(super) async fn end(
    running: Running,
    run: RunId,
    result: &RunResult,
    db: &DbArgs,
    telling: Telling,
) -> anyhow::Result<Exit> {
    let told = tell(&running.engine, run, result, db, telling).await;
    let finished = running.finish().await;
    let exit = told?;
    finished?;
    Ok(exit)
}

async fn tell(
    engine: &Engine,
    run: RunId,
    result: &RunResult,
    db: &DbArgs,
    telling: Telling,
) -> anyhow::Result<Exit> {
    let record = engine
        .store()
        .run(run)
        .await?
        .ok_or(runstone_engine::Error::NoSuchRun(run))?;
    let again = flag(db);
    let steps = match result {
        RunResult::Ended { steps, .. } => *steps,
        RunResult::Parked { .. }
        | RunResult::LostOwnership
        | RunResult::Stopped
        | RunResult::Stuck(_) => record.steps,
    };
    match result {
        RunResult::Ended { .. } => {}
        RunResult::Stopped => {
            print::note(&format!(
                "stopped; go on with: runstone resume {run}{again}"
            ));
        }
        RunResult::Parked { until } => {
            let until = print::duration::date(*until);
            print::note(&format!("it waits until {until}, and goes on then"));
        }
        RunResult::LostOwnership => {
            print::note("another process has taken the run over; it goes on there");
            print::note(&format!("  look: runstone show {run}{again}"));
        }
        RunResult::Stuck(message) => {
            let heading = Paint::stderr().red("error");
            let place = runstone_db::masked(&db.url);
            print::note(&format!(
                "{heading}: {place}: the run cannot go on here: {}",
                print::plain(message)
            ));
            print::note(&format!(
                "  mend: that, and then: runstone resume {run}{again}"
            ));
        }
    }
    if telling.json {
        let state = engine.state(run).await?;
        print::json(&RunDocument::new(&record, state, steps))?;
    } else if let Some(output) = &record.output {
        let value = print::run::json(Some(output));
        print::out(&format!("{}\n", serde_json::to_string_pretty(&value)?))?;
    }
    let failed = print::run::failure(&record).is_some();
    Ok(match result {
        RunResult::Ended { .. } => {
            if failed || !telling.quiet {
                print::run::ending(&record, steps, &again);
            }
            record.status.into()
        }
        RunResult::Parked { .. } | RunResult::Stopped | RunResult::LostOwnership => {
            Exit::Unfinished
        }
        RunResult::Stuck(_) => Exit::Usage,
    })
}

/// The `--db` flag to repeat in a command for the same database; empty when it is not needed.
pub(super) fn flag(db: &DbArgs) -> String {
    let from_env = std::env::var("RUNSTONE_DATABASE_URL").is_ok_and(|url| url == db.url);
    if from_env || db.url == "sqlite:runstone.db" {
        return String::new();
    }
    format!(" --db {}", runstone_db::masked(&db.url))
}
