//! What is sent, what comes back, and which failure each kind of trouble is.
use super::*;

#[tokio::test]
async fn a_json_answer_becomes_a_value_and_the_request_carries_what_the_flow_said() {
    let body = r#"{"id": 7, "tags": ["a"]}"#;
    let server = Server::answering([answer(
        "201 Created",
        &[
            "content-type: application/json; charset=utf-8",
            "x-a: 1",
            "x-a: 2",
        ],
        body,
    )])
    .await;
    let with = json!({
        "method": "post",
        "url": server.url("/orders?a=1"),
        "query": {"q": "x & y", "n": [1, 2], "none": null, "flag": true},
        "headers": {"Authorization": "Bearer s3cret", "X-Count": 3},
        "json": {"sku": "ü"},
    });
    let result = send(&Http::new(loopback()), with).await.unwrap();

    assert_eq!(result["status"], 201);
    assert_eq!(result["body"], json!({"id": 7, "tags": ["a"]}));
    assert_eq!(result["headers"]["x-a"], "1, 2");
    let request = server.seen().remove(0);
    assert!(
        request.starts_with("POST /orders?a=1&flag=true&n=1&n=2&q=x+%26+y HTTP/1.1\r\n"),
        "{request}"
    );
    for line in [
        "authorization: Bearer s3cret",
        "x-count: 3",
        "content-type: application/json",
        "idempotency-key: run-1/fetch/1",
        concat!("user-agent: runstone/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(
            request.contains(&format!("{line}\r\n")),
            "{line} is not in {request}"
        );
    }
    assert!(request.ends_with("\r\n\r\n{\"sku\":\"ü\"}"), "{request}");
}

#[tokio::test]
async fn an_explicit_null_is_sent_as_json_and_a_text_body_as_text() {
    let ok = answer("204 No Content", &[], "");
    let server = Server::answering([ok.clone(), ok]).await;
    let http = Http::new(loopback());
    for extra in [json!({"json": null}), json!({"body": "plain"})] {
        let mut with = json!({"method": "PUT", "url": server.url("/")});
        with.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        assert_eq!(send(&http, with).await.unwrap()["body"], "");
    }
    let seen = server.seen();
    assert!(seen[0].ends_with("\r\n\r\nnull"), "{}", seen[0]);
    assert!(seen[1].contains("content-type: text/plain"), "{}", seen[1]);
    assert!(seen[1].ends_with("\r\n\r\nplain"), "{}", seen[1]);
}

#[tokio::test]
async fn the_flow_may_give_an_idempotency_key_of_its_own() {
    let server = Server::answering([answer("200 OK", &[], "")]).await;
    let with = json!({"url": server.url("/"), "headers": {"Idempotency-Key": "mine"}});
    send(&Http::new(loopback()), with).await.unwrap();
    let request = server.seen().remove(0);
    assert!(
        request.contains("idempotency-key: mine\r\n") && !request.contains("run-1"),
        "{request}"
    );
}

#[tokio::test]
async fn each_status_has_its_class_and_says_whether_a_retry_may_help() {
    use Class::{Dependency, RateLimit, Timeout};
    type Case = (
        &'static str,
        &'static [&'static str],
        Class,
        bool,
        Option<u64>,
    );
    let cases: [Case; 10] = [
        ("400 Bad Request", &[], Dependency, false, None),
        ("401 Unauthorized", &[], Dependency, false, None),
        ("404 Not Found", &[], Dependency, false, None),
        ("408 Request Timeout", &[], Timeout, true, None),
        ("429 Too Many Requests", &[], RateLimit, true, None),
        (
            "500 Internal Server Error",
            &["retry-after: 7"],
            Dependency,
            true,
            None,
        ),
        ("503 Service Unavailable", &[], Dependency, true, None),
        ("599 Odd", &[], Dependency, true, None),
        (
            "429 Too Many Requests",
            &["retry-after: 7"],
            RateLimit,
            true,
            Some(7),
        ),
        (
            "503 Service Unavailable",
            &[
                "date: Sun, 06 Nov 1994 08:49:37 GMT",
                "retry-after: Sun, 06 Nov 1994 08:50:37 GMT",
            ],
            RateLimit,
            true,
            Some(60),
        ),
    ];
    for (status, headers, class, retryable, seconds) in cases {
        let server = Server::answering([answer(status, headers, "secret body")]).await;
        let error = send(&Http::new(loopback()), json!({"url": server.url("/x")}))
            .await
            .unwrap_err();
        assert_eq!(error.class, class, "{status}");
        assert_eq!(error.retryable, Some(retryable), "{status}");
        assert_eq!(
            error.retry_after,
            seconds.map(Duration::from_secs),
            "{status}"
        );
        assert!(error.message.contains(&status[..3]), "{}", error.message);
    }
}

