//! Reports that are kept: told with their age, void by a write of their project, never another
//! project's, computed once for all who ask at the same time; and shared through Redis.
use std::time::{Duration, Instant};

use runstone_testkit::on_every_database;
use serde_json::{Value, json};

use crate::{
    harness::{DEFAULT, Service, greet},
    observing::numbers,
    redis::{Redis, until_redis_is},
};

fn of(project: &str, path: &str) -> String {
    format!("/projects/{project}{path}")
}

async fn usage(service: &Service, project: &str) -> Value {
    service.get(&of(project, "/usage")).await.ok(200)
}

async fn run(service: &Service, project: &str) {
    let start = json!({ "flow": "greet", "input": { "who": "Ada" } });
    let path = of(project, "/runs?wait=30s");
    let ended = service.post(&path, start).await.ok(200);
    assert_eq!(ended["status"], "completed");
}

/// How many reports were answered so.
async fn answered(service: &Service, from: &str) -> f64 {
    numbers(service).await[&format!("runstone_reports_total{{from=\"{from}\"}}")]
}

on_every_database! {
    async fn who_writes_and_then_reads_sees_what_was_written(service: &Service) {
        service.flow(DEFAULT, greet()).await;
        for number in 1..=10 {
            run(service, DEFAULT).await;
            let told = usage(service, DEFAULT).await;
            assert_eq!((&told["runs"], &told["flows"]), (&json!(number), &json!(1)), "{told}");
        }
        assert_eq!(answered(service, "memory").await, 0.0);
        let first = usage(service, DEFAULT).await;
        let said = service.get(&of(DEFAULT, "/usage")).await;
        assert_eq!(said.ok(200), first, "the same, as of the same time");
        assert!(said.header("age").parse::<u64>().unwrap() < 60);
        assert_eq!(said.header("content-type"), "application/json");
        assert_eq!(answered(service, "memory").await, 2.0);
    }
}

#[tokio::test]
async fn one_projects_report_is_never_anothers() {
    let service = Service::with_keys().await;
    let other = service.project("other").await;
    service.flow(DEFAULT, greet()).await;
    run(&service, DEFAULT).await;
    for _ in 0..2 {
        assert_eq!(usage(&service, DEFAULT).await["runs"], 1);
        assert_eq!(usage(&service, &other).await["runs"], 0);
    }
    // The same query, the same name.
    service.flow(&other, greet()).await;
    for (project, count) in [(DEFAULT, 1), (other.as_str(), 0)] {
        let path = of(project, "/flows/greet/statistics");
        for _ in 0..2 {
            let told = service.get(&path).await.ok(200);
            assert_eq!(told["all"]["count"], count);
        }
    }
    // What another project does leaves a report as it is.
    let before = usage(&service, DEFAULT).await;
    run(&service, &other).await;
    assert_eq!(usage(&service, DEFAULT).await, before);
    service.stop().await;
}

#[tokio::test]
async fn those_who_ask_at_the_same_time_share_one_computation() {
    let service = Service::with_keys().await;
    let all = (0..50).map(|_| usage(&service, DEFAULT));
    let all = futures::future::join_all(all).await;
    assert!(all.iter().all(|told| *told == all[0]));
    assert_eq!(answered(&service, "computed").await, 1.0);
    assert_eq!(answered(&service, "memory").await, 49.0);
    service.stop().await;
}

#[tokio::test]
async fn each_query_is_a_report_of_its_own_and_a_wrong_one_is_refused() {
    let service = Service::with_keys().await;
    let sums = async |query: &str| {
        service
            .get(&of(DEFAULT, &format!("/agents/metrics{query}")))
            .await
    };
    let hours = sums("?period=hour&agent=a").await.ok(200);
    assert_eq!(sums("?period=hour&agent=a").await.ok(200), hours);
    let others = [
        "",
        "?period=hour",
        "?period=hour&agent=b",
        "?since=2020-01-01T00:00:00Z",
    ];
    for other in others {
        assert_ne!(
            sums(other).await.ok(200)["as_of"],
            hours["as_of"],
            "{other}"
        );
    }
    assert_eq!(answered(&service, "computed").await, 5.0);
    assert_eq!(sums("?since=x").await.code(), "invalid_query");
    service.stop().await;
}

