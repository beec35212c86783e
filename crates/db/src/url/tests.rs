//! What URLs say, and what is said about those that cannot be understood.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Host, Kind, Target, file};
use crate::{
    error::{Class, Error},
    options::Options,
    tls::SslMode,
};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

const KIND: Kind = Kind {
    example: "kind://user:password@host/database",
    port: 1000,
    native: &["options"],
};

fn parse(url: &str) -> Target {
    Target::parse(url, &KIND, &Options::default()).unwrap()
}

fn hosts(url: &str) -> Vec<String> {
    parse(url).hosts.iter().map(Host::to_string).collect()
}

#[test]
fn every_part_is_read_and_decoded() {
    let target = parse(
        "kind://us%40er:se%3Acr%2Fet@one/my%20db?pool_size=20&acquire_timeout_ms=150\
         &connect_timeout_ms=250&statement_timeout_ms=1000&idle_s=0&max_age_s=60\
         &sslmode=verify-ca&sslrootcert=/ca%20file.pem&options=-c%20a%3Db",
    );
    assert_eq!(target.user.as_deref(), Some("us@er"));
    assert_eq!(target.password.as_deref(), Some("se:cr/et"));
    assert_eq!(target.database.as_deref(), Some("my db"));
    assert_eq!(target.native("options"), Some("-c a=b"));
    assert_eq!(target.tls.mode(), SslMode::VerifyCa);
    assert_eq!(target.tls.root.as_deref(), Some(Path::new("/ca file.pem")));
    let wanted = Options {
        pool_size: 20,
        acquire_timeout: Duration::from_millis(150),
        connect_timeout: Duration::from_millis(250),
        statement_timeout: Duration::from_secs(1),
        idle_age: Duration::ZERO,
        max_age: Duration::from_secs(60),
        ..Options::default()
    };
    assert_eq!(target.options, wanted);
    assert!(!format!("{target:?}").contains("cr/et"));
    assert!(!target.shown.contains("cr"));
}

#[test]
fn no_piece_of_a_password_is_said_or_taken_for_something_else() {
    for url in [
        "kind://sa@h/db?password=ab&cd!x",
        "kind://sa@h/db?password=ab&cd!x=1",
        "kind://sa@h/db?password=ab&cd!x=%zz",
        "kind://sa@h/db?pass%77ord=cd!x&cd!x",
        "kind://u:p@cd!x/word@host",
    ] {
        let error = Target::parse(url, &KIND, &Options::default()).unwrap_err();
        assert!(!error.message.contains("cd!x"), "{error}");
        assert!(error.message.contains("in a password write"), "{error}");
    }
}

#[test]
fn hosts_are_several_in_their_order() {
    assert_eq!(hosts("kind://u@one,two:7/db"), ["one:1000", "two:7"]);
    assert_eq!(hosts("kind://[::1]:5,[::2]/db"), ["[::1]:5", "[::2]:1000"]);
    assert_eq!(hosts("kind:///db?host=/run/socket"), ["/run/socket"]);
    assert_eq!(hosts("kind:///db?host=one,two&port=9"), ["one:9", "two:9"]);
    assert_eq!(hosts("kind://u:p@%2Frun%2Fsocket/db"), ["/run/socket"]);
    assert_eq!(
        parse("kind://u:a@b@one/db").password.as_deref(),
        Some("a@b")
    );
}

#[test]
fn a_ca_file_alone_means_full_verification() {
    let mode = |query: &str| parse(&format!("kind://h/db?{query}")).tls.mode();
    assert_eq!(mode("pool_size=1"), SslMode::Prefer);
    assert_eq!(mode("sslrootcert=f"), SslMode::VerifyFull);
    assert_eq!(mode("sslmode=require"), SslMode::Require);
    assert_eq!(mode("sslmode=require&sslrootcert=f"), SslMode::VerifyCa);
}

#[test]
fn what_is_wrong_is_named_and_nothing_secret_is() {
    let mut shown = Vec::new();
    for url in [
        "kind:u:secret@host",
        "kind://u:secret@/db",
        "kind://u:secret@host:99999/db",
        "kind://u:secret@one,two:x/db",
        "kind://u:secret@[::1/db",
        "kind://u:sec/ret@host/db",
        "kind://u:sec?ret=1@host/db",
        "kind://u:%zzsecret@host/db",
        "kind://u:secret@host/db?pool_sizes=5",
        "kind://u:secret@host/db?pool_size=many",
        "kind://u:secret@host/db?pool_size=0",
        "kind://u:secret@host/db?idle_s=-1",
        "kind://u:secret@host/db?pool_size",
        "kind://u:secret@host/db?pool_size=1&pool_size=2",
        "kind://u:secret@host/db?sslmode=yes",
        "kind://u:secret@host/db?sslmode=prefer&sslrootcert=ca.pem",
    ] {
        let error = Target::parse(url, &KIND, &Options::default()).unwrap_err();
        assert_eq!(error.class, Class::Unavailable, "{url}");
        for secret in ["secret", "ret=", "ret@"] {
            assert!(!error.message.contains(secret), "{error}");
        }
        shown.push(error.message);
    }
    for rest in ["runs.db?mode=rwc", "runs.db?pool_size=x"] {
        shown.push(file(rest, &Options::default()).unwrap_err().message);
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn files_have_options_too() {
    let rest = "runs.db?pool_size=2&busy_timeout_ms=7&statement_timeout_ms=9";
    let (path, options) = file(rest, &Options::default()).unwrap();
    assert_eq!((path, options.readers), ("runs.db", 2));
    assert_eq!(options.busy_timeout, Duration::from_millis(7));
    assert_eq!(options.statement_timeout, Duration::from_millis(9));
}

fn away(host: &Host, class: Class) -> Error {
    Error::new(
        class,
        format!("cannot connect to kind://one,two/db: {host} is away"),
    )
}

#[tokio::test(start_paused = true)]
async fn hosts_are_tried_in_turn_and_each_failure_is_told() {
    let target = parse("kind://one,two/db?connect_timeout_ms=100");
    let tried = AtomicU32::new(0);
    let found = target
        .first_host(|host| {
            tried.fetch_add(1, Ordering::Relaxed);
            async move {
                match host.name.as_str() {
                    "one" => Err(away(host, Class::Unavailable)),
                    name => Ok(name.to_owned()),
                }
            }
        })
        .await;
    assert_eq!(found.as_deref(), Ok("two"));
    assert_eq!(tried.into_inner(), 2);

    let error = target
        .first_host(|host| async move {
            if host.name == "one" {
                std::future::pending::<()>().await;
            }
            Err::<(), _>(away(host, Class::Busy))
        })
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
    assert_eq!(
        error.message,
        "cannot connect to kind://one,two/db?connect_timeout_ms=100: one:1000: one:1000 did not \
         answer within 100ms; check the address, the firewall and the server; two:1000: cannot \
         connect to kind://one,two/db: two:1000 is away"
    );
}
