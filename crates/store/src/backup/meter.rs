//! How far the work is, for whoever watches, and whether it is to stop.
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use super::archive::{SECTIONS, Section};

/// Counts while the work goes on. Shared by reference.
#[derive(Debug, Default)]
pub struct Meter {
    rows: AtomicU64,
    bytes: AtomicU64,
    stored: AtomicU64,
    section: AtomicU8,
    stop: AtomicBool,
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows of tables read and passed on.
    pub rows: u64,
    /// Their bytes, before compression.
    pub bytes: u64,
    /// Bytes of archives written or read.
    pub stored: u64,
    /// What is at work now.
    pub section: Section,
}

impl Meter {
    /// How far the work is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let section = usize::from(self.section.load(Ordering::Relaxed));
        Progress {
            rows: self.rows.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            stored: self.stored.load(Ordering::Relaxed),
            section: SECTIONS.get(section).copied().unwrap_or(SECTIONS[0]),
        }
    }

    /// Asks the work to stop at the next page.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn passed(&self, section: Section, rows: usize, bytes: usize) {
        let number = SECTIONS.iter().position(|one| *one == section);
        let number = number.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        self.section.store(number, Ordering::Relaxed);
        if section.is_table() {
            self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        }
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn stored(&self, bytes: u64) {
        self.stored.store(bytes, Ordering::Relaxed);
    }
}
