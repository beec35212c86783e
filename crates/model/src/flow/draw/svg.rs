//! A flow as an SVG picture: nodes in layers from top to bottom, back edges around the right side.
use std::fmt::Write;

use super::{Edge, Flow, NodeIx, Target, forward_order, forward_target, is_back, kind, label};

const BOX_WIDTH: i64 = 180;
const BOX_HEIGHT: i64 = 44;
const GAP_X: i64 = 40;
const GAP_Y: i64 = 56;
const MARGIN: i64 = 24;
/// Room on the right for each back edge.
const LANE: i64 = 16;
/// Lanes that are drawn apart.
const MAX_LANES: usize = 12;
/// Longest text in a box or at an edge, in characters.
const MAX_TEXT: usize = 28;
/// Sweeps that move boxes under what leads to them.
const SWEEPS: usize = 4;

const STYLE: &str = "<style>text{font:13px system-ui,sans-serif;fill:#1c2733}.k,.l{font-size:11px;\
fill:#5b6b7b}.b{fill:#fff;stroke:#5b6b7b}.e{fill:none;stroke:#5b6b7b}.r{stroke-dasharray:5 4}\
</style>";

/// The flow as a complete SVG document.
#[must_use]
pub fn svg(flow: &Flow) -> String {
    let layout = Layout::of(flow);
    let mut out = String::new();
    let (width, height) = (layout.width, layout.height);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\"><title>{}</title>",
        escape(&flow.name)
    );
    out.push_str(STYLE);
    out.push_str(
        "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#5b6b7b\"/></marker>\
         </defs>\n",
    );
    let mut lane = 0;
    for edge in &flow.edges {
        layout.edge(flow, edge, &mut lane, &mut out);
    }
    for (ix, node) in flow.nodes.iter().enumerate() {
        let (x, y) = layout.places[ix];
        layout.block(&mut out, (x, y), &node.name, &kind(node), 6);
    }
    for (place, name) in [(layout.end, "end"), (layout.fail, "fail")] {
        if let Some(place) = place {
            layout.block(&mut out, place, name, "", 22);
        }
    }
    out.push_str("</svg>\n");
    out
}

struct Layout {
    /// Top left corner of each node's box.
    places: Vec<(i64, i64)>,
    end: Option<(i64, i64)>,
    fail: Option<(i64, i64)>,
    /// Where the lanes of the back edges begin.
    right: i64,
    width: i64,
    height: i64,
}

fn pixels(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 4096)
}

impl Layout {
    fn of(flow: &Flow) -> Self {
        let layers = layers(flow);
        let widest = layers.iter().map(Vec::len).max().unwrap_or(1).max(2);
        let full = pixels(widest) * (BOX_WIDTH + GAP_X) - GAP_X;
        let mut places = vec![(0, 0); flow.nodes.len()];
        for (depth, layer) in layers.iter().enumerate() {
            let row = pixels(layer.len()) * (BOX_WIDTH + GAP_X) - GAP_X;
            for (column, node) in layer.iter().enumerate() {
                let x = MARGIN + (full - row) / 2 + pixels(column) * (BOX_WIDTH + GAP_X);
                places[*node] = (x, MARGIN + pixels(depth) * (BOX_HEIGHT + GAP_Y));
            }
        }
        let bottom = MARGIN + pixels(layers.len()) * (BOX_HEIGHT + GAP_Y);
        let leads_to = |target: Target| flow.edges.iter().any(|edge| edge.to == target);
        let middle = MARGIN + full / 2;
        let (end, fail) = match (leads_to(Target::End), leads_to(Target::Fail)) {
            (true, true) => (
                Some(middle - BOX_WIDTH - GAP_X / 2),
                Some(middle + GAP_X / 2),
            ),
            (true, false) => (Some(middle - BOX_WIDTH / 2), None),
            (false, true) => (None, Some(middle - BOX_WIDTH / 2)),
            (false, false) => (None, None),
        };
        let lanes = flow
            .edges
            .iter()
            .filter(|edge| is_back(flow, edge))
            .count()
            .min(MAX_LANES);
        let right = MARGIN + full + GAP_X / 2;
        let labels = if lanes > 0 { 170 } else { 0 };
        let ends = end.is_some() || fail.is_some();
        Self {
            places,
            end: end.map(|x| (x, bottom)),
            fail: fail.map(|x| (x, bottom)),
            right,
            width: right + pixels(lanes) * LANE + labels + MARGIN,
            height: bottom + MARGIN + if ends { BOX_HEIGHT } else { 0 },
        }
    }

