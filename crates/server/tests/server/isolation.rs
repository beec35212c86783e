//! R9, generated from the table of routes, so that no new route can be forgotten: without a key
//! every route is 401; another project's key finds nothing; a lesser role is refused.
use std::collections::BTreeMap;

use runstone_api::{Access, Operation, Role};
use runstone_server::routes;
use serde_json::Value;

use crate::harness::{Said, Service, greet};

/// The names in paths of things that belong to a project and have ids, and what makes them.
const THINGS: [(&str, &str); 5] = [
    ("document", "documents.create"),
    ("thread", "threads.create"),
    ("execution", "agents.create"),
    ("export", "exports.create"),
    ("key", "keys.create_project"),
];

/// Ids of things that are there, by their names in paths: another project's.
type Ids = BTreeMap<&'static str, String>;

/// The path of an operation with things that are there.
fn path(operation: &Operation, project: &str, ids: &Ids) -> String {
    let run = &ids["run"];
    let mut path = operation.path.replace("{project}", project);
    for (name, id) in ids {
        path = path.replace(&format!("{{{name}}}"), id);
    }
    for (name, value) in [
        ("{name}", "greet"),
        ("{seq}", "1"),
        ("{version}", "1"),
        ("{subject}", "somebody"),
    ] {
        path = path.replace(name, value);
    }
    assert!(!path.contains('{'), "{path}: make one of these things");
    // A query that an operation cannot do without.
    let required = operation
        .query
        .iter()
        .filter(|parameter| parameter["required"] == true);
    let pairs: Vec<String> = required
        .map(|parameter| format!("{}={run}", parameter["name"].as_str().unwrap()))
        .collect();
    if pairs.is_empty() {
        path
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

async fn call(service: &Service, operation: &Operation, path: &str, key: Option<&str>) -> Said {
    let mut request = service.request(operation.method, path);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if let Some(body) = &operation.body {
        request = request.json(body.example.as_ref().unwrap_or(&Value::Null));
    }
    if operation
        .headers
        .iter()
        .any(|(name, _, _)| *name == "If-Match")
    {
        request = request.header("If-Match", "\"1\"");
    }
    service.send(request).await
}

/// A server with a project that has one of everything.
async fn filled() -> (Service, String, Ids) {
    // Refusals are what is tested here: they are not to run into their own limit.
    let service = Service::with(&[("rate.failures_per_address_per_min", "0")]).await;
    let project = service.project("theirs").await;
    service.flow(&project, greet()).await;
    let body = serde_json::json!({ "flow": "greet", "input": { "who": "Ada" } });
    let run = service
        .post(&format!("/projects/{project}/runs?wait=10s"), body)
        .await
        .ok(200);
    let mut ids = Ids::from([("run", run["id"].as_str().unwrap().to_owned())]);
    for (name, make) in THINGS {
        let mut all = routes::operations().iter();
        let operation = all.find(|operation| operation.id == make).unwrap();
        let path = path(operation, &project, &ids);
        let made = call(&service, operation, &path, Some(&service.admin)).await;
        assert!(made.status.is_success(), "{make}: {}", made.text);
        let made = made.json();
        let id = made["id"].as_str().or(made["info"]["id"].as_str());
        ids.insert(name, id.unwrap().to_owned());
    }
    let somebody = format!("/projects/{project}/members/somebody");
    let role = serde_json::json!({ "role": "viewer" });
    let made = service.call(&service.admin, "PUT", &somebody, Some(role));
    made.await.ok(200);
    (service, project, ids)
}

#[tokio::test]
async fn without_a_key_every_route_but_the_public_ones_is_401() {
    let (service, project, ids) = filled().await;
    let mut tried = 0;
    for operation in routes::operations() {
        if operation.access == Access::Public {
            continue;
        }
        let path = path(operation, &project, &ids);
        for key in [
            None,
            Some("rs_00000000000070008000000000000001_00"),
            Some("nonsense"),
        ] {
            let said = call(&service, operation, &path, key).await;
            assert_eq!(
                said.status, 401,
                "{} {:?}: {}",
                operation.id, key, said.text
            );
            assert_eq!(said.code(), "unauthenticated");
            assert_eq!(said.header("www-authenticate"), "Bearer");
        }
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
    service.stop().await;
}

#[tokio::test]
async fn another_projects_key_finds_nothing_on_any_route() {
    let (service, theirs, ids) = filled().await;
    let ours = service.project("ours").await;
    let key = service.key(Some(&ours), "owner").await;
    let (mut tried, mut named) = (0, 0);
    for operation in routes::operations()
        .iter()
        .filter(|operation| operation.in_project())
    {
        // Their project by its address.
        let said = call(
            &service,
            operation,
            &path(operation, &theirs, &ids),
            Some(&key),
        )
        .await;
        assert_eq!(said.status, 404, "{}: {}", operation.id, said.text);
        assert_eq!(said.code(), "not_found");
        // Their things under our own project's address.
        let of_a_thing = ids
            .keys()
            .any(|name| operation.path.contains(&format!("{{{name}}}")));
        let of_a_member = operation.path.contains("{subject}") && operation.method != "PUT";
        if of_a_thing || of_a_member {
            let said = call(
                &service,
                operation,
                &path(operation, &ours, &ids),
                Some(&key),
            )
            .await;
            assert_eq!(said.status, 404, "{}: {}", operation.id, said.text);
            named += 1;
        }
        tried += 1;
    }
    assert!(tried > 25, "{tried}");
    assert!(named > 25, "{named}");
    // Nothing of theirs has changed.
    for thing in [
        "documents",
        "threads",
        "agents/executions",
        "exports",
        "keys",
        "members",
    ] {
        let all = service
            .get(&format!("/projects/{theirs}/{thing}"))
            .await
            .ok(200);
        assert_eq!(all["items"].as_array().unwrap().len(), 1, "{thing}");
    }
    let run = &ids["run"];
    let theirs = service
        .get(&format!("/projects/{theirs}/runs/{run}"))
        .await
        .ok(200);
    assert_eq!(theirs["status"], "completed");
    service.stop().await;
}

#[tokio::test]
async fn what_carries_an_etag_is_not_sent_to_who_has_it() {
    let (service, project, ids) = filled().await;
    let mut tried = 0;
    for operation in routes::operations() {
        // They end when the run does, or begin something else.
        let streams = matches!(operation.id, "runs.events" | "runs.live");
        if operation.method != "GET" || streams {
            continue;
        }
        let path = path(operation, &project, &ids);
        let read = async |etag: &str| {
            let request = service.request("GET", &path).bearer_auth(&service.admin);
            service.send(request.header("If-None-Match", etag)).await
        };
        let first = read("\"another\"").await;
        let etag = first.header("etag").to_owned();
        let headers = &operation.headers;
        let told = headers.iter().any(|(name, _, _)| *name == "If-None-Match");
        let answers = operation.answers.iter().any(|answer| answer.status == 304);
        assert_eq!(told, answers, "{}", operation.id);
        // The archive takes a moment to build.
        if first.status == 200 {
            assert_eq!(told, !etag.is_empty(), "{}", operation.id);
        }
        if etag.is_empty() {
            continue;
        }
        for known in [etag.clone(), format!("\"x\", W/{etag}"), "*".to_owned()] {
            let again = read(&known).await;
            assert_eq!(again.status, 304, "{} {known}", operation.id);
            assert_eq!((again.text.as_str(), again.header("etag")), ("", &*etag));
            assert_eq!(again.header("content-type"), "");
        }
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
    // What another version does not tell of is told as well.
    let thread = format!("/projects/{project}/threads/{}", ids["thread"]);
    let before = service.get(&thread).await.header("etag").to_owned();
    let message = serde_json::json!({ "role": "user", "content": "one more" });
    let added = service.post(&format!("{thread}/messages"), message).await;
    added.ok(201);
    let request = service.request("GET", &format!("/api/v1{thread}"));
    let request = request
        .bearer_auth(&service.admin)
        .header("If-None-Match", &before);
    assert_eq!(service.send(request).await.status, 200);
    let put = serde_json::json!({ "title": "Still the same writer" });
    let put = service.write("PUT", &thread, &before, Some(put)).await;
    assert_eq!(put.ok(200)["version"], 2);
    service.stop().await;
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_no_more() {
    let (service, project, ids) = filled().await;
    for role in [Role::Viewer, Role::Editor, Role::Owner] {
        let key = service.key(Some(&project), role.name()).await;
        for operation in routes::operations()
            .iter()
            .filter(|o| o.access != Access::Public)
        {
            let said = if operation.access.allows(role) {
                // Carrying all of it out would delete what the next one needs.
                if operation.method != "GET" || operation.unhurried {
                    continue;
                }
                let said = call(
                    &service,
                    operation,
                    &path(operation, &project, &ids),
                    Some(&key),
                )
                .await;
                assert!(
                    !matches!(said.status.as_u16(), 401 | 403 | 500..),
                    "{}: {}",
                    operation.id,
                    said.text
                );
                continue;
            } else {
                call(
                    &service,
                    operation,
                    &path(operation, &project, &ids),
                    Some(&key),
                )
                .await
            };
            assert_eq!(
                said.status,
                403,
                "{} as {}: {}",
                operation.id,
                role.name(),
                said.text
            );
            assert_eq!(said.code(), "forbidden");
        }
    }
    service.stop().await;
}
