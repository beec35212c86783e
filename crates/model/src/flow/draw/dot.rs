//! A flow in the language of Graphviz.
use std::fmt::Write;

use super::{Flow, Target, is_back, kind, label};

/// The flow for Graphviz.
#[must_use]
pub fn dot(flow: &Flow) -> String {
    let mut out = format!("digraph \"{}\" {{\n", escape(&flow.name));
    out.push_str("    rankdir=TB;\n    node [shape=box, style=rounded];\n");
    for (ix, node) in flow.nodes.iter().enumerate() {
        let (name, kind) = (escape(&node.name), escape(&kind(node)));
        let _ = writeln!(out, "    n{ix} [label=\"{name}\\n{kind}\"];");
    }
    for (target, id) in [(Target::End, "end"), (Target::Fail, "fail")] {
        if flow.edges.iter().any(|edge| edge.to == target) {
            let _ = writeln!(out, "    {id} [shape=oval];");
        }
    }
    for edge in &flow.edges {
        let to = match edge.to {
            Target::Node(to) => format!("n{to}"),
            Target::End => "end".to_owned(),
            Target::Fail => "fail".to_owned(),
        };
        let mut attributes = Vec::new();
        let label = label(edge);
        if !label.is_empty() {
            attributes.push(format!("label=\"{}\"", escape(&label)));
        }
        if is_back(flow, edge) {
            attributes.push("style=dashed, constraint=false".to_owned());
        }
        let attributes = match attributes.join(", ") {
            none if none.is_empty() => none,
            some => format!(" [{some}]"),
        };
        let _ = writeln!(out, "    n{} -> {to}{attributes};", edge.from);
    }
    out.push_str("}\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace(['\n', '\r'], " ")
}
