//! Who may call: keys with their whole life, tokens of an issuer, rate limits, the audit log.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use runstone_engine::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::{
    harness::{DEFAULT, Service},
    issuer::Issuer,
};

/// Seconds since 1970, as tokens have them.
fn now() -> i64 {
    SystemClock.now().0 / 1_000_000
}

#[tokio::test]
async fn a_key_lives_from_its_making_over_rotation_to_its_end() {
    let service = Service::with_keys().await;
    let keys = format!("/projects/{DEFAULT}/keys");
    let made = service
        .post(&keys, json!({ "name": "ci", "role": "viewer" }))
        .await
        .ok(201);
    let (first, id) = (
        made["key"].as_str().unwrap(),
        made["info"]["id"].as_str().unwrap(),
    );
    let project = format!("/projects/{DEFAULT}");
    service.call(first, "GET", &project, None).await.ok(200);
    let listed = service.get(&keys).await;
    assert!(
        listed.text.contains(id) && !listed.text.contains(first),
        "shown once"
    );

    let rotate = format!("{keys}/{id}:rotate");
    let kept = service
        .post(&rotate, json!({ "keep_old_s": 3600 }))
        .await
        .ok(200);
    let second = kept["key"].as_str().unwrap();
    for key in [first, second] {
        service.call(key, "GET", &project, None).await.ok(200);
    }
    let third = service.post(&rotate, json!({})).await.ok(200);
    let third = third["key"].as_str().unwrap();
    for gone in [first, second] {
        assert_eq!(
            service.call(gone, "GET", &project, None).await.code(),
            "unauthenticated"
        );
    }
    service.call(third, "GET", &project, None).await.ok(200);
    let path = format!("{keys}/{id}");
    service
        .call(&service.admin, "DELETE", &path, None)
        .await
        .ok(204);
    assert_eq!(
        service.call(third, "GET", &project, None).await.code(),
        "unauthenticated"
    );
    assert_eq!(service.post(&rotate, json!({})).await.code(), "conflict");

    let refused = service
        .post(&keys, json!({ "name": "x", "role": "admin" }))
        .await;
    assert_eq!(refused.code(), "invalid_body");
    service.stop().await;
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let service = Service::with(&[("auth.key_cache_ms", "0")]).await;
    let keys = format!("/projects/{DEFAULT}/keys");
    let new = json!({ "name": "short", "role": "viewer", "expires_in_s": 1 });
    let made = service.post(&keys, new).await.ok(201);
    let key = made["key"].as_str().unwrap();
    let begun = std::time::Instant::now();
    while service
        .call(key, "GET", &format!("/projects/{DEFAULT}"), None)
        .await
        .status
        == 200
    {
        assert!(begun.elapsed().as_secs() < 20, "it is still taken");
    }
    assert!(begun.elapsed().as_millis() > 500);
    service.stop().await;
}

