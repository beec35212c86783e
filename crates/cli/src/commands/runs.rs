//! `runstone runs`: a page of runs, newest first.
use std::collections::BTreeSet;

use runstone_engine::{Clock as _, SystemClock};
use runstone_model::{ids::ServerId, time::Timestamp};
use runstone_store::{RunFilter, RunRecord, SqlStore, Store as _};
use serde::Serialize;
use serde_json::json;

use crate::{
    args::RunsArgs,
    exit::Exit,
    open,
    print::{
        self, duration,
        paint::Paint,
        run,
        table::{Align, Table},
    },
    read,
};

#[derive(Serialize)]
struct Item {
    run_id: String,
    flow: String,
    version: u32,
    status: &'static str,
    /// Known once the run is over.
    steps: Option<u64>,
    created_at: String,
    finished_at: Option<String>,
    duration_ms: Option<f64>,
    error: serde_json::Value,
    /// Whether a process executes it now.
    live: bool,
}

pub(super) async fn run(args: RunsArgs) -> anyhow::Result<Exit> {
    let store = open::to_look(&args.db).await?;
    let page = page(&store, &args).await;
    let alive = alive(&store, &args).await;
    store.close().await;
    let (records, alive) = (page?, alive?);
    let live = |record: &RunRecord| run::is_live(record, &alive);
    if args.json {
        let full = records.len() as u64 == u64::from(args.limit);
        let next = records
            .last()
            .filter(|_| full)
            .map(|record| record.id.to_string());
        let items: Vec<Item> = records.iter().map(|one| item(one, live(one))).collect();
        print::json(&json!({"items": items, "next_cursor": next}))?;
    } else if records.is_empty() {
        let filtered = !args.status.is_empty() || args.flow.is_some() || args.before.is_some();
        print::out(if filtered {
            "no such runs in this database\n"
        } else {
            "no runs in this database yet; start one with `runstone run FLOW`\n"
        })?;
    } else {
        print::out(&table(&records, &live, SystemClock.now()))?;
        let interrupted = |one: &&RunRecord| run::is_interrupted(one, live(one));
        let mut interrupted = records.iter().filter(interrupted);
        let again = super::end::flag(&args.db);
        match (interrupted.next(), interrupted.next()) {
            (Some(one), None) => {
                print::note(&format!("go on with: runstone resume {}{again}", one.id));
            }
            (Some(_), Some(_)) => print::note(&format!("go on with: runstone resume --all{again}")),
            (None, _) => {}
        }
    }
    Ok(Exit::Ok)
}

async fn page(store: &SqlStore, args: &RunsArgs) -> anyhow::Result<Vec<RunRecord>> {
    let beyond = match &args.before {
        Some(name) => Some(read::run_id::find(store, name).await?),
        None => None,
    };
    let filter = RunFilter {
        project: None,
        status: args.status.clone(),
        flow: args.flow.clone(),
        beyond,
        limit: args.limit,
        ..RunFilter::default()
    };
    Ok(store.runs(filter).await?)
}

async fn alive(store: &SqlStore, args: &RunsArgs) -> anyhow::Result<BTreeSet<ServerId>> {
    let heard_since = open::heard_since(&args.db, args.engine.lease);
    Ok(store.alive(heard_since).await?)
}

fn item(record: &RunRecord, live: bool) -> Item {
    Item {
        run_id: record.id.to_string(),
        flow: record.flow.clone(),
        version: record.version,
        status: record.status.name(),
        steps: record.status.is_final().then_some(record.steps),
        created_at: duration::rfc3339(record.created_at),
        finished_at: record.finished_at.map(duration::rfc3339),
        duration_ms: run::took(record).map(duration::ms),
        error: run::json(record.error.as_deref()),
        live,
    }
}

fn table(records: &[RunRecord], live: &dyn Fn(&RunRecord) -> bool, now: Timestamp) -> String {
    let paint = Paint::stdout();
    let mut table = Table::new(&[
        ("started", Align::Left),
        ("status", Align::Left),
        ("flow", Align::Left),
        ("steps", Align::Right),
        ("took", Align::Right),
        ("run", Align::Left),
    ]);
    for record in records {
        let steps = record.status.is_final().then_some(record.steps);
        table.row(vec![
            duration::ago(record.created_at, now),
            run::status(record, live(record), paint),
            format!("{}@{}", print::plain(&record.flow), record.version),
            steps.map(|steps| steps.to_string()).unwrap_or_default(),
            run::took(record).map(duration::human).unwrap_or_default(),
            record.id.to_string(),
        ]);
    }
    table.render()
}
