//! Runs: starting once and many, finding them, looking at them, ending them.
use runstone_db::Statement;
use runstone_engine::{Clock as _, SystemClock};
use runstone_model::time::Timestamp;
use runstone_store::SqlStore;
use runstone_testkit::on_every_database;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{AN_HOUR, DEFAULT, Service, greet, rounds};

fn runs(more: &str) -> String {
    format!("/projects/{DEFAULT}/runs{more}")
}

fn id(run: &Value) -> &str {
    run["id"].as_str().unwrap()
}

on_every_database! {
    async fn a_run_is_started_looked_at_and_compared(service: &Service) {
        service.flow(DEFAULT, greet()).await;
        let start = |who: &str| json!({ "flow": "greet", "input": { "who": who }, "labels": { "who": who } });
        let ada = service.post(&runs("?wait=20s"), start("Ada")).await.ok(200);
        let bob = service.post(&runs("?wait=20s"), start("Bob")).await.ok(200);
        assert_eq!((&ada["status"], &ada["output"]), (&json!("completed"), &json!({ "greeting": "Hello, Ada!" })));
        assert_eq!((&ada["steps"], &ada["labels"]), (&json!(1), &json!({ "who": "Ada" })));
        let steps = service.get(&runs(&format!("/{}/steps", id(&ada)))).await.ok(200);
        let kinds: Vec<&str> = steps["items"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["completed", "run_completed"]);
        let step = service.get(&runs(&format!("/{}/steps/1", id(&ada)))).await.ok(200);
        assert_eq!(step["patch"], json!({ "greeting": "Hello, Ada!" }));
        let at = service.get(&runs(&format!("/{}/checkpoints/1", id(&ada)))).await.ok(200);
        assert_eq!(at["state"], json!({ "greeting": "Hello, Ada!" }));
        assert_eq!(service.get(&runs(&format!("/{}/checkpoints/9", id(&ada)))).await.code(), "not_found");
        let diff = service.get(&runs(&format!("/{}/diff?with={}", id(&ada), id(&bob)))).await.ok(200);
        let mut pointers: Vec<&str> = diff["changes"].as_array().unwrap().iter().map(|c| c["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["/input/who", "/output/greeting", "/state/greeting"]);
    }

    async fn an_idempotency_key_starts_one_run(service: &Service) {
        service.flow(DEFAULT, greet()).await;
        let send = |key: &str, who: &str| {
            let request = service.request("POST", &format!("/api/v1{}", runs(""))).bearer_auth(&service.admin);
            let body = json!({ "flow": "greet", "input": { "who": who } });
            service.send(request.header("Idempotency-Key", key).json(&body))
        };
        let all = futures::future::join_all((0..16).map(|_| send("one", "Ada"))).await;
        let mut ids: Vec<String> = all.iter().map(|said| id(&said.ok(202)).to_owned()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(send("one", "Bob").await.code(), "idempotency_conflict");
        assert_eq!(id(&send("one", "Ada").await.ok(202)), ids[0]);
        assert_ne!(id(&send("two", "Ada").await.ok(202)), ids[0]);
        assert_eq!(send("", "Ada").await.code(), "invalid_header");
        // A request that is refused does not use its key up.
        service.flow(DEFAULT, json!({
            "runstone": 1, "name": "never", "nodes": { "a": { "uses": "template", "with": { "text": "a" } } }, "edges": ["a -> end"],
        })).await;
        let path = format!("/api/v1{}", runs(""));
        let mend = |flow: &str| {
            let request = service.request("POST", &path).bearer_auth(&service.admin);
            service.send(request.header("Idempotency-Key", "three").json(&json!({ "flow": flow })))
        };
        assert_eq!(mend("greet").await.code(), "invalid_input");
        let mended = mend("never").await.ok(202);
        assert_eq!(id(&mend("never").await.ok(202)), id(&mended));
        let listed = service.get(&runs("?total=true")).await.ok(200);
        assert_eq!(listed["total"], 3);
        // The first of them was executed once, by whoever was first.
        let steps = service.get(&runs(&format!("/{}/steps", ids[0]))).await.ok(200);
        assert_eq!(steps["items"].as_array().unwrap().len(), 2, "{steps}");
    }

    async fn a_run_that_a_late_repetition_makes_is_found_by_its_time(service: &Service) {
        service.flow(DEFAULT, greet()).await;
        let send = || {
            let request = service.request("POST", &format!("/api/v1{}", runs("?wait=20s"))).bearer_auth(&service.admin);
            let body = json!({ "flow": "greet", "input": { "who": "Ada" } });
            service.send(request.header("Idempotency-Key", "late").json(&body))
        };
        send().await.ok(200);
        // As if that had come to nothing an hour ago, but for its key.
        let hour_ago = SystemClock.now().0 - 3_600_000_000;
        let first = SqlStore::first_id_at(Timestamp(hour_ago)).as_u128();
        let noted = Uuid::from_u128(first | (7 << 76) | (2 << 62));
        let db = service.store.database();
        let note = "UPDATE idempotency SET run_id = :run WHERE idem_key = :key";
        let note = Statement::render("test", note, db.dialect()).unwrap();
        assert_eq!(db.execute(&note, &[("run", noted.into()), ("key", "late".into())]).await.unwrap(), 1);
        let made = send().await.ok(200);
        assert_eq!(id(&made), noted.to_string());
        let at = |seconds: i64| jiff::Timestamp::from_microsecond(hour_ago + seconds * 1_000_000).unwrap();
        let window = format!("?created_after={}&created_before={}&total=true", at(-60), at(60));
        let found = service.get(&runs(&window)).await.ok(200);
        assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &made["id"]));
        let window = format!("?created_after={}&total=true", at(60));
        assert_eq!(service.get(&runs(&window)).await.ok(200)["total"], 1);
    }

    async fn an_idempotency_key_starts_one_batch(service: &Service) {
        service.flow(DEFAULT, greet()).await;
        let greet = |who: Value| json!({ "flow": "greet", "input": { "who": who } });
        // The second of them cannot be started.
        let batch = json!({ "runs": [greet(json!("Ada")), greet(json!(7)), greet(json!("Bob"))] });
        let send = || {
            let request = service.request("POST", &format!("/api/v1{}", runs(":batch"))).bearer_auth(&service.admin);
            service.send(request.header("Idempotency-Key", "one").json(&batch))
        };
        let started = |said: crate::harness::Said| {
            let items = said.ok(202)["items"].as_array().unwrap().clone();
            assert_eq!(items[1]["problem"]["code"], "invalid_input");
            (items[0]["run_id"].clone(), items[2]["run_id"].clone())
        };
        let first = started(send().await);
        assert_eq!(started(send().await), first);
        assert!(first.0.is_string() && first.0 != first.1, "{first:?}");
        let listed = service.get(&runs("?total=true")).await.ok(200);
        assert_eq!(listed["total"], 2);
    }

    async fn lists_filter_and_page_without_a_gap(service: &Service) {
        service.flow(DEFAULT, greet()).await;
        let starts: Vec<Value> = (0..25)
            .map(|n| json!({ "flow": "greet", "input": { "who": n.to_string() }, "labels": { "odd": (n % 2).to_string() } }))
            .chain([json!({ "flow": "nope" }), json!({ "flow": "greet", "input": {} })])
            .collect();
        let said = service.post(&runs(":batch"), json!({ "runs": starts })).await.ok(202);
        let items = said["items"].as_array().unwrap();
        assert_eq!(items[25]["problem"]["code"], "not_found");
        assert_eq!(items[26]["problem"]["code"], "invalid_input");
        let mut ids: Vec<&str> = items[..25].iter().map(|item| item["run_id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.reverse();
        for (filter, expected) in [("", 25), ("&label=odd%3D1", 12), ("&flow=greet", 25), ("&flow=nope", 0),
            ("&created_after=2020-01-01T00:00:00Z", 25), ("&created_before=2020-01-01T00:00:00Z", 0),
            ("&label=odd%3D1&flow=greet", 12), ("&label=odd%3D0&flow=nope", 0),
            ("&flow=greet&created_after=2020-01-01T00:00:00Z&status=pending,running,completed", 25)] {
            let total = service.get(&runs(&format!("?limit=1&total=true{filter}"))).await.ok(200);
            assert_eq!(total["total"], expected, "{filter}");
            let (mut found, mut cursor) = (Vec::new(), "&sort=created_at".to_owned());
            loop {
                let page = service.get(&runs(&format!("?limit=10{filter}{cursor}"))).await.ok(200);
                found.extend(page["items"].as_array().unwrap().iter().map(|run| id(run).to_owned()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&sort=created_at&cursor={next}");
            }
            let mut up = ids.clone();
            up.reverse();
            assert_eq!(found.len(), expected, "{filter}");
            if expected == 25 {
                assert_eq!(found, up);
            }
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = service.get(&runs(&format!("?limit=10{filter}{cursor}"))).await.ok(200);
                found.extend(page["items"].as_array().unwrap().iter().map(|run| id(run).to_owned()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(found.len(), expected, "{filter}");
            if expected == 25 {
                assert_eq!(found, ids);
            }
        }
        let last = service.get(&runs(&format!("/{}", ids[0]))).await.ok(200);
        assert_eq!(last["flow"], "greet");
    }

    async fn runs_are_found_by_what_is_written_on_them(service: &Service) {
        let mut shouting = greet();
        shouting["name"] = json!("shout_loud");
        shouting["nodes"]["greet"] = json!({
            "uses": "assert", "with": { "that": "${{ input.who != 'Eve' }}", "message": "ÄRGER with 100% of_it" },
        });
        shouting["output"] = json!({});
        for flow in [greet(), shouting] {
            service.flow(DEFAULT, flow).await;
        }
        let run = async |flow: &str, who: &str, label: &str| {
            let start = json!({ "flow": flow, "input": { "who": who }, "labels": { "team": label, "x": "y" } });
            id(&service.post(&runs("?wait=20s"), start).await.ok(200)).to_owned()
        };
        let plain = run("greet", "Ada", "Blue").await;
        let labelled = run("greet", "Ada", "Größe 50%").await;
        let failed = run("shout_loud", "Eve", "red").await;
        let found = async |query: &str| {
            let page = service.get(&runs(&format!("?{query}"))).await.ok(200);
            let items = page["items"].as_array().unwrap().clone();
            items.iter().map(|run| id(run).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("q=GREET&sort=created_at").await, [&*plain, &*labelled]);
        assert_eq!(found("q=t_l").await, [&*failed]);
        assert_eq!(found("q=blue").await, [&*plain]);
        assert_eq!(found("q=GR%C3%96%C3%9FE+50%25").await, [&*labelled]);
        assert_eq!(found("q=%C3%A4rger+with+100%25+of_it").await, [&*failed]);
        assert_eq!(found("q=%25").await, [&*failed, &*labelled]);
        assert_eq!(found(&format!("q={}", plain.to_uppercase())).await, [&*plain]);
        assert_eq!(found(&format!("q={}", &plain[1..])).await, Vec::<String>::new());
        assert_eq!(found("q=greet&status=failed").await, Vec::<String>::new());
        assert_eq!(found("q=red&label=team%3Dred&flow=shout_loud").await, [&*failed]);
        // Few fit: the pages are short, and lead on.
        for _ in 0..60 {
            run("greet", "Bob", "z").await;
        }
        let (mut pages, mut all, mut cursor) = (0, Vec::new(), String::new());
        loop {
            let page = service.get(&runs(&format!("?q=blue&limit=1{cursor}"))).await.ok(200);
            all.extend(page["items"].as_array().unwrap().clone());
            pages += 1;
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((all.len(), id(&all[0]), pages > 1), (1, &*plain, true));
    }
}

#[tokio::test]
async fn a_run_is_cancelled_with_its_reason_and_stays_so() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    let run = service
        .post(&runs(""), json!({ "flow": "rounds" }))
        .await
        .ok(202);
    let waited = service
        .post(&runs("?wait=50ms"), json!({ "flow": "rounds" }))
        .await;
    assert_eq!(waited.ok(202)["status"], "running");
    let path = runs(&format!("/{}", id(&run)));
    assert_eq!(
        service
            .post(&format!("{path}:resume"), json!({}))
            .await
            .code(),
        "conflict"
    );
    service
        .post(&format!("{path}:cancel"), json!({ "reason": "enough" }))
        .await;
    let ended = loop {
        let run = service.get(&path).await.ok(200);
        if run["finished_at"].is_string() {
            break run;
        }
    };
    assert_eq!(ended["status"], "cancelled");
    assert!(ended["error"].to_string().contains("enough"), "{ended}");
    assert_eq!(
        service
            .post(&format!("{path}:cancel"), json!({}))
            .await
            .code(),
        "conflict"
    );
    service.stop().await;
}
