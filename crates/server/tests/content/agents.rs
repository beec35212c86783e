//! Agent executions over HTTP.
use reqwest::Method;
use runstone_testkit::on_databases;
use serde_json::{Value, json};

use crate::harness::Up;

async fn begun(up: &Up, agent: &str) -> String {
    let new = json!({ "agent": agent, "correlation_id": "order-7", "input": { "q": [1, "ä"] } });
    let reply = up.post("/agents/executions", new).await;
    assert_eq!(reply.header("etag"), "\"1\"");
    let location = reply.header("location").to_owned();
    assert_eq!(reply.is(201)["status"], "running");
    location
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]

    async fn an_agent_reports_until_it_ends(up: &Up) {
        let place = begun(up, "writer").await;
        let half = json!({
            "progress": 50, "message": "reading", "input_tokens": 10,
            "cost": { "amount": "0.1", "currency": "EUR" },
        });
        assert_eq!(up.send(Method::PATCH, &place, &[], half.clone()).await.problem(428).0, "version_required");
        let reply = up.write(Method::PATCH, &place, "\"1\"", half.clone()).await;
        assert_eq!(reply.header("etag"), "\"2\"");
        assert_eq!(reply.ok()["cost"], json!({ "amount": "0.1", "currency": "EUR" }));
        let stale = up.write(Method::PATCH, &place, "\"1\"", half).await;
        assert_eq!(stale.is(412)["version"], 2);
        let dollars = json!({ "cost": { "amount": "1", "currency": "USD" } });
        assert_eq!(up.write(Method::PATCH, &place, "\"2\"", dollars).await.problem(422).1, ["/cost"]);

        let end = json!({ "status": "completed", "output": { "words": 3 } });
        up.write(Method::PATCH, &place, "\"2\"", end.clone()).await.ok();
        let ended = up.get(&place).await.ok();
        assert_eq!((&ended["status"], &ended["progress"]), (&json!("completed"), &json!(100)));
        assert_eq!((&ended["input"]["q"][1], &ended["output"]), (&json!("ä"), &json!({ "words": 3 })));
        assert_eq!((&ended["message"], &ended["input_tokens"]), (&json!("reading"), &json!(10)));
        assert!(ended["duration_ms"].as_f64().is_some_and(|ms| ms >= 0.0));
        let again = up.write(Method::PATCH, &place, "\"3\"", end).await;
        assert_eq!(again.problem(409).0, "conflict");
    }

    async fn sums_of_money_are_exact(up: &Up) {
        for n in 0..10 {
            let place = begun(up, "writer").await;
            let end = json!({
                "status": if n == 0 { "failed" } else { "completed" },
                "output_tokens": 2,
                "cost": { "amount": "0.1", "currency": "EUR" },
                "error": { "message": "no" },
            });
            up.write(Method::PATCH, &place, "\"1\"", end).await.ok();
        }
        begun(up, "critic").await;
        let metrics = up.get("/agents/metrics?agent=writer&period=day").await.ok();
        let items = metrics["items"].as_array().unwrap();
        let executions: i64 = items.iter().map(|item| item["executions"].as_i64().unwrap()).sum();
        assert_eq!(executions, 10);
        // Midnight may fall in between.
        if let [day] = &items[..] {
            assert_eq!(day["cost"], json!({ "amount": "1", "currency": "EUR" }));
            assert_eq!((&day["completed"], &day["failed"]), (&json!(9), &json!(1)));
            assert_eq!((&day["output_tokens"], &day["running"]), (&json!(20), &json!(0)));
            assert!(day["p95_ms"].as_f64() >= day["p50_ms"].as_f64());
        }
        let none = up.get("/agents/metrics?until=2020-01-01T00:00:00Z").await.ok();
        assert_eq!(none["items"], json!([]));
    }

    async fn executions_are_listed_by_what_they_have_in_common(up: &Up) {
        for agent in ["writer", "critic", "writer"] {
            begun(up, agent).await;
        }
        assert_eq!(up.all("/agents/executions", 2).await.len(), 3);
        assert_eq!(up.all("/agents/executions?agent=writer", 1).await.len(), 2);
        assert_eq!(up.all("/agents/executions?correlation_id=order-7&status=running", 2).await.len(), 3);
        assert_eq!(up.all("/agents/executions?status=failed", 2).await, Vec::<Value>::new());
        let counted = up.get("/agents/executions?agent=critic&total=true").await.ok();
        assert_eq!(counted["total"], 1);
        assert!(counted["items"][0].get("input").is_none());
    }

    async fn what_is_wrong_is_named(up: &Up) {
        let place = begun(up, "writer").await;
        let wrong = json!({
            "status": "running", "progress": 101, "input_tokens": -1,
            "cost": { "amount": "0.0000000001", "currency": "eur" },
        });
        let (code, pointers) = up.write(Method::PATCH, &place, "\"1\"", wrong).await.problem(422);
        assert_eq!(code, "invalid_body");
        for pointer in ["/status", "/progress", "/input_tokens", "/cost/amount", "/cost/currency"] {
            assert!(pointers.iter().any(|found| found.starts_with(pointer)), "{pointer}: {pointers:?}");
        }
        for query in ["since=yesterday", "period=week", "until=1", "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z"] {
            let reply = up.get(&format!("/agents/metrics?{query}")).await;
            assert_eq!(reply.problem(400).0, "invalid_query", "{query}");
        }
    }

    async fn another_projects_execution_is_not_found(up: &Up) {
        let place = begun(up, "writer").await;
        let other = up.other_project().await;
        let there = format!("{other}/agents/executions/{}", place.rsplit('/').next().unwrap());
        assert_eq!(up.get(&there).await.problem(404).0, "not_found");
        let change = up.write(Method::PATCH, &there, "\"1\"", json!({ "progress": 1 })).await;
        assert_eq!(change.problem(404).0, "not_found");
        assert_eq!(up.all(&format!("{other}/agents/executions"), 10).await, Vec::<Value>::new());
        assert_eq!(up.get(&format!("{other}/agents/metrics")).await.ok()["items"], json!([]));
    }
}
