//! Rows as bytes: a tag and a value each, in the order of the section's columns. The same from
//! every database; numbers are little-endian.
use runstone_db::Value;
use uuid::Uuid;

use super::Section;

const NULL: u8 = 0;
const INT: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;
const UUID: u8 = 4;

/// Rows of one section.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The section.
    pub section: Section,
    /// The values of each row, in the order of the section's columns.
    pub rows: Vec<Vec<Value>>,
}

/// Appends a row.
pub(super) fn put(row: &[Value], into: &mut Vec<u8>) -> Result<(), String> {
    for value in row {
        match value {
            Value::Null => into.push(NULL),
            Value::Int(number) => {
                into.push(INT);
                into.extend(number.to_le_bytes());
            }
            Value::Text(text) => sized(TEXT, text.as_bytes(), into)?,
            Value::Bytes(bytes) => sized(BYTES, bytes, into)?,
            Value::Uuid(id) => {
                into.push(UUID);
                into.extend(id.as_bytes());
            }
            other => return Err(format!("a backup has no room for {}", other.kind())),
        }
    }
    Ok(())
}

fn sized(tag: u8, bytes: &[u8], into: &mut Vec<u8>) -> Result<(), String> {
    let length = u32::try_from(bytes.len()).map_err(|_| "a value is over 4 GiB".to_owned())?;
    into.push(tag);
    into.extend(length.to_le_bytes());
    into.extend(bytes);
    Ok(())
}

/// About how many bytes a row takes.
pub(crate) fn weight(row: &[Value]) -> usize {
    row.iter()
        .map(|value| match value {
            Value::Text(text) => text.len() + 5,
            Value::Bytes(bytes) => bytes.len() + 5,
            Value::Uuid(_) => 17,
            _ => 9,
        })
        .sum()
}

/// Takes rows apart again.
pub(super) struct Taker<'a>(&'a [u8]);

impl<'a> Taker<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next row of `width` values.
    pub(super) fn row(&mut self, width: usize) -> Result<Vec<Value>, String> {
        (0..width).map(|_| self.value()).collect()
    }

    fn value(&mut self) -> Result<Value, String> {
        let [tag] = self.array()?;
        Ok(match tag {
            NULL => Value::Null,
            INT => Value::Int(i64::from_le_bytes(self.array()?)),
            TEXT => {
                let text = std::str::from_utf8(self.sized()?);
                Value::Text(text.map_err(|_| "a text is not UTF-8")?.to_owned())
            }
            BYTES => Value::Bytes(self.sized()?.to_vec()),
            UUID => Value::Uuid(Uuid::from_bytes(self.array()?)),
            other => return Err(format!("a value has the unknown type {other}")),
        })
    }

    fn sized(&mut self) -> Result<&'a [u8], String> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| "a value is too long")?)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| "a row is cut off".to_owned())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| "a row is cut off".to_owned())?;
        self.0 = rest;
        Ok(taken)
    }
}
