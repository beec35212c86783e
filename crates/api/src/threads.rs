//! Threads and their strictly ordered messages.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A conversation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Thread {
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// Whatever programs want to keep with it.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// The number of the newest message ever; 0 before the first.
    pub last_seq: i64,
    /// How long messages stay; for ever when not given.
    pub retain_ms: Option<i64>,
    /// Raised by every change of the thread itself, not by messages; also the ETag.
    pub version: i64,
    /// When it was made, UTC.
    pub created_at: String,
    /// When it or its messages changed last, UTC.
    pub updated_at: String,
}

/// A new thread, or what a thread becomes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutThread {
    /// Its title.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// Whatever programs want to keep with it; at most 64 KiB as JSON.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Map<String, Value>>,
    /// How long messages stay, a minute to ten years; for ever when not given.
    #[schema(minimum = 60000, maximum = 315576000000_i64)]
    pub retain_ms: Option<i64>,
}

/// One message. It never changes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Its id.
    pub id: Uuid,
    /// Its thread.
    pub thread_id: Uuid,
    /// Its place in the thread: from 1, without gaps.
    pub seq: i64,
    /// Who speaks: `system`, `user`, `assistant` or `tool`.
    #[schema(pattern = "^(system|user|assistant|tool)$")]
    pub role: String,
    /// Who speaks, where there are several.
    pub name: Option<String>,
    /// The run that it comes from.
    pub run_id: Option<Uuid>,
    /// What is said: a text, or anything.
    pub content: Value,
    /// Whatever programs want to keep with it.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// When it was added, UTC.
    pub created_at: String,
}

/// A message to add.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// Who speaks: `system`, `user`, `assistant` or `tool`.
    #[schema(pattern = "^(system|user|assistant|tool)$")]
    pub role: String,
    /// What is said: a text, or anything. All texts in it are searched.
    pub content: Value,
    /// Who speaks, where there are several.
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// The run that it comes from.
    pub run_id: Option<Uuid>,
    /// Whatever programs want to keep with it; at most 64 KiB as JSON.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Map<String, Value>>,
}

/// Messages to add next to each other, all or none.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessages {
    /// The messages, in their order.
    #[schema(min_items = 1, max_items = 100)]
    pub messages: Vec<NewMessage>,
}

/// The messages that were added.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddedMessages {
    /// In their order.
    pub messages: Vec<Message>,
}

/// Which messages of a thread.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListMessages {
    /// Only those that have this phrase, in any case; newest first unless `sort` says otherwise.
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
}

/// Which messages of a project.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchMessages {
    /// Those that have this phrase, in any case.
    #[param(min_length = 1, max_length = 200)]
    pub q: String,
}

/// What a thread holds.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ThreadStats {
    /// Messages that are kept.
    pub messages: i64,
    /// Bytes of their contents.
    pub bytes: i64,
    /// Messages that were removed because they were too old.
    pub removed: i64,
    /// When the oldest was added, UTC.
    pub first_at: Option<String>,
    /// When the newest was added, UTC.
    pub last_at: Option<String>,
    /// By role; a role without messages is left out.
    pub roles: Vec<RoleStats>,
    /// When this was computed, UTC; `Age` says how long ago.
    pub as_of: String,
}

/// What a thread holds of one role.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RoleStats {
    /// The role.
    pub role: String,
    /// Messages.
    pub messages: i64,
    /// Bytes of their contents.
    pub bytes: i64,
}
