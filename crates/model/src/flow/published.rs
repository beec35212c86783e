//! The JSON Schema of a flow file, for editors and other programs. It describes the shape; what
//! needs a view of the whole file (names, cycles, scopes) only validation can tell.
use serde_json::{Value, json};

use super::{
    edges::MOST_FIRINGS,
    nodes::{MOST_ATTEMPTS, MOST_PARALLEL},
};
use crate::{
    failure::Class,
    limits::MAX_STEPS,
    reducer::{Reducer, Type},
};

/// The JSON Schema (draft 2020-12) of a flow file.
#[must_use]
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Runstone flow",
        "description": "A workflow: nodes, the edges between them, and the state they share.",
        "type": "object",
        "required": ["runstone", "name", "nodes"],
        "additionalProperties": false,
        "properties": {
            "runstone": {"const": 1, "description": "Version of this format."},
            "name": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"},
            "description": {"type": "string"},
            "input": {"type": "object", "description": "JSON Schema of the input."},
            "state": {
                "type": "object",
                "description": "Every key that nodes may write.",
                "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]{0,62}$"},
                "additionalProperties": {"$ref": "#/$defs/state_key"},
            },
            "start": {"type": "string", "description": "The first node; default: the first listed."},
            "nodes": nodes(),
            "edges": {"type": "array", "items": {"$ref": "#/$defs/edge"}},
            "output": {"description": "What the run answers; default: the final state."},
            "limits": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "steps": {"type": "integer", "minimum": 1, "maximum": MAX_STEPS},
                    "duration": {"$ref": "#/$defs/duration"},
                },
            },
            "durability": {"const": "sync", "default": "sync"},
        },
        "$defs": {
            "state_key": state_key(),
            "node": node(),
            "retry": retry(),
            "edge": edge(),
            "route_line": route_line(),
            "duration": {
                "type": "string",
                "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
                "minLength": 2,
                "examples": ["200ms", "30s", "1h30m", "2d"],
            },
            "condition": {
                "type": ["string", "boolean"],
                "description": "An expression without ${{ }}.",
            },
        },
    })
}

fn nodes() -> Value {
    json!({
        "description": "The nodes by name, or a list of nodes with a `name`.",
        "oneOf": [
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_-]{0,62}$",
                    "not": {"enum": ["end", "fail"]}},
                "additionalProperties": {"$ref": "#/$defs/node"},
            },
            {
                "type": "array",
                "minItems": 1,
                "items": {"allOf": [{"$ref": "#/$defs/node"}, {"required": ["name"]}]},
            },
        ],
    })
}

fn state_key() -> Value {
    let names = Type::NAMES;
    json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": {
            "type": {"oneOf": [
                {"enum": names},
                {"type": "array", "minItems": 1, "items": {"anyOf": [{"enum": names}, {"type": "null"}]}},
            ]},
            "reducer": {"enum": Reducer::ALL.map(Reducer::name), "default": "replace"},
            "default": {},
            "description": {"type": "string"},
        },
    })
}

fn node() -> Value {
    json!({
        "type": "object",
        "required": ["uses"],
        "additionalProperties": false,
        "properties": {
            "uses": {"type": "string", "description": "The node kind."},
            "description": {"type": "string"},
            "if": {"$ref": "#/$defs/condition"},
            "for_each": {"type": ["array", "string"], "description": "Run once for each item."},
            "max_parallel": {"type": "integer", "minimum": 1, "maximum": MOST_PARALLEL},
            "on_item_error": {"enum": ["fail", "continue"], "default": "fail"},
            "with": {"type": ["object", "string"], "description": "The kind's input."},
            "out": {"type": ["object", "string"],
                "description": "State keys and what they get from `result`."},
            "retry": {"$ref": "#/$defs/retry"},
            "timeout": {"$ref": "#/$defs/duration"},
            "on_error": {"default": "fail", "oneOf": [
                {"enum": ["fail", "continue"]},
                {"type": "object", "required": ["goto"], "additionalProperties": false,
                    "properties": {"goto": {"type": "string"}}},
            ]},
            "join": {"enum": ["all", "each", "first"], "default": "all"},
            "route": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/route_line"}},
            "name": {"type": "string", "description": "Only in a list of nodes."},
        },
    })
}

fn retry() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "max_attempts": {"type": "integer", "minimum": 1, "maximum": MOST_ATTEMPTS,
                "default": super::nodes::DEFAULT_ATTEMPTS},
            "initial": {"$ref": "#/$defs/duration", "default": "200ms"},
            "factor": {"type": "number", "minimum": 1, "maximum": 100, "default": 2},
            "max": {"$ref": "#/$defs/duration", "default": "30s"},
            "jitter": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.2},
            "on": {"type": "array", "items": {"enum": Class::ALL.map(Class::name)}},
        },
    })
}

fn edge() -> Value {
    json!({"oneOf": [
        {"type": "string", "pattern": "->", "examples": ["first -> second -> end"]},
        {
            "type": "object",
            "required": ["from", "to"],
            "additionalProperties": false,
            "properties": {
                "from": {"type": "string"},
                "to": {"type": "string", "description": "A node, `end` or `fail`."},
                "when": {"$ref": "#/$defs/condition"},
                "else": {"const": true},
                "max": {"type": "integer", "minimum": 1, "maximum": MOST_FIRINGS},
                "message": {"type": "string", "description": "Only on an edge to `fail`."},
            },
        },
    ]})
}

fn route_line() -> Value {
    json!({
        "type": "object",
        "required": ["to"],
        "additionalProperties": false,
        "properties": {
            "when": {"$ref": "#/$defs/condition"},
            "to": {"type": "string"},
            "max": {"type": "integer", "minimum": 1, "maximum": MOST_FIRINGS},
            "message": {"type": "string"},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{
        edges::{EDGE_KEYS, ROUTE_KEYS},
        nodes::{NODE_KEYS, RETRY_KEYS},
        read::{LIMIT_KEYS, TOP_KEYS},
        state::STATE_KEYS,
    };

    #[test]
    fn the_schema_has_exactly_the_keys_that_are_read() {
        let schema = json_schema();
        let parts: [(&str, &[&str]); 7] = [
            ("/properties", &TOP_KEYS),
            ("/properties/limits/properties", &LIMIT_KEYS),
            ("/$defs/state_key/properties", &STATE_KEYS),
            ("/$defs/node/properties", &NODE_KEYS),
            ("/$defs/retry/properties", &RETRY_KEYS),
            ("/$defs/edge/oneOf/1/properties", &EDGE_KEYS),
            ("/$defs/route_line/properties", &ROUTE_KEYS),
        ];
        for (pointer, keys) in parts {
            let described = schema.pointer(pointer).and_then(Value::as_object);
            let mut described: Vec<&str> = described
                .into_iter()
                .flatten()
                .map(|(key, _)| key.as_str())
                .collect();
            let mut keys = keys.to_vec();
            described.sort_unstable();
            keys.sort_unstable();
            assert_eq!(described, keys, "{pointer}");
        }
    }
}
