//! The folds behind [`super::Reducer`]. Each checks first and changes `current` only when it will
//! succeed; none clones the list or object that is already there.
use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use serde_json::{Map, Number, Value};

use super::kind_name;
use crate::expr::number::compare;

/// Up to this many new elements are looked for one by one; more are worth a hash set.
const FEW: usize = 4;

fn list<'a>(current: &'a mut Value, reducer: &str) -> Result<&'a mut Vec<Value>, String> {
    if current.is_null() {
        *current = Value::Array(Vec::new());
    }
    let kind = kind_name(current);
    match current {
        Value::Array(items) => Ok(items),
        _ => Err(format!(
            "`{reducer}` needs a list to add to, but the key holds {kind}"
        )),
    }
}

pub(super) fn append(current: &mut Value, write: Value) -> Result<(), String> {
    let items = list(current, "append")?;
    match write {
        Value::Array(mut more) => items.append(&mut more),
        one => items.push(one),
    }
    Ok(())
}

pub(super) fn merge(current: &mut Value, write: Value) -> Result<(), String> {
    let Value::Object(patch) = write else {
        return Err(format!(
            "`merge` takes an object, not {}",
            kind_name(&write)
        ));
    };
    match current {
        Value::Null => *current = Value::Object(patch),
        Value::Object(fields) => merge_fields(fields, patch),
        other => {
            return Err(format!(
                "`merge` needs an object to merge into, but the key holds {}",
                kind_name(other)
            ));
        }
    }
    Ok(())
}

fn merge_fields(fields: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, new) in patch {
        match (fields.get_mut(&name), new) {
            (Some(Value::Object(old)), Value::Object(new)) => merge_fields(old, new),
            (Some(old), new) => *old = new,
            (None, new) => {
                fields.insert(name, new);
            }
        }
    }
}

fn number<'a>(value: &'a Value, reducer: &str, what: &str) -> Result<&'a Number, String> {
    match value {
        Value::Number(number) => Ok(number),
        other => Err(format!("`{reducer}` {what} {}", kind_name(other))),
    }
}

pub(super) fn add(current: &mut Value, write: &Value) -> Result<(), String> {
    let new = number(write, "add", "takes a number, not")?;
    if current.is_null() {
        *current = write.clone();
        return Ok(());
    }
    let old = number(
        current,
        "add",
        "needs a number to add to, but the key holds",
    )?;
    let sum = match (integer(old), integer(new)) {
        (Some(a), Some(b)) => from_i128(a + b),
        _ => old
            .as_f64()
            .zip(new.as_f64())
            .and_then(|(a, b)| Number::from_f64(a + b)),
    };
    *current = Value::Number(sum.ok_or("`add` goes beyond the range of numbers")?);
    Ok(())
}

fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

fn from_i128(value: i128) -> Option<Number> {
    i64::try_from(value)
        .map(Number::from)
        .or_else(|_| u64::try_from(value).map(Number::from))
        .ok()
}

/// Keeps whichever of the two is `wanted` against the other; on a tie what is there stays.
pub(super) fn extreme(
    current: &mut Value,
    write: Value,
    wanted: Ordering,
    reducer: &str,
) -> Result<(), String> {
    let new = number(&write, reducer, "takes a number, not")?;
    if !current.is_null() {
        let old = number(current, reducer, "compares numbers, but the key holds")?;
        if compare(new, old) != wanted {
            return Ok(());
        }
    }
    *current = write;
    Ok(())
}

pub(super) fn union(current: &mut Value, write: Value) -> Result<(), String> {
    let items = list(current, "union")?;
    let new = match write {
        Value::Array(new) => new,
        one => vec![one],
    };
    if new.len() <= FEW {
        for value in new {
            if !items.contains(&value) {
                items.push(value);
            }
        }
        return Ok(());
    }
    let fresh: Vec<bool> = {
        let mut seen: HashSet<&Value> = items.iter().collect();
        new.iter().map(|value| seen.insert(value)).collect()
    };
    let fresh = new
        .into_iter()
        .zip(fresh)
        .filter_map(|(value, fresh)| fresh.then_some(value));
    items.extend(fresh);
    Ok(())
}

pub(super) fn messages(current: &mut Value, write: Value) -> Result<(), String> {
    let new = match write {
        Value::Array(new) => new,
        one => vec![one],
    };
    if let Some(odd) = new.iter().find(|message| !message.is_object()) {
        return Err(format!(
            "`messages` takes objects (one, or a list), not {}",
            kind_name(odd)
        ));
    }
    let items = list(current, "messages")?;
    if new.len() <= FEW {
        for message in new {
            let place = id(&message)
                .and_then(|wanted| items.iter().rposition(|old| id(old) == Some(wanted)));
            put(items, place, message);
        }
        return Ok(());
    }
    let mut places: HashMap<Value, usize> = HashMap::new();
    for (place, message) in items.iter().enumerate() {
        if let Some(id) = id(message) {
            places.insert(id.clone(), place);
        }
    }
    for message in new {
        let id = id(&message).cloned();
        let place = id.as_ref().and_then(|id| places.get(id).copied());
        if let (Some(id), None) = (id, place) {
            places.insert(id, items.len());
        }
        put(items, place, message);
    }
    Ok(())
}

/// A null id is no id.
fn id(message: &Value) -> Option<&Value> {
    message.get("id").filter(|id| !id.is_null())
}

fn put(items: &mut Vec<Value>, place: Option<usize>, message: Value) {
    match place.and_then(|place| items.get_mut(place)) {
        Some(old) => *old = message,
        None => items.push(message),
    }
}
