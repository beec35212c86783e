//! The schemas that bodies and queries are held against before anything else reads them, so that
//! every field that is wrong is named at once. Compiled when first needed.
use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use jsonschema::Validator;
use runstone_api::{FieldError, Operation, operation::query_parameters};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

/// Errors that are named at most.
const MOST: usize = 100;

/// What a query may hold.
pub(crate) struct QueryShape {
    kinds: HashMap<String, String>,
    validator: Validator,
}

/// Compiled schemas by type.
#[derive(Default)]
pub(crate) struct Schemas {
    bodies: RwLock<HashMap<TypeId, Arc<Validator>>>,
    queries: RwLock<HashMap<TypeId, Arc<QueryShape>>>,
}

fn cached<T>(
    cache: &RwLock<HashMap<TypeId, Arc<T>>>,
    id: TypeId,
    make: impl FnOnce() -> Result<T, String>,
) -> Result<Arc<T>, String> {
    if let Some(found) = cache
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&id)
    {
        return Ok(Arc::clone(found));
    }
    let made = Arc::new(make()?);
    let mut cache = cache.write().unwrap_or_else(PoisonError::into_inner);
    cache.insert(id, Arc::clone(&made));
    Ok(made)
}

fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| error.to_string())
}

impl Schemas {
    /// The schema of the body `T`.
    pub(crate) fn body<T: ToSchema + 'static>(&self) -> Result<Arc<Validator>, String> {
        cached(&self.bodies, TypeId::of::<T>(), || {
            let mut all = Operation::outside("GET", "", "", runstone_api::Access::Public);
            let root = all.refer::<T>();
            compile(&json!({
                "$ref": root["$ref"],
                "components": { "schemas": all.schemas },
            }))
        })
    }

    /// The shape of the query `T`.
    pub(crate) fn query<T: IntoParams + 'static>(&self) -> Result<Arc<QueryShape>, String> {
        cached(&self.queries, TypeId::of::<T>(), || {
            let mut kinds = HashMap::new();
            let mut properties = Map::new();
            let mut required = Vec::new();
            for parameter in query_parameters::<T>() {
                let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                let kind = parameter["schema"]["type"].as_str().unwrap_or("string");
                kinds.insert(name.clone(), kind.to_owned());
                if parameter["required"] == true {
                    required.push(name.clone());
                }
                properties.insert(name, parameter["schema"].clone());
            }
            let validator = compile(&json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            }))?;
            Ok(QueryShape { kinds, validator })
        })
    }
}

/// Everything in `value` that the schema does not allow.
pub(crate) fn errors(validator: &Validator, value: &Value) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = validator
        .iter_errors(value)
        .flat_map(|error| told(&error))
        .take(MOST)
        .collect();
    nul(value, &mut String::new(), &mut errors);
    errors
}

/// An error of the validator, at the field that it is about; without the value, which may be secret.
fn told(error: &jsonschema::ValidationError<'_>) -> Vec<FieldError> {
    use jsonschema::error::ValidationErrorKind as Kind;
    let pointer = error.instance_path().to_string();
    let at = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![FieldError::new(at(name), "is missing")]
        }
        Kind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| FieldError::new(at(name), "is not known here"))
            .collect(),
        _ => vec![FieldError::new(pointer, error.masked().to_string())],
    }
}

/// No database keeps a NUL character in a text.
fn nul(value: &Value, path: &mut String, errors: &mut Vec<FieldError>) {
    const DETAIL: &str = "holds a NUL character, which cannot be stored";
    if errors.len() >= MOST {
        return;
    }
    let length = path.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            errors.push(FieldError::new(path.as_str(), DETAIL));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("/{index}"));
                nul(item, path, errors);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                if name.contains('\0') {
                    errors.push(FieldError::new(path.as_str(), DETAIL));
                    continue;
                }
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                nul(item, path, errors);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl QueryShape {
    /// The query as JSON, each parameter as what its schema says it is.
    pub(crate) fn read(&self, query: &str) -> Result<Value, Vec<FieldError>> {
        let mut value = Map::new();
        let mut errors = Vec::new();
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            let kind = self.kinds.get(&*name).map_or("string", String::as_str);
            let read = match (kind, &*text) {
                ("integer", text) => text
                    .parse::<i64>()
                    .map_or_else(|_| Value::from(text), Value::from),
                ("boolean", "true") => Value::Bool(true),
                ("boolean", "false") => Value::Bool(false),
                (_, text) => Value::from(text),
            };
            if !self.kinds.contains_key(&*name) {
                errors.push(FieldError::new(name, "there is no such parameter here"));
            } else if value.insert(name.to_string(), read).is_some() {
                errors.push(FieldError::new(name, "is given more than once"));
            }
        }
        let value = Value::Object(value);
        errors.extend(
            self::errors(&self.validator, &value)
                .into_iter()
                .map(|mut error| {
                    error.pointer = error.pointer.trim_start_matches('/').to_owned();
                    error
                }),
        );
        if errors.is_empty() {
            Ok(value)
        } else {
            Err(errors)
        }
    }
}
