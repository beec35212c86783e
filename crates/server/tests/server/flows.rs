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
        let read = service.get(&format!("{path}/greet")).await;
        let put = service.write("PUT", &format!("{path}/greet"), read.header("etag"), put).await;
        assert_eq!(put.ok(200)["version"], 2);
        assert_eq!(put.header("etag"), service.get(&format!("{path}/greet")).await.header("etag"));
        let wrong = service.call(key, "PUT", &format!("{path}/another"), Some(json!({ "definition": greet() }))).await;
        assert_eq!(wrong.code(), "invalid_body");
        let versions = service.get(&format!("{path}/greet/versions")).await.ok(200);
        assert_eq!(versions["items"][0]["version"], 2);
        assert_eq!(versions["items"][1]["version"], 1);
        let first = service.get(&format!("{path}/greet/versions/1")).await.ok(200);
        assert_eq!(first["definition"]["description"], json!(null));
        assert_eq!(service.get(&format!("{path}/greet/versions/3")).await.code(), "not_found");
        assert_eq!(service.get(&path).await.ok(200)["items"][0]["version"], 2);
        let delete = |etag| service.write("DELETE", "/projects/00000000-0000-7000-8000-000000000001/flows/greet", etag, None);
        assert_eq!(service.call(key, "DELETE", &format!("{path}/greet"), None).await.code(), "version_required");
        assert_eq!(delete("\"1\"").await.code(), "stale_version");
        delete("\"2\"").await.ok(204);
        assert_eq!(service.get(&format!("{path}/greet")).await.code(), "not_found");
    }

    async fn a_flow_is_changed_by_who_has_read_its_newest_version(service: &Service) {
        let path = format!("/projects/{DEFAULT}/flows/greet");
        let text = |says: &str| {
            let mut flow = greet();
            flow["description"] = json!(says);
            Some(json!({ "definition": flow }))
        };
        let conditional = async |name: &'static str, value: &str, body: Option<serde_json::Value>| {
            let request = service.request("PUT", &format!("/api/v1{path}")).bearer_auth(&service.admin);
            service.send(request.header(name, value).json(&body)).await
        };
        // There is nothing yet that could be lost.
        assert_eq!(conditional("If-Match", "\"1\"", text("one")).await.code(), "stale_version");
        assert_eq!(conditional("If-None-Match", "\"1\"", text("one")).await.code(), "invalid_header");
        let made = conditional("If-None-Match", "*", text("one")).await;
        assert_eq!((&made.ok(200)["version"], made.header("etag").starts_with("\"1-")), (&json!(1), true));
        let again = conditional("If-None-Match", "*", text("two")).await;
        assert_eq!((again.code().as_str(), &again.json()["version"]), ("stale_version", &json!(1)));
        let blind = service.call(&service.admin, "PUT", &path, text("two")).await;
        assert_eq!((blind.status.as_u16(), blind.code().as_str()), (428, "version_required"));
        let first = made.header("etag").to_owned();
        let second = conditional("If-Match", &first, text("two")).await;
        assert_eq!(second.ok(200)["version"], 2);
        let stale = conditional("If-Match", &first, text("three")).await;
        assert_eq!((stale.code().as_str(), &stale.json()["version"]), ("stale_version", &json!(2)));
        assert_eq!(stale.header("etag"), "\"2\"");
        // A text that is stored already makes no version: the newest one stays what it was.
        let old = conditional("If-Match", second.header("etag"), text("one")).await;
        assert_eq!((&old.ok(200)["version"], old.header("etag")), (&json!(1), second.header("etag")));
        assert_eq!(conditional("If-Match", "2", text("three")).await.code(), "invalid_header");
        assert_eq!(conditional("If-Match", "\"99999999999\"", text("three")).await.code(), "invalid_header");
    }

    async fn of_two_writers_of_one_version_exactly_one_wins(service: &Service) {
        let path = format!("/projects/{DEFAULT}/flows/greet");
        for round in 0..4_u32 {
            let writers = (0..8).map(|writer| {
                let mut flow = greet();
                flow["description"] = json!(format!("{round} {writer}"));
                // Two of them have the same text.
                flow["description"] = json!(format!("{round} {}", writer / 2));
                let put = Some(json!({ "definition": flow }));
                let path = path.clone();
                async move {
                    match round {
                        0 => service.call(&service.admin, "PUT", &path, put).await,
                        _ => service.write("PUT", &path, &format!("\"{round}\""), put).await,
                    }
                }
            });
            let all = futures::future::join_all(writers).await;
            let (won, lost): (Vec<_>, Vec<_>) = all.iter().partition(|said| said.status == 200);
            assert_eq!(won.len(), 1, "{:?}", all.iter().map(|said| &said.text).collect::<Vec<_>>());
            assert_eq!(won[0].json()["version"], round + 1);
            let code = if round == 0 { "version_required" } else { "stale_version" };
            assert!(lost.iter().all(|said| said.code() == code));
            let newest = service.get(&path).await.ok(200);
            assert_eq!(newest["definition"], won[0].json()["definition"]);
        }
        // Who deletes what somebody else changes at the same time has not both.
        for round in 0..4 {
            let newest = service.get(&path).await;
            let etag = newest.header("etag").to_owned();
            let mut flow = greet();
            flow["description"] = json!(format!("again {round}"));
            let put = service.write("PUT", &path, &etag, Some(json!({ "definition": flow })));
            let (put, deleted) = tokio::join!(put, service.write("DELETE", &path, &etag, None));
            let (put, deleted) = (put.status == 200, deleted.status == 204);
            assert!(put != deleted, "put {put}, deleted {deleted}");
            if deleted {
                service.flow(DEFAULT, greet()).await;
            }
        }
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
