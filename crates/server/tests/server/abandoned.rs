//! Who asks and does not wait for the answer: what was done is written down all the same, and nothing
//! stays counted for ever.
use std::time::{Duration, Instant};

use runstone_testkit::{
    proxy::{Mode, Proxy},
    servers::{Fresh, TestDatabase},
};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::harness::{AN_HOUR, DEFAULT, Service, rounds, settings};

/// Nothing here may take longer.
const HANG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_write_is_in_the_audit_log_although_nobody_waited_for_its_answer() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    let body = json!({ "flow": "rounds" }).to_string();
    let head = format!(
        "POST /api/v1/projects/{DEFAULT}/runs?wait=1s HTTP/1.1\r\nHost: x\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        service.admin,
        body.len()
    );
    let address = service.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    let runs = format!("/projects/{DEFAULT}/runs");
    while service.get(&runs).await.ok(200)["items"] == json!([]) {
        assert!(began.elapsed() < HANG, "the run is not there");
    }
    // The answer comes when the second is over: nobody takes it.
    drop(stream);
    loop {
        let told = service.get("/audit").await.ok(200);
        let entry = &told["items"][0];
        if entry["action"] == "runs.start" {
            assert_eq!(entry["status"], 202);
            break;
        }
        assert!(began.elapsed() < HANG, "{told}");
    }
    // The one that asks.
    let alone = "runstone_http_requests_in_flight 1";
    loop {
        let request = service.request("GET", "/metrics");
        let said = service.send(request.bearer_auth(&service.admin)).await;
        if said.text.lines().any(|line| line == alone) {
            break;
        }
        assert!(began.elapsed() < HANG, "no `{alone}` in {}", said.text);
    }
    service.stop().await;
}

#[tokio::test]
async fn audit_entries_wait_for_a_database_that_is_away_postgres() {
    let Some(fresh) = Fresh::on(TestDatabase::Postgres).await else {
        return;
    };
    let proxy = Proxy::before(fresh.url()).await;
    let mut settings = settings(vec![(
        "auth.key_cache_ms",
        "60000".to_owned(),
        "key-cache-ms",
    )]);
    settings.database_url = proxy.url(fresh.url());
    let service = Service::start(settings, None).await;
    service.get("/projects").await.ok(200);
    proxy.set(Mode::Cut);
    let said = service.post("/projects", json!({ "name": "x" })).await;
    assert_eq!(said.code(), "unavailable");
    proxy.set(Mode::Pass);
    let began = Instant::now();
    loop {
        let told = service.get("/audit").await;
        if told.status == 200 && told.json()["items"][0]["status"] == 503 {
            break;
        }
        assert!(began.elapsed() < HANG, "{}", told.text);
    }
    service.stop().await;
}
