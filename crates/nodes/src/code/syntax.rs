//! A walk over a syntax tree that needs no recursion: hostile source nests a hundred thousand deep.
use tree_sitter::{Node, Tree};

use super::work::Stop;

/// What the walk meets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'t> {
    /// A node, before its children.
    Enter(Node<'t>),
    /// The same node, after its children (also when they were left out).
    Leave(Node<'t>),
}

/// Whether the children of an entered node are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Go {
    In,
    Past,
}

/// Visits every node in order of the source. Answers false when stopped.
pub(super) fn walk<'t>(tree: &'t Tree, stop: &Stop, mut visit: impl FnMut(Step<'t>) -> Go) -> bool {
    let mut cursor = tree.walk();
    let mut seen = 0_u32;
    loop {
        seen = seen.wrapping_add(1);
        if seen.is_multiple_of(4096) && stop.asked() {
            return false;
        }
        if visit(Step::Enter(cursor.node())) == Go::In && cursor.goto_first_child() {
            continue;
        }
        loop {
            visit(Step::Leave(cursor.node()));
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return true;
            }
        }
    }
}

/// The source text of a node.
pub(super) fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// The line of a node, from 1.
pub(super) fn line(node: Node<'_>) -> u32 {
    count(node.start_position().row).saturating_add(1)
}

/// A count as the results carry it.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
