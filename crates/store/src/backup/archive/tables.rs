//! The columns of each section, the same as in the database.
use super::section::{
    Column, Kind,
    Kind::{Bytes, Int, Text, Uuid as Id},
};

const fn column(name: &'static str, kind: Kind) -> Column {
    let null = false;
    Column { name, kind, null }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    let null = true;
    Column { name, kind, null }
}

pub(super) const FLOWS: &[Column] = &[
    column("id", Id),
    column("project_id", Id),
    column("name", Text),
    column("created_at", Int),
];
pub(super) const FLOW_VERSION_IDS: &[Column] = &[column("id", Id)];
pub(super) const FLOW_VERSIONS: &[Column] = &[
    column("id", Id),
    column("flow_id", Id),
    column("version", Int),
    column("definition_hash", Bytes),
    column("created_at", Int),
    column("definition", Text),
];
pub(super) const BLOB_HASHES: &[Column] = &[column("hash", Text)];
pub(super) const BLOBS: &[Column] = &[
    column("hash", Text),
    column("size", Int),
    column("compressed", Int),
    column("body", Bytes),
];
pub(super) const RUN_IDS: &[Column] = &[column("id", Id), nullable("finished_at", Int)];
pub(super) const RUNS: &[Column] = &[
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
pub(super) const SNAPSHOTS: &[Column] = &[
    column("run_id", Id),
    column("seq", Int),
    column("size", Int),
    column("body", Bytes),
];
pub(super) const JOURNAL: &[Column] = &[
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
pub(super) const PROJECTS: &[Column] = &[
    column("id", Id),
    column("name", Text),
    column("created_at", Int),
    column("version", Int),
    column("updated_at", Int),
    nullable("deleted_at", Int),
    nullable("description", Text),
    nullable("settings", Text),
    nullable("quotas", Text),
];
pub(super) const API_KEYS: &[Column] = &[
    column("id", Id),
    nullable("project_id", Id),
    column("role", Text),
    column("name", Text),
    column("secret_hash", Bytes),
    nullable("old_hash", Bytes),
    nullable("old_until", Int),
    column("created_at", Int),
    nullable("expires_at", Int),
    nullable("revoked_at", Int),
];
pub(super) const MEMBERS: &[Column] = &[
    column("project_id", Id),
    column("subject", Text),
    column("role", Text),
    column("created_at", Int),
];
pub(super) const AUDIT: &[Column] = &[
    column("id", Id),
    column("at", Int),
    nullable("project_id", Id),
    column("actor", Text),
    column("action", Text),
    column("target", Text),
    column("status", Int),
    column("trace_id", Text),
    column("address", Text),
];
pub(super) const IDEMPOTENCY: &[Column] = &[
    column("project_id", Id),
    column("idem_key", Text),
    column("request_hash", Bytes),
    column("run_id", Id),
    column("created_at", Int),
];
pub(super) const DOCUMENTS: &[Column] = &[
    column("id", Id),
    column("project_id", Id),
    column("type", Text),
    column("language", Text),
    column("title", Text),
    column("version", Int),
    column("overall", Int),
    column("words", Int),
    column("bytes", Int),
    column("created_at", Int),
    column("updated_at", Int),
    nullable("deleted_at", Int),
    column("search_text", Text),
];
pub(super) const DOCUMENT_VERSIONS: &[Column] = &[
    column("document_id", Id),
    column("version", Int),
    column("type", Text),
    column("language", Text),
    column("title", Text),
    nullable("author", Text),
    nullable("note", Text),
    nullable("restored_from", Int),
    column("created_at", Int),
    column("hash", Bytes),
    column("bytes", Int),
    column("overall", Int),
    column("required", Text),
    column("quality", Text),
    column("body", Text),
];
pub(super) const THREADS: &[Column] = &[
    column("id", Id),
    column("project_id", Id),
    column("title", Text),
    nullable("metadata", Text),
    column("last_seq", Int),
    nullable("retain_ms", Int),
    column("version", Int),
    column("created_at", Int),
    column("updated_at", Int),
];
pub(super) const MESSAGES: &[Column] = &[
    column("thread_id", Id),
    column("seq", Int),
    column("id", Id),
    column("project_id", Id),
    column("role", Text),
    nullable("name", Text),
    nullable("run_id", Id),
    column("created_at", Int),
    column("bytes", Int),
    column("content", Text),
    nullable("metadata", Text),
    column("search_text", Text),
];
pub(super) const AGENT_EXECUTIONS: &[Column] = &[
    column("id", Id),
    column("project_id", Id),
    column("agent", Text),
    nullable("correlation_id", Text),
    nullable("run_id", Id),
    nullable("model", Text),
    column("status", Text),
    column("progress", Int),
    nullable("message", Text),
    column("input_tokens", Int),
    column("output_tokens", Int),
    column("cost_nanos", Int),
    nullable("currency", Text),
    column("version", Int),
    column("started_at", Int),
    column("updated_at", Int),
    nullable("finished_at", Int),
    nullable("duration_us", Int),
    nullable("input", Text),
    nullable("output", Text),
    nullable("error", Text),
];
pub(super) const EXPORTS: &[Column] = &[
    column("id", Id),
    column("project_id", Id),
    column("status", Text),
    column("attempt", Int),
    nullable("claimed_at", Int),
    column("created_at", Int),
    nullable("finished_at", Int),
    nullable("expires_at", Int),
    column("documents", Int),
    column("chunks", Int),
    column("bytes", Int),
    nullable("sha256", Text),
    column("download_count", Int),
    column("selection", Text),
    nullable("error", Text),
];
pub(super) const EXPORT_CHUNKS: &[Column] = &[
    column("export_id", Id),
    column("seq", Int),
    column("body", Bytes),
];
pub(super) const RUN_LABELS: &[Column] = &[
    column("project_id", Id),
    column("name", Text),
    column("value", Text),
    column("run_id", Id),
];
