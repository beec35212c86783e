//! What nobody should send: malformed, oversized, slow, odd. Always a 4xx that says what is wrong,
//! never a 5xx, never something of the inside.
use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::harness::{DEFAULT, Service, greet};

/// Sends bytes as they are and reads until the server is done.
async fn raw(service: &Service, bytes: &[u8]) -> String {
    let address = service.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .unwrap()
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bodies_that_are_wrong_are_refused_with_every_field() {
    let service = Service::with(&[("limits.body_bytes", "2048")]).await;
    let post = |kind: &str, body: String| {
        let request = service
            .request("POST", "/api/v1/projects")
            .bearer_auth(&service.admin);
        service.send(request.header("Content-Type", kind).body(body))
    };
    let json = "application/json";
    assert_eq!(post(json, "{".to_owned()).await.code(), "malformed_json");
    assert_eq!(post(json, "[".repeat(1000)).await.code(), "malformed_json");
    assert_eq!(post(json, String::new()).await.code(), "malformed_json");
    assert_eq!(
        post("text/plain", "{}".to_owned()).await.code(),
        "unsupported_media_type"
    );
    let large = json!({ "name": "x", "description": "y".repeat(4000) }).to_string();
    assert_eq!(post(json, large).await.code(), "too_large");
    let said = post(
        json,
        json!({ "name": 7, "nam": 1, "quotas": { "flows": -1 } }).to_string(),
    )
    .await;
    assert_eq!(said.code(), "invalid_body");
    assert_eq!(
        said.json()["errors"].as_array().unwrap().len(),
        3,
        "{}",
        said.text
    );
    for name in ["a\u{0}b", "", " x", "x\n"] {
        let said = post(json, json!({ "name": name }).to_string()).await;
        assert_eq!(said.code(), "invalid_body", "{name:?}");
    }
    // Odd, but a name.
    for name in [
        "\u{202e}olleh",
        "\u{1d4b3}",
        "a\u{301}",
        "'; DROP TABLE projects; --",
    ] {
        assert_eq!(
            post(json, json!({ "name": name }).to_string()).await.status,
            201,
            "{name}"
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn paths_and_queries_that_are_wrong_lead_nowhere() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, greet()).await;
    for path in [
        "/projects/x",
        "/projects/00000000000070008000000000000001",
        "/projects/%00",
        "/projects/00000000-0000-7000-8000-000000000001/runs/%ff",
        "/projects/00000000-0000-7000-8000-000000000001/runs/00000000-0000-7000-8000-000000000001/~cancel",
        "/projects/00000000-0000-7000-8000-000000000001/flows/a%00b",
        "/projects/00000000-0000-7000-8000-000000000001/flows/greet/versions/99999999999999999999",
        "/projects/../../etc/passwd",
        "//projects",
        "/projects/",
    ] {
        let said = service.get(path).await;
        assert!(
            matches!(said.status.as_u16(), 400 | 404 | 405),
            "{path}: {} {}",
            said.status,
            said.text
        );
    }
    let runs = format!("/projects/{DEFAULT}/runs");
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=1&limit=2",
        "nope=1",
        "status=done",
        "cursor=%00",
        "cursor=AAAA",
        "label=x",
        "created_after=yesterday",
        "flow=",
        "total=1",
        "total=true&q=greet",
        "sort=name",
        "sort=",
        "sort=created_at&sort=-created_at",
        "flow=a%00",
    ] {
        let said = service.get(&format!("{runs}?{query}")).await;
        assert_eq!(said.code(), "invalid_query", "{query}");
        assert!(
            !said.json()["errors"].as_array().unwrap().is_empty(),
            "{query}"
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn methods_that_a_path_does_not_know_are_told_which_it_knows() {
    let service = Service::with_keys().await;
    let said = service
        .call(&service.admin, "DELETE", "/projects", None)
        .await;
    assert_eq!(
        (said.code().as_str(), said.header("allow")),
        ("method_not_allowed", "GET, HEAD, POST")
    );
    service.stop().await;
}

#[tokio::test]
async fn slow_and_oversized_requests_are_cut_off() {
    let service = Service::with(&[
        ("limits.header_timeout_ms", "200"),
        ("limits.body_timeout_ms", "200"),
    ])
    .await;
    let answer = raw(&service, b"GET /version HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(!answer.contains("200 OK"), "{answer}");
    let head = format!(
        "POST /api/v1/projects HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer {}\r\nContent-Length: 100\r\n\r\n{{",
        service.admin
    );
    let answer = raw(&service, head.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"),
        "{answer}"
    );
    let many = format!(
        "GET /version HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n",
        "y".repeat(1 << 20)
    );
    let address = service.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may stop reading before all is sent.
    let _ = stream.write_all(many.as_bytes()).await;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).await.unwrap_or(0);
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    service
        .send(service.request("GET", "/health/live"))
        .await
        .ok(204);
    service.stop().await;
}

#[tokio::test]
async fn connections_that_ask_nothing_are_closed_and_keep_nobody_out() {
    let service = Service::with(&[
        ("limits.header_timeout_ms", "300"),
        ("limits.connections", "4"),
    ])
    .await;
    // A few letters could still become HTTP/2, all of them are it; none asks anything.
    let begins: [&[u8]; 3] = [b"", b"PRI * HT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    let silent = begins.map(|begin| raw(&service, begin));
    let closed = futures::future::join_all(silent);
    tokio::time::timeout(Duration::from_secs(10), closed)
        .await
        .unwrap();
    let address = service.url.strip_prefix("http://").unwrap();
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    service
        .send(service.request("GET", "/health/live"))
        .await
        .ok(204);
    drop(held);
    service.stop().await;
}

#[tokio::test]
async fn clients_that_take_no_answer_lose_their_connection() {
    let service = Service::with(&[
        ("limits.write_timeout_ms", "300"),
        ("limits.connections", "4"),
    ])
    .await;
    let address = service.url.strip_prefix("http://").unwrap();
    // Far more than the buffers on the way hold, and nobody reads.
    let many = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200);
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // What the server has closed meanwhile takes no more.
        let _ = stream.write_all(many.as_bytes()).await;
        held.push(stream);
    }
    let health = service.send(service.request("GET", "/health/live"));
    let said = tokio::time::timeout(Duration::from_secs(20), health).await;
    said.unwrap().ok(204);
    drop(held);
    service.stop().await;
}

#[tokio::test]
async fn made_up_methods_leave_no_trace_in_the_numbers() {
    let service = Service::with_keys().await;
    for number in 0..5 {
        let said = service.send(service.request(&format!("MADEUP{number}"), "/version"));
        assert_eq!(said.await.code(), "method_not_allowed");
    }
    let request = service.request("GET", "/metrics");
    let told = service.send(request.bearer_auth(&service.admin)).await.text;
    assert!(!told.contains("MADEUP"), "{told}");
    assert!(told.contains("method=\"other\""), "{told}");
    service.stop().await;
}

#[tokio::test]
async fn a_full_server_says_when_to_come_back_and_still_tells_its_health() {
    let service = Service::with(&[("limits.concurrent_requests", "1")]).await;
    service
        .flow(DEFAULT, crate::harness::rounds(1, 3_000))
        .await;
    let runs = format!("/projects/{DEFAULT}/runs?wait=10s");
    let busy = service.post(&runs, json!({ "flow": "rounds" }));
    let asking = async {
        loop {
            let said = service.send(service.request("GET", "/version")).await;
            if said.status == 503 {
                return said;
            }
        }
    };
    let (done, refused) = tokio::join!(busy, asking);
    done.ok(200);
    assert_eq!(
        (refused.code().as_str(), refused.header("retry-after")),
        ("overloaded", "1")
    );
    service
        .send(service.request("GET", "/health"))
        .await
        .ok(200);
    service.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let service = Service::with_keys().await;
    for path in ["/version", "/nope", "/docs", "/api/v1/projects"] {
        let said = service.send(service.request("GET", path)).await;
        for name in [
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "content-security-policy",
            "x-trace-id",
            "cache-control",
        ] {
            assert!(!said.header(name).is_empty(), "{path} has no {name}");
        }
    }
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = service
        .request("GET", "/nope")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(service.send(request).await.header("x-trace-id"), trace);
    service.stop().await;
}
