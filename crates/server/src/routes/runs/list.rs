//! Lists of runs: keyset paging on ids, whose order is the order of creation. What no index tells is
//! looked for in bounded portions.
use std::collections::HashMap;

use axum::extract::State;
use runstone_api::{
    FieldError, List,
    list::NewestFirst,
    runs::{ListRuns, Run},
};
use runstone_model::{ids::RunId, time::Timestamp};
use runstone_store::{Direction, RunCount, RunRecord, Walk};
use uuid::Uuid;

use super::{
    brief, value,
    wanted::{ROUNDS, Wanted},
};
use crate::{Answer, App, Page, Paging, Query, Scope, counted, invalid_query};

/// What is looked for, by its fields and by a text.
struct Sought {
    wanted: Wanted,
    /// In lower case.
    phrase: Option<String>,
}

impl Sought {
    fn read(query: &ListRuns) -> Answer<Self> {
        Ok(Self {
            wanted: Wanted::read(&query.into()).map_err(invalid_query)?,
            phrase: query.q.as_deref().map(str::to_lowercase),
        })
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
            .filter(|run| self.wanted.fits(scope, run))
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
        let wanted = &self.wanted;
        let by_time = wanted.from.is_some() || wanted.until.is_some();
        if wanted.flow.is_none() && wanted.label.is_none() && !by_time {
            let by_status = app.store.runs_by_status(scope.id()).await?;
            let asked = by_status.iter().filter(|(name, _)| {
                wanted.status.is_empty() || wanted.status.iter().any(|s| s.name() == name.as_str())
            });
            return Ok(asked.map(|(_, count)| count).sum());
        }
        let (oldest, newest) = wanted.ids();
        let count = RunCount {
            status: wanted.status.clone(),
            flow: wanted.flow.clone(),
            label: wanted.label.clone(),
            since: wanted.from.unwrap_or(Timestamp(i64::MIN)),
            until: wanted.until.unwrap_or(Timestamp(i64::MAX)),
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
    let sought = Sought::read(&query.filter)?;
    let total = match query.total {
        true => Some(sought.count(&app, &scope).await?),
        false => None,
    };
    let (oldest, newest) = sought.wanted.ids();
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
        let page = sought.wanted.page(&app, &scope, &walk).await?;
        unread = page.len() >= want;
        let Some(last) = page.last().map(|run| run.id) else {
            break;
        };
        walk.beyond = Some(last);
        found.extend(sought.fitting(&app, &scope, page).await?);
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
