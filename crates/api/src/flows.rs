//! Flows and their versions.
pub mod statistics;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::FieldError;

/// A flow with one of its versions.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// Its name in the project.
    pub name: String,
    /// The version's number, from 1.
    pub version: u32,
    /// The version's id.
    pub version_id: Uuid,
    /// When that version was stored, UTC.
    pub created_at: String,
    /// The definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Value>,
}

/// A flow to store.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutFlow {
    /// The flow: a JSON object, or the text of a flow file (YAML or JSON).
    pub definition: Value,
}

/// What is wrong with a flow, and what should be looked at.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Validation {
    /// Whether it would be stored.
    pub valid: bool,
    /// Every problem.
    pub problems: Vec<FieldError>,
    /// What is allowed and may be a mistake.
    pub warnings: Vec<FieldError>,
}

/// How to draw a flow.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DrawFlow {
    /// `json` (nodes and edges, the default), `mermaid`, `dot`, `svg` or `text`.
    #[param(pattern = "^(json|mermaid|dot|svg|text)$")]
    pub format: Option<String>,
    /// Which version; the newest when not given.
    #[param(minimum = 1)]
    pub version: Option<u32>,
}

/// A flow's graph.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Graph {
    /// The node where it starts.
    pub start: String,
    /// Its nodes.
    pub nodes: Vec<GraphNode>,
    /// Its edges.
    pub edges: Vec<GraphEdge>,
}

/// A node.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GraphNode {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub uses: String,
}

/// An edge.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GraphEdge {
    /// Where it begins.
    pub from: String,
    /// Where it ends: a node, `end` or `fail`.
    pub to: String,
}
