//! Which runs a verb for many is for: those that its filter finds, with a bounded amount of work for
//! each request.
use runstone_api::{FieldError, runs::many::ChosenRuns};
use runstone_model::{ids::RunId, run::Status};
use runstone_store::{Direction, RunRecord, Walk};

use super::wanted::{ROUNDS, Wanted};
use crate::{Answer, App, Scope, invalid_body};

/// The smallest page of runs that is looked through.
const PAGE: u32 = 100;

/// A filter, read.
pub(super) struct Choice {
    wanted: Wanted,
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
        let wanted = Wanted::read(&filter.into()).map_err(|errors| {
            let within = |error: FieldError| {
                FieldError::new(format!("/filter/{}", error.pointer), error.detail)
            };
            invalid_body(errors.into_iter().map(within).collect())
        })?;
        let ids = filter.ids.as_ref().map(|ids| {
            let mut ids: Vec<RunId> = ids.iter().copied().map(RunId).collect();
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.dedup();
            ids
        });
        Ok(Self { wanted, ids })
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
        let mut wanted = self.wanted.clone();
        wanted.status = states.to_vec();
        wanted
            .status
            .retain(|status| self.wanted.status.is_empty() || self.wanted.status.contains(status));
        if wanted.status.is_empty() {
            return Ok(chosen);
        }
        let (oldest, newest) = wanted.ids();
        let mut walk = Walk {
            direction: Direction::Down,
            beyond: before.into_iter().chain(newest.map(RunId)).min(),
            limit: limit.max(PAGE),
        };
        for _ in 0..ROUNDS {
            let page = wanted.page(app, scope, &walk).await?;
            let full = page.len() >= usize::try_from(walk.limit).unwrap_or(usize::MAX);
            for run in page {
                walk.beyond = Some(run.id);
                if wanted.fits(scope, &run) && may(&run) {
                    chosen.runs.push(run);
                    if chosen.runs.len() >= most {
                        chosen.next = walk.beyond;
                        return Ok(chosen);
                    }
                }
            }
            let is_over = walk.beyond.zip(oldest).is_some_and(|(at, end)| at.0 <= end);
            if !full || is_over {
                return Ok(chosen);
            }
        }
        chosen.next = walk.beyond;
        Ok(chosen)
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
        for run in found {
            let has = match &self.wanted.label {
                _ if !self.wanted.fits(scope, &run) => false,
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
