//! The manifest: what stands at the beginning of an archive, readable without its passphrase, and
//! what stands at its end, when the counts are known.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ArchiveError, SECTIONS, Section};

/// What stands at the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// This archive.
    pub id: Uuid,
    /// The archive that this one is an increment to; `None` for a full one.
    pub parent: Option<Uuid>,
    /// The schema version of the database.
    pub schema_version: u32,
    /// The program that wrote it.
    pub program: String,
    /// The kind of database: `sqlite`, `postgres`, …
    pub source: String,
    /// When, in UTC microseconds.
    pub created_at: i64,
    /// How chunks are compressed: `zstd`.
    pub compression: String,
    /// How it is encrypted; `None` when it is not.
    pub encryption: Option<Encryption>,
    /// The sections, in the order of their numbers.
    pub sections: Vec<SectionHead>,
}

/// A section's name and columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionHead {
    /// As in [`Section::name`].
    pub name: String,
    /// The names of its columns, in the order of the values of a row.
    pub columns: Vec<String>,
}

/// How the key is made of the passphrase, and which cipher it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `aes-256-gcm`.
    pub cipher: String,
    /// `argon2id`, version 0x13.
    pub kdf: String,
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Rounds over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// 16 random bytes, in hex.
    pub salt: String,
}

/// What stands at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Rows by section.
    pub rows: BTreeMap<String, u64>,
    /// The bytes of all rows before compression.
    pub raw_bytes: u64,
}

impl Header {
    /// The sections as this program writes them.
    pub(crate) fn our_sections() -> Vec<SectionHead> {
        let head = |section: Section| SectionHead {
            name: section.name().to_owned(),
            columns: section
                .columns()
                .iter()
                .map(|column| column.name.to_owned())
                .collect(),
        };
        SECTIONS.map(head).into()
    }

    /// For each section number: the section, and where in a row each of our columns stands.
    pub(super) fn layout(&self) -> Result<Vec<Layout>, String> {
        self.sections.iter().map(Layout::of).collect()
    }
}

/// How the rows of a section are laid out in an archive at hand.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) section: Section,
    /// How many values a row has.
    pub(super) width: usize,
    /// For each of our columns, its place in the row.
    pub(super) places: Vec<usize>,
}

impl Layout {
    fn of(head: &SectionHead) -> Result<Self, String> {
        let section = Section::from_name(&head.name)
            .ok_or_else(|| format!("no section is called `{}`", head.name))?;
        if let Some(unknown) = head
            .columns
            .iter()
            .find(|name| !section.columns().iter().any(|own| own.name == **name))
        {
            return Err(format!("`{}` has no column `{unknown}`", head.name));
        }
        let place = |name: &str| {
            let place = head.columns.iter().position(|column| column == name);
            place.ok_or_else(|| format!("`{}` lacks the column `{name}`", head.name))
        };
        let columns = section.columns().iter();
        Ok(Self {
            section,
            width: head.columns.len(),
            places: columns
                .map(|column| place(column.name))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Trailer {
    /// How many rows a section has.
    #[must_use]
    pub fn count(&self, section: Section) -> u64 {
        self.rows.get(section.name()).copied().unwrap_or(0)
    }

    pub(super) fn json(&self) -> Result<Vec<u8>, ArchiveError> {
        serde_json::to_vec(self).map_err(|error| ArchiveError::Unwritable(error.to_string()))
    }
}
