//! Which runs are looked for: a filter of a query or of a body, read, and the pages of runs that
//! indexes give of it. What no index tells is for the caller to ask of each run.
use runstone_api::{FieldError, runs::ListRuns, runs::many::ChosenRuns};
use runstone_model::{ids::RunId, run::Status, time::Timestamp};
use runstone_store::{ID_SLACK_US, RunFilter, RunRecord, SqlStore, Walk};
use uuid::Uuid;

use crate::{Answer, App, Scope};

/// Pages that are looked through for one request.
pub(super) const ROUNDS: u32 = 20;

/// What is looked for.
#[derive(Clone)]
pub(super) struct Wanted {
    /// In one of these states; in any when there are none.
    pub(super) status: Vec<Status>,
    pub(super) flow: Option<String>,
    pub(super) label: Option<(String, String)>,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

/// The fields that queries and bodies have in common.
pub(super) struct Fields<'a> {
    status: Option<&'a str>,
    flow: Option<&'a String>,
    label: Option<&'a str>,
    created_after: Option<&'a str>,
    created_before: Option<&'a str>,
}

impl<'a> From<&'a ListRuns> for Fields<'a> {
    fn from(query: &'a ListRuns) -> Self {
        Self {
            status: query.status.as_deref(),
            flow: query.flow.as_ref(),
            label: query.label.as_deref(),
            created_after: query.created_after.as_deref(),
            created_before: query.created_before.as_deref(),
        }
    }
}

impl<'a> From<&'a ChosenRuns> for Fields<'a> {
    fn from(filter: &'a ChosenRuns) -> Self {
        Self {
            status: filter.status.as_deref(),
            flow: filter.flow.as_ref(),
            label: filter.label.as_deref(),
            created_after: filter.created_after.as_deref(),
            created_before: filter.created_before.as_deref(),
        }
    }
}

impl Wanted {
    /// Reads a filter that fits its schema.
    ///
    /// # Errors
    /// Every field that says something else than it should.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut time = |name: &str, text: Option<&str>| {
            let at = text?.parse::<jiff::Timestamp>();
            let at = at.map(|at| Timestamp(at.as_microsecond()));
            at.map_err(|_| {
                let detail = "must be a time, as in 2026-07-29T12:00:00Z";
                errors.push(FieldError::new(name, detail));
            })
            .ok()
        };
        let from = time("created_after", fields.created_after);
        let until = time("created_before", fields.created_before);
        if !errors.is_empty() {
            return Err(errors);
        }
        let names = fields.status.unwrap_or_default().split(',');
        let mut status: Vec<Status> = names.filter_map(Status::from_name).collect();
        status.sort_unstable_by_key(|status| status.name());
        status.dedup();
        let label = fields.label.and_then(|label| label.split_once('='));
        Ok(Self {
            status,
            flow: fields.flow.cloned(),
            label: label.map(|(name, value)| (name.to_owned(), value.to_owned())),
            from,
            until,
        })
    }

    /// Whether a run of the project fits, as far as its record tells: its labels are elsewhere.
    pub(super) fn fits(&self, scope: &Scope, run: &RunRecord) -> bool {
        run.project == scope.id()
            && (self.status.is_empty() || self.status.contains(&run.status))
            && self.flow.as_ref().is_none_or(|flow| *flow == run.flow)
            && self.from.is_none_or(|from| run.created_at >= from)
            && self.until.is_none_or(|until| run.created_at < until)
    }

    /// Ids of runs of that time: beyond which they begin, and before which they end.
    pub(super) fn ids(&self) -> (Option<Uuid>, Option<Uuid>) {
        let id = |at: Timestamp, slack: i64| {
            SqlStore::first_id_at(Timestamp(at.0.saturating_add(slack)))
        };
        (
            self.from.map(|from| id(from, -ID_SLACK_US)),
            self.until.map(|until| id(until, ID_SLACK_US)),
        )
    }

    /// The page of a walk, as far as indexes tell.
    pub(super) async fn page(
        &self,
        app: &App,
        scope: &Scope,
        walk: &Walk<RunId>,
    ) -> Answer<Vec<RunRecord>> {
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
        Ok(app.store.runs_in_brief(filter).await?)
    }
}
