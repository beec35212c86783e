//! Projects: versions, names, deletion, restoring, purging, quotas, paging.
use runstone_testkit::on_every_database;
use serde_json::json;

use crate::harness::{AN_HOUR, DEFAULT, Service, greet, rounds};

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

    async fn names_are_as_long_as_the_documents_say_whatever_their_characters(service: &Service) {
        // Two UTF-16 units and four bytes each.
        let wide = "𝕏".repeat(200);
        let project = service.project(&wide).await;
        let path = format!("/projects/{project}");
        assert_eq!(service.get(&path).await.ok(200)["name"], json!(wide));
        let key = service.post("/keys", json!({ "name": wide, "role": "viewer" })).await.ok(201);
        assert_eq!(key["info"]["name"], json!(wide));
        let member = format!("{path}/members/{wide}");
        let put = service.call(&service.admin, "PUT", &member, Some(json!({ "role": "viewer" }))).await;
        assert_eq!(put.ok(200)["subject"], json!(wide));
        let members = service.get(&format!("{path}/members")).await.ok(200);
        assert_eq!(members["items"][0]["subject"], json!(wide));
        service.flow(&project, greet()).await;
        // The name of a label is as long as it may be as well: both are in one key.
        let name = "n".repeat(64);
        let start = json!({ "flow": "greet", "input": { "who": "Ada" }, "labels": { name.as_str(): wide } });
        let run = service.post(&format!("{path}/runs?wait=20s"), start).await.ok(200);
        assert_eq!(run["labels"][&name], json!(wide));
        let found = service.get(&format!("{path}/runs?label={name}%3D{wide}")).await.ok(200);
        assert_eq!(found["items"][0]["id"], run["id"]);
        for too_long in [json!({ "name": format!("{wide}x") }), json!({ "name": "" })] {
            assert_eq!(service.post("/projects", too_long).await.code(), "invalid_body");
        }
    }

    async fn a_member_may_be_called_what_looks_like_a_verb(service: &Service) {
        let path = |subject: &str| format!("/projects/{DEFAULT}/members/{subject}");
        let viewer = || Some(json!({ "role": "viewer" }));
        for subject in ["auth0:ada", "mail:a:b", "x:purge", "~ada", "a%3Ab"] {
            let put = service.call(&service.admin, "PUT", &path(subject), viewer()).await;
            assert_eq!(put.ok(200)["subject"], json!(subject.replace("%3A", ":")));
            let wrong = service.call(&service.admin, "PATCH", &path(subject), viewer()).await;
            assert_eq!((wrong.code().as_str(), wrong.header("allow")), ("method_not_allowed", "DELETE, PUT"));
        }
        let members = service.get(&format!("/projects/{DEFAULT}/members?total=true")).await.ok(200);
        assert_eq!(members["total"], 5);
        for subject in ["auth0:ada", "mail:a:b", "x:purge", "~ada", "a:b"] {
            service.call(&service.admin, "DELETE", &path(subject), None).await.ok(204);
        }
    }

    async fn settings_are_small(service: &Service) {
        let text = |bytes: usize| json!({ "name": "big", "settings": { "a": "x".repeat(bytes) } });
        let said = service.post("/projects", text(65_536)).await;
        assert_eq!((said.code().as_str(), &said.json()["errors"][0]["pointer"]), ("invalid_body", &json!("/settings")));
        service.post("/projects", text(65_000)).await.ok(201);
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

    async fn a_list_shows_at_once_what_another_server_has_changed(service: &Service) {
        let other = service.beside(&[]).await;
        let path = format!("/projects/{}", service.project("one").await);
        service.project("two").await;
        let listed = async |query: &str| {
            let items = service.get(&format!("/projects{query}")).await.ok(200)["items"].clone();
            // Each is the project as it is, whether it was read now or before.
            for item in items.as_array().unwrap() {
                let path = format!("/projects/{}", item["id"].as_str().unwrap());
                assert_eq!(*item, service.get(&path).await.ok(200), "{query}");
            }
            let names = items.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>().join(" ")
        };
        for _ in 0..2 {
            assert_eq!(listed("").await, "default one two");
            assert_eq!(listed("?sort=-name").await, "two one default");
        }
        let change = json!({ "name": "three", "settings": { "a": 1 } });
        other.write("PATCH", &path, "\"1\"", Some(change)).await.ok(200);
        assert_eq!(listed("").await, "default three two");
        other.write("DELETE", &path, "\"2\"", None).await.ok(204);
        assert_eq!(listed("").await, "default two");
        assert_eq!(listed("?deleted=true").await, "three");
        other.post(&format!("{path}:restore"), json!({})).await.ok(200);
        assert_eq!(listed("").await, "default three two");
        assert_eq!(listed("?deleted=true").await, "");
        let own = service.key(Some(path.strip_prefix("/projects/").unwrap()), "viewer").await;
        let seen = service.call(&own, "GET", "/projects?total=true", None).await.ok(200);
        assert_eq!((&seen["items"][0]["name"], &seen["items"][0]["version"], &seen["total"]), (&json!("three"), &json!(4), &json!(1)));
        other.stop().await;
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
    service.flow(&project, rounds(1, AN_HOUR)).await;
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
        let mut flow = rounds(1, AN_HOUR);
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
