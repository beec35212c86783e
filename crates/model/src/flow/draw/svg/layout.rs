//! Where everything of a picture stands: nodes in layers from top to bottom, and for an edge that
//! skips layers a place to pass through in each of them, so that no line runs behind a box.
use std::collections::{BTreeSet, HashMap};

use super::{
    super::{Edge, Flow, Target, forward_order, forward_target, is_back},
    BOX_HEIGHT, BOX_WIDTH, GAP_X, GAP_Y, LANE, MARGIN, pixels,
};

/// Width of a place to pass through.
const PASS_WIDTH: i64 = 8;
/// Places to pass through in one picture; further edges go straight.
const MAX_PASSES: usize = 20_000;
/// Lanes that are drawn apart.
const MAX_LANES: usize = 12;
/// Room for the labels beside the lanes.
const LABELS: i64 = 190;
/// Least distance between the labels of two back edges.
const LINE: i64 = 14;

/// A box or a place to pass through.
struct Slot {
    layer: usize,
    width: i64,
    /// The left side.
    x: i64,
    /// Slots in the layer above that lead here.
    above: Vec<usize>,
}

/// The way of an edge that is not a back edge, from the bottom of its node.
pub(super) struct Way {
    /// Slots in the layers in between, then the target, unless another edge's line is joined.
    pub(super) through: Vec<usize>,
    /// Whether it ends where it joins the line of another edge to the same target.
    pub(super) joins: bool,
}

pub(super) struct Layout {
    slots: Vec<Slot>,
    nodes: usize,
    end: Option<usize>,
    fail: Option<usize>,
    /// The last slot of each layer.
    last: Vec<usize>,
    /// By edge; `None` for back edges.
    pub(super) ways: Vec<Option<Way>>,
    right: i64,
    labels: BTreeSet<i64>,
    pub(super) width: i64,
    pub(super) height: i64,
}

impl Layout {
    pub(super) fn of(flow: &Flow) -> Self {
        let depth = depths(flow);
        let bottom = depth.iter().max().map_or(0, |deepest| deepest + 1);
        let block = |layer| Slot {
            layer,
            width: BOX_WIDTH,
            x: 0,
            above: Vec::new(),
        };
        let mut slots: Vec<Slot> = depth.into_iter().map(block).collect();
        let nodes = slots.len();
        let mut ending = |target: Target| {
            let wanted = flow.edges.iter().any(|edge| edge.to == target);
            wanted.then(|| {
                slots.push(block(bottom));
                slots.len() - 1
            })
        };
        let (end, fail) = (ending(Target::End), ending(Target::Fail));
        let mut layout = Self {
            slots,
            nodes,
            end,
            fail,
            last: Vec::new(),
            ways: Vec::new(),
            right: 0,
            labels: BTreeSet::new(),
            width: 0,
            height: 0,
        };
        layout.find_ways(flow);
        let full = layout.place();
        let back = flow.edges.iter().filter(|edge| is_back(flow, edge)).count();
        let labels = if back > 0 { LABELS } else { 0 };
        let ends = usize::from(end.is_some() || fail.is_some());
        layout.right = MARGIN + full + GAP_X / 2;
        layout.width = layout.right + pixels(back.min(MAX_LANES)) * LANE + labels + MARGIN;
        layout.height = 2 * MARGIN + pixels(bottom + ends) * (BOX_HEIGHT + GAP_Y) - GAP_Y;
        layout
    }

    fn find_ways(&mut self, flow: &Flow) {
        let mut passes: HashMap<(usize, usize), usize> = HashMap::new();
        for edge in &flow.edges {
            let target = self.target(edge).filter(|_| !is_back(flow, edge));
            let way = target.map(|to| self.way(&mut passes, edge.from, to));
            self.ways.push(way);
        }
    }

    fn way(&mut self, passes: &mut HashMap<(usize, usize), usize>, from: usize, to: usize) -> Way {
        let mut way = Way {
            through: Vec::new(),
            joins: false,
        };
        let mut here = from;
        for layer in self.slots[from].layer + 1..self.slots[to].layer {
            if let Some(pass) = passes.get(&(to, layer)) {
                self.slots[*pass].above.push(here);
                way.through.push(*pass);
                way.joins = true;
                return way;
            }
            if passes.len() >= MAX_PASSES {
                break;
            }
            let pass = self.slots.len();
            self.slots.push(Slot {
                layer,
                width: PASS_WIDTH,
                x: 0,
                above: vec![here],
            });
            passes.insert((to, layer), pass);
            way.through.push(pass);
            here = pass;
        }
        self.slots[to].above.push(here);
        way.through.push(to);
        way
    }

