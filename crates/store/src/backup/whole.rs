//! The tables that every archive holds whole, and their statements. What changes in place and is
//! small beside the journal is not worth being kept apart by its age.
use std::sync::Arc;

use runstone_db::Statement;

use super::archive::Section;
use crate::catalog::Catalog;

/// The statements of one table.
pub(super) struct Whole<'a> {
    /// A page of its rows by the first column, after `:id`.
    pub(super) page: &'a Arc<Statement>,
    /// Of a table with two columns in its key: more rows of one `:id`, after `:after`.
    pub(super) rest: Option<&'a Arc<Statement>>,
    /// Adds rows.
    pub(super) insert: &'a Arc<Statement>,
}

/// What refers to nothing else.
pub(super) const FIRST: [Section; 2] = [Section::Projects, Section::Flows];

/// What refers to projects, in the order in which it can be put back.
pub(super) const LATER: [Section; 11] = [
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
];

/// The statements of `section`, when it is a table that is held whole.
pub(super) fn of(section: Section, sql: &Catalog) -> Option<Whole<'_>> {
    let whole = |page, rest, insert| Some(Whole { page, rest, insert });
    match section {
        Section::Projects => whole(&sql.backup_projects, None, &sql.backup_insert_projects),
        Section::Flows => whole(&sql.backup_flows, None, &sql.backup_insert_flows),
        Section::ApiKeys => whole(&sql.backup_api_keys, None, &sql.backup_insert_api_keys),
        Section::Members => whole(
            &sql.backup_members,
            Some(&sql.backup_members_rest),
            &sql.backup_insert_members,
        ),
        Section::Audit => whole(&sql.backup_audit, None, &sql.backup_insert_audit),
        Section::Idempotency => whole(
            &sql.backup_idempotency,
            Some(&sql.backup_idempotency_rest),
            &sql.backup_insert_idempotency,
        ),
        Section::Documents => whole(&sql.backup_documents, None, &sql.backup_insert_documents),
        Section::DocumentVersions => whole(
            &sql.backup_document_versions,
            Some(&sql.backup_document_versions_rest),
            &sql.backup_insert_document_versions,
        ),
        Section::Threads => whole(&sql.backup_threads, None, &sql.backup_insert_threads),
        Section::Messages => whole(
            &sql.backup_messages,
            Some(&sql.backup_messages_rest),
            &sql.backup_insert_messages,
        ),
        Section::AgentExecutions => whole(
            &sql.backup_agent_executions,
            None,
            &sql.backup_insert_agent_executions,
        ),
        Section::Exports => whole(&sql.backup_exports, None, &sql.backup_insert_exports),
        Section::ExportChunks => whole(
            &sql.backup_export_chunks,
            Some(&sql.backup_export_chunks_rest),
            &sql.backup_insert_export_chunks,
        ),
        Section::FlowVersionIds
        | Section::FlowVersions
        | Section::BlobHashes
        | Section::Blobs
        | Section::RunIds
        | Section::Runs
        | Section::Snapshots
        | Section::Journal
        | Section::RunLabels => None,
    }
}
