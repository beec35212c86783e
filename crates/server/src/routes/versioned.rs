//! What resources with versions and times have in common on the wire: stale writers, created things,
//! times as they are given.
use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use runstone_api::{Code, FieldError};
use runstone_model::time::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Answer, Fault, etag, invalid_body, invalid_query};

pub(super) const IF_MATCH: &str = "The ETag that was read.";
/// The most that settings and metadata may have as JSON.
const SMALL_BYTES: usize = 64 << 10;

/// The fault for a writer that has read another version.
pub(super) fn stale(version: i64) -> Fault {
    let (name, value) = etag(version);
    let fault =
        Fault::new(Code::StaleVersion, format!("it has version {version} now")).version(version);
    match HeaderValue::try_from(value) {
        Ok(value) => fault.header(name, value),
        Err(_) => fault,
    }
}

/// A thing with its ETag.
pub(super) fn answer(version: i64, body: impl Serialize) -> Response {
    tagged(etag(version), body)
}

/// A thing with its ETag, which tells more than its version.
pub(super) fn tagged(etag: (HeaderName, String), body: impl Serialize) -> Response {
    ([etag], Json(body)).into_response()
}

/// A thing that was just made, with its address and, where it has versions, its ETag.
pub(super) fn made(
    status: StatusCode,
    location: &str,
    etag: Option<(HeaderName, String)>,
    body: impl Serialize,
) -> Response {
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    if let Some((name, value)) = etag
        && let Ok(value) = HeaderValue::try_from(value)
    {
        headers.insert(name, value);
    }
    response
}

/// The wire's form of a value of the model that has the same fields.
pub(super) fn same<T: DeserializeOwned>(value: &impl Serialize) -> Answer<T> {
    let value = serde_json::to_value(value).and_then(serde_json::from_value);
    value.map_err(|error| Fault::internal(error.to_string()))
}

/// Stored JSON.
pub(super) fn json(text: Option<&str>) -> Option<Value> {
    text.and_then(|text| serde_json::from_str(text).ok())
}

/// Settings and metadata, as they are stored: lists give them with every item.
pub(super) fn small(pointer: &str, fields: &impl Serialize) -> Answer<String> {
    let text = serde_json::to_string(fields);
    let text = text.map_err(|error| Fault::internal(error.to_string()))?;
    if text.len() <= SMALL_BYTES {
        return Ok(text);
    }
    let detail = format!(
        "has more than {SMALL_BYTES} bytes as JSON; keep large data in a document or a message, and \
         its id here"
    );
    Err(invalid_body(vec![FieldError::new(pointer, detail)]))
}

/// A time that was given in the parameter `name`.
pub(super) fn time(name: &str, text: &str) -> Answer<Timestamp> {
    let at: Result<jiff::Timestamp, _> = text.parse();
    at.map(|at| Timestamp(at.as_microsecond())).map_err(|_| {
        let detail = "must be a time, as in 2026-07-29T12:00:00Z";
        invalid_query(vec![FieldError::new(name, detail)])
    })
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
pub(super) fn ms(us: i64) -> f64 {
    us as f64 / 1000.0
}
