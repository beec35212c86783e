//! Verbs for many runs, found by a filter.
use runstone_engine::{Clock as _, Ids as _, Options, RealIds, SystemClock};
use runstone_model::ids::{ProjectId, RunId};
use runstone_store::{Commit, NewRun, Store as _};
use runstone_testkit::on_every_database;
use serde_json::{Value, json};

use crate::harness::{AN_HOUR, DEFAULT, Service, greet, rounds};

fn runs(more: &str) -> String {
    format!("/projects/{DEFAULT}/runs{more}")
}

async fn started(service: &Service, flow: &str, team: &str, number: usize) -> Vec<Value> {
    let input = json!({ "who": "Ada" });
    let input = if flow == "greet" { input } else { json!({}) };
    let one = json!({ "flow": flow, "input": input, "labels": { "team": team } });
    let all = json!({ "runs": vec![one; number] });
    let begun = service.post(&runs(":batch"), all).await.ok(202);
    let items = begun["items"].as_array().unwrap().iter();
    items.map(|item| item["run_id"].clone()).collect()
}

async fn until_all_are(service: &Service, status: &str, number: usize) {
    let path = runs(&format!("?status={status}&limit=500"));
    loop {
        let found = service.get(&path).await.ok(200);
        if found["items"].as_array().unwrap().len() == number {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn len(list: &Value) -> usize {
    list.as_array().unwrap().len()
}

/// Goes on with the cursor until there is none: with how many it was done, in how many requests.
async fn to_the_end(service: &Service, verb: &str, mut body: Value) -> (usize, usize) {
    let (mut done, mut rounds) = (0, 0);
    loop {
        let told = service.post(&runs(verb), body.clone()).await.ok(200);
        assert_eq!(told["skipped"], json!([]));
        assert_eq!(told["matched"], len(&told["done"]));
        done += len(&told["done"]);
        rounds += 1;
        match told.get("next_cursor") {
            Some(cursor) => body["cursor"] = cursor.clone(),
            None => return (done, rounds),
        }
    }
}

on_every_database! {
    async fn many_runs_are_cancelled_page_by_page_and_gone_on_with(service: &Service) {
        service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
        service.flow(DEFAULT, greet()).await;
        started(service, "rounds", "a", 30).await;
        started(service, "rounds", "b", 5).await;
        started(service, "greet", "a", 3).await;
        until_all_are(service, "completed", 3).await;
        let body = json!({ "filter": { "flow": "rounds", "label": "team=a" }, "limit": 12, "reason": "enough" });
        let (done, rounds) = to_the_end(service, ":cancel", body.clone()).await;
        // More where a request's time was over first.
        assert!(done == 30 && rounds >= 3, "{done} in {rounds}");
        until_all_are(service, "cancelled", 30).await;
        let again = service.post(&runs(":cancel"), body).await.ok(200);
        assert_eq!((&again["matched"], again.get("next_cursor")), (&json!(0), None));

        let retry = json!({ "filter": { "status": "cancelled" }, "limit": 500 });
        assert_eq!(to_the_end(service, ":retry", retry.clone()).await.0, 30);
        let told = service.post(&runs(":retry"), retry).await.ok(200);
        assert_eq!(told["matched"], 0);
        // The rest of the project, whatever it is.
        assert_eq!(to_the_end(service, ":cancel", json!({ "filter": {} })).await.0, 35);
        until_all_are(service, "cancelled", 35).await;
    }

    async fn runs_that_are_named_are_each_told_of(service: &Service) {
        service.flow(DEFAULT, greet()).await;
        service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
        let ended = started(service, "greet", "a", 1).await;
        let live = started(service, "rounds", "a", 2).await;
        until_all_are(service, "completed", 1).await;
        let nobody = "00000000-0000-7000-8000-00000000abcd";
        let ids = json!([live[0], nobody, ended[0], live[0]]);
        let told = service.post(&runs(":cancel"), json!({ "filter": { "ids": ids } })).await.ok(200);
        assert_eq!((&told["matched"], &told["done"]), (&json!(3), &json!([live[0]])));
        let skipped = told["skipped"].as_array().unwrap();
        let mut codes: Vec<_> = skipped.iter().map(|one| (one["id"].clone(), one["code"].clone())).collect();
        codes.sort_by_key(|(_, code)| code.to_string());
        assert_eq!(codes, [(ended[0].clone(), json!("conflict")), (json!(nobody), json!("not_found"))]);
        // What does not fit the rest of the filter is not meant.
        let filter = json!({ "ids": [live[1]], "label": "team=b" });
        let told = service.post(&runs(":cancel"), json!({ "filter": filter })).await.ok(200);
        assert_eq!((&told["matched"], &told["skipped"]), (&json!(0), &json!([])));
    }
}

#[tokio::test]
async fn runs_that_nobody_executes_are_resumed_and_others_left() {
    let service = Service::without_loops(Options::default()).await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    started(&service, "rounds", "a", 3).await;
    let told = service
        .post(&runs(":resume"), json!({ "filter": {} }))
        .await
        .ok(200);
    assert_eq!(told["matched"], 0, "this server executes them: {told}");
    let flow = service.store.flow(ProjectId::DEFAULT, "rounds", None);
    let flow = flow.await.unwrap().unwrap().id;
    let mut nobodys = Vec::new();
    for _ in 0..3 {
        let run = RunId(RealIds.next());
        let create = NewRun {
            project: ProjectId::DEFAULT,
            flow_version: flow,
            input: "{}".to_owned(),
            created_at: SystemClock.now(),
            owner: None,
            deadline: None,
            labels: Vec::new(),
        };
        let commit = Commit {
            run,
            epoch: 1,
            create: Some(create),
            rows: Vec::new(),
            update: None,
            snapshot: None,
            blobs: Vec::new(),
        };
        service.store.commit(commit).await.unwrap();
        nobodys.push(json!(run.0));
    }
    nobodys.reverse();
    let two = json!({ "filter": { "flow": "rounds" }, "limit": 2 });
    let told = service.post(&runs(":resume"), two).await.ok(200);
    assert_eq!(told["done"], json!(nobodys[..2]));
    let rest = json!({ "filter": { "flow": "rounds" }, "cursor": told["next_cursor"] });
    let told = service.post(&runs(":resume"), rest).await.ok(200);
    assert_eq!(told["done"], json!(nobodys[2..]), "{told}");
    until_all_are(&service, "running", 6).await;
    service.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_filter_is_said_and_nothing_is_done() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    started(&service, "rounds", "a", 1).await;
    for (wrong, code) in [
        (json!({}), "invalid_body"),
        (json!({ "filter": { "status": "gone" } }), "invalid_body"),
        (
            json!({ "filter": { "created_after": "x" } }),
            "invalid_body",
        ),
        (json!({ "filter": { "ids": [] } }), "invalid_body"),
        (json!({ "filter": { "ids": ["x"] } }), "invalid_body"),
        (json!({ "filter": { "stauts": "failed" } }), "invalid_body"),
        (json!({ "filter": {}, "limit": 501 }), "invalid_body"),
        (json!({ "filter": {}, "cursor": "x" }), "invalid_body"),
    ] {
        for verb in [":cancel", ":retry", ":resume"] {
            let said = service.post(&runs(verb), wrong.clone()).await;
            assert_eq!(said.code(), code, "{verb} {wrong}");
        }
    }
    let viewer = service.key(Some(DEFAULT), "viewer").await;
    let all = Some(json!({ "filter": {} }));
    let said = service.call(&viewer, "POST", &runs(":cancel"), all).await;
    assert_eq!(said.code(), "forbidden");
    let other = service.project("other").await;
    let theirs = format!("/projects/{other}/runs:cancel");
    let told = service.post(&theirs, json!({ "filter": {} })).await.ok(200);
    assert_eq!(told["matched"], 0);
    until_all_are(&service, "running", 1).await;
    service.stop().await;
}

#[tokio::test]
async fn many_are_gone_on_with_only_within_the_quota_and_it_is_audited() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    started(&service, "rounds", "a", 4).await;
    service
        .post(&runs(":cancel"), json!({ "filter": {} }))
        .await
        .ok(200);
    until_all_are(&service, "cancelled", 4).await;
    let quota = json!({ "quotas": { "active_runs": 1 } });
    let request = service
        .request("PATCH", &format!("/api/v1/projects/{DEFAULT}"))
        .bearer_auth(&service.admin)
        .header("If-Match", "\"1\"")
        .json(&quota);
    service.send(request).await.ok(200);
    let told = service
        .post(&runs(":retry"), json!({ "filter": {} }))
        .await
        .ok(200);
    assert!(len(&told["done"]) <= 1, "{told}");
    assert_eq!(len(&told["done"]) + len(&told["skipped"]), 4);
    assert!(
        told["skipped"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["code"] == "quota_exceeded"),
        "{told}"
    );
    service.stop().await;
}

#[tokio::test]
async fn many_are_gone_on_with_only_up_to_what_the_server_may_execute() {
    let service = Service::with(&[("engine.max_live_runs", "3")]).await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    started(&service, "rounds", "a", 12).await;
    let all = json!({ "filter": {} });
    let told = service.post(&runs(":cancel"), all.clone()).await.ok(200);
    assert_eq!(told["matched"], 12);
    until_all_are(&service, "cancelled", 12).await;
    // Twelve are tried at the same time.
    let told = service.post(&runs(":retry"), all).await.ok(200);
    assert_eq!((&told["matched"], len(&told["done"])), (&json!(12), 3));
    let skipped = told["skipped"].as_array().unwrap().iter();
    for one in skipped {
        assert_eq!(one["code"], "overloaded", "{told}");
    }
    service.stop().await;
}

#[tokio::test]
async fn runs_that_wait_for_a_time_are_not_resumed() {
    let options = Options {
        park: Some(std::time::Duration::from_secs(1)),
        ..Options::default()
    };
    let service = Service::without_loops(options).await;
    let sleep = json!({
        "runstone": 1, "name": "sleeper",
        "nodes": { "nap": { "uses": "sleep", "with": { "for": "1h" } } },
        "edges": ["nap -> end"],
    });
    service.flow(DEFAULT, sleep).await;
    started(&service, "sleeper", "a", 3).await;
    until_all_are(&service, "waiting", 3).await;
    let told = service
        .post(&runs(":resume"), json!({ "filter": {} }))
        .await
        .ok(200);
    assert_eq!((&told["matched"], &told["done"]), (&json!(0), &json!([])));
    until_all_are(&service, "waiting", 3).await;
    service.stop().await;
}
