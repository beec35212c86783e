//! Errors as they travel: problem+json (RFC 9457) with a stable code, the trace id, and all field
//! errors at once.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Code;

/// What `type` begins with; the code follows.
pub const TYPE_PREFIX: &str = "urn:runstone:problem:";

/// An error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:runstone:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short sentence, the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable name to branch on.
    pub code: String,
    /// What happened here, in plain words.
    pub detail: String,
    /// Names this request in the logs.
    pub trace_id: String,
    /// Every field that is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The present version, where an older one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// One thing that is wrong with a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body, or the name of the parameter or header.
    pub pointer: String,
    /// What is wrong.
    pub detail: String,
    /// The code of a flow's problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Line in the flow's text, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in the flow's text, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl FieldError {
    /// One thing that is wrong at `pointer`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
            ..Self::default()
        }
    }
}

impl Problem {
    /// The problem `code`; `trace_id` is filled in by whoever answers.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("{TYPE_PREFIX}{}", code.name()),
            title: code.title().to_owned(),
            status: code.status(),
            code: code.name().to_owned(),
            detail: detail.into(),
            trace_id: String::new(),
            errors: Vec::new(),
            version: None,
        }
    }
}
