//! Projects: versions, names, deletion, restoring, purging, quotas, paging.
use runstone_testkit::on_every_database;
use serde_json::json;

use crate::harness::{DEFAULT, Service, greet, rounds};

on_every_database! {
    async fn a_project_lives_and_dies(service: &Service) {
        let new = json!({ "name": "reviews", "description": "Ü", "settings": { "a": [1] } });
        let said = service.post("/projects", new.clone()).await;
        let made = said.ok(201);
        let path = format!("/projects/{}", made["id"].as_str().unwrap());
        assert_eq!(said.header("etag"), "\"1\"");
        assert_eq!(said.header("location"), format!("/api/v1{path}"));
        assert_eq!(service.post("/projects", new).await.code(), "conflict");

        let patch = |version: &str, body: serde_json::Value| {
            let request = service.request("PATCH", &format!("/api/v1{path}")).bearer_auth(&service.admin);
            let request = if version.is_empty() { request } else { request.header("If-Match", version) };
            service.send(request.json(&body))
        };
        assert_eq!(patch("", json!({})).await.code(), "version_required");
        assert_eq!(patch("1", json!({})).await.code(), "invalid_header");
        let changed = patch("\"1\"", json!({ "name": "Reviews" })).await;
        assert_eq!(changed.ok(200)["settings"], json!({ "a": [1] }));
        assert_eq!(changed.header("etag"), "\"2\"");
        let stale = patch("\"1\"", json!({ "name": "lost" })).await;
        assert_eq!((stale.code().as_str(), &stale.json()["version"]), ("stale_version", &json!(2)));
        assert_eq!(patch("\"2\"", json!({ "name": "default" })).await.code(), "conflict");

        service.flow(made["id"].as_str().unwrap(), greet()).await;
        let start = json!({ "flow": "greet", "input": { "who": "Ada" }, "labels": { "x": "y" } });
        service.post(&format!("{path}/runs?wait=10s"), start).await.ok(200);
        assert_eq!(service.post(&format!("{path}:purge"), json!({})).await.code(), "conflict");
        let delete = service.request("DELETE", &format!("/api/v1{path}")).bearer_auth(&service.admin);
        service.send(delete.header("If-Match", "\"2\"")).await.ok(204);
        assert_eq!(service.get(&format!("{path}/runs")).await.code(), "not_found");
        assert!(service.get(&path).await.ok(200)["deleted_at"].is_string());
        let deleted = service.get("/projects?deleted=true&total=true").await.ok(200);
        assert_eq!((deleted["total"].as_u64(), &deleted["items"][0]["name"]), (Some(1), &json!("Reviews")));
        service.post(&format!("{path}:restore"), json!({})).await.ok(200);
        assert_eq!(service.get(&format!("{path}/usage")).await.ok(200)["runs"], 1);
        let delete = service.request("DELETE", &format!("/api/v1{path}")).bearer_auth(&service.admin);
        service.send(delete.header("If-Match", "\"4\"")).await.ok(204);
        service.post(&format!("{path}:purge"), json!({})).await.ok(204);
        assert_eq!(service.get(&path).await.code(), "not_found");
    }

    async fn pages_of_projects_join_without_a_gap(service: &Service) {
        for number in 0..7 {
            service.project(&format!("p{number}")).await;
        }
        let (mut names, mut query) = (Vec::new(), "?limit=3&total=true".to_owned());
        loop {
            let page = service.get(&format!("/projects{query}")).await.ok(200);
            assert_eq!(page["total"], 8);
            let items = page["items"].as_array().unwrap();
            names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=3&total=true&cursor={cursor}");
        }
        assert_eq!(names, ["default", "p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
        let foreign = runstone_api::cursor::encode("runs", "created_at", DEFAULT);
        let said = service.get(&format!("/projects?cursor={foreign}")).await;
        assert_eq!(said.code(), "invalid_query");
    }
}

#[tokio::test]
async fn a_quota_holds() {
    let service = Service::with_keys().await;
    let new = json!({ "name": "small", "quotas": { "active_runs": 1, "flows": 1 } });
    let project = service.post("/projects", new).await.ok(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    service.flow(&project, rounds(1, 60_000)).await;
    let flows = format!("/projects/{project}/flows");
    let said = service.post(&flows, json!({ "definition": greet() })).await;
    assert_eq!(said.code(), "quota_exceeded");
    let runs = format!("/projects/{project}/runs");
    let first = service
        .post(&runs, json!({ "flow": "rounds" }))
        .await
        .ok(202);
    let said = service.post(&runs, json!({ "flow": "rounds" })).await;
    assert_eq!(said.code(), "quota_exceeded");
    assert_eq!(said.header("retry-after"), "5");
    // A refused batch does not use its key up.
    let once = |number: usize| {
        let body = json!({ "runs": vec![json!({ "flow": "rounds" }); number] });
        let request = service
            .request("POST", &format!("/api/v1{runs}:batch"))
            .bearer_auth(&service.admin);
        service.send(request.header("Idempotency-Key", "k").json(&body))
    };
    assert_eq!(once(2).await.code(), "quota_exceeded");
    assert_eq!(once(1).await.code(), "quota_exceeded");
    let run = format!("{runs}/{}", first["id"].as_str().unwrap());
    service
        .post(&format!("{run}:cancel"), json!({ "reason": "enough" }))
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_quota_holds_against_many_at_the_same_time() {
    let service = Service::with_keys().await;
    let new = json!({ "name": "small", "quotas": { "active_runs": 1, "flows": 2 } });
    let made = service.post("/projects", new).await.ok(201);
    let project = format!("/projects/{}", made["id"].as_str().unwrap());
    let flows = format!("{project}/flows");
    let store = (0..20).map(|number| {
        let mut flow = rounds(1, 60_000);
        flow["name"] = json!(format!("f{number}"));
        service.post(&flows, json!({ "definition": flow }))
    });
    let said = futures::future::join_all(store).await;
    let stored: Vec<_> = said.iter().filter(|said| said.status == 201).collect();
    assert_eq!(stored.len(), 2);
    let flow = stored[0].json()["name"].clone();
    let runs = format!("{project}/runs");
    let start = (0..20).map(|_| service.post(&runs, json!({ "flow": flow })));
    let said = futures::future::join_all(start).await;
    let started: Vec<_> = said.iter().filter(|said| said.status == 202).collect();
    assert_eq!(started.len(), 1);
    for said in said.iter().filter(|said| said.status != 202) {
        assert_eq!(said.code(), "quota_exceeded");
    }
    let run = format!("{runs}/{}", started[0].json()["id"].as_str().unwrap());
    let reason = json!({ "reason": "enough" });
    service.post(&format!("{run}:cancel"), reason).await;
    service.stop().await;
}
