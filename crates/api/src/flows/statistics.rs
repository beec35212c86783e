//! What became of a flow's runs.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which runs of a flow to sum up.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SumFlow {
    /// Created then or later, RFC 3339; 30 days before `until` when not given.
    #[param(max_length = 64)]
    pub since: Option<String>,
    /// Created before, RFC 3339; now when not given.
    #[param(max_length = 64)]
    pub until: Option<String>,
}

/// What became of a flow's runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowStatistics {
    /// The flow.
    pub flow: String,
    /// From when on runs are counted, UTC: later than asked for when there were too many.
    pub since: String,
    /// Until when, UTC.
    pub until: String,
    /// There were more: only the newest 20,000, of the newest 100 versions, are counted.
    pub truncated: bool,
    /// All of them together.
    pub all: RunStatistics,
    /// By the flow's version, newest first; a version without runs is left out.
    pub versions: Vec<VersionStatistics>,
    /// When this was computed, UTC; `Age` says how long ago.
    pub as_of: String,
}

/// What became of the runs of one version.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VersionStatistics {
    /// The version.
    pub version: u32,
    /// Its runs.
    pub runs: RunStatistics,
}

/// What became of some runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunStatistics {
    /// How many.
    pub count: u64,
    /// By status; a status without runs is left out.
    pub by_status: BTreeMap<String, u64>,
    /// The completed ones of those that completed or failed, from 0 to 1; none when none did.
    pub success_rate: Option<f64>,
    /// Steps of those that ended.
    pub steps: u64,
    /// The mean duration of those that ended, from their creation on.
    pub mean_ms: Option<f64>,
    /// Their median duration (nearest rank).
    pub p50_ms: Option<f64>,
    /// The 95th percentile (nearest rank).
    pub p95_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
}
