//! Large values, stored once under their hash: compression, and finding and filling in the
//! references `{"$blob":"<hash>"}` in JSON text.
use std::collections::{BTreeSet, HashMap};

use runstone_db::{Database, Value};

use crate::{Blob, Error, catalog::Catalog, cells::Cells};

/// zstd's default: beyond it the time grows faster than the space shrinks.
const LEVEL: i32 = 3;
/// Hex digits of a blake3 hash.
const HASH_LEN: usize = 64;
const OPEN: &str = "{\"$blob\":\"";
const CLOSE: &str = "\"}";
/// Work above this (about 3 ms of compression) leaves the async threads.
const BLOCKING_BYTES: usize = 1 << 20;

/// A blob as stored.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) hash: String,
    pub(crate) size: usize,
    pub(crate) compressed: bool,
    pub(crate) body: Vec<u8>,
}

/// Compresses `bytes`.
pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    zstd::bulk::compress(bytes, LEVEL)
        .map_err(|error| Error::Other(format!("a value cannot be compressed: {error}")))
}

/// Undoes [`compress`]; `size` is that of the text.
pub(crate) fn decompress(place: &str, bytes: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let corrupt = |message: String| Error::Corrupt {
        place: place.to_owned(),
        message,
    };
    let text = zstd::bulk::decompress(bytes, size)
        .map_err(|error| corrupt(format!("the compressed value cannot be read: {error}")))?;
    if text.len() == size {
        Ok(text)
    } else {
        Err(corrupt(format!(
            "the value has {} bytes, {size} were stored",
            text.len()
        )))
    }
}

/// Runs `work` on the values of `bytes` bytes, away from the async threads when it is long.
pub(crate) async fn off_thread<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    if bytes < BLOCKING_BYTES {
        return work();
    }
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::Other(
            "compressing a value was interrupted".to_owned(),
        ))
    })
}

impl Packed {
    /// The stored form, compressed when that is smaller.
    pub(crate) fn new(blob: Blob) -> Result<Self, Error> {
        let size = blob.bytes.len();
        let packed = compress(&blob.bytes)?;
        let compressed = packed.len() < size;
        let body = if compressed { packed } else { blob.bytes };
        Ok(Self {
            hash: blob.hash,
            size,
            compressed,
            body,
        })
    }

    fn unpack(self) -> Result<Blob, Error> {
        let bytes = if self.compressed {
            decompress(&format!("blob {}", self.hash), &self.body, self.size)?
        } else {
            self.body
        };
        Ok(Blob {
            hash: self.hash,
            bytes,
        })
    }
}

/// Where references stand in `text`: the hash and the byte range of the whole object.
fn references(text: &str) -> impl Iterator<Item = (&str, std::ops::Range<usize>)> {
    text.match_indices(OPEN).filter_map(|(start, _)| {
        let from = start + OPEN.len();
        let hash = text.get(from..from + HASH_LEN)?;
        let end = from + HASH_LEN;
        let hex = hash
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (hex && text[end..].starts_with(CLOSE)).then_some((hash, start..end + CLOSE.len()))
    })
}

/// Adds the hashes that `text` refers to.
pub(crate) fn collect_hashes(text: &str, into: &mut BTreeSet<String>) {
    for (hash, _) in references(text) {
        if !into.contains(hash) {
            into.insert(hash.to_owned());
        }
    }
}

/// `text` with its references replaced by the values; those not in `blobs` stay.
pub(crate) fn resolve(text: &str, blobs: &HashMap<String, Vec<u8>>) -> Result<String, Error> {
    let mut resolved = String::new();
    let mut done = 0;
    for (hash, range) in references(text) {
        let Some(bytes) = blobs.get(hash) else {
            continue;
        };
        let value = std::str::from_utf8(bytes).map_err(|error| Error::Corrupt {
            place: format!("blob {hash}"),
            message: format!("not UTF-8: {error}"),
        })?;
        resolved.push_str(&text[done..range.start]);
        resolved.push_str(value);
        done = range.end;
    }
    resolved.push_str(&text[done..]);
    Ok(resolved)
}

