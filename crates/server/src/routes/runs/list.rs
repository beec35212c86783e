//! Lists of runs: keyset paging on ids, whose order is the order of creation. What no index tells is
//! looked for in bounded portions.
use std::collections::HashMap;

use axum::extract::State;
use runstone_api::{
    FieldError, List,
    list::NewestFirst,
    runs::{ListRuns, Run},
};
use runstone_model::{ids::RunId, run::Status, time::Timestamp};
use runstone_store::{Direction, RunCount, RunFilter, RunRecord, SqlStore, Store as _, Walk};
use uuid::Uuid;

use super::{brief, value};
use crate::{Answer, App, Page, Paging, Query, Scope, counted, invalid_query};

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
    /// In lower case.
    phrase: Option<String>,
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
            phrase: query.q.as_deref().map(str::to_lowercase),
        })
    }

    fn fits(&self, run: &RunRecord) -> bool {
        (self.status.is_empty() || self.status.contains(&run.status))
            && self.flow.as_ref().is_none_or(|flow| *flow == run.flow)
            && self.from.is_none_or(|from| run.created_at >= from)
            && self.until.is_none_or(|until| run.created_at < until)
    }

    /// Ids of runs of that time: beyond which they begin, and before which they end.
    fn ids(&self) -> (Option<Uuid>, Option<Uuid>) {
        let id = |at: Timestamp, slack: i64| {
            SqlStore::first_id_at(Timestamp(at.0.saturating_add(slack)))
        };
        (
            self.from.map(|from| id(from, -SLACK_US)),
            self.until.map(|until| id(until, SLACK_US)),
        )
    }

    /// The page of a walk, as far as indexes tell.
    async fn page(&self, app: &App, scope: &Scope, walk: &Walk<RunId>) -> Answer<Vec<RunRecord>> {
        if let Some((name, value)) = &self.label {
            let label = (name.as_str(), value.as_str());
            return Ok(app.store.runs_with_label(scope.id(), label, walk).await?);
        }
        let filter = RunFilter {
            project: Some(scope.id()),
            status: self.status.clone(),
            flow: self.flow.clone(),
            direction: walk.direction,
            beyond: walk.beyond,
            limit: walk.limit,
        };
        Ok(app.store.runs(filter).await?)
    }

    /// Those of a page that fit in every way.
    async fn fitting(
        &self,
        app: &App,
        scope: &Scope,
        page: Vec<RunRecord>,
    ) -> Answer<Vec<RunRecord>> {
        let mut fitting: Vec<RunRecord> = page
            .into_iter()
            .filter(|run| run.project == scope.id() && self.fits(run))
            .collect();
        if let Some(phrase) = &self.phrase {
            let ids: Vec<RunId> = fitting.iter().map(|run| run.id).collect();
            let labels = app.store.label_values(scope.id(), &ids).await?;
            fitting.retain(|run| has(run, &labels, phrase));
        }
        Ok(fitting)
    }

    /// How many there are in all.
    async fn count(&self, app: &App, scope: &Scope) -> Answer<u64> {
        if self.phrase.is_some() {
            let detail = "what is found by `q` is not counted: leave one of them out";
            return Err(invalid_query(vec![FieldError::new("total", detail)]));
        }
        let by_time = self.from.is_some() || self.until.is_some();
        if self.flow.is_none() && self.label.is_none() && !by_time {
            let by_status = app.store.runs_by_status(scope.id()).await?;
            let wanted = by_status.iter().filter(|(name, _)| {
                self.status.is_empty() || self.status.iter().any(|s| s.name() == name.as_str())
            });
            return Ok(wanted.map(|(_, count)| count).sum());
        }
        let (oldest, newest) = self.ids();
        let count = RunCount {
            status: self.status.clone(),
            flow: self.flow.clone(),
            label: self.label.clone(),
            since: self.from.unwrap_or(Timestamp(i64::MIN)),
            until: self.until.unwrap_or(Timestamp(i64::MAX)),
            ids: (oldest.unwrap_or_default(), newest.unwrap_or(Uuid::max())),
        };
        counted(app.store.count_runs(scope.id(), &count).await?)
    }
}

/// Whether a run has the phrase, which is in lower case.
fn has(run: &RunRecord, labels: &HashMap<RunId, Vec<String>>, phrase: &str) -> bool {
    let within = |text: &str| text.to_lowercase().contains(phrase);
    let labels = labels.get(&run.id).map_or(&[][..], Vec::as_slice);
    run.id.to_string().starts_with(phrase)
        || within(&run.flow)
        || labels.iter().any(|value| within(value))
        || value(run.error.as_deref())
            .is_some_and(|error| error["message"].as_str().is_some_and(within))
}

pub(super) async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<NewestFirst, ListRuns>>,
) -> Answer<Page<Run>> {
    let paging = Paging::read("runs", &query)?;
    let wanted = Wanted::read(&query.filter)?;
    let total = match query.total {
        true => Some(wanted.count(&app, &scope).await?),
        false => None,
    };
    let (oldest, newest) = wanted.ids();
    let mut walk: Walk<RunId> = paging.walk()?;
    let cursor = walk.beyond.map(|run| run.0);
    walk.beyond = match walk.direction {
        Direction::Up => cursor.max(oldest),
        Direction::Down => [cursor, newest].into_iter().flatten().min(),
    }
    .map(RunId);
    let direction = walk.direction;
    let is_over = |id: Uuid| match direction {
        Direction::Up => newest.is_some_and(|newest| id >= newest),
        Direction::Down => oldest.is_some_and(|oldest| id <= oldest),
    };
    let want = usize::try_from(walk.limit).unwrap_or(usize::MAX);
    let mut found: Vec<RunRecord> = Vec::new();
    let mut unread = true;
    for _ in 0..ROUNDS {
        let page = wanted.page(&app, &scope, &walk).await?;
        unread = page.len() >= want;
        let Some(last) = page.last().map(|run| run.id) else {
            break;
        };
        walk.beyond = Some(last);
        found.extend(wanted.fitting(&app, &scope, page).await?);
        unread = unread && !is_over(last.0);
        if !unread || found.len() >= want {
            break;
        }
    }
    let short = found.len() < want;
    let mut page = paging.page(found, |run| run.id.to_string());
    if short && unread {
        // Many were looked through and few fit: the next page goes on from here.
        page.next_cursor = walk.beyond.map(|last| paging.cursor(&last.to_string()));
    }
    Ok(page.map(|run| brief(&run)).total(total))
}

/// A time as RFC 3339 writes it.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}
