//! Lists of runs: keyset paging on ids, whose order is the order of creation.
use axum::extract::State;
use runstone_api::{
    FieldError,
    runs::{ListRuns, Run},
};
use runstone_model::{ids::RunId, run::Status, time::Timestamp};
use runstone_store::{RunFilter, RunRecord, SqlStore, Store as _};
use uuid::Uuid;

use super::brief;
use crate::{Answer, App, Page, Paging, Query, Scope, invalid_query};

/// Ids carry the time of their making in milliseconds; a run's own time is taken a moment later.
const SLACK_US: i64 = 2_000_000;
/// Pages that are looked through for one page of a filtered list.
const ROUNDS: u32 = 20;

/// What is looked for.
struct Wanted {
    status: Vec<Status>,
    flow: Option<String>,
    label: Option<(String, String)>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Wanted {
    fn read(query: &ListRuns) -> Answer<Self> {
        let time = |name: &str, text: Option<&String>| match text {
            None => Ok(None),
            Some(text) => match rfc3339(text) {
                Some(at) => Ok(Some(at)),
                None => {
                    let detail = "must be a time, as in 2026-07-29T12:00:00Z";
                    Err(invalid_query(vec![FieldError::new(name, detail)]))
                }
            },
        };
        let names = query.status.as_deref().unwrap_or_default().split(',');
        let mut status: Vec<Status> = names.filter_map(Status::from_name).collect();
        status.sort_unstable_by_key(|status| status.name());
        status.dedup();
        let label = query
            .label
            .as_deref()
            .and_then(|label| label.split_once('='));
        Ok(Self {
            status,
            flow: query.flow.clone(),
            label: label.map(|(name, value)| (name.to_owned(), value.to_owned())),
            from: time("created_after", query.created_after.as_ref())?,
            until: time("created_before", query.created_before.as_ref())?,
        })
    }

    fn fits(&self, run: &RunRecord) -> bool {
        (self.status.is_empty() || self.status.contains(&run.status))
            && self.flow.as_ref().is_none_or(|flow| *flow == run.flow)
            && self.from.is_none_or(|from| run.created_at >= from)
            && self.until.is_none_or(|until| run.created_at < until)
    }

    /// The page before `before`, as far as indexes tell.
    async fn page(
        &self,
        app: &App,
        scope: &Scope,
        before: RunId,
        limit: u32,
    ) -> Answer<Vec<RunRecord>> {
        if let Some((name, value)) = &self.label {
            let label = (name.as_str(), value.as_str());
            return Ok(app
                .store
                .runs_with_label(scope.id(), label, before, limit)
                .await?);
        }
        let filter = RunFilter {
            project: Some(scope.id()),
            status: self.status.clone(),
            flow: self.flow.clone(),
            before: Some(before),
            limit,
        };
        Ok(app.store.runs(filter).await?)
    }
}

pub(super) async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<ListRuns>,
) -> Answer<Page<Run>> {
    let paging = Paging::read("runs", query.limit, query.cursor.as_deref())?;
    let wanted = Wanted::read(&query)?;
    let plain = wanted.flow.is_none() && wanted.label.is_none();
    let counts = query.total.unwrap_or(false);
    if counts && !(plain && wanted.from.is_none() && wanted.until.is_none()) {
        let detail = "runs are only counted as a whole or by status";
        return Err(invalid_query(vec![FieldError::new("total", detail)]));
    }
    let slack = |at: Timestamp, by: i64| SqlStore::first_id_at(Timestamp(at.0.saturating_add(by)));
    let newest = wanted
        .until
        .map_or(Uuid::max(), |until| slack(until, SLACK_US));
    let oldest = wanted
        .from
        .map_or(Uuid::nil(), |from| slack(from, -SLACK_US));
    let mut before = paging.after::<Uuid>()?.unwrap_or(Uuid::max()).min(newest);
    let want = usize::try_from(paging.fetch()).unwrap_or(usize::MAX);
    let mut found: Vec<RunRecord> = Vec::new();
    let mut unread = true;
    for _ in 0..ROUNDS {
        let page = wanted
            .page(&app, &scope, RunId(before), paging.fetch())
            .await?;
        unread = page.len() >= want;
        let Some(last) = page.last().map(|run| run.id.0) else {
            break;
        };
        before = last;
        let of_project = page.into_iter().filter(|run| run.project == scope.id());
        found.extend(of_project.filter(|run| wanted.fits(run)));
        unread = unread && before > oldest;
        if !unread || found.len() >= want {
            break;
        }
    }
    let short = found.len() < want;
    let mut page = paging.page(found, |run| run.id.to_string());
    if short && unread {
        // Many were looked through and few fit: the next page goes on from here.
        page.next_cursor = Some(runstone_api::cursor::encode("runs", &before.to_string()));
    }
    if counts {
        let counted = app.store.runs_by_status(scope.id()).await?;
        let counted = counted.iter().filter(|(status, _)| {
            wanted.status.is_empty() || wanted.status.iter().any(|s| s.name() == status.as_str())
        });
        page.total = Some(counted.map(|(_, count)| count).sum());
    }
    Ok(page.map(|run| brief(&run)))
}

/// A time as RFC 3339 writes it.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}
