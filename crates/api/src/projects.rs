//! Projects, members, quotas, usage.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Role;

/// A project: the owner of everything else.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// Its id.
    pub id: Uuid,
    /// Its name; no other project has it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Raised by every change; also the ETag.
    pub version: i64,
    /// Whatever the project's programs want to keep with it.
    #[schema(value_type = Object)]
    pub settings: BTreeMap<String, Value>,
    /// What it may use.
    pub quotas: Quotas,
    /// When it was made, UTC.
    pub created_at: String,
    /// When it was changed last, UTC.
    pub updated_at: String,
    /// When it was deleted, UTC; it can be restored until it is purged.
    pub deleted_at: Option<String>,
}

/// What a project may use; nothing means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Unfinished runs at the same time.
    #[schema(minimum = 0)]
    pub active_runs: Option<u64>,
    /// Flows.
    #[schema(minimum = 0)]
    pub flows: Option<u64>,
}

/// A new project.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// Its name; no other project may have it.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What it is for.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Whatever the project's programs want to keep with it; at most 64 KiB as JSON.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: BTreeMap<String, Value>,
    /// What it may use.
    #[serde(default)]
    pub quotas: Quotas,
}

/// A change of a project; what is not given stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeProject {
    /// Its new name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What it is for.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// The new settings as a whole; at most 64 KiB as JSON.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<BTreeMap<String, Value>>,
    /// The new quotas as a whole.
    pub quotas: Option<Quotas>,
}

/// Which projects.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListProjects {
    /// The deleted ones instead.
    pub deleted: Option<bool>,
}

/// What a project uses.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Its flows.
    pub flows: u64,
    /// Its runs.
    pub runs: u64,
    /// Its runs by status; a status without runs is left out.
    pub runs_by_status: BTreeMap<String, u64>,
    /// What it may use.
    pub quotas: Quotas,
    /// When this was computed, UTC; `Age` says how long ago.
    pub as_of: String,
}

/// Somebody who may do something in a project, by a token of the configured issuer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The token's `sub`.
    pub subject: String,
    /// What they may do.
    pub role: Role,
    /// Since when, UTC.
    pub created_at: String,
}

/// What a member may do.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutMember {
    /// `viewer`, `editor` or `owner`.
    pub role: Role,
}
