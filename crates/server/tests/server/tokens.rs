//! Tokens of an issuer: each way of signing that is taken, keys that change, roles that they give,
//! and what is refused.
use std::time::{Duration, Instant};

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

fn claims(issuer: &Issuer, sub: &str) -> Value {
    json!({ "sub": sub, "iss": issuer.url, "aud": "runstone", "exp": now() + 300 })
}

async fn service(issuer: &Issuer, more: &[(&'static str, &str)]) -> Service {
    let mut settings = vec![
        ("auth.oidc_issuer", issuer.url.as_str()),
        ("auth.oidc_audience", "runstone"),
        ("auth.oidc_admins", "root"),
        ("rate.failures_per_address_per_min", "0"),
    ];
    settings.extend(more);
    Service::with(&settings).await
}

async fn status(service: &Service, token: &str) -> u16 {
    let path = format!("/projects/{DEFAULT}");
    let said = service.call(token, "GET", &path, None).await;
    said.status.as_u16()
}

#[tokio::test]
async fn tokens_are_taken_by_signature_and_refused_by_everything_that_is_wrong_with_them() {
    for issuer in [Issuer::start().await, Issuer::with_rsa().await] {
        let service = service(&issuer, &[]).await;
        let good = claims(&issuer, "root");
        assert_eq!(status(&service, &issuer.token(&good)).await, 200);
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            issuer.token(&claims)
        };
        let (head, signature) = issuer.token(&good).rsplit_once('.').map(own).unwrap();
        let payload = head.split_once('.').unwrap().1.to_owned();
        let stranger = Issuer::start().await;
        for (why, token) in [
            ("expired", with("exp", json!(now() - 120))),
            ("not valid yet", with("nbf", json!(now() + 120))),
            ("for others", with("aud", json!("others"))),
            ("of another issuer", with("iss", json!("http://evil.test"))),
            ("of nobody", with("sub", json!(""))),
            ("no algorithm", format!("eyJhbGciOiJub25lIn0.{payload}.")),
            (
                "no algorithm, signed",
                format!("eyJhbGciOiJub25lIn0.{payload}.{signature}"),
            ),
            ("not signed", format!("{head}.")),
            ("a shared secret", issuer.forged_with_the_public_key(&good)),
            ("another way of signing", issuer.token_as("PS256", &good)),
            ("another hash", issuer.token_as("ES384", &good)),
            ("another's key", stranger.token(&good)),
        ] {
            assert_eq!(status(&service, &token).await, 401, "{why}");
        }
        service.stop().await;
    }
}

fn own((head, signature): (&str, &str)) -> (String, String) {
    (head.to_owned(), signature.to_owned())
}

#[tokio::test]
async fn an_issuer_may_change_its_keys() {
    let mut issuer = Issuer::start().await;
    let service = service(&issuer, &[]).await;
    let good = claims(&issuer, "root");
    let old = issuer.token(&good);
    assert_eq!(status(&service, &old).await, 200);
    issuer.rotate("two");
    let new = issuer.token(&good);
    let begun = Instant::now();
    while status(&service, &new).await != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the new key is not fetched"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(status(&service, &old).await, 401, "its key was withdrawn");
    service.stop().await;
}

#[tokio::test]
async fn a_claim_gives_roles_in_the_projects_that_it_names() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, &[("auth.oidc_roles_claim", "runstone_roles")]).await;
    let other = service.project("other").await;
    let token = |roles: Value| {
        let mut claims = claims(&issuer, "ada");
        claims["runstone_roles"] = roles;
        issuer.token(&claims)
    };
    let flow = json!({ "definition": crate::harness::greet() });
    let put = async |token: &str, project: &str| {
        let path = format!("/projects/{project}/flows");
        let said = service.call(token, "POST", &path, Some(flow.clone())).await;
        said.status.as_u16()
    };
    let editor = token(json!({ DEFAULT: "editor" }));
    assert_eq!(put(&editor, DEFAULT).await, 201);
    assert_eq!(
        put(&editor, &other).await,
        404,
        "the claim does not name it"
    );
    let viewer = token(json!({ DEFAULT: "viewer", "not a project": "owner", &other: 7 }));
    assert_eq!(status(&service, &viewer).await, 200);
    assert_eq!(put(&viewer, DEFAULT).await, 403);
    assert_eq!(put(&viewer, &other).await, 404);
    // Nobody becomes an administrator by a claim.
    let admin = token(json!({ DEFAULT: "admin" }));
    assert_eq!(
        service.call(&admin, "GET", "/database", None).await.status,
        403
    );
    for nonsense in [json!("editor"), json!([DEFAULT]), json!(null)] {
        assert_eq!(status(&service, &token(nonsense)).await, 404);
    }
    // Of claim and membership the greater counts.
    let member = format!("/projects/{DEFAULT}/members/ada");
    let role = json!({ "role": "editor" });
    service
        .call(&service.admin, "PUT", &member, Some(role))
        .await
        .ok(200);
    assert_eq!(put(&viewer, DEFAULT).await, 201);
    service.stop().await;
}
