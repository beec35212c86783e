//! Verbs for many runs at once, found by a filter.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Which runs, as in the list's query; what is given must fit all of it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChosenRuns {
    /// In one of these states, separated by commas.
    #[schema(
        pattern = "^(pending|running|waiting|paused|completed|failed|cancelled)(,(pending|running|waiting|paused|completed|failed|cancelled)){0,6}$"
    )]
    pub status: Option<String>,
    /// Of this flow.
    #[schema(min_length = 1, max_length = 200)]
    pub flow: Option<String>,
    /// With this label, as `name=value`.
    #[schema(pattern = "^[A-Za-z0-9_.-]{1,64}=.{0,200}$")]
    pub label: Option<String>,
    /// Created at this time or later, RFC 3339.
    #[schema(format = DateTime)]
    pub created_after: Option<String>,
    /// Created before this time, RFC 3339.
    #[schema(format = DateTime)]
    pub created_before: Option<String>,
    /// Of these, at most 500.
    #[schema(min_items = 1, max_items = 500)]
    pub ids: Option<Vec<Uuid>>,
}

/// Runs to cancel.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRuns {
    /// Which; `{}` is every run of the project that has not ended.
    pub filter: ChosenRuns,
    /// For whoever looks at them later.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    /// At most so many, the newest first; 100 when not given.
    #[schema(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the answer before.
    pub cursor: Option<String>,
}

/// Runs to go on with.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GoOnWithRuns {
    /// Which; `{}` is every run of the project with which this can be done.
    pub filter: ChosenRuns,
    /// At most so many, the newest first; 100 when not given.
    #[schema(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the answer before.
    pub cursor: Option<String>,
}

/// What became of many runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ActedOnRuns {
    /// How many runs were chosen: done and skipped together.
    pub matched: u64,
    /// With which it was done.
    pub done: Vec<Uuid>,
    /// With which it was not, and why.
    pub skipped: Vec<SkippedRun>,
    /// There may be more: send the same with this cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A run that was left as it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SkippedRun {
    /// Its id.
    pub id: Uuid,
    /// As the verb for a single run would have answered.
    pub code: String,
    /// What stood against it.
    pub detail: String,
}