    /// Sets each slot's `x`, below what leads to it; answers the width of the widest layer.
    fn place(&mut self) -> i64 {
        let count = self.slots.iter().map(|slot| slot.layer + 1).max();
        let mut layers = vec![Vec::new(); count.unwrap_or(0)];
        for (ix, slot) in self.slots.iter().enumerate() {
            layers[slot.layer].push(ix);
        }
        let wide = |slots: &[Slot], layer: &[usize]| {
            let widths: i64 = layer.iter().map(|slot| slots[*slot].width + GAP_X).sum();
            widths - GAP_X
        };
        let rows = layers.iter().map(|layer| wide(&self.slots, layer));
        let full = rows.max().unwrap_or(0).max(2 * BOX_WIDTH + GAP_X);
        for layer in &mut layers {
            layer.sort_by_cached_key(|slot| {
                let above = &self.slots[*slot].above;
                let sum: i64 = above.iter().map(|from| self.middle(*from)).sum();
                sum.checked_div(pixels(above.len())).unwrap_or(0)
            });
            let mut x = MARGIN + (full - wide(&self.slots, layer)) / 2;
            for slot in layer.iter() {
                self.slots[*slot].x = x;
                x += self.slots[*slot].width + GAP_X;
            }
            self.last.extend(layer.last());
        }
        full
    }

    fn target(&self, edge: &Edge) -> Option<usize> {
        match edge.to {
            Target::Node(to) => Some(to),
            Target::End => self.end,
            Target::Fail => self.fail,
        }
    }

    /// Top left corners of `end` and `fail`, where there are such.
    pub(super) fn ends(&self) -> [Option<(i64, i64)>; 2] {
        [self.end, self.fail].map(|slot| slot.map(|slot| self.corner(slot)))
    }

    pub(super) fn corner(&self, slot: usize) -> (i64, i64) {
        let slot = &self.slots[slot];
        let y = MARGIN + pixels(slot.layer) * (BOX_HEIGHT + GAP_Y);
        (slot.x, y)
    }

    pub(super) fn middle(&self, slot: usize) -> i64 {
        self.slots[slot].x + self.slots[slot].width / 2
    }

    /// Whether a slot is a place to pass through.
    pub(super) fn is_pass(&self, slot: usize) -> bool {
        slot >= self.nodes && Some(slot) != self.end && Some(slot) != self.fail
    }

    /// Whether nothing stands between the box and the lanes.
    pub(super) fn is_last(&self, slot: usize) -> bool {
        self.last.get(self.slots[slot].layer) == Some(&slot)
    }

    /// Where the `count`th back edge goes up.
    pub(super) fn lane(&self, count: usize) -> i64 {
        self.right + pixels(count % MAX_LANES) * LANE
    }

    /// Keeps the labels of back edges away from a label that reaches to them.
    pub(super) fn keep_label(&mut self, (x, y): (i64, i64), width: i64) {
        if width > 0 && x + width > self.right {
            self.labels.insert(y);
        }
    }

    /// The free height for a label that is nearest to `wanted`.
    pub(super) fn label_at(&mut self, wanted: i64) -> i64 {
        let free = |y: i64| self.labels.range(y - LINE + 1..y + LINE).next().is_none();
        let near = (0..64).flat_map(|n| [wanted - n * LINE, wanted + n * LINE]);
        let mut near = near.filter(|y| *y > LINE && *y < self.height);
        let y = near.find(|y| free(*y)).unwrap_or(wanted);
        self.labels.insert(y);
        y
    }
}

/// The layer of each node: below everything that leads to it.
fn depths(flow: &Flow) -> Vec<usize> {
    let mut depth = vec![0_usize; flow.nodes.len()];
    let mut into: Vec<Vec<usize>> = vec![Vec::new(); flow.nodes.len()];
    for edge in &flow.edges {
        if let Some(to) = forward_target(flow, edge) {
            into[to].push(edge.from);
        }
    }
    for node in forward_order(flow) {
        let above = into[node].iter().map(|from| depth[*from] + 1);
        depth[node] = above.max().unwrap_or(0);
    }
    depth
}
