//! Cyclomatic and cognitive complexity and the depth of nesting of one function.
//!
//! Cyclomatic: T. J. McCabe, "A Complexity Measure", IEEE TSE 2(4), 1976: decisions + 1. Cognitive:
//! G. A. Campbell, "Cognitive Complexity", SonarSource 2018. Which syntax counts: `docs/nodes.md`.
use runstone_engine::node::NodeError;
use serde::Serialize;
use tree_sitter::Node;

use super::{
    function::Function,
    language::Language,
    python, rust,
    syntax::{Go, Step, walk},
    work::Stop,
};

/// The numbers of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Metrics {
    /// Decisions + 1.
    pub(super) cyclomatic: u32,
    pub(super) cognitive: u32,
    /// The most branches, loops and `try` blocks inside each other.
    pub(super) nesting: u32,
}

/// What a node adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Role {
    /// Ways it adds through the function.
    pub(super) decisions: u32,
    pub(super) cognitive: Cognitive,
    /// Whether what is inside it is harder to follow (cognitive complexity).
    pub(super) nests: bool,
    /// Whether it is a level of nesting by itself.
    pub(super) deepens: bool,
}

/// How a node adds to the cognitive complexity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cognitive {
    #[default]
    No,
    /// One.
    Flat,
    /// One and one more for each level around it.
    Nested,
}

struct Frame<'t> {
    kind: &'t str,
    role: Role,
    logical: Option<&'static str>,
}

/// Measures one function. Functions inside it have numbers of their own; closures and lambdas count
/// to the function around them.
pub(super) fn measure(function: &Function, stop: &Stop) -> Result<Metrics, NodeError> {
    let (tree, source) = function.parse(stop)?;
    let language = function.language;
    let mut sum = Metrics {
        cyclomatic: 1,
        cognitive: 0,
        nesting: 0,
    };
    let (mut around, mut depth) = (0_u32, 0_u32);
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut inside = false;
    let ended = walk(&tree, stop, |step| match step {
        Step::Enter(node) => {
            let is_function = is_function(node);
            let parent = frames.last().map_or("", |frame| frame.kind);
            let role = match language {
                Language::Python => python::role(node, parent, source),
                Language::Rust => rust::role(node, parent),
            };
            let logical = match language {
                Language::Python => python::logical(node),
                Language::Rust => rust::logical(node),
            };
            let new_run =
                logical.is_some() && logical != frames.last().and_then(|frame| frame.logical);
            frames.push(Frame {
                kind: node.kind(),
                role: Role::default(),
                logical,
            });
            if is_function && inside {
                return Go::Past;
            }
            inside |= is_function;
            sum.cyclomatic = sum.cyclomatic.saturating_add(role.decisions);
            let adds = match role.cognitive {
                Cognitive::No => u32::from(new_run),
                Cognitive::Flat => 1,
                Cognitive::Nested => 1 + around,
            };
            sum.cognitive = sum.cognitive.saturating_add(adds);
            around += u32::from(role.nests);
            depth += u32::from(role.deepens);
            sum.nesting = sum.nesting.max(depth);
            if let Some(frame) = frames.last_mut() {
                frame.role = role;
            }
            Go::In
        }
        Step::Leave(_) => {
            if let Some(frame) = frames.pop() {
                around -= u32::from(frame.role.nests);
                depth -= u32::from(frame.role.deepens);
            }
            Go::In
        }
    });
    if !ended {
        stop.check()?;
    }
    Ok(sum)
}

/// Whether a node is a function with a body in either language.
pub(super) fn is_function(node: Node<'_>) -> bool {
    matches!(node.kind(), "function_definition" | "function_item")
}
