//! Health: what it says is so, and asking for it keeps nothing alive.
use std::time::{Duration, Instant};

use runstone_engine::{Clock as _, Options, SystemClock};
use runstone_model::time::Timestamp;

use crate::harness::Service;

#[tokio::test]
async fn a_server_whose_heart_has_stopped_says_so_and_asking_does_not_keep_it_alive() {
    let options = Options {
        lease: Duration::from_millis(300),
        ..Options::default()
    };
    let service = Service::without_loops(options).await;
    let began = Instant::now();
    let said = loop {
        let said = service.send(service.request("GET", "/health")).await;
        if said.status == 503 {
            break said;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{}", said.text);
    };
    assert_eq!(said.json()["checks"]["engine"]["status"], "unhealthy");
    assert_eq!(said.json()["checks"]["main_path"]["status"], "healthy");
    let since = Timestamp(SystemClock.now().0 - 3_600_000_000);
    let alive = service.store.alive(since).await.unwrap();
    assert!(alive.is_empty(), "{alive:?}");
    service.stop().await;
}

#[tokio::test]
async fn a_server_at_work_is_healthy_in_every_part() {
    let service = Service::with_keys().await;
    let said = service.send(service.request("GET", "/health")).await;
    let checks = said.ok(200)["checks"].clone();
    let names: Vec<&String> = checks.as_object().unwrap().keys().collect();
    assert_eq!(names, ["database", "engine", "main_path", "pool"]);
    service.stop().await;
}
