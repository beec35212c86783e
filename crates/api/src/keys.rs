//! API keys.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Role;

/// A key, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// Its id, also the second part of the key itself.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// The project that it is for; nothing for the whole server.
    pub project: Option<Uuid>,
    /// What it may do.
    pub role: Role,
    /// When it was made, UTC.
    pub created_at: String,
    /// From when on it is refused, UTC.
    pub expires_at: Option<String>,
    /// Since when it is refused, UTC.
    pub revoked_at: Option<String>,
}

/// A key with its secret: shown once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewSecret {
    /// What to send as `Authorization: Bearer …`. It cannot be shown again.
    pub key: String,
    /// The key.
    pub info: Key,
}

/// A new key.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What it may do; `admin` only for the whole server.
    pub role: Role,
    /// After how many seconds it is refused; never, when not given.
    #[schema(minimum = 1, maximum = 315360000)]
    pub expires_in_s: Option<u32>,
}

/// A new secret for a key.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateKey {
    /// How many seconds the old secret is still taken; 0 when not given.
    #[schema(minimum = 0, maximum = 2592000)]
    pub keep_old_s: u32,
}
