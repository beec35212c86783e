//! Looking at a run: itself, its journal, its state at any place, its difference from another.
use axum::{Json, extract::State};
use runstone_api::{
    FieldError, List,
    list::SeqKey,
    runs::{Change, Checkpoint, DiffRuns, Run, RunDiff, Step},
};
use runstone_model::ids::RunId;
use runstone_store::{RunRecord, Walk};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{by_id, find, value, whole};
use crate::{
    Answer, App, Fault, Page, Paging, Params, Query, Scope, invalid_query,
    live::step::{self, Size},
};

/// Differences that are told at most.
const MOST_CHANGES: usize = 1000;

pub(super) async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer<Json<Run>> {
    let record = find(&app, &scope, &params).await?;
    whole(&app, &record).await.map(Json)
}

pub(super) async fn steps(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<List<SeqKey>>,
) -> Answer<Page<Step>> {
    let record = find(&app, &scope, &params).await?;
    let paging = Paging::read("steps", &query)?;
    let (store, project, walk) = (&app.store, scope.id(), paging.walk()?);
    let rows = store
        .project_journal(project, record.id, &walk, false)
        .await?;
    let page = paging.page(rows, |row| row.row.seq.to_string());
    let total = match query.total {
        true => Some(store.count_journal(project, record.id).await?),
        false => None,
    };
    Ok(page.map(|row| step::read(&row, Size::Small)).total(total))
}

/// A place in a journal, as databases can have it.
fn seq(seq: u64) -> Answer<u64> {
    i64::try_from(seq)
        .map(|_| seq)
        .map_err(|_| Fault::not_found("seq"))
}

pub(super) async fn step(
    State(app): State<App>,
    scope: Scope,
    params: Params,
) -> Answer<Json<Step>> {
    let record = find(&app, &scope, &params).await?;
    let seq = seq(params.read("seq")?)?;
    let before = seq.checked_sub(1).ok_or_else(|| Fault::not_found("seq"))?;
    let rows = app
        .store
        .project_journal(scope.id(), record.id, &Walk::after(before, 1), true)
        .await?;
    let found = rows.first().filter(|row| row.row.seq == seq);
    let found = found.ok_or_else(|| Fault::not_found("seq"))?;
    Ok(Json(step::read(found, Size::Whole)))
}

pub(super) async fn checkpoint(
    State(app): State<App>,
    scope: Scope,
    params: Params,
) -> Answer<Json<Checkpoint>> {
    let record = find(&app, &scope, &params).await?;
    let seq = seq(params.read("seq")?)?;
    let history = app.engine.history(record.id).await?;
    let state = history
        .state_at(seq)
        .ok_or_else(|| Fault::not_found("seq"))?;
    Ok(Json(Checkpoint {
        run: record.id.0,
        seq,
        state,
    }))
}

pub(super) async fn diff(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<DiffRuns>,
) -> Answer<Json<RunDiff>> {
    let here = find(&app, &scope, &params).await?;
    let other = Uuid::try_parse(&query.with)
        .map_err(|_| invalid_query(vec![FieldError::new("with", "must be the id of a run")]))?;
    let there = by_id(&app, &scope, RunId(other)).await?;
    let mut changes = Vec::new();
    let (a, b) = (seen(&app, &here).await?, seen(&app, &there).await?);
    compare(Some(&a), Some(&b), &mut String::new(), &mut changes);
    let cut = changes.len() > MOST_CHANGES;
    changes.truncate(MOST_CHANGES);
    Ok(Json(RunDiff {
        run: here.id.0,
        with: there.id.0,
        changes,
        cut,
    }))
}

/// What is compared of a run.
async fn seen(app: &App, record: &RunRecord) -> Answer<Value> {
    Ok(json!({
        "flow": record.flow,
        "version": record.version,
        "status": record.status.name(),
        "input": value(Some(&record.input)),
        "state": app.engine.state(record.id).await?,
        "output": value(record.output.as_deref()),
    }))
}

fn compare(
    here: Option<&Value>,
    there: Option<&Value>,
    path: &mut String,
    changes: &mut Vec<Change>,
) {
    if here == there || changes.len() > MOST_CHANGES {
        return;
    }
    let length = path.len();
    match (here, there) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let only_there = b.keys().filter(|name| !a.contains_key(*name));
            for name in a.keys().chain(only_there) {
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                compare(a.get(name), b.get(name), path, changes);
                path.truncate(length);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                path.push_str(&format!("/{index}"));
                compare(a.get(index), b.get(index), path, changes);
                path.truncate(length);
            }
        }
        (here, there) => changes.push(Change {
            pointer: path.clone(),
            here: here.cloned(),
            there: there.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let a = json!({ "same": 1, "list": [1, 2, 3], "a/b": { "x": 1 }, "gone": null });
        let b = json!({ "same": 1, "list": [1, 5], "a/b": { "x": 2 }, "new": true });
        let mut changes = Vec::new();
        compare(Some(&a), Some(&b), &mut String::new(), &mut changes);
        let mut told: Vec<String> = changes
            .iter()
            .map(|c| format!("{} {:?} {:?}", c.pointer, c.here, c.there))
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "/a~1b/x Some(Number(1)) Some(Number(2))",
                "/gone Some(Null) None",
                "/list/1 Some(Number(2)) Some(Number(5))",
                "/list/2 Some(Number(3)) None",
                "/new None Some(Bool(true))",
            ]
        );
    }
}
