//! Watching: everything once and in order, from any place, however many watch, here or elsewhere.
use std::time::Duration;

use futures::StreamExt as _;
use runstone_testkit::servers::{Fresh, TestDatabase};
use serde_json::json;

use crate::harness::{AN_HOUR, DEFAULT, Service, greet, rounds, settings};

/// The ids of the events until the stream ends, and the last kind.
async fn events(service: &Service, run: &str, last: Option<u64>) -> (Vec<u64>, String) {
    let path = format!("/api/v1/projects/{DEFAULT}/runs/{run}/events");
    let mut request = service.request("GET", &path).bearer_auth(&service.admin);
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last.to_string());
    }
    let answer = request.send().await.unwrap();
    if answer.status() == 204 {
        return (Vec::new(), "nothing left".to_owned());
    }
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let (mut text, mut chunks) = (String::new(), answer.bytes_stream());
    while let Some(chunk) = tokio::time::timeout(Duration::from_secs(60), chunks.next())
        .await
        .unwrap()
    {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    let of = |name: &'static str| text.lines().filter_map(move |line| line.strip_prefix(name));
    let ids = of("id: ").map(|id| id.parse().unwrap()).collect();
    let last = of("event: ").next_back().unwrap_or_default();
    (ids, last.to_owned())
}

async fn start(service: &Service, flow: &str) -> String {
    let runs = format!("/projects/{DEFAULT}/runs");
    let run = service.post(&runs, json!({ "flow": flow })).await.ok(202);
    run["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_watcher_sees_every_entry_once_from_any_place_on() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(20, 5)).await;
    let run = start(&service, "rounds").await;
    let early = events(&service, &run, None);
    let from_three = events(&service, &run, Some(3));
    let (early, from_three) = tokio::join!(early, from_three);
    let all: Vec<u64> = (1..=41).collect();
    assert_eq!(early, (all.clone(), "run_completed".to_owned()));
    assert_eq!(from_three.0, all[3..]);
    // After its end the whole journal is replayed, and then there is nothing left.
    assert_eq!(events(&service, &run, None).await.0, all);
    assert_eq!(events(&service, &run, Some(40)).await.0, [41]);
    assert_eq!(events(&service, &run, Some(41)).await.1, "nothing left");
    service.stop().await;
}

#[tokio::test]
async fn a_watcher_from_beyond_the_end_takes_nothing_from_the_others() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(20, 20)).await;
    let run = start(&service, "rounds").await;
    let path = format!("/api/v1/projects/{DEFAULT}/runs/{run}/events?after=1000000000");
    let request = service.request("GET", &path).bearer_auth(&service.admin);
    let beyond = request.send().await.unwrap();
    assert_eq!(beyond.status(), 200);
    let all: Vec<u64> = (1..=41).collect();
    let seen = events(&service, &run, None).await;
    assert_eq!(seen, (all, "run_completed".to_owned()));
    // There is no such place: it waits until the run is over and no longer.
    let text = tokio::time::timeout(Duration::from_secs(20), beyond.text()).await;
    let text = text.unwrap().unwrap();
    assert!(!text.contains("event:"), "{text}");
    service.stop().await;
}

#[tokio::test]
async fn two_hundred_watchers_of_ten_runs_miss_nothing() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(10, 5)).await;
    let mut runs = Vec::new();
    for _ in 0..10 {
        runs.push(start(&service, "rounds").await);
    }
    let watchers = (0..200).map(|n| events(&service, &runs[n % runs.len()], None));
    let all: Vec<u64> = (1..=21).collect();
    for (seen, last) in futures::future::join_all(watchers).await {
        assert_eq!((seen, last.as_str()), (all.clone(), "run_completed"));
    }
    service.stop().await;
}

#[tokio::test]
async fn a_wrong_place_is_refused_and_a_full_house_says_so() {
    let service = Service::with(&[("limits.watchers", "1")]).await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    let run = start(&service, "rounds").await;
    let path = format!("/api/v1/projects/{DEFAULT}/runs/{run}/events");
    let request = || service.request("GET", &path).bearer_auth(&service.admin);
    let said = service.send(request().header("Last-Event-ID", "x")).await;
    assert_eq!(said.code(), "invalid_header");
    let first = request().send().await.unwrap();
    let said = service.send(request()).await;
    assert_eq!(
        (said.code().as_str(), said.header("retry-after")),
        ("overloaded", "5")
    );
    drop(first);
    service.stop().await;
}

#[tokio::test]
async fn a_watcher_on_another_server_sees_it_all_postgres() {
    let Some(fresh) = Fresh::on(TestDatabase::Postgres).await else {
        return;
    };
    let of = |url: &str| {
        let mut settings = settings(Vec::new());
        settings.database_url = url.to_owned();
        settings
    };
    let here = Service::start(of(fresh.url()), None).await;
    let there = Service::start(of(fresh.url()), None).await;
    here.flow(DEFAULT, rounds(20, 20)).await;
    let run = start(&here, "rounds").await;
    let (seen, last) = events(&there, &run, None).await;
    assert_eq!(
        (seen, last.as_str()),
        ((1..=41).collect::<Vec<u64>>(), "run_completed")
    );
    here.stop().await;
    there.stop().await;
}

#[tokio::test]
async fn a_request_for_no_websocket_is_told_so() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, greet()).await;
    let body = json!({ "flow": "greet", "input": { "who": "Ada" } });
    let run = service
        .post(&format!("/projects/{DEFAULT}/runs?wait=10s"), body)
        .await
        .ok(200);
    let path = format!(
        "/projects/{DEFAULT}/runs/{}/live",
        run["id"].as_str().unwrap()
    );
    assert_eq!(service.get(&path).await.status, 426);
    service.stop().await;
}