#[tokio::test]
async fn a_status_that_is_expected_is_a_result() {
    for expect in [
        json!(404),
        json!([200, 404]),
        json!("404-410"),
        json!(["2xx", "4xx"]),
    ] {
        let server = Server::answering([answer("404 Not Found", &[], "gone")]).await;
        let with = json!({"url": server.url("/"), "expect": expect});
        let result = send(&Http::new(loopback()), with).await.unwrap();
        assert_eq!(
            (&result["status"], &result["body"]),
            (&json!(404), &json!("gone"))
        );
    }
    let server = Server::answering([answer("200 OK", &[], "")]).await;
    let with = json!({"url": server.url("/"), "expect": [201, "204-206"]});
    let error = send(&Http::new(loopback()), with).await.unwrap_err();
    assert!(
        error
            .message
            .contains("answered 200 OK, expected 201, 204-206"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn bodies_that_are_not_what_they_say_are_told_apart() {
    let json_kind = "content-type: application/problem+json";
    let server = Server::answering([
        answer("200 OK", &[json_kind], "{\"a\":"),
        answer("200 OK", &["content-type: text/plain"], "{\"a\": 1}"),
        answer("200 OK", &[json_kind], ""),
    ])
    .await;
    let http = Http::new(loopback());
    let with = json!({"url": server.url("/")});
    let broken = send(&http, with.clone()).await.unwrap_err();
    assert_eq!(broken.class, Class::Dependency);
    assert!(
        broken
            .message
            .contains("says it answers JSON but does not (line 1"),
        "{broken}"
    );
    assert_eq!(
        send(&http, with.clone()).await.unwrap()["body"],
        "{\"a\": 1}"
    );
    assert_eq!(send(&http, with).await.unwrap()["body"], Value::Null);
}

#[tokio::test]
async fn an_answer_over_the_cap_is_refused_whether_it_says_its_length_or_not() {
    let long = "x".repeat(1000);
    let streamed = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{long}");
    let server = Server::answering([
        answer("200 OK", &[], &long),
        streamed,
        answer("200 OK", &[], &long),
    ])
    .await;
    let http = Http::new(loopback());
    for _ in 0..2 {
        let with = json!({"url": server.url("/"), "max_bytes": 999});
        let error = send(&http, with).await.unwrap_err();
        assert_eq!(
            (error.class, error.retryable),
            (Class::Resource, Some(false))
        );
        assert!(error.message.contains("more than 999 bytes"), "{error}");
    }
    let exact = json!({"url": server.url("/"), "max_bytes": 1000});
    assert_eq!(
        send(&http, exact).await.unwrap()["body"],
        Value::String(long)
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let with = json!({"url": url, "timeout": "50ms"});
    let error = send(&Http::new(loopback()), with).await.unwrap_err();
    assert_eq!(error.class, Class::Timeout);
    assert!(error.message.contains("did not answer in 50ms"), "{error}");
}

#[tokio::test]
async fn no_connection_and_a_broken_one_are_network_trouble() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let http = Http::new(loopback());
    let refused = send(&http, json!({"url": format!("http://{free}/")}))
        .await
        .unwrap_err();
    assert_eq!(refused.class, Class::Network);
    assert!(
        refused.message.contains("cannot be connected to"),
        "{refused}"
    );

    let server = Server::answering(["HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort"]).await;
    let broken = send(&http, json!({"url": server.url("/")}))
        .await
        .unwrap_err();
    assert_eq!(broken.class, Class::Network);
    assert!(broken.message.contains("broke the connection"), "{broken}");

    let nowhere = Http::with_lookup(Policy::default(), resolving_to(&[]));
    let error = send(&nowhere, json!({"url": "http://nowhere.example/"}))
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Network);
    assert!(error.message.contains("does not resolve"), "{error}");
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let secrets = [
        "s3cret-header",
        "s3cret-query",
        "s3cret-path",
        "s3cret-body",
        "s3cret-user",
    ];
    let server = Server::answering([
        answer(
            "500 Internal Server Error",
            &[],
            "s3cret-header s3cret-body",
        ),
        answer("302 Found", &["location: ftp://s3cret-path/"], ""),
        answer(
            "302 Found",
            &["location: http://s3cret-user:pw@127.0.0.1/"],
            "",
        ),
        "garbage s3cret-header".to_owned(),
    ])
    .await;
    let http = Http::new(loopback());
    let mut with = json!({
        "url": server.url("/s3cret-path?k=s3cret-query"),
        "headers": {"Authorization": "Bearer s3cret-header"},
        "query": {"token": "s3cret-query"},
        "method": "POST",
        "body": "s3cret-body",
    });
    let mut errors = Vec::new();
    for _ in 0..4 {
        errors.push(send(&http, with.clone()).await.unwrap_err());
    }
    for url in [
        "http://s3cret-user:s3cret-path@host/",
        "s3cret-path",
        "http://[s3cret-path]/",
    ] {
        with["url"] = json!(url);
        errors.push(send(&http, with.clone()).await.unwrap_err());
    }
    with["url"] = json!("http://127.0.0.1:1/s3cret-path");
    errors.push(send(&http, with.clone()).await.unwrap_err());
    with["headers"] = json!({"X": "s3cret-header\n"});
    errors.push(send(&http, with).await.unwrap_err());
    for error in errors {
        let shown = format!("{error} {:?} {error:?}", error.causes);
        for secret in secrets {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
    }
}
