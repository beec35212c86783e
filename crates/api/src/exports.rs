//! Exports: archives of a project's documents.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A ZIP of a project's documents as Markdown, with a manifest of their checksums.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// Its id.
    pub id: Uuid,
    /// `pending`, `running`, `ready`, `failed` or `expired`.
    pub status: String,
    /// Only documents of this type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Only documents in exactly this language.
    pub language: Option<String>,
    /// Documents in it, so far.
    pub documents: i64,
    /// Bytes, so far.
    pub bytes: i64,
    /// SHA-256 of the archive, in hex, once it is ready.
    pub sha256: Option<String>,
    /// How often it was downloaded from its first byte on.
    pub download_count: i64,
    /// When it was asked for, UTC.
    pub created_at: String,
    /// When it was built, or given up, UTC.
    pub finished_at: Option<String>,
    /// Until when it can be downloaded, UTC: a day.
    pub expires_at: Option<String>,
    /// Why it could not be built.
    pub error: Option<String>,
}

/// Which documents to export: the newest version of each that is not deleted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExport {
    /// Only of this type.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 50)]
    pub kind: Option<String>,
    /// Only in exactly this language.
    #[schema(min_length = 2, max_length = 35)]
    pub language: Option<String>,
}