#[tokio::test]
async fn a_token_of_the_issuer_is_taken_and_no_other() {
    let issuer = Issuer::start().await;
    let service = Service::with(&[
        ("auth.oidc_issuer", &issuer.url),
        ("auth.oidc_audience", "runstone"),
        ("auth.oidc_admins", "root"),
        ("rate.failures_per_address_per_min", "0"),
    ])
    .await;
    let claims =
        |sub: &str| json!({ "sub": sub, "iss": issuer.url, "aud": "runstone", "exp": now() + 300 });
    let root = issuer.token(&claims("root"));
    let member = format!("/projects/{DEFAULT}/members/ada");
    service
        .call(&root, "PUT", &member, Some(json!({ "role": "viewer" })))
        .await
        .ok(200);
    let ada = issuer.token(&claims("ada"));
    let project = format!("/projects/{DEFAULT}");
    service.call(&ada, "GET", &project, None).await.ok(200);
    let theirs = service.call(&ada, "GET", "/projects", None).await.ok(200);
    assert_eq!(theirs["items"].as_array().unwrap().len(), 1);
    let flows = format!("{project}/flows");
    let flow = json!({ "definition": crate::harness::greet() });
    assert_eq!(
        service.call(&ada, "POST", &flows, Some(flow)).await.code(),
        "forbidden"
    );
    let eve = issuer.token(&claims("eve"));
    assert_eq!(
        service.call(&eve, "GET", &project, None).await.code(),
        "not_found"
    );

    let wrong: [(&str, Value); 4] = [
        (
            "another audience",
            json!({ "sub": "root", "iss": issuer.url, "aud": "others", "exp": now() + 300 }),
        ),
        (
            "another issuer",
            json!({ "sub": "root", "iss": "http://evil.test", "aud": "runstone", "exp": now() + 300 }),
        ),
        (
            "expired",
            json!({ "sub": "root", "iss": issuer.url, "aud": "runstone", "exp": now() - 300 }),
        ),
        (
            "no end",
            json!({ "sub": "root", "iss": issuer.url, "aud": "runstone" }),
        ),
    ];
    for (why, claims) in wrong {
        let said = service
            .call(&issuer.token(&claims), "GET", &project, None)
            .await;
        assert_eq!(said.status, 401, "{why}");
    }
    let (head, tail) = root.rsplit_once('.').unwrap();
    let other = issuer.token(&claims("eve"));
    let forged = format!("{head}.{}", other.rsplit_once('.').unwrap().1);
    let none = format!("eyJhbGciOiJub25lIn0.{}.", head.split_once('.').unwrap().1);
    for forged in [
        forged,
        none,
        format!("{head}."),
        format!("{tail}.{tail}.{tail}"),
    ] {
        let said = service.call(&forged, "GET", &project, None).await;
        assert_eq!(said.status, 401, "{forged}");
    }
    service.stop().await;
}

#[tokio::test]
async fn who_owns_a_deleted_project_finds_it_and_restores_it() {
    let issuer = Issuer::start().await;
    let service = Service::with(&[
        ("auth.oidc_issuer", &issuer.url),
        ("auth.oidc_audience", "runstone"),
    ])
    .await;
    let claims = json!({ "sub": "ada", "iss": issuer.url, "aud": "runstone", "exp": now() + 300 });
    let ada = issuer.token(&claims);
    let counted = async |query: &str| {
        let path = format!("/projects?total=true{query}");
        service.call(&ada, "GET", &path, None).await.ok(200)["total"].clone()
    };
    assert_eq!(counted("").await, 0);
    let gone = service.project("gone").await;
    let gone = format!("/projects/{gone}");
    let owner = format!("{gone}/members/ada");
    service
        .call(
            &service.admin,
            "PUT",
            &owner,
            Some(json!({ "role": "owner" })),
        )
        .await
        .ok(200);
    assert_eq!(
        (counted("").await, counted("&deleted=true").await),
        (json!(1), json!(0))
    );
    let delete = service.request("DELETE", &format!("/api/v1{gone}"));
    let delete = delete.bearer_auth(&ada).header("If-Match", "\"1\"");
    service.send(delete).await.ok(204);
    let deleted = service.call(&ada, "GET", "/projects?deleted=true", None);
    let deleted = deleted.await.ok(200);
    assert_eq!(deleted["items"][0]["name"], "gone");
    assert_eq!(deleted["items"].as_array().unwrap().len(), 1);
    let restore = format!("{gone}:restore");
    service.call(&ada, "POST", &restore, None).await.ok(200);
    service.stop().await;
}

