//! Turns an answer into the step's result, streaming the body under a cap: JSON when the answer says
//! so, else text; bytes that are no text become base64.
use std::fmt::Write;

use reqwest::{Response, header::HeaderMap};
use runstone_engine::node::NodeError;
use runstone_model::failure::Class;
use serde_json::{Map, Value, json};

/// Reads the whole body, at most `max_bytes`.
pub(super) async fn body(
    place: &str,
    mut response: Response,
    max_bytes: usize,
) -> Result<Vec<u8>, NodeError> {
    let too_large = || {
        let mut error = NodeError::new(
            Class::Resource,
            format!("{place} answered with more than {max_bytes} bytes; raise `max_bytes`"),
        );
        error.retryable = Some(false);
        error
    };
    if response
        .content_length()
        .is_some_and(|length| length > max_bytes as u64)
    {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| super::broken(place, error))?
    {
        if bytes.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The result of a step.
pub(super) fn result(
    place: &str,
    status: u16,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Value, NodeError> {
    let kind = headers
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let media = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let body = if media == "application/json" || media.ends_with("+json") {
        json_body(place, &body)?
    } else {
        text_body(kind, body)
    };
    Ok(json!({"status": status, "headers": header_map(headers), "body": body}))
}

fn json_body(place: &str, body: &[u8]) -> Result<Value, NodeError> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| {
        NodeError::new(
            Class::Dependency,
            format!(
                "{place} says it answers JSON but does not (line {}, column {})",
                error.line(),
                error.column()
            ),
        )
    })
}

fn text_body(kind: &str, body: Vec<u8>) -> Value {
    let kind = kind.to_ascii_lowercase();
    if kind.contains("charset=iso-8859-1") || kind.contains("charset=latin1") {
        return Value::String(body.iter().map(|byte| char::from(*byte)).collect());
    }
    match String::from_utf8(body) {
        Ok(text) => Value::String(text),
        Err(not_text) => json!({"base64": base64(not_text.as_bytes())}),
    }
}

/// Header names are lower case; values of a repeated header are joined as HTTP allows.
fn header_map(headers: &HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for name in headers.keys() {
        let mut joined = String::new();
        for value in headers.get_all(name) {
            let comma = if joined.is_empty() { "" } else { ", " };
            let text = String::from_utf8_lossy(value.as_bytes());
            // Writing to a String cannot fail.
            let _ = write!(joined, "{comma}{text}");
        }
        map.insert(name.as_str().to_owned(), Value::String(joined));
    }
    map
}

/// Base64 with padding (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= group.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
