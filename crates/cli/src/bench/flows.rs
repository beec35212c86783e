//! The flows that are measured: made of `set`, so that every program can go on with them.
use serde_json::{Value, json};

use super::Scenario;

/// A JSON value of about `bytes` bytes with a counter.
pub(super) fn value(bytes: usize) -> Value {
    json!({"n": 0, "text": "x".repeat(bytes.saturating_sub(18))})
}

/// The same with text that does not compress well: hexadecimal digits of a seeded generator.
pub(super) fn noise(bytes: usize) -> Value {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = String::new();
    while text.len() < bytes.saturating_sub(18) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        text.push_str(&format!("{seed:016x}"));
    }
    json!({"n": 0, "text": text})
}

/// The flow of a scenario.
pub(super) fn flow(scenario: Scenario, steps: usize) -> Value {
    match scenario {
        Scenario::Fanout => fanout(steps),
        Scenario::Storage => appending(steps),
        Scenario::Chain | Scenario::Start | Scenario::Api => chain(scenario.name(), steps),
    }
}

/// Takes the value and writes it back with its counter raised.
fn count(from: &str) -> Value {
    let value = json!({
        "n": format!("${{{{ {from}.n + 1 }}}}"),
        "text": format!("${{{{ {from}.text }}}}"),
    });
    json!({"uses": "set", "with": {"value": value}})
}

fn chain(name: &str, steps: usize) -> Value {
    let nodes: serde_json::Map<String, Value> = (1..=steps)
        .map(|n| {
            (
                node(n),
                count(if n == 1 { "input.value" } else { "state.value" }),
            )
        })
        .collect();
    let edges: Vec<Value> = (1..steps)
        .map(|n| json!({"from": node(n), "to": node(n + 1)}))
        .collect();
    json!({
        "runstone": 1, "name": format!("bench_{name}"), "start": node(1),
        "state": {"value": {"type": "object"}},
        "nodes": nodes, "edges": edges,
        "output": {"n": "${{ state.value.n }}"},
        "limits": {"steps": 1_000_000},
    })
}

fn node(n: usize) -> String {
    format!("s{n:05}")
}

fn fanout(branches: usize) -> Value {
    let branch = |n: usize| {
        let with = json!({"total": 1, "last": "${{ input.value }}"});
        (node(n), json!({"uses": "set", "with": with}))
    };
    let mut nodes: serde_json::Map<String, Value> = (1..=branches).map(branch).collect();
    let plain = json!({"uses": "set", "with": {"last": "${{ input.value }}"}});
    nodes.insert("begin".to_owned(), plain.clone());
    nodes.insert("join".to_owned(), plain);
    let edges: Vec<Value> = (1..=branches)
        .flat_map(|n| {
            [
                json!({"from": "begin", "to": node(n)}),
                json!({"from": node(n), "to": "join"}),
            ]
        })
        .collect();
    json!({
        "runstone": 1, "name": "bench_fanout", "start": "begin",
        "state": {"total": {"type": "number", "reducer": "add"}, "last": {"reducer": "merge"}},
        "nodes": nodes, "edges": edges,
        "output": {"n": "${{ state.total }}"},
        "limits": {"steps": 1_000_000},
    })
}

/// One node that appends to the state, `steps` times.
fn appending(steps: usize) -> Value {
    json!({
        "runstone": 1, "name": "bench_storage", "start": "append",
        "state": {"items": {"type": "array", "reducer": "append"}},
        "nodes": {"append": {
            "uses": "set",
            "with": {"items": [
                {"n": "${{ visits.append }}", "text": "${{ input.value.text }}"},
            ]},
        }},
        "edges": [
            {"from": "append", "to": "append", "when": format!("visits.append < {steps}")},
            {"from": "append", "to": "end", "else": true},
        ],
        "output": {"n": "${{ size(state.items) }}"},
        "limits": {"steps": 1_000_000},
    })
}