#[tokio::test]
async fn an_issuer_that_is_away_is_asked_once_and_nobody_waits_in_line() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let away = axum::Router::new().fallback(async move || {
        counted.fetch_add(1, Ordering::SeqCst);
        axum::http::StatusCode::INTERNAL_SERVER_ERROR
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, away).await.unwrap() });
    let service = Service::with(&[
        ("auth.oidc_issuer", &url),
        ("auth.oidc_audience", "runstone"),
    ])
    .await;
    let token = Issuer::start().await.token(&json!({ "sub": "ada" }));
    let path = format!("/projects/{DEFAULT}");
    for _ in 0..2 {
        let calls = (0..8).map(|_| service.call(&token, "GET", &path, None));
        for said in futures::future::join_all(calls).await {
            assert_eq!(said.code(), "unavailable");
            assert_eq!(said.header("retry-after"), "5");
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Keys do not need it.
    service.get(&path).await.ok(200);
    service.stop().await;
}

#[tokio::test]
async fn rates_are_limited_by_key_and_failures_by_address() {
    let service = Service::with(&[
        ("rate.per_key_per_s", "5"),
        ("rate.failures_per_address_per_min", "3"),
    ])
    .await;
    let key = service.key(Some(DEFAULT), "viewer").await;
    let path = format!("/projects/{DEFAULT}");
    let said = service.call(&key, "GET", &path, None).await;
    assert_eq!(
        (
            said.header("ratelimit-limit"),
            said.header("ratelimit-remaining")
        ),
        ("5", "4")
    );
    let many =
        futures::future::join_all((0..30).map(|_| service.call(&key, "GET", &path, None))).await;
    let refused: Vec<_> = many.iter().filter(|said| said.status == 429).collect();
    assert!(refused.len() >= 10, "{}", refused.len());
    assert_eq!(refused[0].code(), "rate_limited");
    assert_eq!(refused[0].header("retry-after"), "1");
    // Another key is not concerned.
    service.get(&path).await.ok(200);
    for _ in 0..3 {
        assert_eq!(service.call("rs_x", "GET", &path, None).await.status, 401);
    }
    assert_eq!(
        service.call("rs_x", "GET", &path, None).await.code(),
        "rate_limited"
    );
    // Behind a proxy all have one address: a valid key is nobody else's business.
    service.get(&path).await.ok(200);
    service.stop().await;
}

#[tokio::test]
async fn writes_and_denials_are_in_the_audit_log_and_secrets_are_not() {
    let service = Service::with_keys().await;
    let viewer = service.key(Some(DEFAULT), "viewer").await;
    let keys = format!("/projects/{DEFAULT}/keys");
    let made = service
        .post(&keys, json!({ "name": "ci", "role": "editor" }))
        .await
        .ok(201);
    service.call(&viewer, "GET", &keys, None).await;
    service.call("", "GET", &keys, None).await;
    let begun = std::time::Instant::now();
    let entries = loop {
        let said = service.get(&format!("/projects/{DEFAULT}/audit")).await;
        let entries = said.ok(200)["items"].as_array().unwrap().clone();
        if entries.len() >= 2 || begun.elapsed().as_secs() > 20 {
            assert!(!said.text.contains(made["key"].as_str().unwrap()));
            break entries;
        }
    };
    let told: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["status"]))
        .collect();
    assert_eq!(told, ["keys.list_project 403", "keys.create_project 201"]);
    assert!(entries[0]["actor"].as_str().unwrap().starts_with("key:"));
    // The one without a key names no project.
    loop {
        let all = service.get("/audit").await.ok(200);
        if all["items"][0]["actor"] == "anonymous" {
            break;
        }
        assert!(begun.elapsed().as_secs() < 20, "{all}");
    }
    service.stop().await;
}

#[tokio::test]
async fn without_auth_only_this_machine_s_own_pages_are_answered() {
    let service = Service::without_auth().await;
    let get = || service.request("GET", "/api/v1/projects");
    service.send(get()).await.ok(200);
    let own = service.url.clone();
    service.send(get().header("Origin", own)).await.ok(200);
    for (name, value) in [
        ("Host", "evil.test"),
        ("Host", "127.0.0.1.evil.test:80"),
        ("Origin", "http://evil.test"),
        ("Origin", "null"),
    ] {
        assert_eq!(
            service.send(get().header(name, value)).await.code(),
            "cross_site",
            "{value}"
        );
    }
    service.stop().await;
}
