//! Looking through a list for what no index tells, as for a phrase in texts: a portion of keys is read
//! along the index, then what fits of that portion. So a request looks at a bounded number of items
//! and of bytes, and answers a bounded number of bytes, whatever the list holds; it says how far it
//! came. Knows no list.
use runstone_db::{Row, Value};

use crate::{Error, SqlStore, Total, Walk, catalog::Pages, cells::Cells, walk::WalkKey};

/// Items of the largest portion.
const PORTION: u32 = 1_000;
/// Items of the first one, where no texts are read; each one more is twice as large.
const FIRST_PORTION: u32 = 128;
/// Items of a portion that is answered as it is: what they hold besides their texts is bounded too.
const ANSWERED: u32 = 64;
/// Bytes of the texts of a portion, and of what is answered, about.
const PORTION_BYTES: u64 = 4 << 20;
/// Items that are looked at most for one request.
const LOOKED_AT: u64 = 20_000;
/// Bytes of texts that are looked at most for one request.
const LOOKED_AT_BYTES: u64 = 64 << 20;

/// A page of what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sifted<T, K> {
    /// What fits, in the list's order.
    pub found: Vec<T>,
    /// When looking ended before the page was full and before the list was over: the key up to which
    /// everything was looked at. The next page begins beyond it.
    pub reached: Option<K>,
}

impl<T, K> Sifted<T, K> {
    /// A page of a list that an index gives as it is.
    pub(crate) const fn all(found: Vec<T>) -> Self {
        Self {
            found,
            reached: None,
        }
    }
}

/// What is looked through.
pub(crate) struct Sieve<'a> {
    /// The keys of a portion, each with the bytes of its text in the last column.
    pub(crate) keys: &'a Pages,
    /// What of a portion fits, or how many do.
    pub(crate) fitting: &'a Pages,
    /// The parameters of both that tell the list.
    pub(crate) list: Vec<(&'static str, Value)>,
    /// The parameters that tell what fits.
    pub(crate) wanted: Vec<(&'static str, Value)>,
    /// Whether texts are read for it.
    pub(crate) reads_texts: bool,
    /// Everything fits: a page needs no more keys than it has items.
    pub(crate) all_fit: bool,
}

/// A key out of the first columns of a row.
pub(crate) trait SiftKey: WalkKey + Clone {
    /// Reads it.
    fn read(cells: &mut Cells) -> Result<Self, Error>;
}

/// How far one request may look.
struct Left {
    items: u64,
    bytes: u64,
}

impl Left {
    const fn all() -> Self {
        Self {
            items: LOOKED_AT,
            bytes: LOOKED_AT_BYTES,
        }
    }

    fn is_used_up(&self) -> bool {
        self.items == 0 || self.bytes == 0
    }
}

/// A portion of a list: up to a key.
struct Portion<K> {
    end: K,
    /// There is nothing behind it.
    is_last: bool,
}

impl SqlStore {
    /// The next portion; None when there is nothing.
    async fn portion<K: SiftKey>(
        &self,
        sieve: &Sieve<'_>,
        walk: &Walk<K>,
        left: &mut Left,
    ) -> Result<Option<Portion<K>>, Error> {
        let read = |row| {
            let mut cells = Cells::new("a portion's keys", row);
            let key = K::read(&mut cells)?;
            Ok((key, cells.next::<i64>()?))
        };
        let list = sieve.list.iter().cloned();
        let keys = self.page(sieve.keys, walk, list, read).await?;
        let whole = keys.len();
        let limit = usize::try_from(walk.limit).unwrap_or(usize::MAX);
        let (mut bytes, mut end, mut taken) = (0_u64, None, 0);
        for (key, size) in keys {
            let size = u64::try_from(size).unwrap_or(0);
            let size = if sieve.reads_texts { size } else { 0 };
            if taken > 0 && bytes.saturating_add(size) > PORTION_BYTES {
                break;
            }
            bytes = bytes.saturating_add(size);
            taken += 1;
            end = Some(key);
        }
        left.items = left
            .items
            .saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
        left.bytes = left.bytes.saturating_sub(bytes);
        let is_last = whole < limit && taken == whole;
        Ok(end.map(|end| Portion { end, is_last }))
    }

    fn of_portion<K: SiftKey>(
        sieve: &Sieve<'_>,
        walk: &Walk<K>,
        end: &K,
    ) -> Vec<(&'static str, Value)> {
        let mut params = sieve.list.clone();
        params.extend(sieve.wanted.iter().cloned());
        params.extend(walk.beyond.iter().flat_map(WalkKey::edges));
        params.extend(end.ends());
        params
    }

    /// A page of what fits. `size` is how many bytes of an answer an item is.
    pub(crate) async fn sift<T, K: SiftKey>(
        &self,
        sieve: &Sieve<'_>,
        mut walk: Walk<K>,
        mut read: impl FnMut(Row) -> Result<T, Error>,
        size: impl Fn(&T) -> i64,
    ) -> Result<Sifted<T, K>, Error> {
        let want = usize::try_from(walk.limit).unwrap_or(usize::MAX);
        let (mut left, mut found, mut bytes) = (Left::all(), Vec::new(), 0_u64);
        let mut portion = if sieve.reads_texts {
            PORTION
        } else {
            walk.limit.clamp(FIRST_PORTION, PORTION)
        };
        loop {
            let missing = u32::try_from(want - found.len()).unwrap_or(u32::MAX);
            walk.limit = if sieve.all_fit {
                missing.min(ANSWERED)
            } else {
                portion
            };
            portion = portion.saturating_mul(2).min(PORTION);
            let Some(now) = self.portion(sieve, &walk, &mut left).await? else {
                return Ok(Sifted::all(found));
            };
            let mut params = Self::of_portion(sieve, &walk, &now.end);
            params.push(("limit", missing.into()));
            let statement = sieve.fitting.at(walk.direction, walk.beyond.is_none());
            for item in self.all(statement, &params, &mut read).await? {
                bytes = bytes.saturating_add(u64::try_from(size(&item)).unwrap_or(0));
                found.push(item);
            }
            if now.is_last || found.len() >= want {
                return Ok(Sifted::all(found));
            }
            if left.is_used_up() || bytes >= PORTION_BYTES {
                let reached = Some(now.end);
                return Ok(Sifted { found, reached });
            }
            walk.beyond = Some(now.end);
        }
    }

    /// How many fit.
    pub(crate) async fn sift_count<K: SiftKey>(&self, sieve: &Sieve<'_>) -> Result<Total, Error> {
        let (mut walk, mut left, mut count) = (Walk::<K>::up(PORTION), Left::all(), 0_u64);
        loop {
            let Some(portion) = self.portion(sieve, &walk, &mut left).await? else {
                return Ok(Total::Is(count));
            };
            let params = Self::of_portion(sieve, &walk, &portion.end);
            let statement = sieve.fitting.at(walk.direction, walk.beyond.is_none());
            count += self.found(statement, &params).await?;
            if portion.is_last {
                return Ok(Total::Is(count));
            }
            walk.beyond = Some(portion.end);
            if left.is_used_up() {
                let looked_at = u32::try_from(LOOKED_AT - left.items).unwrap_or(u32::MAX);
                walk.limit = 1;
                let more = self.portion(sieve, &walk, &mut left).await?;
                return Ok(more.map_or(Total::Is(count), |_| Total::TooMany(looked_at)));
            }
        }
    }
}
