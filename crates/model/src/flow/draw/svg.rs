//! A flow as an SVG picture: nodes in layers from top to bottom, back edges around the right side.
mod layout;

use std::fmt::Write;

use self::layout::Layout;
use super::{Edge, EdgeIx, Flow, Target, is_back, kind, label};

const BOX_WIDTH: i64 = 180;
const BOX_HEIGHT: i64 = 44;
const GAP_X: i64 = 40;
const GAP_Y: i64 = 64;
const MARGIN: i64 = 24;
/// Room on the right for each back edge.
const LANE: i64 = 16;
/// Longest text in a box or at an edge, in characters.
const MAX_TEXT: usize = 28;
/// Width of a letter of a label, on the large side.
const LETTER: i64 = 7;
/// From the right side of a box to where a back edge leaves or enters it above or below.
const CORNER: i64 = 26;

const STYLE: &str = "<style>text{font:13px system-ui,sans-serif;fill:#1c2733}.k,.l{font-size:11px;\
fill:#5b6b7b}.l{paint-order:stroke;stroke:#fff;stroke-width:4px}.b{fill:#fff;stroke:#5b6b7b}\
.e{fill:none;stroke:#5b6b7b}.r{stroke-dasharray:5 4}</style>";

/// The flow as a complete SVG document.
#[must_use]
pub fn svg(flow: &Flow) -> String {
    let mut layout = Layout::of(flow);
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
    let mut labels = String::new();
    let mut beside = vec![(0, 0); flow.nodes.len()];
    for (ix, edge) in flow.edges.iter().enumerate() {
        let forward = layout.ways[ix].is_some() && !label(edge).is_empty();
        beside[edge.from].1 += usize::from(forward);
    }
    for (ix, edge) in flow.edges.iter().enumerate() {
        if layout.ways[ix].is_some() {
            let at = forward(&layout, (ix, edge), &mut beside[edge.from], &mut out);
            let length = label(edge).chars().count().min(MAX_TEXT);
            layout.keep_label(at, pixels(length) * LETTER);
            write_label(edge, at, &mut labels);
        }
    }
    let back = flow.edges.iter().filter(|edge| is_back(flow, edge));
    for (count, edge) in back.enumerate() {
        if let Target::Node(to) = edge.to {
            let at = backward(&mut layout, (edge.from, to), count, &mut out);
            write_label(edge, at, &mut labels);
        }
    }
    for (ix, node) in flow.nodes.iter().enumerate() {
        block(&mut out, layout.corner(ix), &node.name, &kind(node), 6);
    }
    for (corner, name) in layout.ends().into_iter().zip(["end", "fail"]) {
        if let Some(corner) = corner {
            block(&mut out, corner, name, "", 22);
        }
    }
    // Labels come last: no line crosses them.
    out.push_str(&labels);
    out.push_str("</svg>\n");
    out
}

fn pixels(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 4096)
}

fn block(out: &mut String, (x, y): (i64, i64), name: &str, kind: &str, round: i64) {
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

/// Draws an edge that leads down; answers the place of its label. `beside`: how many labels of the
/// same node are placed already, and how many there are.
fn forward(
    layout: &Layout,
    (ix, edge): (EdgeIx, &Edge),
    beside: &mut (i64, usize),
    out: &mut String,
) -> (i64, i64) {
    let (mut x, mut y) = (
        layout.middle(edge.from),
        layout.corner(edge.from).1 + BOX_HEIGHT,
    );
    let mut path = format!("M{x} {y}");
    let mut at = (x, y);
    let Some(way) = &layout.ways[ix] else {
        return at;
    };
    for (count, slot) in way.through.iter().enumerate() {
        let (to_x, to_y) = (layout.middle(*slot), layout.corner(*slot).1);
        let middle = (y + to_y) / 2;
        let _ = write!(path, "C{x} {middle} {to_x} {middle} {to_x} {to_y}");
        if count == 0 {
            // The labels of one node stand at different heights: a third, a half or two thirds of
            // the way down, where the curve has gone the same or less to the side.
            let (down, side) = match (beside.1, beside.0 % 3) {
                (0 | 1, _) | (3.., 1) => (50, 50),
                (_, 0) => (30, 22),
                _ => (70, 78),
            };
            beside.0 += i64::from(!label(edge).is_empty());
            at = (
                x + (to_x - x) * side / 100 + 6,
                y + (to_y - y) * down / 100 + 4,
            );
        }
        (x, y) = (to_x, to_y);
        if layout.is_pass(*slot) && !(way.joins && count + 1 == way.through.len()) {
            y += BOX_HEIGHT;
            let _ = write!(path, "L{x} {y}");
        }
    }
    let arrow = if way.joins {
        ""
    } else {
        " marker-end=\"url(#a)\""
    };
    let _ = writeln!(out, "<path class=\"e\" d=\"{path}\"{arrow}/>");
    at
}

/// Draws a back edge; answers the place of its label.
fn backward(
    layout: &mut Layout,
    (from, to): (usize, usize),
    count: usize,
    out: &mut String,
) -> (i64, i64) {
    let lane = layout.lane(count);
    let ((from_x, from_y), (to_x, to_y)) = (layout.corner(from), layout.corner(to));
    // Lines in the same gap at different heights.
    let apart = 4 * pixels(count % 3);
    // To the side, unless another box or line stands there: then through the gap below.
    let (begin, y1) = if layout.is_last(from) {
        let y = from_y + BOX_HEIGHT / 2 + 6;
        (format!("M{} {y}", from_x + BOX_WIDTH), y)
    } else {
        let (x, y) = (from_x + BOX_WIDTH - CORNER, from_y + BOX_HEIGHT);
        let below = y + 8 + apart;
        (format!("M{x} {y}Q{x} {below} {} {below}", x + 10), below)
    };
    let (end, y2) = if layout.is_last(to) {
        let y = to_y + BOX_HEIGHT / 2 - 6;
        (format!("L{} {y}", to_x + BOX_WIDTH), y)
    } else {
        let (x, y) = (to_x + BOX_WIDTH - CORNER, to_y - 20 + apart);
        (format!("L{} {y}Q{x} {y} {x} {to_y}", x + 10), y)
    };
    let bend = ((y1 - y2) / 2).clamp(0, 8);
    let _ = writeln!(
        out,
        "<path class=\"e r\" d=\"{begin}L{} {y1}Q{lane} {y1} {lane} {}L{lane} {}Q{lane} {y2} {} \
         {y2}{end}\" marker-end=\"url(#a)\"/>",
        lane - bend,
        y1 - bend,
        y2 + bend,
        lane - bend,
    );
    (lane + 6, layout.label_at((y1 + y2) / 2 + 4))
}

fn write_label(edge: &Edge, (x, y): (i64, i64), out: &mut String) {
    let label = label(edge);
    if label.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<text class=\"l\" x=\"{x}\" y=\"{y}\"><title>{}</title>{}</text>",
        escape(&label),
        shown_label(&label, edge.max)
    );
}

/// A label short enough, escaped; the condition is cut, never the `max`.
fn shown_label(label: &str, max: Option<u32>) -> String {
    let max = max.map(|max| format!(", max {max}")).unwrap_or_default();
    match label.strip_suffix(&max) {
        Some(condition) => cut(condition, MAX_TEXT - max.len()) + &max,
        None => shown(label),
    }
}

/// A text short enough for its box, escaped.
fn shown(text: &str) -> String {
    cut(text, MAX_TEXT)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return escape(text);
    }
    let short: String = text.chars().take(most - 1).collect();
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
