//! The OpenAPI document, assembled from the table of operations.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    Access, Code, Operation, Problem,
    operation::{Answer, Body},
};

/// Codes that any operation may answer with, besides what follows from its shape.
const ALWAYS: [Code; 6] = [
    Code::InvalidQuery,
    Code::RateLimited,
    Code::Internal,
    Code::Unavailable,
    Code::Overloaded,
    Code::Timeout,
];

/// The whole document.
#[must_use]
pub fn document(version: &str, operations: &[Operation]) -> Value {
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut problem = Operation::new("GET", "", "problem", Access::Public);
    problem.refer::<Problem>();
    for operation in operations.iter().chain([&problem]) {
        for (name, schema) in &operation.schemas {
            schemas
                .entry(name.clone())
                .or_insert_with(|| schema.clone());
        }
    }
    for operation in operations {
        paths
            .entry(operation.path.clone())
            .or_default()
            .insert(operation.method.to_lowercase(), described(operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Runstone",
            "version": version,
            "description": "Durable runs for AI agents, on the database you already have. \
                Errors are problem+json with a stable `code`.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key (`rs_…`) or a token of the configured issuer.",
                },
            },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut value = json!({
        "operationId": operation.id,
        "tags": [operation.area()],
        "summary": operation.summary,
        "responses": responses(operation),
        "x-runstone-role": operation.access.name(),
    });
    let fields = value.as_object_mut();
    let Some(fields) = fields else {
        return Value::Null;
    };
    if !operation.description.is_empty() {
        fields.insert("description".to_owned(), operation.description.into());
    }
    let parameters = parameters(operation);
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = &operation.body {
        fields.insert("requestBody".to_owned(), request_body(body));
    }
    let security = match operation.access {
        Access::Public => json!([]),
        Access::Authenticated | Access::AtLeast(_) => json!([{ "bearer": [] }]),
    };
    fields.insert("security".to_owned(), security);
    value
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let mut all: Vec<Value> = operation
        .path_params()
        .map(|name| {
            let schema = match name {
                "seq" | "version" => json!({ "type": "integer", "format": "int64", "minimum": 0 }),
                // As the format of flows has it.
                "name" => json!({ "type": "string", "minLength": 1, "maxLength": 63 }),
                "subject" => {
                    json!({ "type": "string", "minLength": 1, "maxLength": 200 })
                }
                _ => json!({ "type": "string", "format": "uuid" }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    all.extend(operation.query.iter().cloned());
    all.extend(operation.headers.iter().map(|(name, required, text)| {
        let schema = match *name {
            "If-Match" => {
                json!({ "type": "string", "pattern": "^\"[0-9]{1,18}(-[0-9]{1,18})?\"$" })
            }
            // A write can only want that there is nothing yet.
            "If-None-Match" if operation.method != "GET" => {
                json!({ "type": "string", "enum": ["*"] })
            }
            // What is no range is ignored, as RFC 9110 wants it.
            "Range" => json!({ "type": "string" }),
            "Last-Event-ID" => json!({ "type": "string", "pattern": "^[0-9]{1,18}$" }),
            // Compared with what there is; another one is no error.
            "If-None-Match" => json!({ "type": "string" }),
            _ => json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
        };
        json!({
            "name": name,
            "in": "header",
            "required": required,
            "description": text,
            "schema": schema,
        })
    }));
    all
}

fn request_body(body: &Body) -> Value {
    let mut content = json!({
        "schema": { "$ref": format!("#/components/schemas/{}", body.schema) },
    });
    if let (Some(example), Some(content)) = (&body.example, content.as_object_mut()) {
        content.insert("example".to_owned(), example.clone());
    }
    json!({ "required": true, "content": { "application/json": content } })
}

fn responses(operation: &Operation) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for answer in &operation.answers {
        all.insert(answer.status.to_string(), good(answer));
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes(operation) {
        by_status.entry(code.status()).or_default().push(code);
    }
    for (status, codes) in by_status {
        let texts: Vec<String> = codes
            .iter()
            .map(|code| format!("`{}`: {}", code.name(), code.title()))
            .collect();
        all.insert(
            status.to_string(),
            json!({
                "description": texts.join(". "),
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" },
                } },
            }),
        );
    }
    all
}

fn good(answer: &Answer) -> Value {
    match &answer.content {
        None => json!({ "description": answer.description }),
        Some((media, schema)) => {
            let content: BTreeMap<&str, Value> =
                BTreeMap::from([(*media, json!({ "schema": schema }))]);
            json!({ "description": answer.description, "content": content })
        }
    }
}

/// The codes that an operation can answer with.
fn codes(operation: &Operation) -> Vec<Code> {
    let mut codes = ALWAYS.to_vec();
    codes.extend(&operation.fails);
    let writes = operation.method != "GET";
    if operation.access != Access::Public {
        codes.extend([Code::Unauthenticated, Code::Forbidden, Code::CrossSite]);
    }
    codes.push(Code::NotFound);
    if writes {
        codes.extend([Code::Conflict, Code::TooLarge]);
    }
    if operation.body.is_some() {
        codes.extend([
            Code::MalformedJson,
            Code::InvalidBody,
            Code::UnsupportedMediaType,
            Code::RequestTimeout,
        ]);
    }
    for (name, _, _) in &operation.headers {
        codes.push(Code::InvalidHeader);
        match *name {
            "If-Match" => codes.extend([Code::StaleVersion, Code::VersionRequired]),
            "Idempotency-Key" => codes.push(Code::IdempotencyConflict),
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    codes.retain(|code| seen.insert(code.name()));
    codes
}
