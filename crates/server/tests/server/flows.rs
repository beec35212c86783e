//! Flows: versions, problems, pictures.
use runstone_testkit::on_every_database;
use serde_json::json;

use crate::harness::{DEFAULT, Service, greet};

on_every_database! {
    async fn a_flow_keeps_every_version(service: &Service) {
        let path = format!("/projects/{DEFAULT}/flows");
        let body = json!({ "definition": greet() });
        assert_eq!(service.post(&path, body.clone()).await.ok(201)["version"], 1);
        assert_eq!(service.post(&path, body).await.ok(201)["version"], 1);
        let mut other = greet();
        other["description"] = json!("Greets");
        let put = Some(json!({ "definition": other.to_string() }));
        let key = &service.admin;
        let put = service.call(key, "PUT", &format!("{path}/greet"), put).await;
        assert_eq!(put.ok(200)["version"], 2);
        let wrong = service.call(key, "PUT", &format!("{path}/another"), Some(json!({ "definition": greet() }))).await;
        assert_eq!(wrong.code(), "invalid_body");
        let versions = service.get(&format!("{path}/greet/versions")).await.ok(200);
        assert_eq!(versions["items"][0]["version"], 2);
        assert_eq!(versions["items"][1]["version"], 1);
        let first = service.get(&format!("{path}/greet/versions/1")).await.ok(200);
        assert_eq!(first["definition"]["description"], json!(null));
        assert_eq!(service.get(&format!("{path}/greet/versions/3")).await.code(), "not_found");
        assert_eq!(service.get(&path).await.ok(200)["items"][0]["version"], 2);
        service.call(key, "DELETE", &format!("{path}/greet"), None).await.ok(204);
        assert_eq!(service.get(&format!("{path}/greet")).await.code(), "not_found");
    }
}

#[tokio::test]
async fn all_problems_of_a_flow_come_at_once_with_their_places() {
    let service = Service::with_keys().await;
    let text = "runstone: 1\nname: broken\nstart: nowhere\nnodes:\n  a: {uses: nothing}\nedges:\n  - a -> b\n";
    let path = format!("/projects/{DEFAULT}/flows");
    let said = service.post(&path, json!({ "definition": text })).await;
    assert_eq!(said.code(), "invalid_flow");
    let errors = said.json()["errors"].as_array().unwrap().clone();
    assert!(errors.len() >= 3, "{errors:#?}");
    assert!(
        errors
            .iter()
            .all(|error| error["line"].is_u64() && error["code"].is_string())
    );
    let checked = service
        .post(&format!("{path}:validate"), json!({ "definition": text }))
        .await
        .ok(200);
    assert_eq!(
        (checked["valid"].as_bool(), checked["problems"].as_array()),
        (Some(false), Some(&errors))
    );
    service.flow(DEFAULT, greet()).await;
    let graph = service.get(&format!("{path}/greet/graph")).await.ok(200);
    assert_eq!(graph["edges"], json!([{ "from": "greet", "to": "end" }]));
    for (format, begins) in [
        ("mermaid", "flowchart"),
        ("dot", "digraph"),
        ("svg", "<svg"),
    ] {
        let said = service
            .get(&format!("{path}/greet/graph?format={format}"))
            .await;
        assert!(said.text.contains(begins), "{}", said.text);
    }
    service.stop().await;
}
