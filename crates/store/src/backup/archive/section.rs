//! What an archive holds: its sections in the order in which they come, and their columns. The
//! same names as in the database, but for the three lists of keys.
use runstone_db::{FromValue, Value};
use uuid::Uuid;

use super::tables;

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
    /// The keys of programs; of secrets only the hashes.
    ApiKeys,
    /// The members of projects.
    Members,
    /// What was done through the API.
    Audit,
    /// Starts by their idempotency keys.
    Idempotency,
    /// Every document.
    Documents,
    /// Every version of every document.
    DocumentVersions,
    /// Every conversation.
    Threads,
    /// Every message.
    Messages,
    /// What agents reported.
    AgentExecutions,
    /// Every export.
    Exports,
    /// The bytes of exports.
    ExportChunks,
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
    /// The labels of the group's runs.
    RunLabels,
}

/// All of them, in the order in which they first come in an archive.
pub(crate) const SECTIONS: [Section; 22] = [
    Section::Projects,
    Section::Flows,
    Section::FlowVersionIds,
    Section::FlowVersions,
    Section::ApiKeys,
    Section::Members,
    Section::Audit,
    Section::Idempotency,
    Section::Documents,
    Section::DocumentVersions,
    Section::Threads,
    Section::Messages,
    Section::AgentExecutions,
    Section::Exports,
    Section::ExportChunks,
    Section::BlobHashes,
    Section::Blobs,
    Section::RunIds,
    Section::Runs,
    Section::Snapshots,
    Section::Journal,
    Section::RunLabels,
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
            Self::ApiKeys => "api_keys",
            Self::Members => "members",
            Self::Audit => "audit",
            Self::Idempotency => "idempotency",
            Self::Documents => "documents",
            Self::DocumentVersions => "document_versions",
            Self::Threads => "threads",
            Self::Messages => "messages",
            Self::AgentExecutions => "agent_executions",
            Self::Exports => "exports",
            Self::ExportChunks => "export_chunks",
            Self::BlobHashes => "blob_hashes",
            Self::Blobs => "blobs",
            Self::RunIds => "run_ids",
            Self::Runs => "runs",
            Self::Snapshots => "snapshots",
            Self::Journal => "journal",
            Self::RunLabels => "run_labels",
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
            Self::Projects => tables::PROJECTS,
            Self::Flows => tables::FLOWS,
            Self::FlowVersionIds => tables::FLOW_VERSION_IDS,
            Self::FlowVersions => tables::FLOW_VERSIONS,
            Self::ApiKeys => tables::API_KEYS,
            Self::Members => tables::MEMBERS,
            Self::Audit => tables::AUDIT,
            Self::Idempotency => tables::IDEMPOTENCY,
            Self::Documents => tables::DOCUMENTS,
            Self::DocumentVersions => tables::DOCUMENT_VERSIONS,
            Self::Threads => tables::THREADS,
            Self::Messages => tables::MESSAGES,
            Self::AgentExecutions => tables::AGENT_EXECUTIONS,
            Self::Exports => tables::EXPORTS,
            Self::ExportChunks => tables::EXPORT_CHUNKS,
            Self::BlobHashes => tables::BLOB_HASHES,
            Self::Blobs => tables::BLOBS,
            Self::RunIds => tables::RUN_IDS,
            Self::Runs => tables::RUNS,
            Self::Snapshots => tables::SNAPSHOTS,
            Self::Journal => tables::JOURNAL,
            Self::RunLabels => tables::RUN_LABELS,
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
