//! Runs, steps, checkpoints, events.
pub mod many;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Problem;

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// Its project.
    pub project: Uuid,
    /// Its flow's name.
    pub flow: String,
    /// The version of the flow that it is pinned to.
    pub version: u32,
    /// `pending`, `running`, `waiting`, `paused`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// Steps committed; in a list, as of the last time it was parked or ended.
    pub steps: u64,
    /// When it was created, UTC.
    pub created_at: String,
    /// When it ended, UTC.
    pub finished_at: Option<String>,
    /// How long it took, in milliseconds; nothing while it has not ended.
    pub duration_ms: Option<f64>,
    /// When it must have ended, UTC.
    pub deadline: Option<String>,
    /// When it goes on, UTC; only while it waits for a time and no server has it.
    pub wake_at: Option<String>,
    /// When somebody asked to cancel it, UTC.
    pub cancel_requested_at: Option<String>,
    /// Its input; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Its output, once completed; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// Its labels; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// A run to start.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRun {
    /// The flow's name.
    #[schema(min_length = 1, max_length = 200)]
    pub flow: String,
    /// Which version; the newest when not given.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub version: Option<u32>,
    /// The input; `{}` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Labels to find it by: at most 16.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Many runs to start.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRuns {
    /// The runs, at most 500.
    #[schema(min_items = 1, max_items = 500)]
    pub runs: Vec<StartRun>,
}

/// What became of each of many starts, in the order asked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Started {
    /// One for each run asked for.
    pub items: Vec<StartedRun>,
}

/// What became of one start.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StartedRun {
    /// The run, when it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
    /// Why not, when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// How to start.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wait {
    /// Answer once the run has ended, at most after so long: `30s`, `500ms`, `1m`; at most 60 s.
    #[param(pattern = "^[0-9]{1,5}(ms|s|m)$")]
    pub wait: Option<String>,
}

/// Which runs.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListRuns {
    /// In one of these states, separated by commas.
    #[param(
        pattern = "^(pending|running|waiting|paused|completed|failed|cancelled)(,(pending|running|waiting|paused|completed|failed|cancelled)){0,6}$"
    )]
    pub status: Option<String>,
    /// Of this flow.
    #[param(min_length = 1, max_length = 200)]
    pub flow: Option<String>,
    /// With this label, as `name=value`.
    #[param(pattern = "^[A-Za-z0-9_.-]{1,64}=.{0,200}$")]
    pub label: Option<String>,
    /// Created at this time or later, RFC 3339.
    #[param(format = DateTime)]
    pub created_after: Option<String>,
    /// Created before this time, RFC 3339.
    #[param(format = DateTime)]
    pub created_before: Option<String>,
    /// Whose flow's name, label or error has this phrase, or whose id begins with it, in any case.
    /// Not together with `total`.
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
}

/// One entry of a run's journal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Its place in the journal, from 1.
    pub seq: u64,
    /// `completed`, `failed`, `skipped`, `attempt_failed`, `waiting`, `taken_over`,
    /// `run_completed`, `run_failed`, `run_cancelled` or `run_retried`.
    pub kind: String,
    /// The node, where it is about a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The start of the node, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<u32>,
    /// The item of a map, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The attempt, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When the attempt started or the entry was made, UTC.
    pub at: String,
    /// How long the attempt took, in milliseconds.
    pub duration_ms: f64,
    /// When the step ends that waits, UTC; only of kind `waiting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What the node gave; left out of lists and events when it is larger than 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Whether a result was left out because of its size.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub result_left_out: bool,
    /// What it wrote to the state, by key; only for a single entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub patch: Option<Value>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// The state after an entry of the journal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Checkpoint {
    /// The run.
    pub run: Uuid,
    /// The entry; 0 is before the first.
    pub seq: u64,
    /// The state by key.
    #[schema(value_type = Object)]
    pub state: Value,
}

/// What to compare with.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiffRuns {
    /// The other run, of the same project.
    #[serde(rename = "with")]
    #[param(format = Uuid)]
    pub with: String,
}

/// How two runs differ.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunDiff {
    /// The run.
    pub run: Uuid,
    /// The other.
    pub with: Uuid,
    /// Every field of input, state and output that differs, at most 1,000.
    pub changes: Vec<Change>,
    /// Whether there are more.
    pub cut: bool,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// JSON pointer: `/state/score`.
    pub pointer: String,
    /// In the run; left out when it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub here: Option<Value>,
    /// In the other; left out when it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<Value>,
}

/// Why a run is cancelled.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelRun {
    /// For whoever looks at it later.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// From where to watch.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Watch {
    /// The last entry that is known already; `Last-Event-ID` goes before it.
    #[param(minimum = 0)]
    pub after: Option<u64>,
}
