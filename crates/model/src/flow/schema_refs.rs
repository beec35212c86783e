//! Refuses a JSON Schema that applies itself to the same value for ever (`{"$ref": "#"}`): checking
//! a value against it would not end. Follows only `$ref` inside the schema; others are not fetched.
use std::collections::BTreeSet;

use serde_json::Value;

/// Keywords whose schemas apply to the very value that the schema applies to.
const IN_PLACE: [&str; 5] = ["not", "if", "then", "else", "$ref"];
const IN_PLACE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// # Errors
/// JSON pointer of a schema that leads back to itself, and what to say about it.
pub(super) fn refuse_endless(schema: &Value) -> Result<(), (String, String)> {
    let mut pointers = Vec::new();
    collect(schema, String::new(), &mut pointers);
    let mut done = BTreeSet::new();
    for pointer in pointers {
        let mut on_path = Vec::new();
        walk(schema, pointer, &mut on_path, &mut done)?;
    }
    Ok(())
}

/// Pointers of every schema that holds a `$ref`.
fn collect(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if map.contains_key("$ref") || map.contains_key("$dynamicRef") {
                found.push(pointer.clone());
            }
            for (key, child) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(child, format!("{pointer}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (i, child) in items.iter().enumerate() {
                collect(child, format!("{pointer}/{i}"), found);
            }
        }
        _ => {}
    }
}

/// Follows what applies in place; the path is bounded by the number of different schemas.
fn walk(
    root: &Value,
    start: String,
    on_path: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Result<(), (String, String)> {
    // Each frame: the pointer and the pointers still to follow from it.
    let mut frames = vec![(start.clone(), next(root, &start))];
    on_path.push(start);
    while let Some((pointer, todo)) = frames.last_mut() {
        let Some(to) = todo.pop() else {
            done.insert(pointer.clone());
            on_path.pop();
            frames.pop();
            continue;
        };
        if on_path.contains(&to) {
            let message = "this schema applies itself to the same value for ever".to_owned();
            return Err((to, message));
        }
        if !done.contains(&to) {
            on_path.push(to.clone());
            let after = next(root, &to);
            frames.push((to, after));
        }
    }
    Ok(())
}

fn next(root: &Value, pointer: &str) -> Vec<String> {
    let Some(Value::Object(map)) = root.pointer(pointer) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for key in IN_PLACE {
        match (key, map.get(key)) {
            ("$ref", Some(Value::String(to))) => found.extend(local(to)),
            (_, Some(_)) => found.push(format!("{pointer}/{key}")),
            (_, None) => {}
        }
    }
    if let Some(Value::String(to)) = map.get("$dynamicRef") {
        found.extend(local(to));
    }
    for key in IN_PLACE_LISTS {
        let count = map.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        found.extend((0..count).map(|i| format!("{pointer}/{key}/{i}")));
    }
    if let Some(Value::Object(dependent)) = map.get("dependentSchemas") {
        found.extend(dependent.keys().map(|key| {
            format!(
                "{pointer}/dependentSchemas/{}",
                key.replace('~', "~0").replace('/', "~1")
            )
        }));
    }
    found
}

/// The pointer that a `$ref` into the same schema names.
fn local(to: &str) -> Option<String> {
    let pointer = to.strip_prefix('#')?;
    (pointer.is_empty() || pointer.starts_with('/')).then(|| pointer.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_that_only_leads_to_itself_is_refused_and_a_tree_is_not() {
        assert!(refuse_endless(&json!({"$ref": "#"})).is_err());
        assert!(refuse_endless(&json!({"allOf": [{"$ref": "#"}]})).is_err());
        assert!(
            refuse_endless(&json!({
                "$ref": "#/$defs/a",
                "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}},
            }))
            .is_err()
        );
        assert!(
            refuse_endless(&json!({
                "type": "object",
                "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
            }))
            .is_ok()
        );
    }
}
