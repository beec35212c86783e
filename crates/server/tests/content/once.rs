//! An idempotency key makes one thing, of whatever kind, however many ask at the same time.
use std::collections::BTreeSet;

use reqwest::Method;
use runstone_testkit::on_every_database;
use serde_json::{Value, json};

use crate::harness::{Reply, Up};

async fn ask(up: &Up, path: &str, key: &str, body: &Value) -> Reply {
    let headers = [("idempotency-key", key)];
    up.send(Method::POST, path, &headers, body.clone()).await
}

/// What identifies the thing that was made.
fn identity(made: &Value) -> String {
    let first = &made["messages"][0];
    let thing = if first.is_null() { made } else { first };
    thing["id"].as_str().unwrap().to_owned()
}

/// `other` is another request of the same kind.
async fn makes_one(up: &Up, path: &str, status: u16, body: &Value, other: &Value) {
    let all = futures::future::join_all((0..8).map(|_| ask(up, path, "one", body))).await;
    let replies: Vec<(String, Value)> = all
        .into_iter()
        .map(|reply| (reply.header("location").to_owned(), reply.is(status)))
        .collect();
    let ids: BTreeSet<String> = replies.iter().map(|(_, made)| identity(made)).collect();
    let places: BTreeSet<&String> = replies.iter().map(|(place, _)| place).collect();
    assert_eq!((ids.len(), places.len()), (1, 1), "{path}: {replies:?}");
    let refused = ask(up, path, "one", other).await;
    assert_eq!(refused.problem(409).0, "idempotency_conflict", "{path}");
    let second = identity(&ask(up, path, "two", other).await.is(status));
    let again = identity(&ask(up, path, "one", body).await.is(status));
    assert!(!ids.contains(&second) && ids.contains(&again), "{path}");
    let wrong = ask(up, path, "", body).await.problem(400);
    assert_eq!(wrong.0, "invalid_header", "{path}");
}

on_every_database! {
    async fn a_key_makes_one_thing(up: &Up) {
        let thread = up.post("/threads", json!({ "title": "Order 7" })).await.is(201);
        let messages = format!("/threads/{}/messages", thread["id"].as_str().unwrap());
        let batch = format!("{messages}:batch");
        let document = |title: &str| json!({ "type": "plan", "language": "en", "title": title, "body": "# A\n" });
        let message = |text: &str| json!({ "role": "user", "content": text });
        let several = |text: &str| json!({ "messages": [message("first"), message(text)] });
        for (path, status, body, other) in [
            ("/api/v1/projects", 201, json!({ "name": "a" }), json!({ "name": "b" })),
            ("/documents", 201, document("a"), document("b")),
            ("/agents/executions", 201, json!({ "agent": "a" }), json!({ "agent": "b" })),
            ("/exports", 202, json!({}), json!({ "type": "plan" })),
            ("/threads", 201, json!({ "title": "a" }), json!({ "title": "b" })),
            (&*messages, 201, message("a"), message("b")),
            (&*batch, 201, several("a"), several("b")),
        ] {
            // One project's keys are of all its kinds: each kind begins on a day of its own.
            makes_one(up, path, status, &body, &other).await;
            let elsewhere = ask(up, "/documents", "one", &document("c")).await;
            let taken = if path == "/api/v1/projects" { 201 } else { 409 };
            assert_eq!(elsewhere.status.as_u16(), taken, "{path}");
            up.wait_hours(25);
        }
        let seqs: Vec<i64> = up.all(&messages, 50).await.iter().map(|m| m["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6], "two messages, and two times two");
        assert_eq!(up.all("/threads", 50).await.len(), 3);
        assert_eq!(up.all("/exports", 50).await.len(), 2);
        // After a day the key is free again.
        let old = up.all("/agents/executions", 50).await;
        let new = ask(up, "/agents/executions", "one", &json!({ "agent": "c" })).await.is(201);
        assert!(old.iter().all(|old| old["id"] != new["id"]));
        // What another project's key names is none of ours.
        let other = up.other_project().await;
        let theirs = ask(up, &format!("{other}/agents/executions"), "one", &json!({ "agent": "d" })).await;
        assert_ne!(theirs.is(201)["id"], new["id"]);
    }
}
