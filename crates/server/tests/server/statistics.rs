//! What became of a flow's runs.
use runstone_testkit::on_every_database;
use serde_json::json;

use crate::harness::{DEFAULT, Service};

/// A flow that fails unless its input says otherwise.
fn judge(text: &str) -> serde_json::Value {
    json!({
        "runstone": 1, "name": "judge", "description": text,
        "input": { "type": "object", "properties": { "good": { "type": "boolean" } } },
        "start": "judge",
        "nodes": { "judge": { "uses": "assert", "with": { "that": "${{ input.good }}", "message": "bad" } } },
        "edges": ["judge -> end"],
    })
}

async fn run(service: &Service, good: bool) {
    let path = format!("/projects/{DEFAULT}/runs?wait=30s");
    let start = json!({ "flow": "judge", "input": { "good": good } });
    let ended = service.post(&path, start).await.ok(200);
    assert_eq!(ended["status"], if good { "completed" } else { "failed" });
}

on_every_database! {
    async fn runs_are_summed_by_status_and_version(service: &Service) {
        let path = format!("/projects/{DEFAULT}/flows/judge/statistics");
        assert_eq!(service.get(&path).await.code(), "not_found");
        service.flow(DEFAULT, judge("one")).await;
        let empty = service.get(&path).await.ok(200);
        assert_eq!((&empty["all"]["count"], &empty["versions"]), (&json!(0), &json!([])));
        assert_eq!((&empty["all"]["success_rate"], &empty["all"]["p95_ms"]), (&json!(null), &json!(null)));
        for good in [true, true, true, false] {
            run(service, good).await;
        }
        service.flow(DEFAULT, judge("two")).await;
        run(service, true).await;
        let told = service.get(&path).await.ok(200);
        assert_eq!((&told["flow"], &told["truncated"]), (&json!("judge"), &json!(false)));
        let all = &told["all"];
        assert_eq!(all["by_status"], json!({ "completed": 4, "failed": 1 }));
        assert_eq!((&all["count"], &all["success_rate"]), (&json!(5), &json!(0.8)));
        assert_eq!(all["steps"], 5);
        let ms = |name: &str| all[name].as_f64().unwrap();
        assert!(0.0 < ms("p50_ms") && ms("p50_ms") <= ms("p95_ms") && ms("p95_ms") <= ms("max_ms"), "{all}");
        assert!(ms("mean_ms") <= ms("max_ms"));
        let versions = told["versions"].as_array().unwrap();
        let counts: Vec<_> = versions.iter().map(|v| (v["version"].clone(), v["runs"]["count"].clone())).collect();
        assert_eq!(counts, [(json!(2), json!(1)), (json!(1), json!(4))]);
        assert_eq!(versions[1]["runs"]["success_rate"], 0.75);
    }
}

#[tokio::test]
async fn the_window_is_what_was_asked_for() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, judge("one")).await;
    run(&service, true).await;
    let path = format!("/projects/{DEFAULT}/flows/judge/statistics");
    let count = async |query: &str| {
        service.get(&format!("{path}?{query}")).await.ok(200)["all"]["count"].clone()
    };
    assert_eq!(count("since=2020-01-01T00:00:00Z").await, 1);
    assert_eq!(count("until=2020-01-01T00:00:00Z").await, 0);
    assert_eq!(
        count("since=2100-01-01T00:00:00Z&until=2101-01-01T00:00:00Z").await,
        0
    );
    for wrong in ["since=x", "until=x", "since=2100-01-01T00:00:00Z", "from=x"] {
        let said = service.get(&format!("{path}?{wrong}")).await;
        assert_eq!(said.code(), "invalid_query", "{wrong}");
    }
    let other = service.project("other").await;
    let theirs = format!("/projects/{other}/flows/judge/statistics");
    assert_eq!(service.get(&theirs).await.code(), "not_found");
    service.stop().await;
}
