//! Values that no run refers to. Which ones runs refer to is remembered in a Bloom filter of fixed
//! size, so that any number of them can be held; the few that it takes for used are kept.
use runstone_db::Value;

use super::{Doctor, Finding, PAGE, Severity};
use crate::{Error, cells::Cells};

/// 2^27 bits: 16 MiB. With a million values one in a hundred million is taken for used wrongly.
const BITS_LOG2: u32 = 27;
/// Bits for each value.
const PROBES: usize = 6;
/// Hex digits for each of them: a hash of 64 gives eight.
const DIGITS: usize = 8;

/// The values that were seen.
pub(super) struct Seen(Vec<u64>);

impl Seen {
    pub(super) fn new() -> Self {
        Self(vec![0; 1 << (BITS_LOG2 - 6)])
    }

    /// Where the bits of a hash are. It is random already: its digits are the places.
    fn places(hash: &str) -> impl Iterator<Item = (usize, u64)> {
        (0..PROBES).map(move |probe| {
            let digits = hash.get(probe * DIGITS..(probe + 1) * DIGITS);
            let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let bit = number.unwrap_or(0) & ((1 << BITS_LOG2) - 1);
            ((bit >> 6) as usize, 1 << (bit & 63))
        })
    }

    pub(super) fn add(&mut self, hash: &str) {
        for (word, bit) in Self::places(hash) {
            if let Some(word) = self.0.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// False is certain.
    fn may_have(&self, hash: &str) -> bool {
        Self::places(hash).all(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }
}

impl Doctor<'_> {
    pub(super) async fn unused_blobs(&mut self) -> Result<(), Error> {
        let (mut after, mut done) = (String::new(), 0_u64);
        let (mut unused, mut deleted) = (0_u64, 0);
        loop {
            let params = [
                ("after", after.as_str().into()),
                ("untouched_since", self.how.untouched_since.0.into()),
                ("limit", PAGE.into()),
            ];
            let sql = &self.store.sql().doctor_blob_hashes;
            let rows = self.store.database().fetch_all(sql, &params).await?;
            let full = rows.len() == PAGE as usize;
            done += rows.len() as u64;
            let mut page = Vec::new();
            for row in rows {
                after = Cells::new("blobs", row).next()?;
                if !self.seen.may_have(&after) {
                    page.push(after.clone());
                }
            }
            unused += page.len() as u64;
            if self.how.fix.is_some() && !page.is_empty() {
                deleted += self.delete_blobs(page).await?;
            }
            self.progress("values", done);
            if !full {
                break;
            }
        }
        if unused > 0 {
            let fixed = self.how.fix.map(|_| format!("deleted {deleted} values"));
            self.book.add(Finding {
                check: "blobs_unused",
                severity: Severity::Note,
                message: format!("{unused} stored values belong to no run"),
                mend: "they only take space; --fix deletes them".to_owned(),
                fixed,
            });
        }
        Ok(())
    }

    async fn delete_blobs(&self, hashes: Vec<String>) -> Result<u64, Error> {
        let hashes: Value = hashes.into_iter().collect();
        let params = [
            ("untouched_since", self.how.untouched_since.0.into()),
            ("hashes", hashes),
        ];
        let sql = &self.store.sql().doctor_delete_blobs;
        Ok(self.store.database().execute(sql, &params).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u32) -> String {
        blake3::hash(&number.to_le_bytes()).to_hex().to_string()
    }

    #[test]
    fn what_was_added_is_there_and_next_to_nothing_else() {
        let mut seen = Seen::new();
        (0..100_000).for_each(|number| seen.add(&hash(number)));
        assert!((0..100_000).all(|number| seen.may_have(&hash(number))));
        let wrong = (100_000..200_000).filter(|number| seen.may_have(&hash(*number)));
        assert_eq!(wrong.count(), 0);
    }
}