    fn block(&self, out: &mut String, (x, y): (i64, i64), name: &str, kind: &str, round: i64) {
        let middle = x + BOX_WIDTH / 2;
        let first = if kind.is_empty() { y + 27 } else { y + 19 };
        let _ = write!(
            out,
            "<rect class=\"b\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" \
             rx=\"{round}\"/><text x=\"{middle}\" y=\"{first}\" text-anchor=\"middle\">{}</text>",
            shown(name)
        );
        if !kind.is_empty() {
            let _ = write!(
                out,
                "<text class=\"k\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                y + 35,
                shown(kind)
            );
        }
        out.push('\n');
    }

    fn edge(&self, flow: &Flow, edge: &Edge, lane: &mut usize, out: &mut String) {
        let (from_x, from_y) = self.places[edge.from];
        let to = match edge.to {
            Target::Node(to) => Some(self.places[to]),
            Target::End => self.end,
            Target::Fail => self.fail,
        };
        let Some((to_x, to_y)) = to else { return };
        let label = label(edge);
        let (path, class, label_at) = if is_back(flow, edge) {
            let x = self.right + pixels(*lane % MAX_LANES) * LANE;
            *lane += 1;
            let (start, end) = (from_x + BOX_WIDTH, to_x + BOX_WIDTH);
            let (y1, y2) = (from_y + BOX_HEIGHT / 2 + 6, to_y + BOX_HEIGHT / 2 - 6);
            let path = format!(
                "M{start} {y1}C{x} {y1} {x} {y1} {x} {} L{x} {} C{x} {y2} {x} {y2} \
                 {end} {y2}",
                y1 - 12,
                y2 + 12
            );
            (path, "e r", (x + 4, (y1 + y2) / 2))
        } else {
            let (x1, y1) = (from_x + BOX_WIDTH / 2, from_y + BOX_HEIGHT);
            let (x2, y2) = (to_x + BOX_WIDTH / 2, to_y);
            let middle = (y1 + y2) / 2;
            let path = format!("M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}");
            (path, "e", ((x1 + x2) / 2 + 6, middle))
        };
        let _ = write!(
            out,
            "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#a)\"/>"
        );
        if !label.is_empty() {
            let (x, y) = label_at;
            let _ = write!(
                out,
                "<text class=\"l\" x=\"{x}\" y=\"{y}\"><title>{}</title>{}</text>",
                escape(&label),
                shown(&label)
            );
        }
        out.push('\n');
    }
}

/// The nodes by layer: each below everything that leads to it.
fn layers(flow: &Flow) -> Vec<Vec<NodeIx>> {
    let mut depth = vec![0_usize; flow.nodes.len()];
    let mut into: Vec<Vec<NodeIx>> = vec![Vec::new(); flow.nodes.len()];
    for edge in &flow.edges {
        if let Some(to) = forward_target(flow, edge) {
            into[to].push(edge.from);
        }
    }
    for node in forward_order(flow) {
        depth[node] = into[node]
            .iter()
            .map(|from| depth[*from] + 1)
            .max()
            .unwrap_or(0);
    }
    let mut layers = vec![Vec::new(); depth.iter().max().map_or(0, |d| d + 1)];
    for (node, depth) in depth.iter().enumerate() {
        layers[*depth].push(node);
    }
    let mut column = vec![0_usize; flow.nodes.len()];
    for _ in 0..SWEEPS {
        for layer in &mut layers {
            layer.sort_by_key(|node| {
                let sources = &into[*node];
                let sum: usize = sources.iter().map(|from| column[*from]).sum();
                (sum * 1024)
                    .checked_div(sources.len())
                    .unwrap_or(column[*node] * 1024)
            });
            for (place, node) in layer.iter().enumerate() {
                column[*node] = place;
            }
        }
    }
    layers
}

/// A text short enough for its box, escaped.
fn shown(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT {
        return escape(text);
    }
    let short: String = text.chars().take(MAX_TEXT - 1).collect();
    escape(&format!("{short}…"))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Control characters are not allowed in XML, even escaped.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
