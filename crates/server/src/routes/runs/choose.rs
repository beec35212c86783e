//! Which runs a verb for many is for: the filter of a body, read, and the runs that it finds, with a
//! bounded amount of work for each request.
use runstone_api::{FieldError, runs::many::ChosenRuns};
use runstone_model::{ids::RunId, run::Status, time::Timestamp};
use runstone_store::{RunFilter, RunRecord, SqlStore, Store as _};
use uuid::Uuid;

use crate::{Answer, App, Scope, invalid_body};

/// Ids carry the time of their making in milliseconds; a run's own time is taken a moment later.
const SLACK_US: i64 = 2_000_000;
/// Pages of runs that are looked through for one request.
const ROUNDS: u32 = 20;
/// The smallest such page.
const PAGE: u32 = 100;

/// A filter, read.
pub(super) struct Choice {
    status: Vec<Status>,
    flow: Option<String>,
    label: Option<(String, String)>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// The newest first.
    ids: Option<Vec<RunId>>,
}

/// What was found.
pub(super) struct Chosen {
    /// The runs, newest first.
    pub(super) runs: Vec<RunRecord>,
    /// Ids that were named and are no runs of the project.
    pub(super) missing: Vec<RunId>,
    /// Where to go on.
    pub(super) next: Option<RunId>,
}

impl Choice {
    pub(super) fn read(filter: &ChosenRuns) -> Answer<Self> {
        let mut errors = Vec::new();
        let mut time = |name: &str, text: Option<&String>| {
            let at = text?.parse::<jiff::Timestamp>();
            let at = at.map(|at| Timestamp(at.as_microsecond()));
            at.map_err(|_| {
                let detail = "must be a time, as in 2026-07-29T12:00:00Z";
                errors.push(FieldError::new(format!("/filter/{name}"), detail));
            })
            .ok()
        };
        let from = time("created_after", filter.created_after.as_ref());
        let until = time("created_before", filter.created_before.as_ref());
        if !errors.is_empty() {
            return Err(invalid_body(errors));
        }
        let names = filter.status.as_deref().unwrap_or_default().split(',');
        let label = filter.label.as_deref();
        let label = label.and_then(|label| label.split_once('='));
        let ids = filter.ids.as_ref().map(|ids| {
            let mut ids: Vec<RunId> = ids.iter().copied().map(RunId).collect();
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.dedup();
            ids
        });
        Ok(Self {
            status: names.filter_map(Status::from_name).collect(),
            flow: filter.flow.clone(),
            label: label.map(|(name, value)| (name.to_owned(), value.to_owned())),
            from,
            until,
            ids,
        })
    }

    fn fits(&self, run: &RunRecord) -> bool {
        (self.status.is_empty() || self.status.contains(&run.status))
            && self.flow.as_ref().is_none_or(|flow| *flow == run.flow)
            && self.from.is_none_or(|from| run.created_at >= from)
            && self.until.is_none_or(|until| run.created_at < until)
    }

    /// Up to `limit` runs before `before` that fit and for which the verb is. Runs that are named
    /// are found whatever the verb: it says itself what stands against them.
    pub(super) async fn find(
        &self,
        app: &App,
        scope: &Scope,
        (before, limit): (Option<RunId>, u32),
        (states, may): (&[Status], impl Fn(&RunRecord) -> bool),
    ) -> Answer<Chosen> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        if let Some(ids) = &self.ids {
            return self.named(app, scope, ids, before, most).await;
        }
        let mut chosen = Chosen {
            runs: Vec::new(),
            missing: Vec::new(),
            next: None,
        };
        let mut status = states.to_vec();
        status.retain(|status| self.status.is_empty() || self.status.contains(status));
        if status.is_empty() {
            return Ok(chosen);
        }
        let slack = |at: Timestamp, by: i64| {
            let at = Timestamp(at.0.saturating_add(by));
            RunId(SqlStore::first_id_at(at))
        };
        let oldest = self.from.map(|from| slack(from, -SLACK_US));
        let mut before = before.unwrap_or(RunId(Uuid::max()));
        if let Some(until) = self.until {
            before = before.min(slack(until, SLACK_US));
        }
        for _ in 0..ROUNDS {
            let size = limit.max(PAGE);
            let page = self.page(app, scope, &status, before, size).await?;
            let full = page.len() >= usize::try_from(size).unwrap_or(usize::MAX);
            for run in page {
                before = run.id;
                let is_of = run.project == scope.id() && status.contains(&run.status);
                if is_of && self.fits(&run) && may(&run) {
                    chosen.runs.push(run);
                    if chosen.runs.len() >= most {
                        chosen.next = Some(before);
                        return Ok(chosen);
                    }
                }
            }
            if !full || oldest.is_some_and(|oldest| before <= oldest) {
                return Ok(chosen);
            }
        }
        chosen.next = Some(before);
        Ok(chosen)
    }

    async fn page(
        &self,
        app: &App,
        scope: &Scope,
        status: &[Status],
        before: RunId,
        limit: u32,
    ) -> Answer<Vec<RunRecord>> {
        if let Some((name, value)) = &self.label {
            let label = (name.as_str(), value.as_str());
            let found = app.store.runs_with_label(scope.id(), label, before, limit);
            return Ok(found.await?);
        }
        let filter = RunFilter {
            project: Some(scope.id()),
            status: status.to_vec(),
            flow: self.flow.clone(),
            before: Some(before),
            limit,
        };
        Ok(app.store.runs(filter).await?)
    }

    async fn named(
        &self,
        app: &App,
        scope: &Scope,
        ids: &[RunId],
        before: Option<RunId>,
        most: usize,
    ) -> Answer<Chosen> {
        let left = ids.iter().copied();
        let mut left = left.filter(|id| before.is_none_or(|before| *id < before));
        let now: Vec<RunId> = left.by_ref().take(most).collect();
        let found = app.store.project_runs(scope.id(), &now).await?;
        let is_there = |id: &RunId| found.iter().any(|run| run.id == *id);
        Ok(Chosen {
            missing: now.iter().copied().filter(|id| !is_there(id)).collect(),
            next: left.next().and(now.last().copied()),
            runs: self.labelled(app, scope, found).await?,
        })
    }

    /// Those of the runs found by their ids that fit, their labels among the rest.
    async fn labelled(
        &self,
        app: &App,
        scope: &Scope,
        found: Vec<RunRecord>,
    ) -> Answer<Vec<RunRecord>> {
        let mut fitting = Vec::with_capacity(found.len());
        for run in found.into_iter().filter(|run| self.fits(run)) {
            let has = match &self.label {
                None => true,
                Some(label) => app.store.labels(scope.id(), run.id).await?.contains(label),
            };
            if has {
                fitting.push(run);
            }
        }
        Ok(fitting)
    }
}
