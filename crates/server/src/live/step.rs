//! Journal rows as they travel. Only what people look at is read; the engine's own reading of a row
//! is stricter.
use std::collections::BTreeMap;

use runstone_api::runs::Step;
use runstone_model::{run::Kind, time::Timestamp};
use runstone_store::StoredRow;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// The largest result in lists and events, in bytes.
const SMALL: usize = 16 << 10;
/// The longest text of an error that is too large for them, in characters.
const LONGEST_TEXT: usize = 1000;

/// How much of an entry is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Without large results.
    Small,
    /// All of it.
    Whole,
}

#[derive(Default, Deserialize)]
struct Body<'a> {
    #[serde(default, borrow)]
    result: Option<&'a RawValue>,
    #[serde(default, borrow)]
    patch: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(default)]
    same: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    failure: Option<Value>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    until: Option<Timestamp>,
}

fn found(row: &StoredRow) -> Option<Kind> {
    Kind::from_number(row.row.kind)
}

/// The kind's name.
pub(crate) fn kind(row: &StoredRow) -> &'static str {
    found(row).map_or("unknown", Kind::name)
}

/// Whether nothing comes after it.
pub(crate) fn is_end(row: &StoredRow) -> bool {
    matches!(
        found(row),
        Some(Kind::RunCompleted | Kind::RunFailed | Kind::RunCancelled)
    )
}

/// The row as it travels.
pub(crate) fn read(stored: &StoredRow, size: Size) -> Step {
    let row = &stored.row;
    let about_step = row.node.is_some();
    let body: Body<'_> = serde_json::from_str(&row.body).unwrap_or_default();
    let raw = body.result.map(RawValue::get);
    let is_blob = raw.is_some_and(|raw| raw.starts_with("{\"$blob\":"));
    let fits = size == Size::Whole || raw.is_none_or(|raw| raw.len() <= SMALL && !is_blob);
    let result = raw
        .filter(|_| fits)
        .and_then(|raw| serde_json::from_str(raw).ok());
    let error = match found(stored) {
        // The failure is the body itself.
        Some(Kind::RunFailed) => serde_json::from_str(&row.body).ok(),
        Some(Kind::RunCancelled) => body
            .reason
            .map(|reason| serde_json::json!({ "reason": reason })),
        _ => body.failure,
    };
    Step {
        seq: row.seq,
        kind: kind(stored).to_owned(),
        node: row.node.clone(),
        visit: about_step.then_some(row.visit),
        item: row.item,
        attempt: about_step.then_some(row.attempt),
        at: row.started_at.rfc3339(),
        duration_ms: row.duration_us as f64 / 1000.0,
        until: body.until.map(Timestamp::rfc3339),
        patch: (size == Size::Whole && about_step)
            .then(|| patch(body.patch, &body.same, result.as_ref())),
        result,
        result_left_out: !fits,
        error: error.map(|error| match size {
            Size::Small => shortened(error),
            Size::Whole => error,
        }),
    }
}

/// An error that is small enough for lists and events: of a large one what it is, its message cut.
fn shortened(error: Value) -> Value {
    const KEPT: [&str; 7] = [
        "code",
        "class",
        "message",
        "reason",
        "node",
        "attempt",
        "retryable",
    ];
    if error.to_string().len() <= SMALL {
        return error;
    }
    let kept = KEPT.into_iter().filter_map(|name| {
        let value = match error.get(name)? {
            Value::String(text) if text.len() > LONGEST_TEXT => {
                let begin = text.chars().take(LONGEST_TEXT).chain(['…']);
                Value::from(begin.collect::<String>())
            }
            value => value.clone(),
        };
        Some((name.to_owned(), value))
    });
    Value::Object(kept.collect())
}

/// What a step wrote, with what it shares with the result put in place.
fn patch(
    own: Option<BTreeMap<String, &RawValue>>,
    same: &BTreeMap<String, Vec<String>>,
    result: Option<&Value>,
) -> Value {
    let mut patch = serde_json::Map::new();
    for (key, raw) in own.unwrap_or_default() {
        patch.insert(key, serde_json::from_str(raw.get()).unwrap_or_default());
    }
    for (key, path) in same {
        let part = path
            .iter()
            .try_fold(result.unwrap_or(&Value::Null), |value, name| {
                value.get(name)
            });
        patch.insert(key.clone(), part.cloned().unwrap_or_default());
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_large_error_is_told_by_its_beginning() {
        let small = json!({ "code": "node_failed", "message": "no", "causes": ["x"] });
        assert_eq!(shortened(small.clone()), small);
        for large in [
            json!({ "code": "node_failed", "message": "ä".repeat(100_000), "attempt": 3 }),
            json!({ "code": "node_failed", "message": "no", "causes": vec!["x"; 100_000] }),
        ] {
            let told = shortened(large);
            assert_eq!(told["code"], "node_failed");
            assert!(told["message"].is_string() && told.get("causes").is_none());
            assert!(told.to_string().len() <= SMALL);
        }
    }
}
