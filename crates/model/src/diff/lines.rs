//! Which lines of two texts are the same, as operations. The exact algorithm (Myers) takes time in
//! the square of both lengths together, so it gets only pieces that are small enough, and only so
//! many: larger ones are first cut at the lines that occur once in both (Cohen's patience diff).
use std::{collections::HashMap, ops::Range};

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices};

/// The exact algorithm compares pieces of so many lines at most, of both texts together: a short
/// piece against a long one costs as much as two of middling length.
const EXACT: usize = 1 << 12;
/// What all exact comparisons of two texts may cost, in squares of lines.
const BUDGET: usize = 1 << 26;
/// A piece is cut within a piece so many times at most.
const DEPTH: usize = 16;

/// The operations that make `new` of `old`: in order, without gaps, neighbours of one kind merged.
pub(super) fn compare(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut known = HashMap::new();
    let old = numbered(old, &mut known);
    let new = numbered(new, &mut known);
    let mut comparison = Comparison {
        old: &old,
        new: &new,
        same: Vec::new(),
        budget: BUDGET,
    };
    comparison.pieces(0..old.len(), 0..new.len(), DEPTH);
    operations(&comparison.same, old.len(), new.len())
}

/// Each line as a number: the same for equal lines.
fn numbered<'a>(lines: &[&'a str], known: &mut HashMap<&'a str, u32>) -> Vec<u32> {
    let mut numbers = Vec::with_capacity(lines.len());
    for line in lines {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        numbers.push(*known.entry(line).or_insert(next));
    }
    numbers
}

struct Comparison<'a> {
    old: &'a [u32],
    new: &'a [u32],
    /// Where equal lines stand, in order.
    same: Vec<(usize, usize)>,
    /// What the exact algorithm may still cost.
    budget: usize,
}

impl Comparison<'_> {
    /// Collects the pairs of equal lines of two ranges.
    fn pieces(&mut self, mut a: Range<usize>, mut b: Range<usize>, depth: usize) {
        let (old, new) = (self.old, self.new);
        while !a.is_empty() && !b.is_empty() && old[a.start] == new[b.start] {
            self.same.push((a.start, b.start));
            (a.start, b.start) = (a.start + 1, b.start + 1);
        }
        let mut tail = Vec::new();
        while !a.is_empty() && !b.is_empty() && old[a.end - 1] == new[b.end - 1] {
            (a.end, b.end) = (a.end - 1, b.end - 1);
            tail.push((a.end, b.end));
        }
        // One of them empty: nothing is the same.
        if !a.is_empty() && !b.is_empty() && !self.exact(&a, &b) && depth > 0 {
            let (mut from_a, mut from_b) = (a.start, b.start);
            let anchors = anchors(old, new, &a, &b);
            let found = !anchors.is_empty();
            for (at_a, at_b) in anchors {
                self.pieces(from_a..at_a, from_b..at_b, depth - 1);
                self.same.push((at_a, at_b));
                (from_a, from_b) = (at_a + 1, at_b + 1);
            }
            // Without an anchor the piece is as large as before: it is replaced.
            if found {
                self.pieces(from_a..a.end, from_b..b.end, depth - 1);
            }
        }
        self.same.extend(tail.into_iter().rev());
    }

    /// Compares two ranges exactly; false when that would take too long.
    fn exact(&mut self, a: &Range<usize>, b: &Range<usize>) -> bool {
        let lines = a.len() + b.len();
        if lines > EXACT {
            return false;
        }
        let Some(left) = self.budget.checked_sub(lines * lines) else {
            return false;
        };
        self.budget = left;
        let (old, new) = (&self.old[a.clone()], &self.new[b.clone()]);
        for op in capture_diff_slices(Algorithm::Myers, old, new) {
            if op.tag() == DiffTag::Equal {
                let pairs = op.old_range().zip(op.new_range());
                self.same
                    .extend(pairs.map(|(o, n)| (a.start + o, b.start + n)));
            }
        }
        true
    }
}

/// Lines that occur once in both ranges, the longest sequence that is in order in both.
fn anchors(old: &[u32], new: &[u32], a: &Range<usize>, b: &Range<usize>) -> Vec<(usize, usize)> {
    // Line → how often in each, and where last.
    let mut seen: HashMap<u32, [(usize, usize); 2]> = HashMap::new();
    for (side, lines, range) in [(0, old, a), (1, new, b)] {
        for at in range.clone() {
            let entry = &mut seen.entry(lines[at]).or_default()[side];
            *entry = (entry.0 + 1, at);
        }
    }
    let mut pairs: Vec<(usize, usize)> = seen
        .into_values()
        .filter_map(|[(n, at_a), (m, at_b)]| (n == 1 && m == 1).then_some((at_a, at_b)))
        .collect();
    pairs.sort_unstable();
    longest_rising(&pairs)
}

/// The longest subsequence of pairs, sorted by their first, whose second rises.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the pair with the smallest second that ends such a sequence.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; pairs.len()];
    for (index, (_, second)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *second);
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut chain = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(index) = next {
        chain.push(pairs[index]);
        next = before[index];
    }
    chain.reverse();
    chain
}

/// Pairs of equal lines as operations that cover both texts.
fn operations(same: &[(usize, usize)], old_len: usize, new_len: usize) -> Vec<DiffOp> {
    let mut ops: Vec<DiffOp> = Vec::new();
    let (mut old, mut new) = (0, 0);
    for &(at_old, at_new) in same {
        changed(&mut ops, old..at_old, new..at_new);
        match ops.last_mut() {
            Some(DiffOp::Equal { len, .. }) => *len += 1,
            _ => ops.push(DiffOp::Equal {
                old_index: at_old,
                new_index: at_new,
                len: 1,
            }),
        }
        (old, new) = (at_old + 1, at_new + 1);
    }
    changed(&mut ops, old..old_len, new..new_len);
    ops
}

fn changed(ops: &mut Vec<DiffOp>, old: Range<usize>, new: Range<usize>) {
    let (old_index, old_len) = (old.start, old.len());
    let (new_index, new_len) = (new.start, new.len());
    match (old_len, new_len) {
        (0, 0) => {}
        (_, 0) => ops.push(DiffOp::Delete {
            old_index,
            old_len,
            new_index,
        }),
        (0, _) => ops.push(DiffOp::Insert {
            old_index,
            new_index,
            new_len,
        }),
        _ => ops.push(DiffOp::Replace {
            old_index,
            old_len,
            new_index,
            new_len,
        }),
    }
}
