//! A flow as lines of text: what follows stands below, branches are indented, `→` leads to a node
//! drawn elsewhere and `←` back into a loop.
use super::{Flow, NodeIx, Target, is_back, kind, label, leaving, outline::Outline, target_name};

/// Branches nested deeper than this are drawn below, at the margin.
const MAX_INDENT: usize = 12;

/// The flow as text.
#[must_use]
pub fn text(flow: &Flow) -> String {
    text_with(flow, &|_| None)
}

/// The flow as text, with a note behind each node, e.g. `✓ 2 visits, 31 ms`.
#[must_use]
pub fn text_with(flow: &Flow, note: &dyn Fn(NodeIx) -> Option<String>) -> String {
    let outline = Outline::of(flow);
    let mut drawing = Drawing {
        flow,
        note,
        outline,
        out: format!("{}\n\n", flow.name),
        todo: Vec::new(),
        below: std::collections::VecDeque::from([flow.start]),
    };
    let mut first = true;
    while let Some(node) = drawing.below.pop_front() {
        if !first {
            drawing.out.push('\n');
        }
        first = false;
        drawing.todo.push(Item::Node {
            node,
            lead: String::new(),
            prefix: String::new(),
            depth: 0,
        });
        while let Some(item) = drawing.todo.pop() {
            drawing.item(item);
        }
    }
    drawing.out
}

enum Item {
    Line(String),
    Node {
        node: NodeIx,
        /// What stands before its name.
        lead: String,
        /// What stands before the lines below it.
        prefix: String,
        depth: usize,
    },
}

struct Drawing<'a> {
    flow: &'a Flow,
    note: &'a dyn Fn(NodeIx) -> Option<String>,
    outline: Outline,
    out: String,
    /// What is still to be drawn, the next last.
    todo: Vec<Item>,
    below: std::collections::VecDeque<NodeIx>,
}

impl Drawing<'_> {
    fn item(&mut self, item: Item) {
        match item {
            Item::Line(line) => {
                self.out.push_str(line.trim_end());
                self.out.push('\n');
            }
            Item::Node {
                node,
                lead,
                prefix,
                depth,
            } => {
                let shown = &self.flow.nodes[node];
                self.out
                    .push_str(&format!("{lead}{}  ({})", shown.name, kind(shown)));
                if let Some(note) = (self.note)(node) {
                    self.out.push_str("  ");
                    self.out.push_str(&note);
                }
                self.out.push('\n');
                let mut below = self.below_node(node, &prefix, depth);
                below.reverse();
                self.todo.append(&mut below);
            }
        }
    }

    /// What is drawn below a node, in order.
    fn below_node(&mut self, node: NodeIx, prefix: &str, depth: usize) -> Vec<Item> {
        let flow = self.flow;
        let edges: Vec<_> = leaving(&flow.nodes[node]).collect();
        let joins = std::mem::take(&mut self.outline.joins[node]);
        let mut items = Vec::with_capacity(edges.len() + 2 * joins.len());
        let in_line =
            edges.len() == 1 && joins.is_empty() && label(&flow.edges[edges[0]]).is_empty();
        for (i, ix) in edges.iter().enumerate() {
            let edge = &flow.edges[*ix];
            let own = match edge.to {
                Target::Node(to) => Some(to).filter(|to| self.outline.only_edge[*to] == Some(*ix)),
                Target::End | Target::Fail => None,
            };
            if let (Some(to), true) = (own, in_line) {
                items.push(Item::Line(format!("{prefix}│")));
                let (lead, prefix) = (prefix.to_owned(), prefix.to_owned());
                items.push(Item::Node {
                    node: to,
                    lead,
                    prefix,
                    depth,
                });
                continue;
            }
            let last = i + 1 == edges.len() && joins.is_empty();
            let corner = if last { "└─" } else { "├─" };
            let label = match label(edge) {
                label if label.is_empty() => String::new(),
                label => format!(" {label} "),
            };
            let arrow = if is_back(flow, edge) { "←" } else { "→" };
            let lead = format!("{prefix}{corner}{label}{arrow} ");
            match own {
                Some(to) if depth < MAX_INDENT => {
                    let prefix = format!("{prefix}{}", if last { "    " } else { "│   " });
                    items.push(Item::Node {
                        node: to,
                        lead,
                        prefix,
                        depth: depth + 1,
                    });
                }
                _ => {
                    let below = if own.is_some() { " (below)" } else { "" };
                    self.below.extend(own);
                    items.push(Item::Line(format!(
                        "{lead}{}{below}",
                        target_name(flow, edge.to)
                    )));
                }
            }
        }
        for join in joins {
            items.push(Item::Line(format!("{prefix}│")));
            let (lead, prefix) = (prefix.to_owned(), prefix.to_owned());
            items.push(Item::Node {
                node: join,
                lead,
                prefix,
                depth,
            });
        }
        items
    }
}
