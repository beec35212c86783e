//! Reads `state:`: the keys that nodes may write, each with type, reducer and default.
use serde_json::Value;

use super::{
    StateKey,
    doc::{Content, Doc},
    reader::{Path, Reader, STATE_NAME, is_name},
};
use crate::reducer::{Reducer, Type};

/// Every key of a state key.
pub(super) const STATE_KEYS: [&str; 4] = ["type", "reducer", "default", "description"];

pub(super) fn read(r: &mut Reader<'_>, doc: Option<&Doc>) -> Vec<StateKey> {
    let path = Path::ROOT.key("state");
    let entries = doc.and_then(|doc| r.map(doc, &path)).unwrap_or_default();
    let mut keys = Vec::with_capacity(entries.len());
    for entry in entries {
        let path = path.key(&entry.key);
        if !is_name(&entry.key, false) {
            let message = format!("`{}` cannot be the name of a state key", entry.key);
            r.problem("bad_name", entry.at, path, message, STATE_NAME);
        }
        keys.push(state_key(r, &entry.key, &entry.value, &path));
    }
    // As in the stored definition: snapshots know a key by its place, and the flow that reads one
    // back comes from there.
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    keys
}

fn state_key(r: &mut Reader<'_>, name: &str, doc: &Doc, path: &Path<'_>) -> StateKey {
    let mut key = StateKey {
        name: name.to_owned(),
        ty: Type::default(),
        reducer: Reducer::default(),
        default: Value::Null,
    };
    if doc.is_null() || r.map(doc, path).is_none() {
        return key;
    }
    r.only_keys(doc, path, &STATE_KEYS, &[]);
    let mut typed = true;
    if let Some(ty) = doc.get("type") {
        match Type::from_value(&ty.to_value()) {
            Ok(found) => key.ty = found,
            Err(message) => {
                typed = false;
                let mend = match ty.as_text() {
                    Some(text) => r.did_you_mean(text, Type::NAMES, type_names),
                    None => type_names(),
                };
                r.bad_value(ty, &path.key("type"), message, mend);
            }
        }
    }
    if let Some(reducer) = doc.get("reducer") {
        let words = Reducer::ALL.map(|reducer| (reducer.name(), reducer));
        let path = path.key("reducer");
        if let Some(found) = r.word(reducer, &path, &words) {
            key.reducer = found;
            check_reducer(r, &key, reducer, &path);
        }
    }
    if let Some(text) = doc.get("description") {
        r.text(text, &path.key("description"));
    }
    key.default = key.reducer.initial();
    if let Some(default) = doc.get("default") {
        key.default = default.to_value();
        if typed && let Err(message) = key.ty.check(&key.default) {
            let message = format!("the default does not fit: {message}");
            let mend = "change the default or the type";
            r.problem(
                "bad_default",
                default.at,
                path.key("default"),
                message,
                mend,
            );
        }
    }
    key
}

fn type_names() -> String {
    format!("write one of {}", Type::NAMES.join(", "))
}

/// A reducer that can never give a value of the declared type is a mistake.
fn check_reducer(r: &mut Reader<'_>, key: &StateKey, doc: &Doc, path: &Path<'_>) {
    let (fits, wanted): (fn(&Type) -> bool, &str) = match key.reducer {
        Reducer::Replace => return,
        Reducer::Append | Reducer::Union | Reducer::Messages => {
            (|ty| matches!(ty, Type::Any | Type::Array), "array")
        }
        Reducer::Merge => (|ty| matches!(ty, Type::Any | Type::Object), "object"),
        Reducer::Add | Reducer::Min | Reducer::Max => (
            |ty| matches!(ty, Type::Any | Type::Number | Type::Integer),
            "number",
        ),
    };
    let ok = match &key.ty {
        Type::OneOf(types) => types.iter().any(fits),
        one => fits(one),
    };
    if !ok {
        let reducer = key.reducer.name();
        let message = format!("the reducer `{reducer}` never gives a value of the declared type");
        r.bad_value(
            doc,
            path,
            message,
            format!("declare `type: {wanted}`, or change the reducer"),
        );
    }
}

/// Whether a constant written to the key can ever fit, judged from the key's default.
pub(super) fn check_constant(r: &mut Reader<'_>, key: &StateKey, doc: &Doc, path: &Path<'_>) {
    if holds_expression(doc) {
        return;
    }
    let mut value = key.default.clone();
    let folded = key.reducer.fold(&mut value, doc.to_value());
    if let Err(message) = folded.and_then(|()| key.ty.check(&value)) {
        let mend = format!("change the value, or the type or reducer of `{}`", key.name);
        r.problem("bad_write", doc.at, path, message, mend);
    }
}

fn holds_expression(doc: &Doc) -> bool {
    match &doc.content {
        Content::Text(text, _) => text.contains("${{"),
        Content::List(items) => items.iter().any(holds_expression),
        Content::Map(entries) => entries.iter().any(|e| holds_expression(&e.value)),
        Content::Null | Content::Bool(_) | Content::Number(_) => false,
    }
}
