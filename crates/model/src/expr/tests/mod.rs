//! Tests of expressions: the page of the documentation, errors as people see them, templates,
//! caps and laws. This file holds what they share.
#![expect(clippy::unwrap_used, reason = "tests")]
mod docs;
mod errors;
mod laws;
mod limits;
mod templates;
mod values;

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{EvalError, Expr, Root, Scope};

/// A scope over one JSON object: its members are the roots.
pub(super) struct Roots(pub(super) Value);

impl Scope for Roots {
    fn get(&self, root: Root, member: Option<&str>) -> Option<Cow<'_, Value>> {
        let whole = self.0.get(root.name())?;
        match member {
            None => Some(Cow::Borrowed(whole)),
            Some(name) => whole.get(name).map(Cow::Borrowed),
        }
    }
}

pub(super) fn roots() -> Roots {
    Roots(json!({
        "input": {"threshold": 70, "huge": u64::MAX, "items": [1, 2, 3.5]},
        "state": {
            "score": 60, "empty": null, "title": "héllo", "value": {"a": {"b": [10, 20]}},
            "list": [{"id": 1, "n": "x"}, {"id": 2, "n": "y"}],
        },
        "results": {"n3": {"ok": true}, "a-b": {"x": 1}},
        "secrets": {"key": "hunter2"},
        "result": {"a": {"b": 5}},
        "index": 3,
    }))
}

pub(super) fn eval(source: &str) -> Result<Value, EvalError> {
    Expr::parse(source).unwrap().eval(&roots())
}
