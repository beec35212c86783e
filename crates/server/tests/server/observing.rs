//! What an operator sees: metrics as documented, statements by name, never a value.
use std::collections::{BTreeMap, BTreeSet};

use runstone_server::metrics::{METRICS, Metric, MetricKind};
use serde_json::json;

use crate::harness::{DEFAULT, Service, greet};

/// The numbers of `/metrics`: a name with its labels, and its value.
pub(crate) async fn numbers(service: &Service) -> BTreeMap<String, f64> {
    let request = service.request("GET", "/metrics");
    let said = service.send(request.bearer_auth(&service.admin)).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let lines = said.text.lines().filter(|line| !line.starts_with('#'));
    let split = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(split).collect()
}

/// A run that has ended.
async fn run(service: &Service) {
    let path = format!("/projects/{DEFAULT}/runs?wait=30s");
    let start = json!({ "flow": "greet", "input": { "who": "Ada" } });
    let ended = service.post(&path, start).await.ok(200);
    assert_eq!(ended["status"], "completed");
}

#[tokio::test]
async fn every_metric_is_told_under_its_name_and_kind_and_no_other_is() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, greet()).await;
    run(&service).await;
    let request = service.request("GET", "/metrics");
    let said = service.send(request.bearer_auth(&service.admin)).await;
    let types = said.text.lines().filter_map(|l| l.strip_prefix("# TYPE "));
    let types: Vec<&str> = types.collect();
    let listed: Vec<String> = METRICS
        .iter()
        .map(|metric| format!("{} {}", metric.name, metric.kind.name()))
        .collect();
    assert_eq!(types, listed);

    let base = |name: &String| {
        let name = name.split('{').next().unwrap_or_default();
        let of = |end: &str| {
            let base = name.strip_suffix(end)?;
            let is = |m: &&Metric| m.name == base && m.kind == MetricKind::Histogram;
            METRICS.iter().find(is).map(|metric| metric.name.to_owned())
        };
        let part = ["_bucket", "_sum", "_count"].into_iter().find_map(of);
        part.unwrap_or_else(|| name.to_owned())
    };
    let told: BTreeSet<String> = numbers(&service).await.keys().map(base).collect();
    let listed: BTreeSet<String> = METRICS.iter().map(|m| m.name.to_owned()).collect();
    assert_eq!(
        told, listed,
        "each has a number once a request was answered"
    );
    service.stop().await;
}

#[tokio::test]
async fn requests_runs_steps_and_commits_are_counted() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, greet()).await;
    let before = numbers(&service).await;
    run(&service).await;
    run(&service).await;
    service.get("/projects/nobody").await;
    let after = numbers(&service).await;
    let grown = |name: &str| after.get(name).unwrap_or(&0.0) - before.get(name).unwrap_or(&0.0);
    assert_eq!(grown("runstone_runs_started_total"), 2.0);
    assert_eq!(
        grown("runstone_runs_ended_total{status=\"completed\"}"),
        2.0
    );
    assert_eq!(grown("runstone_steps_total{outcome=\"completed\"}"), 2.0);
    assert_eq!(grown("runstone_step_seconds_count"), 2.0);
    assert!(
        grown("runstone_commit_seconds_count") >= 4.0,
        "start and end of each"
    );
    let commits = grown("runstone_commit_size_sum");
    assert!(commits >= grown("runstone_commit_size_count"), "{commits}");
    let starts = "method=\"POST\",route=\"/api/v1/projects/{project}/runs\",status=\"200\"";
    let starts = format!("runstone_http_request_seconds_count{{{starts}}}");
    assert_eq!(grown(&starts), 2.0);
    let id_free = |name: &String| !name.contains(DEFAULT) && !name.contains("nobody");
    assert!(after.keys().all(id_free), "labels have no ids");
    assert_eq!(after["runstone_runs_live"], 0.0);
    assert_eq!(after["runstone_commit_queue"], 0.0);
    service.stop().await;
}

#[tokio::test]
async fn statements_are_told_by_name_and_without_values() {
    let service = Service::with(&[("log.slow_statement_ms", "1")]).await;
    service.project("a-name-that-is-a-value").await;
    let said = service.get("/database").await;
    let told = said.ok(200);
    assert!(!said.text.contains("a-name-that-is-a-value"));
    let statements = told["statements"].as_array().unwrap();
    assert!((1..=20).contains(&statements.len()));
    let ms = |statement: &serde_json::Value| statement["max_ms"].as_f64().unwrap();
    assert!(
        statements.is_sorted_by(|a, b| ms(a) >= ms(b)),
        "the longest first"
    );
    for statement in statements {
        let name = statement["name"].as_str().unwrap();
        assert!(name == "commit" || name.contains('.'), "{name}");
        let count = statement["count"].as_u64().unwrap();
        assert!(count > 0 && ms(statement) >= statement["mean_ms"].as_f64().unwrap());
    }
    service.stop().await;
}
