//! The input of a run: its JSON Schema read from the flow, defaults filled in, caps and schema
//! enforced, all misfits at once.
use std::collections::BTreeSet;

use jsonschema::Validator;
use serde::Serialize;
use serde_json::Value;

use super::{
    Flow,
    doc::{Content, Doc},
    reader::{Path, Reader},
    schema,
};
use crate::limits::{MAX_DEPTH, MAX_INPUT_BYTES};

/// One thing wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: {message} / {mend}", if .pointer.is_empty() { "input" } else { .pointer })]
pub struct InputProblem {
    /// JSON pointer to the value, or to where a missing one should stand; empty: the whole input.
    pub pointer: String,
    /// What is wrong; never quotes the value, which may be secret.
    pub message: String,
    /// How to mend it.
    pub mend: String,
}

/// The compiled schema of a flow's input.
#[derive(Debug, Default)]
pub struct InputCheck(Option<Validator>);

/// `$ref`s followed while looking for defaults.
const MAX_REFS: usize = 16;

impl Flow {
    /// The input with the schema's defaults filled in. No input at all counts as `{}` when the
    /// schema does not allow null.
    ///
    /// # Errors
    /// Everything that is wrong with it: too large, too deep, or not as the schema says.
    pub fn check_input(&self, input: Value) -> Result<Value, Vec<InputProblem>> {
        refuse_size(&input).map_err(|problem| vec![problem])?;
        let (Some(schema), Some(validator)) = (&self.input, &self.input_check.0) else {
            return Ok(input);
        };
        let mut input = match input {
            Value::Null if !validator.is_valid(&Value::Null) => Value::Object(Default::default()),
            given => given,
        };
        fill_defaults(schema, schema, &mut input, 0);
        refuse_size(&input).map_err(|problem| vec![problem])?;
        let misfits = schema::misfits(validator, &input);
        if misfits.is_empty() {
            return Ok(input);
        }
        Err(misfits
            .into_iter()
            .map(|m| InputProblem {
                pointer: m.pointer,
                message: m.message,
                mend: m.mend,
            })
            .collect())
    }
}

fn refuse_size(input: &Value) -> Result<(), InputProblem> {
    let problem = |message: String, mend: &str| InputProblem {
        pointer: String::new(),
        message,
        mend: mend.to_owned(),
    };
    let mut bytes = 0;
    if !fits(input, 1, &mut bytes) {
        let message = if bytes > MAX_INPUT_BYTES {
            format!("the input is larger than {MAX_INPUT_BYTES} bytes")
        } else {
            format!("the input is nested more than {MAX_DEPTH} deep")
        };
        return Err(problem(
            message,
            "pass a reference to the data instead, or split the run",
        ));
    }
    Ok(())
}

/// Whether the value is within the caps; counts at least the bytes that JSON writes, stops at the cap.
fn fits(value: &Value, depth: usize, bytes: &mut usize) -> bool {
    *bytes += match value {
        Value::Null | Value::Bool(_) => 6,
        Value::Number(number) => number.to_string().len() + 1,
        Value::String(text) => written(text) + 1,
        Value::Array(_) | Value::Object(_) => 3,
    };
    if *bytes > MAX_INPUT_BYTES || depth > MAX_DEPTH {
        return false;
    }
    match value {
        Value::Array(items) => items.iter().all(|item| fits(item, depth + 1, bytes)),
        Value::Object(map) => map.iter().all(|(key, item)| {
            *bytes += written(key) + 1;
            fits(item, depth + 1, bytes)
        }),
        _ => true,
    }
}

