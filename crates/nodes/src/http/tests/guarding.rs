//! The guard: what is refused, by whichever way it is written, and what the allow-list opens.
use super::*;

async fn refusal(http: &Http, url: &str) -> String {
    let error = send(http, json!({"url": url, "timeout": "5s"}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class, error.retryable),
        (Class::Configuration, Some(false)),
        "{url}: {error}"
    );
    error.message
}

#[tokio::test]
async fn every_way_to_write_a_private_address_is_refused() {
    let http = Http::new(Policy::default());
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://①②⑦.0.0.1/",
        "http://127.0.0.1./",
        "http://127.9.9.9/",
        "http://0.0.0.0/",
        "http://0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://100.100.100.200/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "http://168.63.129.16/",
        "http://192.0.0.192/",
        "http://198.18.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:1::]/",
        "http://[2001:db8::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://localhost/",
        "http://LOCALHOST/",
        "https://127.0.0.1/",
    ] {
        let message = refusal(&http, url).await;
        assert!(
            message.contains("is refused") && message.contains("RUNSTONE_HTTP_ALLOW"),
            "{message}"
        );
    }
}

#[test]
fn public_addresses_are_not_refused() {
    let policy = Policy::default();
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2002:101:101::",
    ] {
        assert_eq!(policy.refuses(address.parse().unwrap()), None, "{address}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_even_beside_a_public_one() {
    for addresses in [
        &["127.0.0.1"][..],
        &["::ffff:10.0.0.1"],
        &["1.1.1.1", "169.254.169.254"],
        &["fd00::1", "1.1.1.1"],
    ] {
        let http = Http::with_lookup(Policy::default(), resolving_to(Box::leak(addresses.into())));
        let message = refusal(&http, "http://innocent.example/").await;
        assert!(
            message.contains("`innocent.example` is refused: it leads to "),
            "{message}"
        );
    }
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_checked() {
    let server = Server::answering([answer("200 OK", &[], "here")]).await;
    // The name exists nowhere but in this resolver: an answer means that it alone was asked.
    let http = Http::with_lookup(loopback(), resolving_to(&["127.0.0.1"]));
    let url = format!("http://only-here.example:{}/", server.address.port());
    assert_eq!(
        send(&http, json!({"url": url})).await.unwrap()["body"],
        "here"
    );
    assert!(server.seen()[0].contains("host: only-here.example:"));
}

#[tokio::test]
async fn a_second_lookup_is_checked_as_well() {
    let server = Server::answering([answer("200 OK", &[], "")]).await;
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let turning: Lookup = Arc::new(move |_| {
        let mut asked = count.lock().unwrap();
        *asked += 1;
        let address = if *asked == 1 {
            "127.0.0.1"
        } else {
            "127.0.0.2"
        };
        async move { Ok(vec![address.parse().unwrap()]) }.boxed()
    });
    let http = Http::with_lookup(loopback(), turning);
    let url = format!("http://turning.example:{}/", server.address.port());
    send(&http, json!({"url": url})).await.unwrap();
    let message = refusal(&http, &url).await;
    assert!(message.contains("127.0.0.2"), "{message}");
}

#[tokio::test]
async fn each_redirect_is_checked() {
    for target in [
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://2130706434/",
        "//127.0.0.2/",
    ] {
        let location = format!("location: {target}");
        let server = Server::answering([answer("302 Found", &[&location], "")]).await;
        let message = refusal(&Http::new(loopback()), &server.url("/")).await;
        assert!(message.contains("is refused"), "{message}");
    }
    // By name: the first hop is allowed by its address, the second resolves to another.
    let server = Server::answering([answer(
        "307 Temporary Redirect",
        &["location: http://inner.example/"],
        "",
    )])
    .await;
    let http = Http::with_lookup(loopback(), resolving_to(&["10.0.0.1"]));
    assert!(
        refusal(&http, &server.url("/"))
            .await
            .contains("inner.example")
    );
}

#[tokio::test]
async fn redirects_to_other_schemes_and_with_credentials_are_not_followed() {
    for target in [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://u:p@127.0.0.1/",
        "gopher://x",
    ] {
        let location = format!("location: {target}");
        let server = Server::answering([answer("301 Moved", &[&location], "")]).await;
        let error = send(&Http::new(loopback()), json!({"url": server.url("/")}))
            .await
            .unwrap_err();
        assert_eq!(
            (error.class, error.retryable),
            (Class::Dependency, Some(false))
        );
        assert!(
            error.message.contains("redirects to where it may not"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn redirects_are_followed_up_to_the_limit_and_not_at_all_when_none_are_wanted() {
    let around = answer("302 Found", &["location: /again"], "");
    let http = Http::new(loopback());
    let server = Server::answering(vec![around.clone(); 6]).await;
    let error = send(&http, json!({"url": server.url("/")}))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("redirects more than 5 times"),
        "{error}"
    );
    assert_eq!(server.seen().len(), 6);

    let server = Server::answering([around.clone(), answer("200 OK", &[], "there")]).await;
    let result = send(&http, json!({"url": server.url("/")})).await.unwrap();
    assert_eq!(result["body"], "there");

    let server = Server::answering([around]).await;
    let with = json!({"url": server.url("/"), "redirects": 0, "expect": 302});
    let result = send(&http, with).await.unwrap();
    assert_eq!(result["headers"]["location"], "/again");
}

#[tokio::test]
async fn another_origin_is_not_told_the_flows_headers() {
    let second = Server::answering([answer("200 OK", &[], "")]).await;
    let location = format!("location: {}", second.url("/elsewhere"));
    let first = Server::answering([answer("307 Temporary Redirect", &[&location], "")]).await;
    let with = json!({
        "method": "POST",
        "url": first.url("/"),
        "headers": {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Cookie": "a=s3cret"},
        "body": "kept",
    });
    send(&Http::new(loopback()), with).await.unwrap();
    assert_eq!(first.seen()[0].matches("s3cret").count(), 3);
    let told = second.seen().remove(0);
    assert!(
        !told.contains("s3cret") && !told.contains("authorization"),
        "{told}"
    );
    assert!(
        told.starts_with("POST /elsewhere") && told.ends_with("kept"),
        "{told}"
    );
    assert!(told.contains("idempotency-key: run-1/fetch/1"), "{told}");
}

#[tokio::test]
async fn see_other_becomes_a_get_without_a_body() {
    let server = Server::answering([
        answer("303 See Other", &["location: /done"], ""),
        answer("200 OK", &[], ""),
    ])
    .await;
    let with = json!({"method": "POST", "url": server.url("/"), "json": [1]});
    send(&Http::new(loopback()), with).await.unwrap();
    let second = server.seen().remove(1);
    assert!(
        second.starts_with("GET /done HTTP/1.1") && !second.contains("content-type"),
        "{second}"
    );
}

#[tokio::test]
async fn a_url_with_a_user_or_another_scheme_is_refused_before_anything_is_sent() {
    let http = Http::new(loopback());
    for url in [
        "http://127.0.0.1@example.com/",
        "http://example.com@127.0.0.1/",
        "http://u:p@127.0.0.1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "127.0.0.1",
        "//127.0.0.1/",
        "http://",
        "http://exa mple/",
        "",
    ] {
        let error = send(&http, json!({"url": url})).await.unwrap_err();
        assert_eq!(
            (error.class, error.retryable),
            (Class::Validation, Some(false)),
            "{url}"
        );
    }
}

#[tokio::test]
async fn the_allow_list_opens_hosts_by_name_and_networks_by_prefix() {
    let server = Server::answering([answer("200 OK", &[], ""), answer("200 OK", &[], "")]).await;
    let port = server.address.port();
    let by_name = Http::with_lookup(
        "Inner.Example.".parse().unwrap(),
        resolving_to(&["127.0.0.1"]),
    );
    let url = format!("http://inner.example:{port}/");
    assert_eq!(
        send(&by_name, json!({"url": url})).await.unwrap()["status"],
        200
    );
    // The name is allowed, its address by itself is not.
    refusal(&by_name, &server.url("/")).await;

    let by_network = Http::new(" 10.0.0.0/8 , 127.0.0.0/8,,".parse().unwrap());
    assert_eq!(
        send(&by_network, json!({"url": server.url("/")}))
            .await
            .unwrap()["status"],
        200
    );
    refusal(&by_network, "http://192.168.0.1/").await;
}

#[test]
fn networks_hold_exactly_their_addresses() {
    let policy: Policy = "10.0.0.0/8,192.168.4.0/22,::1,fd00::/8,172.16.0.5"
        .parse()
        .unwrap();
    let allowed = |address: &str| policy.refuses(address.parse().unwrap()).is_none();
    for address in [
        "10.0.0.0",
        "10.255.255.255",
        "192.168.7.255",
        "::1",
        "fdff::1",
        "172.16.0.5",
        "::ffff:10.1.1.1",
    ] {
        assert!(allowed(address), "{address}");
    }
    for address in [
        "192.168.8.0",
        "192.168.3.255",
        "172.16.0.6",
        "fc00::1",
        "127.0.0.1",
    ] {
        assert!(!allowed(address), "{address}");
    }
    let everything: Policy = "0.0.0.0/0,::/0".parse().unwrap();
    for address in ["127.0.0.1", "::1", "fe80::1"] {
        assert_eq!(
            everything.refuses(address.parse().unwrap()),
            None,
            "{address}"
        );
    }
}

#[test]
fn a_wrong_entry_of_the_allow_list_is_named() {
    for entry in [
        "10.0.0.0/33",
        "10.0.0/8",
        "http://host",
        "host:80",
        "256.1.1.1",
        "a b",
        "*",
        "x..y",
        "::1/129",
    ] {
        let error = format!("127.0.0.1,{entry}").parse::<Policy>().unwrap_err();
        assert_eq!(error.0, entry);
    }
}
