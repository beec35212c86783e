//! `runstone show`: one run from its journal: header, steps, state, graph.
use std::sync::Arc;

use runstone_engine::{Clock as _, SystemClock, run::History};
use runstone_model::flow::draw;
use runstone_store::SqlStore;
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::ShowArgs,
    exit::Exit,
    open,
    print::{
        self, duration,
        paint::Paint,
        run::{self, RunDocument},
        steps,
    },
    read,
    trouble::Trouble,
};

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    run: RunDocument,
    input: Value,
    created_at: String,
    finished_at: Option<String>,
    /// Whether a process executes it now.
    live: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<String>,
}

pub(super) async fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let store = open::to_look(&args.db).await?;
    let history = history(&store, &args).await;
    let heard_since = open::heard_since(&args.db, args.engine.lease);
    let alive = store.alive(heard_since).await;
    store.close().await;
    let history = history?;
    let live = run::is_live(&history.record, &alive?);
    let last = history.steps.last().map_or(0, |step| step.seq);
    let state = match args.state {
        Some(seq) => Some(history.state_at(seq).ok_or_else(|| {
            Trouble::at(
                format!("--state {seq}"),
                format!("the run's journal ends at {last}"),
            )
            .mend("`--steps` lists the entries; 0 is the state before the first")
        })?),
        None => None,
    };
    if args.json {
        print::json(&document(&args, &history, live, state)?)?;
    } else {
        print::out(&text(&args, &history, live, state)?)?;
    }
    Ok(Exit::Ok)
}

async fn history(store: &Arc<SqlStore>, args: &ShowArgs) -> anyhow::Result<History> {
    let run = read::run_id::find(store, &args.run).await?;
    Ok(open::reader(store)?.history(run).await?)
}

fn document(
    args: &ShowArgs,
    history: &History,
    live: bool,
    state: Option<Value>,
) -> anyhow::Result<Document> {
    let record = &history.record;
    let last = history.steps.last().map_or(0, |step| step.seq);
    let state = state.or_else(|| history.state_at(last)).unwrap_or_default();
    let mut document = RunDocument::new(record, state, steps::committed(history));
    if args.steps {
        document.steps = steps::json(history)?;
    }
    Ok(Document {
        run: document,
        input: run::json(Some(&record.input)),
        created_at: duration::rfc3339(record.created_at),
        finished_at: record.finished_at.map(duration::rfc3339),
        live,
        state_seq: args.state,
        graph: args.graph.then(|| graph(history, Paint::never())),
    })
}

fn text(
    args: &ShowArgs,
    history: &History,
    live: bool,
    state: Option<Value>,
) -> anyhow::Result<String> {
    let paint = Paint::stdout();
    let done = steps::committed(history);
    let again = super::end::flag(&args.db);
    let resume = format!("runstone resume {}{again}", history.record.id);
    let now = SystemClock.now();
    let mut text = run::header(&history.record, done, (live, &resume), now, paint);
    if args.graph {
        text.push('\n');
        text.push_str(&graph(history, paint));
    }
    if args.steps {
        text.push('\n');
        text.push_str(&steps::table(history, paint));
    }
    if let (Some(seq), Some(state)) = (args.state, state) {
        text.push_str(&format!("\nstate after {seq}\n"));
        text.push_str(&serde_json::to_string_pretty(&state)?);
        text.push('\n');
    }
    Ok(text)
}

/// The flow's graph, with what became of each node that was started.
fn graph(history: &History, paint: Paint) -> String {
    let notes = steps::notes(history, paint);
    draw::text_with(&history.flow.flow, &|node| notes.get(&node).cloned())
}
