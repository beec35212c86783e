//! A flow as the engine uses it: nodes and edges by index, expressions compiled, loops analysed.
//! Reading and checking a flow file is in the submodules; nothing here runs a flow.
mod canonical;
mod check_graph;
mod check_writes;
mod comments;
mod doc;
pub mod draw;
pub mod duration;
mod edges;
mod format;
mod input;
mod layout;
mod names;
mod nodes;
mod options;
mod published;
mod read;
mod reader;
mod scalar;
mod schema;
mod schema_refs;
mod state;
mod yaml;

pub use format::format;
pub use input::{InputCheck, InputProblem};
pub use published::json_schema;

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    expr::{Expr, Template},
    failure::Class,
    graph::Graph,
    problem::Problem,
    reducer::{Reducer, Type},
};

/// Index of a node in [`Flow::nodes`] (declaration order).
pub type NodeIx = usize;
/// Index of an edge in [`Flow::edges`] (declaration order).
pub type EdgeIx = usize;

/// What validation knows of a node kind.
#[derive(Clone, Debug)]
pub struct KindInfo {
    /// JSON Schema of `with`.
    pub with: Value,
    /// JSON Schema of the result.
    pub result: Value,
    /// Whether it changes something outside the run.
    pub side_effects: bool,
}

/// The node kinds a flow may use.
pub trait Kinds {
    /// The kind of that name.
    fn get(&self, name: &str) -> Option<KindInfo>;
    /// Every name, in the order to list them.
    fn names(&self) -> Vec<String>;
}

/// A valid flow.
#[derive(Debug)]
pub struct Flow {
    /// The flow's name, unique in its project.
    pub name: String,
    /// One line on what it does.
    pub description: Option<String>,
    /// JSON Schema of the input.
    pub input: Option<Value>,
    /// The state keys in the order of their names, whatever file they come from.
    pub state: Vec<StateKey>,
    /// The first node.
    pub start: NodeIx,
    /// The nodes in declaration order.
    pub nodes: Vec<Node>,
    /// The edges in declaration order: those of `edges:`, then those that `route:` and
    /// `on_error: {goto}` imply, node by node.
    pub edges: Vec<Edge>,
    /// What the run answers; without it the final state is the answer.
    pub output: Option<Template>,
    /// The run's limits.
    pub limits: FlowLimits,
    /// Loops, reachability, joins.
    pub graph: Graph,
    /// The definition as canonical JSON: what is stored and hashed as a version.
    pub canonical: Arc<str>,
    /// What is allowed but probably not meant, in order of place.
    pub warnings: Vec<Problem>,
    /// The compiled schema of the input.
    pub input_check: InputCheck,
}

/// One declared state key.
#[derive(Clone, Debug)]
pub struct StateKey {
    /// The name used as `state.<name>`.
    pub name: String,
    /// Checked on every write.
    pub ty: Type,
    /// How a write changes the value.
    pub reducer: Reducer,
    /// The value before any write; when not given, [`Reducer::initial`].
    pub default: Value,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// The name used as `results.<name>`.
    pub name: String,
    /// The node kind, e.g. `http`.
    pub uses: String,
    /// The kind's input, evaluated at each start.
    pub with: Template,
    /// How the result reaches the state.
    pub out: Out,
    /// What to do after a failed attempt.
    pub retry: Retry,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// What a final failure does.
    pub on_error: OnError,
    /// Run only when true; else the step is skipped (result null).
    pub condition: Option<Expr>,
    /// Run once per item.
    pub for_each: Option<ForEach>,
    /// When it starts if several edges lead here.
    pub join: Join,
    /// Outgoing edges, in declaration order (not the error edge).
    pub outgoing: Vec<EdgeIx>,
    /// The edge of `on_error: {goto}`.
    pub error_edge: Option<EdgeIx>,
}

/// How a node's result reaches the state.
#[derive(Debug)]
pub enum Out {
    /// It does not.
    None,
    /// Each key from an expression over `result`: (index in [`Flow::state`], value).
    Keys(Vec<(usize, Template)>),
    /// One expression giving an object whose keys are declared.
    Object(Template),
    /// `set`: the node's `with` is the patch, its result too.
    With,
}

/// Retry policy of a node. `max_attempts: 1` means no retry.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all.
    pub max_attempts: u32,
    /// Wait before the second attempt.
    pub initial: Duration,
    /// Each further wait is this many times longer.
    pub factor: f64,
    /// No wait is longer than this.
    pub max: Duration,
    /// Share of the wait that is random, 0 to 1.
    pub jitter: f64,
    /// Retry only these classes; empty: those that are retryable by nature.
    pub on: Vec<Class>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 1,
            initial: Duration::from_millis(200),
            factor: 2.0,
            max: Duration::from_secs(30),
            jitter: 0.2,
            on: Vec::new(),
        }
    }
}

/// What a node's final failure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The run fails.
    Fail,
    /// The result is null, `error` is in scope on the outgoing edges.
    Continue,
    /// The error edge fires, `error` is in scope in its target.
    Goto,
}

/// A map over a list.
#[derive(Debug)]
pub struct ForEach {
    /// Gives the list.
    pub list: Template,
    /// How many items run at the same time.
    pub max_parallel: u32,
    /// Whether a failed item fails the step or leaves null in its place.
    pub on_item_error: OnItemError,
}

/// What a failed item does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnItemError {
    /// The step fails.
    Fail,
    /// Null takes its place.
    Continue,
}

/// When a node with several incoming edges starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Join {
    /// Once everything that can still reach it is done.
    #[default]
    All,
    /// Once for every arriving edge.
    Each,
    /// At the first arrival; what is only on the way to it is cancelled.
    First,
}

/// Where an edge leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A node.
    Node(NodeIx),
    /// The success end.
    End,
    /// The run fails with the edge's message.
    Fail,
}

/// One edge.
#[derive(Debug)]
pub struct Edge {
    /// The node it leaves.
    pub from: NodeIx,
    /// Where it leads.
    pub to: Target,
    /// When it fires.
    pub fires: Fires,
    /// How often it may fire since its loop was entered from outside.
    pub max: Option<u32>,
    /// For [`Target::Fail`]: what to say.
    pub message: Option<Template>,
}

/// When an edge fires.
#[derive(Debug)]
pub enum Fires {
    /// Always.
    Always,
    /// When the expression is true.
    When(Expr),
    /// When no `when` edge of the node fired.
    Else,
    /// Part of `route:` — the first in order whose condition is true (none: always).
    Route(Option<Expr>),
    /// When the node failed for good.
    Error,
}

/// The limits of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowLimits {
    /// Node starts.
    pub steps: u64,
    /// Time from start to end.
    pub duration: Option<Duration>,
}
