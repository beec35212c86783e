//! What an archive holds: its sections in the order in which they come, and their columns. The
//! same names as in the database, but for the three lists of keys.
use runstone_db::{FromValue, Value};
use uuid::Uuid;

/// A column's type; `null` columns may be NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Int,
    Text,
    Bytes,
}

/// One column of a section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) null: bool,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    let null = false;
    Column { name, kind, null }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    let null = true;
    Column { name, kind, null }
}

/// A part of an archive: the rows of a table, or the keys of a table's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Every project.
    Projects,
    /// Every flow.
    Flows,
    /// The ids of all versions of flows.
    FlowVersionIds,
    /// Versions that the parent does not have.
    FlowVersions,
    /// The hashes of all blobs.
    BlobHashes,
    /// Blobs that the parent does not have.
    Blobs,
    /// The ids of all runs, and when they ended.
    RunIds,
    /// Runs that the parent does not have, or not in their last state. A chunk begins a group; the
    /// group's snapshots and journal follow.
    Runs,
    /// The snapshots of the group's runs.
    Snapshots,
    /// The whole journals of the group's runs.
    Journal,
}

/// All of them, in the order in which they first come in an archive.
pub(crate) const SECTIONS: [Section; 10] = [
    Section::Projects,
    Section::Flows,
    Section::FlowVersionIds,
    Section::FlowVersions,
    Section::BlobHashes,
    Section::Blobs,
    Section::RunIds,
    Section::Runs,
    Section::Snapshots,
    Section::Journal,
];

use Kind::{Bytes, Int, Text, Uuid as Id};

const PROJECTS: &[Column] = &[
    column("id", Id),
    column("name", Text),
    column("created_at", Int),
];
const FLOWS: &[Column] = &[
    column("id", Id),
    column("project_id", Id),
    column("name", Text),
    column("created_at", Int),
];
const FLOW_VERSION_IDS: &[Column] = &[column("id", Id)];
const FLOW_VERSIONS: &[Column] = &[
    column("id", Id),
    column("flow_id", Id),
    column("version", Int),
    column("definition_hash", Bytes),
    column("created_at", Int),
    column("definition", Text),
];
const BLOB_HASHES: &[Column] = &[column("hash", Text)];
const BLOBS: &[Column] = &[
    column("hash", Text),
    column("size", Int),
    column("compressed", Int),
    column("body", Bytes),
];
const RUN_IDS: &[Column] = &[column("id", Id), nullable("finished_at", Int)];
const RUNS: &[Column] = &[
    column("id", Id),
    column("project_id", Id),
    column("flow_version_id", Id),
    column("status", Text),
    column("epoch", Int),
    column("steps", Int),
    column("created_at", Int),
    nullable("finished_at", Int),
    nullable("deadline", Int),
    nullable("wake_at", Int),
    nullable("cancel_requested_at", Int),
    column("input", Text),
    nullable("output", Text),
    nullable("error", Text),
];
const SNAPSHOTS: &[Column] = &[
    column("run_id", Id),
    column("seq", Int),
    column("size", Int),
    column("body", Bytes),
];
const JOURNAL: &[Column] = &[
    column("run_id", Id),
    column("seq", Int),
    column("epoch", Int),
    column("kind", Int),
    nullable("node", Text),
    column("visit", Int),
    nullable("item", Int),
    column("attempt", Int),
    column("started_at", Int),
    column("duration_us", Int),
    column("body", Text),
];

impl Section {
    /// Its name in the header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::Flows => "flows",
            Self::FlowVersionIds => "flow_version_ids",
            Self::FlowVersions => "flow_versions",
            Self::BlobHashes => "blob_hashes",
            Self::Blobs => "blobs",
            Self::RunIds => "run_ids",
            Self::Runs => "runs",
            Self::Snapshots => "snapshots",
            Self::Journal => "journal",
        }
    }

    /// Whether it holds rows of a table, and not only their keys.
    #[must_use]
    pub fn is_table(self) -> bool {
        !matches!(self, Self::FlowVersionIds | Self::BlobHashes | Self::RunIds)
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        SECTIONS.into_iter().find(|section| section.name() == name)
    }

    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Projects => PROJECTS,
            Self::Flows => FLOWS,
            Self::FlowVersionIds => FLOW_VERSION_IDS,
            Self::FlowVersions => FLOW_VERSIONS,
            Self::BlobHashes => BLOB_HASHES,
            Self::Blobs => BLOBS,
            Self::RunIds => RUN_IDS,
            Self::Runs => RUNS,
            Self::Snapshots => SNAPSHOTS,
            Self::Journal => JOURNAL,
        }
    }
}

impl Column {
    /// `value` as every database's driver takes it: each has its own way of giving a UUID back.
    pub(crate) fn canonical(&self, value: Value) -> Result<Value, String> {
        if value == Value::Null && self.null {
            return Ok(Value::Null);
        }
        let read = match self.kind {
            Kind::Uuid => Uuid::from_value(value).map(Value::Uuid),
            Kind::Int => i64::from_value(value).map(Value::Int),
            Kind::Text => String::from_value(value).map(Value::Text),
            Kind::Bytes => Vec::from_value(value).map(Value::Bytes),
        };
        read.map_err(|found| {
            let wanted = match self.kind {
                Kind::Uuid => Uuid::WANTED,
                Kind::Int => i64::WANTED,
                Kind::Text => String::WANTED,
                Kind::Bytes => Vec::<u8>::WANTED,
            };
            format!("`{}` holds {}, wanted {wanted}", self.name, found.kind())
        })
    }
}
