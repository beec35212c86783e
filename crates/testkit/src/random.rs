//! Random flows for simulation and differential runs: branches, joins, loops, maps, failures that
//! are retried, failures that are handled. The same seed gives the same flow.
use rand::{RngExt as _, SeedableRng as _, seq::IteratorRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

/// A valid flow document whose nodes are of the kind `sim.work`.
#[must_use]
pub fn flow(seed: u64) -> Value {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let size = rng.random_range(2..8);
    let mut forward: Vec<(usize, usize)> = Vec::new();
    for to in 1..size {
        let sources = 1 + usize::from(rng.random_bool(0.5));
        for from in (0..to).sample(&mut rng, sources) {
            forward.push((from, to));
        }
    }
    let back: Vec<(usize, usize)> = (0..rng.random_range(0..3))
        .map(|_| {
            let from = rng.random_range(1..size);
            (from, rng.random_range(0..=from))
        })
        .filter(|(from, to)| leads(&forward, *to, *from))
        .collect();
    let mut nodes = Map::new();
    for n in 0..size {
        nodes.insert(name(n), node(&mut rng, n));
    }
    let mut edges = Vec::new();
    for from in 0..size {
        let mine: Vec<usize> = forward
            .iter()
            .filter(|e| e.0 == from)
            .map(|e| e.1)
            .collect();
        let mut rounds: Vec<usize> = back.iter().filter(|e| e.0 == from).map(|e| e.1).collect();
        rounds.sort_unstable();
        rounds.dedup();
        let mut certain = false;
        for to in mine {
            certain |= rng.random_bool(0.5);
            edges.push(if certain {
                json!({"from": name(from), "to": name(to)})
            } else {
                let when = format!(
                    "(visits.{} + {to}) % 2 == {}",
                    name(from),
                    rng.random_range(0..2)
                );
                json!({"from": name(from), "to": name(to), "when": when})
            });
        }
        for to in &rounds {
            let when = "true";
            let max = rng.random_range(1..3);
            edges.push(json!({"from": name(from), "to": name(*to), "when": when, "max": max}));
        }
        if !certain && edges.iter().any(|edge| edge["from"] == name(from)) {
            edges.push(json!({"from": name(from), "to": "end", "else": true}));
        }
    }
    json!({
        "runstone": 1, "name": "random", "start": name(0),
        "state": {
            "log": {"type": "array", "reducer": "append"},
            "best": {"type": "number", "reducer": "max"},
        },
        "nodes": nodes, "edges": edges,
        "output": {"log": "${{ state.log }}", "best": "${{ state.best }}"},
        "limits": {"steps": 300},
    })
}

/// Whether `from` is `to` or leads there.
fn leads(edges: &[(usize, usize)], from: usize, to: usize) -> bool {
    from == to
        || edges
            .iter()
            .any(|edge| edge.0 == from && leads(edges, edge.1, to))
}

fn name(n: usize) -> String {
    format!("n{n}")
}

fn node(rng: &mut ChaCha8Rng, n: usize) -> Value {
    let mut node = json!({
        "uses": "sim.work",
        "with": {"seen": "${{ state.log }}", "visits": "${{ visits }}", "results": "${{ results }}"},
        "out": {"log": "${{ [result.at, result.seen] }}", "best": "${{ result.score }}"},
        "retry": {"max_attempts": 4, "initial": "20ms"},
    });
    match rng.random_range(0..8) {
        0 => {
            node["for_each"] = json!([1, 2, 3]);
            node["max_parallel"] = json!(rng.random_range(1..4));
            node["on_item_error"] = json!("continue");
            node["with"]["item"] = json!("${{ item }}");
        }
        1 => {
            node["with"]["broken"] = json!(true);
            node["on_error"] = json!("continue");
        }
        2 => node["if"] = json!(format!("visits.{} % 2 == 1", name(n))),
        3 => node["timeout"] = json!("10s"),
        4 => node["uses"] = json!("sim.now"),
        _ => {}
    }
    node
}
