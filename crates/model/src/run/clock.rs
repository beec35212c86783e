//! What a step has in its past: per port (see [`super::state`]) the highest start number. Starts of
//! one port never overlap, so this vector says exactly which finished steps a step can see, and
//! two steps are concurrent when neither is in the other's clock.
use std::sync::Arc;

/// Start numbers by port, ascending, only those above the trunk's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock(Arc<[(u32, u32)]>);

impl Clock {
    /// The start number of `port` in this past, given the trunk's.
    pub(super) fn get(&self, port: u32, trunk: &[u32]) -> u32 {
        match self.0.binary_search_by_key(&port, |(p, _)| *p) {
            Ok(at) => self.0[at].1,
            Err(_) => trunk.get(port as usize).copied().unwrap_or(0),
        }
    }

    /// The past of both.
    pub(super) fn union(&self, other: &Self) -> Self {
        if self.0.is_empty() || Arc::ptr_eq(&self.0, &other.0) {
            return other.clone();
        }
        let mut merged = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x.0 == y.0 => {
                    let both = (x.0, x.1.max(y.1));
                    a.next();
                    b.next();
                    both
                }
                (Some(x), Some(y)) if x.0 < y.0 => {
                    let one = **x;
                    a.next();
                    one
                }
                (Some(x), None) => {
                    let one = **x;
                    a.next();
                    one
                }
                (_, Some(y)) => {
                    let one = **y;
                    b.next();
                    one
                }
                (None, None) => break,
            };
            merged.push(next);
        }
        Self(merged.into())
    }

    /// The same past and start `number` of `port`.
    pub(super) fn with(&self, port: u32, number: u32) -> Self {
        if self.0.is_empty() {
            return Self(Arc::new([(port, number)]));
        }
        self.union(&Self(Arc::new([(port, number)])))
    }

    pub(super) fn entries(&self) -> &[(u32, u32)] {
        &self.0
    }
}
