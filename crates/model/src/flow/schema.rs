//! JSON Schema: compiling, and saying in plain words what does not fit. Used for `with` against the
//! schema of its kind and for the input of a run. Values are never quoted: they may be secret.
use std::{collections::BTreeMap, sync::Arc};

use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use super::{
    doc::{Content, Doc},
    reader::{Path, Reader},
};
use crate::problem::nearest;

/// Problems reported for one value; after so many the rest says nothing new.
const MAX_REPORTED: usize = 100;

/// One thing that does not fit its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// JSON pointer to the value, or to where a missing one should stand.
    pub(super) pointer: String,
    pub(super) message: String,
    pub(super) mend: String,
}

/// Compiles a schema. Nothing is fetched: a `$ref` leads into the schema itself.
///
/// # Errors
/// JSON pointer into the schema and what is wrong there.
pub(super) fn compile(schema: &Value) -> Result<Validator, (String, String)> {
    super::schema_refs::refuse_endless(schema)?;
    jsonschema::options()
        .should_validate_formats(true)
        .offline()
        .build(schema)
        .map_err(|e| (e.instance_path().as_str().to_owned(), e.to_string()))
}

/// Everything in `value` that does not fit, in order of appearance, up to a cap.
pub(super) fn misfits(validator: &Validator, value: &Value) -> Vec<Misfit> {
    validator
        .iter_errors(value)
        .take(MAX_REPORTED)
        .flat_map(|e| explain(&e))
        .collect()
}

fn explain(error: &ValidationError<'_>) -> Vec<Misfit> {
    let pointer = error.instance_path().as_str();
    let (message, mend) = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            return vec![Misfit {
                pointer: format!("{pointer}/{}", escape(name)),
                message: format!("`{name}` is missing"),
                mend: format!("add `{name}`"),
            }];
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            return unexpected
                .iter()
                .map(|name| unexpected_property(pointer, name))
                .collect();
        }
        Kind::Type { kind } => {
            let wanted = wanted_types(kind);
            let found = kind_of(error.instance());
            (
                format!("expected {wanted}, found {found}"),
                format!("give {wanted}"),
            )
        }
        Kind::Enum { options } => {
            let listed = options
                .as_array()
                .map(|all| {
                    all.iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                })
                .unwrap_or_default();
            (
                "the value is none of those allowed".to_owned(),
                format!("give one of {listed}"),
            )
        }
        Kind::Constant { expected_value } => (
            "the value is not the one allowed".to_owned(),
            format!("give {expected_value}"),
        ),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => (
            "the value fits none of the forms allowed here".to_owned(),
            "see the schema for the forms".to_owned(),
        ),
        _ => {
            let text = error.masked_with("the value").to_string();
            (text, "change the value to fit".to_owned())
        }
    };
    vec![Misfit {
        pointer: pointer.to_owned(),
        message,
        mend,
    }]
}

fn unexpected_property(pointer: &str, name: &str) -> Misfit {
    Misfit {
        pointer: format!("{pointer}/{}", escape(name)),
        message: format!("unknown key `{name}`"),
        mend: "remove it".to_owned(),
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn wanted_types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => article(one.as_str()),
        TypeKind::Multiple(set) => {
            let all: Vec<String> = set.iter().map(|one| article(one.as_str())).collect();
            all.join(" or ")
        }
    }
}

fn article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        "array" | "object" | "integer" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The compiled `with` schemas of the kinds that a file uses.
#[derive(Default)]
pub(super) struct KindSchemas(BTreeMap<String, Option<Arc<KindSchema>>>);

struct KindSchema {
    validator: Validator,
    /// The keys of `with`.
    keys: Vec<String>,
}