/// The blobs of these hashes, as far as they exist.
pub(crate) async fn fetch(
    db: &Database,
    sql: &Catalog,
    hashes: BTreeSet<String>,
) -> Result<Vec<Blob>, Error> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let list: Value = hashes.into_iter().collect();
    let rows = db
        .fetch_all(&sql.blob_by_hashes, &[("hashes", list)])
        .await?;
    let mut packed = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for row in rows {
        let mut cells = Cells::new("blobs", row);
        let blob = Packed {
            hash: cells.next()?,
            size: cells.next()?,
            compressed: cells.next()?,
            body: cells.next()?,
        };
        bytes += blob.size;
        packed.push(blob);
    }
    off_thread(bytes, || packed.into_iter().map(Packed::unpack).collect()).await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn hash(digit: char) -> String {
        digit.to_string().repeat(HASH_LEN)
    }

    #[test]
    fn references_are_found_and_filled_in() {
        let (a, b) = (hash('a'), hash('b'));
        let text =
            format!("{{\"x\":[{OPEN}{a}{CLOSE},1,{OPEN}{b}{CLOSE}],\"y\":{OPEN}{a}{CLOSE}}}");
        let mut found = BTreeSet::new();
        collect_hashes(&text, &mut found);
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [a.clone(), b.clone()]
        );

        let blobs = HashMap::from([(a, b"{\"big\":1}".to_vec()), (b, b"[2]".to_vec())]);
        assert_eq!(
            resolve(&text, &blobs).unwrap(),
            "{\"x\":[{\"big\":1},1,[2]],\"y\":{\"big\":1}}"
        );
    }

    #[test]
    fn text_that_only_looks_like_a_reference_stays() {
        for text in [
            "{\"$blob\":\"short\"}".to_owned(),
            format!("\"{{\\\"$blob\\\":\\\"{}\\\"}}\"", hash('a')),
            format!("{OPEN}{}\",\"more\":1}}", hash('a')),
            format!("{OPEN}{}{CLOSE}", hash('G')),
            format!("{OPEN}{}", "ä".repeat(40)),
        ] {
            let blobs = HashMap::from([(hash('a'), b"1".to_vec())]);
            assert_eq!(resolve(&text, &blobs).unwrap(), text);
        }
    }

    #[test]
    fn a_blob_is_compressed_only_when_that_is_smaller() {
        let small = Blob {
            hash: hash('a'),
            bytes: b"ab".to_vec(),
        };
        let large = Blob {
            hash: hash('b'),
            bytes: vec![b'x'; 100_000],
        };
        for (blob, compressed) in [(small, false), (large, true)] {
            let packed = Packed::new(blob.clone()).unwrap();
            assert_eq!(packed.compressed, compressed);
            assert!(packed.body.len() <= blob.bytes.len());
            assert_eq!(packed.unpack().unwrap(), blob);
        }
    }

    #[test]
    fn a_damaged_value_is_reported_with_its_place() {
        let mut packed = Packed::new(Blob {
            hash: hash('c'),
            bytes: vec![b'x'; 9000],
        })
        .unwrap();
        packed.body.truncate(8);
        let error = packed.unpack().unwrap_err();
        assert!(matches!(&error, Error::Corrupt { place, .. } if place.contains(&hash('c'))));
    }

    proptest::proptest! {
        #[test]
        fn without_blobs_any_text_stays(text in "(\\{\"\\$blob\":\"[0-9a-f]{60,66}\"?\\}?|.{0,4}){0,8}") {
            let mut found = BTreeSet::new();
            collect_hashes(&text, &mut found);
            proptest::prop_assert_eq!(resolve(&text, &HashMap::new()).unwrap(), text.clone());
            let blobs = found.iter().map(|hash| (hash.clone(), b"1".to_vec())).collect();
            let resolved = resolve(&text, &blobs).unwrap();
            let left = found.iter().any(|h| resolved.contains(&format!("{OPEN}{h}{CLOSE}")));
            proptest::prop_assert!(!left);
        }
    }
}