/// Bytes of a text with its quotes and escapes.
fn written(text: &str) -> usize {
    let more = |byte: u8| match byte {
        b'"' | b'\\' | 0x08 | b'\t' | b'\n' | 0x0c | b'\r' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + 2 + text.bytes().map(more).sum::<usize>()
}

/// Puts the defaults of `schema` where a property is missing, at every depth.
fn fill_defaults(root: &Value, schema: &Value, value: &mut Value, refs: usize) {
    if let Some(to) = schema["$ref"].as_str().and_then(|to| to.strip_prefix('#'))
        && refs < MAX_REFS
        && let Some(target) = root.pointer(to)
    {
        fill_defaults(root, target, value, refs + 1);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if refs < MAX_REFS {
            fill_defaults(root, part, value, refs + 1);
        }
    }
    match value {
        Value::Object(map) => {
            for (name, part) in schema["properties"].as_object().into_iter().flatten() {
                if !map.contains_key(name)
                    && let Some(default) = part.get("default")
                {
                    map.insert(name.clone(), default.clone());
                }
                if let Some(inner) = map.get_mut(name) {
                    fill_defaults(root, part, inner, 0);
                }
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            for item in items {
                fill_defaults(root, &schema["items"], item, 0);
            }
        }
        _ => {}
    }
}

/// Reads `input:`: the schema, compiled.
pub(super) fn read(r: &mut Reader<'_>, doc: Option<&Doc>) -> (Option<Value>, InputCheck) {
    let Some(doc) = doc else {
        return (None, InputCheck::default());
    };
    let path = Path::ROOT.key("input");
    if !matches!(doc.content, Content::Map(_)) {
        r.wrong_type(doc, &path, "a JSON Schema");
        return (None, InputCheck::default());
    }
    let value = doc.to_value();
    match schema::compile(&value) {
        Ok(validator) => {
            check_defaults(r, doc, &value);
            (Some(value), InputCheck(Some(validator)))
        }
        Err((pointer, message)) => {
            let at = doc.at_pointer(&pointer).at;
            let path = format!("{path}{}", doc.shown_pointer(&pointer));
            let message = format!("not a valid JSON Schema: {message}");
            r.problem(
                "bad_schema",
                at,
                path,
                message,
                "write a JSON Schema (draft 2020-12)",
            );
            (None, InputCheck::default())
        }
    }
}

/// The properties an expression may name; `None` when others may be given as well.
pub(super) fn names(schema: Option<&Value>) -> Option<BTreeSet<String>> {
    let schema = schema?.as_object()?;
    let open = match schema.get("additionalProperties") {
        None | Some(Value::Bool(false)) => false,
        Some(_) => true,
    };
    const OTHER_SOURCES: [&str; 10] = [
        "$ref",
        "$dynamicRef",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "patternProperties",
        "propertyNames",
        "dependentSchemas",
        "unevaluatedProperties",
    ];
    if open || OTHER_SOURCES.iter().any(|key| schema.contains_key(*key)) {
        return None;
    }
    Some(
        schema
            .get("properties")?
            .as_object()?
            .keys()
            .cloned()
            .collect(),
    )
}

/// Defaults that their own schema refuses would fail every run that relies on them.
fn check_defaults(r: &mut Reader<'_>, doc: &Doc, root: &Value) {
    let mut todo = vec![(doc, "input".to_owned(), root)];
    while let Some((doc, path, schema)) = todo.pop() {
        for (name, part) in schema["properties"].as_object().into_iter().flatten() {
            let Some(inner) = doc.get("properties").and_then(|p| p.get(name)) else {
                continue;
            };
            let path = format!("{path}.properties.{name}");
            if let (Some(default), Some(written)) = (part.get("default"), inner.get("default")) {
                check_default(r, root, part, default, written, &path);
            }
            todo.push((inner, path, part));
        }
    }
}

fn check_default(
    r: &mut Reader<'_>,
    root: &Value,
    part: &Value,
    default: &Value,
    written: &Doc,
    path: &str,
) {
    // With the root's definitions, so that references still lead somewhere.
    let mut alone = part.clone();
    if let (Some(alone), Some(root)) = (alone.as_object_mut(), root.as_object()) {
        for key in ["$defs", "definitions", "$schema"] {
            if let Some(shared) = root.get(key) {
                alone.entry(key).or_insert_with(|| shared.clone());
            }
        }
    }
    let Ok(validator) = schema::compile(&alone) else {
        return;
    };
    let mut filled = default.clone();
    fill_defaults(root, part, &mut filled, 0);
    for misfit in schema::misfits(&validator, &filled) {
        let message = format!(
            "the default does not fit its own schema: {}",
            misfit.message
        );
        let place = written.at_pointer(&misfit.pointer).at;
        r.problem(
            "bad_default",
            place,
            format!("{path}.default"),
            message,
            misfit.mend,
        );
    }
}
