//! Threads and messages over HTTP.
use reqwest::Method;
use runstone_testkit::on_databases;
use serde_json::{Value, json};

use crate::harness::Up;

async fn thread(up: &Up, body: Value) -> String {
    let reply = up.post("/threads", body).await;
    let location = reply.header("location").to_owned();
    reply.is(201);
    location
}

fn seqs(messages: &[Value]) -> Vec<i64> {
    messages
        .iter()
        .map(|message| message["seq"].as_i64().unwrap())
        .collect()
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]

    async fn messages_written_at_once_have_one_order_without_gaps(up: &Up) {
        let place = thread(up, json!({ "title": "Order 7" })).await;
        let writes = (0..32).map(|n| {
            let message = json!({ "role": "user", "content": format!("hello {n}") });
            async {
                let path = format!("{place}/messages");
                let added = up.post(&path, message).await.is(201);
                (added["seq"].as_i64().unwrap(), added["content"].clone())
            }
        });
        let mut written = futures::future::join_all(writes).await;
        written.sort_by_key(|(seq, _)| *seq);
        let read = up.all(&format!("{place}/messages"), 7).await;
        assert_eq!(seqs(&read), (1..=32).collect::<Vec<_>>());
        assert!(read.iter().zip(&written).all(|(read, (_, content))| read["content"] == *content));
        let back = up.all(&format!("{place}/messages?sort=-seq"), 10).await;
        assert_eq!(seqs(&back), (1..=32).rev().collect::<Vec<_>>());
        assert_eq!(up.get(&place).await.ok()["last_seq"], 32);
    }

    async fn contents_of_any_shape_come_back_and_are_found(up: &Up) {
        let place = thread(up, json!({ "title": "Order 7", "metadata": { "vip": true } })).await;
        assert_eq!(up.get(&place).await.ok()["metadata"], json!({ "vip": true }));
        let parts = json!([{ "type": "text", "text": "It left on MONDAY 🚚" }, 1.5, null]);
        let batch = json!({ "messages": [
            { "role": "assistant", "content": parts },
            { "role": "tool", "name": "tracking", "content": { "at": "Ärmel_kanal" }, "metadata": { "n": 1 } },
        ] });
        let added = up.post(&format!("{place}/messages:batch"), batch).await.is(201);
        assert_eq!(seqs(added["messages"].as_array().unwrap()), [1, 2]);
        let one = up.get(&format!("{place}/messages/1")).await.ok();
        assert_eq!(one["content"], parts);
        let found = up.all(&format!("{place}/messages?q=monday"), 10).await;
        assert_eq!(seqs(&found), [1]);
        let up_to = up.all(&format!("{place}/messages?q=a&sort=seq"), 1).await;
        assert_eq!(seqs(&up_to), [1, 2]);
        assert_eq!(up.all("/messages?q=%C3%84RMEL_", 10).await.len(), 1);
        assert_eq!(up.all("/messages?q=nowhere", 10).await, Vec::<Value>::new());
        let stats = up.get(&format!("{place}/stats")).await.ok();
        assert_eq!((&stats["messages"], &stats["removed"]), (&json!(2), &json!(0)));
        assert_eq!(stats["roles"].as_array().unwrap().len(), 2);
    }

    async fn a_thread_is_changed_by_who_has_read_it(up: &Up) {
        let place = thread(up, json!({ "title": "One" })).await;
        let put = || json!({ "title": "Two", "retain_ms": 60000 });
        assert_eq!(up.send(Method::PUT, &place, &[], put()).await.problem(428).0, "version_required");
        assert_eq!(up.write(Method::PUT, &place, "\"1\"", put()).await.ok()["retain_ms"], 60000);
        let stale = up.write(Method::PUT, &place, "\"1\"", put()).await;
        assert_eq!(stale.is(412)["version"], 2);
        up.send(Method::DELETE, &place, &[], Value::Null).await.is(204);
        assert_eq!(up.get(&place).await.problem(404).0, "not_found");
        let late = up.post(&format!("{place}/messages"), json!({ "role": "user", "content": 1 })).await;
        assert_eq!(late.problem(404).0, "not_found");
    }

    async fn what_is_wrong_is_named(up: &Up) {
        let place = thread(up, json!({ "title": "One" })).await;
        let large = json!({ "x": "y".repeat(65_536) });
        let (_, pointers) = up.post("/threads", json!({ "title": "A", "metadata": large })).await.problem(422);
        assert_eq!(pointers, ["/metadata"]);
        let path = format!("{place}/messages:batch");
        let said = |metadata: Value| json!({ "role": "user", "content": "x", "metadata": metadata });
        let batch = json!({ "messages": [said(json!({})), said(large)] });
        assert_eq!(up.post(&path, batch).await.problem(422).1, ["/messages/1/metadata"]);
        let (_, pointers) = up.post("/threads", json!({ "title": "", "retain_ms": 1 })).await.problem(422);
        assert_eq!(pointers.len(), 2, "{pointers:?}");
        let wrong = json!({ "messages": [
            { "role": "user", "content": "fine" },
            { "role": "nobody", "content": "x", "metadata": [] },
        ] });
        let (_, pointers) = up.post(&format!("{place}/messages:batch"), wrong).await.problem(422);
        assert!(pointers.contains(&"/messages/1/role".to_owned()), "{pointers:?}");
        assert_eq!(up.all(&format!("{place}/messages"), 10).await, Vec::<Value>::new());
        assert_eq!(up.get("/messages").await.problem(400).0, "invalid_query");
        assert_eq!(up.get(&format!("{place}/messages/0")).await.problem(404).0, "not_found");
    }

    async fn another_projects_thread_is_not_found(up: &Up) {
        let place = thread(up, json!({ "title": "One" })).await;
        up.post(&format!("{place}/messages"), json!({ "role": "user", "content": "hello" })).await.is(201);
        let other = up.other_project().await;
        let there = format!("{other}/threads/{}", place.rsplit('/').next().unwrap());
        for path in ["", "/messages", "/messages/1", "/stats", "/messages?q=hello"] {
            assert_eq!(up.get(&format!("{there}{path}")).await.problem(404).0, "not_found", "{path}");
        }
        let message = json!({ "role": "user", "content": "x" });
        assert_eq!(up.post(&format!("{there}/messages"), message).await.problem(404).0, "not_found");
        let put = up.write(Method::PUT, &there, "\"1\"", json!({ "title": "x" })).await;
        assert_eq!(put.problem(404).0, "not_found");
        assert_eq!(up.send(Method::DELETE, &there, &[], Value::Null).await.problem(404).0, "not_found");
        assert_eq!(up.all(&format!("{other}/messages?q=hello"), 10).await, Vec::<Value>::new());
    }
}