impl KindSchemas {
    /// Checks the constant parts of `with`; what an expression gives is checked at run time.
    pub(super) fn check_with(
        &mut self,
        r: &mut Reader<'_>,
        uses: &str,
        doc: &Doc,
        path: &Path<'_>,
    ) {
        if is_dynamic(doc) == Dynamic::Whole {
            return;
        }
        if !self.0.contains_key(uses) {
            let compiled = r.kinds.get(uses).and_then(|kind| {
                let keys = kind.with["properties"].as_object();
                let keys = keys
                    .map(|map| map.keys().cloned().collect())
                    .unwrap_or_default();
                // A kind whose own schema is broken is its author's bug, not this flow's.
                compile(&kind.with)
                    .ok()
                    .map(|validator| Arc::new(KindSchema { validator, keys }))
            });
            self.0.insert(uses.to_owned(), compiled);
        }
        let Some(Some(compiled)) = self.0.get(uses) else {
            return;
        };
        let compiled = Arc::clone(compiled);
        let value = doc.to_value();
        for error in compiled.validator.iter_errors(&value).take(MAX_REPORTED) {
            let place = doc.at_pointer(error.instance_path().as_str());
            if !certain(&error, place) {
                continue;
            }
            for mut misfit in explain(&error) {
                if let Kind::AdditionalProperties { .. } = error.kind()
                    && let Some(name) = misfit.pointer.rsplit('/').next()
                {
                    let at_top = error.instance_path().as_str().is_empty();
                    let known = compiled.keys.iter().map(String::as_str).filter(|_| at_top);
                    if let Some(near) = nearest(name, known) {
                        misfit.mend = format!("did you mean `{near}`?");
                    } else if at_top && !compiled.keys.is_empty() {
                        misfit.mend =
                            format!("remove it; `{uses}` takes {}", compiled.keys.join(", "));
                    }
                }
                let at = key_place(doc, &misfit.pointer);
                let path = format!("{path}{}", doc.shown_pointer(&misfit.pointer));
                r.problem("bad_with", at, path, misfit.message, misfit.mend);
            }
        }
    }
}

/// Where the last part of the pointer is written: its key, if it has one.
fn key_place(doc: &Doc, pointer: &str) -> crate::problem::Place {
    let (parent, last) = pointer.rsplit_once('/').unwrap_or(("", ""));
    let name = last.replace("~1", "/").replace("~0", "~");
    let parent = doc.at_pointer(parent);
    match parent.content {
        Content::List(_) => doc.at_pointer(pointer).at,
        _ => parent.key_place(&name).unwrap_or(parent.at),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dynamic {
    /// A constant.
    No,
    /// Text with an expression in it.
    Text,
    /// One expression: any type.
    Whole,
    /// A list or map with an expression somewhere inside.
    Inside,
}

fn is_dynamic(doc: &Doc) -> Dynamic {
    let inside = |d: &Doc| is_dynamic(d) != Dynamic::No;
    match &doc.content {
        Content::Text(text, _) if text.contains("${{") => {
            // Several expressions in a row may look like one; they are then not checked, no more.
            let whole = text.starts_with("${{") && text.ends_with("}}");
            if whole { Dynamic::Whole } else { Dynamic::Text }
        }
        Content::List(items) if items.iter().any(inside) => Dynamic::Inside,
        Content::Map(entries) if entries.iter().any(|e| inside(&e.value)) => Dynamic::Inside,
        _ => Dynamic::No,
    }
}

/// Whether the error holds whatever the expressions give.
fn certain(error: &ValidationError<'_>, place: &Doc) -> bool {
    match is_dynamic(place) {
        Dynamic::No => true,
        Dynamic::Whole => false,
        Dynamic::Text => matches!(error.kind(), Kind::Type { .. }),
        Dynamic::Inside => matches!(
            error.kind(),
            Kind::Type { .. }
                | Kind::Required { .. }
                | Kind::AdditionalProperties { .. }
                | Kind::AdditionalItems { .. }
                | Kind::MinItems { .. }
                | Kind::MaxItems { .. }
                | Kind::MinProperties { .. }
                | Kind::MaxProperties { .. }
        ),
    }
}