#[tokio::test]
async fn without_a_lifetime_nothing_is_kept() {
    let service = Service::with(&[("cache.report_ms", "0")]).await;
    for _ in 0..3 {
        let said = service.get(&of(DEFAULT, "/usage")).await;
        said.ok(200);
        assert_eq!(said.header("age"), "0");
    }
    assert_eq!(answered(&service, "computed").await, 3.0);
    assert_eq!(numbers(&service).await["runstone_report_cache_bytes"], 0.0);
    service.stop().await;
}

#[tokio::test]
async fn what_runs_do_by_themselves_is_told_when_the_report_is_too_old() {
    let service = Service::with(&[("cache.report_ms", "100")]).await;
    let slow = crate::harness::rounds(1, 300);
    service.flow(DEFAULT, slow).await;
    let start = json!({ "flow": "rounds" });
    service.post(&of(DEFAULT, "/runs"), start).await.ok(202);
    assert_eq!(
        usage(&service, DEFAULT).await["runs_by_status"],
        json!({ "running": 1 })
    );
    let until = Instant::now() + Duration::from_secs(20);
    while usage(&service, DEFAULT).await["runs_by_status"] != json!({ "completed": 1 }) {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    service.stop().await;
}

#[tokio::test]
async fn a_refused_write_voids_nothing() {
    let service = Service::with_keys().await;
    let viewer = service.key(Some(DEFAULT), "viewer").await;
    let told = usage(&service, DEFAULT).await;
    let (path, start) = (of(DEFAULT, "/runs"), json!({ "flow": "greet" }));
    let said = service.call(&viewer, "POST", &path, Some(start)).await;
    assert_eq!(said.code(), "forbidden");
    let start = json!({ "flow": "there is none" });
    let said = service.post(&path, start).await;
    assert_eq!(said.code(), "not_found");
    assert_eq!(usage(&service, DEFAULT).await, told);
    service.stop().await;
}

#[tokio::test]
async fn kill_a_write_on_one_server_is_in_the_other_s_report_at_once_while_redis_is_there() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let settings = [
        ("redis.url", redis.url.as_str()),
        ("cache.report_ms", "3000"),
    ];
    let one = Service::with(&settings).await;
    let other = one.beside(&settings).await;
    let elsewhere = one.project("elsewhere").await;
    one.flow(DEFAULT, greet()).await;
    let mut runs = 0;
    for (writer, reader) in [
        (&one, &other),
        (&other, &one),
        (&one, &one),
        (&other, &other),
    ] {
        run(writer, DEFAULT).await;
        runs += 1;
        assert_eq!(usage(reader, DEFAULT).await["runs"], runs);
        assert_eq!(usage(&one, DEFAULT).await["runs"], runs);
        assert_eq!(usage(&other, DEFAULT).await, usage(&one, DEFAULT).await);
    }
    // Of the two, one computes and the other has it from Redis.
    let computed = answered(&one, "computed").await + answered(&other, "computed").await;
    let shared = answered(&one, "redis").await + answered(&other, "redis").await;
    assert_eq!((computed, shared), (4.0, 4.0));
    for service in [&one, &other] {
        assert_eq!(
            usage(service, &elsewhere).await["runs"],
            0,
            "another project's"
        );
    }

    redis.order("kill");
    // Each for itself: its own writes are seen at once, the other's when its report is too old.
    run(&one, DEFAULT).await;
    runs += 1;
    assert_eq!(usage(&one, DEFAULT).await["runs"], runs);
    sees(&other, runs).await;
    until_redis_is(&other, "degraded").await;
    assert_eq!(usage(&other, DEFAULT).await["runs"], runs);

    redis.order("start");
    until_redis_is(&one, "healthy").await;
    until_redis_is(&other, "healthy").await;
    run(&one, DEFAULT).await;
    runs += 1;
    for service in [&one, &other] {
        assert_eq!(usage(service, DEFAULT).await["runs"], runs);
    }
    // It did not reach Redis with a write, so it does not trust it for as long as reports live.
    run(&other, DEFAULT).await;
    sees(&one, runs + 1).await;
    other.stop().await;
    one.stop().await;
    redis.end();
}

/// Waits until a report has as many runs.
async fn sees(service: &Service, runs: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    while usage(service, DEFAULT).await["runs"] != runs {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
