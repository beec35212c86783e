//! The one JSON text of a flow: shorthands written out, keys sorted, nothing that was not given.
//! Nodes become a list with names, because JSON maps have no order and the order of nodes matters.
use serde_json::{Map, Value, json};

use super::{
    doc::{Content, Doc},
    nodes::RawNode,
};

pub(super) fn text(root: &Doc, raw: &[RawNode<'_>], start: &str) -> String {
    let mut map = without_nulls(root);
    let nodes = raw.iter().map(|raw| {
        let mut node = without_nulls(raw.doc);
        node.insert("name".to_owned(), raw.name.into());
        Value::Object(node)
    });
    map.insert("nodes".to_owned(), nodes.collect());
    map.insert("start".to_owned(), start.into());
    match root.get("edges").map(|doc| &doc.content) {
        Some(Content::List(items)) if !items.is_empty() => {
            map.insert("edges".to_owned(), items.iter().flat_map(edge).collect());
        }
        _ => {
            map.remove("edges");
        }
    }
    Value::Object(map).to_string()
}

fn without_nulls(doc: &Doc) -> Map<String, Value> {
    match doc.to_value() {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        _ => Map::new(),
    }
}

fn edge(doc: &Doc) -> Vec<Value> {
    match doc.as_text() {
        Some(chain) => {
            let ends: Vec<&str> = chain.split("->").map(str::trim).collect();
            ends.windows(2)
                .map(|pair| json!({"from": pair[0], "to": pair[1]}))
                .collect()
        }
        None => vec![Value::Object(without_nulls(doc))],
    }
}
