//! The join rule against its reference model: random flows, each under several random completion
//! orders. Every node starts as often as the reference says, and the output is the same to the byte.
#![expect(clippy::unwrap_used, reason = "tests")]
mod play;

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use play::{Rng, Script, play};
use runstone_model::run::{RunEnd, Status};
use serde_json::{Value, json};

const ORDERS: u64 = 8;

fn flow(case: &Value) -> Value {
    let size = case["size"].as_u64().unwrap();
    let mut edges = Vec::new();
    for node in 0..size {
        let mine: Vec<&Value> = case["edges"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["from"] == node)
            .collect();
        for edge in &mine {
            let to = format!("n{:02}", edge["to"].as_u64().unwrap());
            edges.push(if edge["always"] == true {
                json!({"from": format!("n{node:02}"), "to": to})
            } else {
                let when = format!("visits.n{node:02} in {}", edge["visits"]);
                json!({"from": format!("n{node:02}"), "to": to, "when": when})
            });
        }
        if !mine.is_empty() && mine.iter().all(|edge| edge["always"] == false) {
            edges.push(json!({"from": format!("n{node:02}"), "to": "end", "else": true}));
        }
    }
    let nodes: serde_json::Map<String, Value> = (0..size)
        .map(|n| {
            let out = json!({"log": "${{ result.at }}", "seen": "${{ result.seen }}"});
            let with = json!({"seen": "${{ state.log }}", "visits": "${{ visits }}"});
            (
                format!("n{n:02}"),
                json!({"uses": "test", "with": with, "out": out}),
            )
        })
        .collect();
    json!({
        "runstone": 1, "name": "random", "start": "n00",
        "state": {
            "log": {"type": "array", "reducer": "append"},
            "seen": {"type": "array", "reducer": "append"},
        },
        "nodes": nodes, "edges": edges,
    })
}

/// Each step writes its name and what it saw, so that any difference in views is in the output.
fn script() -> Script {
    Script::new(|step, with| {
        let seen = blake3::hash(with.to_string().as_bytes()).to_hex()[..8].to_owned();
        Ok(json!({"at": format!("{}#{}", step.name, step.visit), "seen": seen}))
    })
}

fn agree(case: &Value) {
    let flow = play::flow(&flow(case));
    let starts: Vec<u64> = case["starts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .collect();
    let mut first: Option<Value> = None;
    for order in 0..ORDERS {
        let run = play(&flow, json!({}), &script(), &mut Rng::new(order));
        assert_eq!(
            run.status,
            Status::Completed,
            "seed {}: {:?}",
            case["seed"],
            run.end
        );
        assert_eq!(run.starts, starts, "seed {} order {order}", case["seed"]);
        let Some(RunEnd::Completed(output)) = &run.end else {
            unreachable!()
        };
        let first = first.get_or_insert_with(|| Value::clone(output));
        assert_eq!(
            first.to_string(),
            output.to_string(),
            "seed {} order {order}",
            case["seed"]
        );
    }
}

#[test]
fn slow_random_flows_agree_with_the_reference() {
    let flows = std::env::var("RUNSTONE_JOIN_FLOWS").unwrap_or_else(|_| "10000".to_owned());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference");
    let mut reference = Command::new("python3")
        .args(["export.py", "0", &flows])
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::sync::Mutex::new(BufReader::new(reference.stdout.take().unwrap()).lines());
    let checked = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let Some(line) = lines.lock().unwrap().next() else {
                        return;
                    };
                    let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
                    if case.get("left_out").is_none() {
                        agree(&case);
                        checked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(reference.wait().unwrap().success());
    let checked = checked.into_inner();
    println!("{checked} of {flows} flows agree under {ORDERS} completion orders each");
    assert!(
        checked >= flows.parse::<u64>().unwrap() * 9 / 10,
        "too many hit the step limit"
    );
}
