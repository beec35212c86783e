//! A flow as a Mermaid flowchart.
use std::fmt::Write;

use super::{Flow, Target, is_back, kind, label};

/// The flow as a Mermaid flowchart.
#[must_use]
pub fn mermaid(flow: &Flow) -> String {
    let mut out = String::from("flowchart TD\n");
    for (ix, node) in flow.nodes.iter().enumerate() {
        let (name, kind) = (escape(&node.name), escape(&kind(node)));
        let _ = writeln!(out, "    n{ix}[\"{name}<br/><small>{kind}</small>\"]");
    }
    let leads_to = |target: Target| flow.edges.iter().any(|edge| edge.to == target);
    for (target, id, shown) in [
        (Target::End, "done", "end"),
        (Target::Fail, "failed", "fail"),
    ] {
        if leads_to(target) {
            let _ = writeln!(out, "    {id}([{shown}])");
        }
    }
    for edge in &flow.edges {
        let to = match edge.to {
            Target::Node(to) => format!("n{to}"),
            Target::End => "done".to_owned(),
            Target::Fail => "failed".to_owned(),
        };
        let arrow = if is_back(flow, edge) { "-.->" } else { "-->" };
        let label = match label(edge) {
            label if label.is_empty() => String::new(),
            label => format!("|\"{}\"|", escape(&label)),
        };
        let _ = writeln!(out, "    n{} {arrow}{label} {to}", edge.from);
    }
    out
}

/// Mermaid reads HTML entities with `#` in the place of `&`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '#' => out.push_str("#35;"),
            '`' => out.push_str("#96;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
