//! One operation of the API as data: what the router, the OpenAPI document, the page of
//! documentation and the isolation tests are made of.
use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema, openapi::path::ParameterIn};

use crate::{Access, BASE, Code};

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The whole path, as in `/api/v1/projects/{project}/runs/{run}:cancel`.
    pub path: String,
    /// The stable name, as in `runs.cancel`; its first part is the area.
    pub id: &'static str,
    /// Who may call it.
    pub access: Access,
    /// One line.
    pub summary: &'static str,
    /// What is worth knowing besides; empty when nothing is.
    pub description: &'static str,
    /// Query parameters as OpenAPI has them.
    pub query: Vec<Value>,
    /// Headers it reads: name, required, description.
    pub headers: Vec<(&'static str, bool, &'static str)>,
    /// The schema of the body, whether one is required, and a real example.
    pub body: Option<Body>,
    /// What it answers when it goes well.
    pub answers: Vec<Answer>,
    /// Errors that do not follow from its shape.
    pub fails: Vec<Code>,
    /// Schemas that the others refer to, by name.
    pub schemas: BTreeMap<String, Value>,
    /// The handler itself bounds how long it takes.
    pub unhurried: bool,
    /// It also reaches deleted projects.
    pub reaches_deleted: bool,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Body {
    /// The name of its schema.
    pub schema: String,
    /// A real example.
    pub example: Option<Value>,
}

/// A good answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What it means.
    pub description: &'static str,
    /// Its media type and schema; None for no body.
    pub content: Option<(&'static str, Value)>,
}

impl Operation {
    /// An operation below `/api/v1`.
    #[must_use]
    pub fn new(method: &'static str, path: &str, id: &'static str, access: Access) -> Self {
        Self::outside(method, &format!("{BASE}{path}"), id, access)
    }

    /// An operation at exactly this path.
    #[must_use]
    pub fn outside(method: &'static str, path: &str, id: &'static str, access: Access) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id,
            access,
            summary: "",
            description: "",
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            answers: Vec::new(),
            fails: Vec::new(),
            schemas: BTreeMap::new(),
            unhurried: false,
            reaches_deleted: false,
        }
    }

    /// The area it belongs to: the first part of its name.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }

    /// Whether the path names a project.
    #[must_use]
    pub fn in_project(&self) -> bool {
        self.path.contains("{project}")
    }

    /// The names between braces.
    pub fn path_params(&self) -> impl Iterator<Item = &str> {
        self.path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
    }

    /// A reference to the schema of `T`, which is noted with everything it refers to.
    pub fn refer<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        let mut all = vec![(name.clone(), T::schema())];
        T::schemas(&mut all);
        for (name, schema) in all {
            let schema = serde_json::to_value(schema).unwrap_or_default();
            self.schemas.entry(name).or_insert(schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// The query parameters of `T`.
    pub fn add_query<T: IntoParams>(&mut self) {
        self.query.extend(query_parameters::<T>());
    }
}

/// The query parameters of `T` as OpenAPI has them. One that may be left out is never `null`: a
/// query knows no such value.
#[must_use]
pub fn query_parameters<T: IntoParams>() -> Vec<Value> {
    let parameters = T::into_params(|| Some(ParameterIn::Query));
    let mut values: Vec<Value> = parameters
        .into_iter()
        .map(|parameter| serde_json::to_value(parameter).unwrap_or_default())
        .collect();
    for value in &mut values {
        if let Some(Value::Array(kinds)) = value.pointer("/schema/type").cloned() {
            let kind = kinds.into_iter().find(|kind| kind != "null");
            value["schema"]["type"] = kind.unwrap_or_default();
        }
    }
    values
}
