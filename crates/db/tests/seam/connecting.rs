//! What people see when a database cannot be opened: what is wrong and how to mend it, and no
//! password.
use crate::fixture::{Fixture, POSTGRES};
use runstone_db::{Class, Database, Error, Options};
use runstone_testkit::on_every_database;
use std::time::Duration;

async fn refused(url: &str) -> Error {
    let options = Options {
        acquire_timeout: Duration::from_secs(5),
        ..Options::default()
    };
    let error = Database::connect(url, options)
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    error
}

#[tokio::test]
async fn urls_that_cannot_be_used_say_why() {
    let mut shown = Vec::new();
    for url in [
        "runs.db",
        "oracle://user:secret@host/db",
        "",
        "sqlite:",
        "sqlite:runs.db?mode=rwc",
        "sqlite:runs.db?sslmode=require",
        "postgres://user:secret@host/db?sslmode=always",
        "postgres://user:secret@host/db?pool=5",
        "postgres://user:secret@host/db?target_session_attrs=best",
        "postgres://user:secret@host/db?sslrootcert=/nowhere/ca.pem",
        "postgres://user:secret@127.0.0.1:1,127.0.0.1:2/db",
        "postgres://user:secret@host:port/db",
        "postgres:///db",
        "postgres://user:secret@127.0.0.1:1/db",
        "postgres:///db?host=/nowhere&user=u&password=secret",
    ] {
        let error = refused(url).await;
        assert_eq!(error.class, Class::Unavailable, "{url}");
        shown.push(error.to_string());
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let error = refused("postgres://user:secret@no-such-host.invalid/db").await;
    assert_eq!(error.class, Class::Unavailable);
    assert!(
        error.message.contains("the host's name is not known"),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_database_or_user_is_named() {
    let Ok(base) = std::env::var(POSTGRES) else {
        eprintln!("SKIPPED ({POSTGRES} is not set)");
        return;
    };
    let (start, _) = base.rsplit_once('/').unwrap();
    let error = refused(&format!("{start}/no_such_database")).await;
    assert_eq!(error.class, Class::Unavailable);
    assert!(
        error
            .message
            .contains("database \"no_such_database\" does not exist; create it"),
        "{error}"
    );
    let (_, host) = start
        .rsplit_once('@')
        .unwrap_or(("", start.split_once("//").unwrap().1));
    let error = refused(&format!("postgres://no_such_user:secret@{host}/postgres")).await;
    assert_eq!(error.class, Class::Unavailable);
}

#[tokio::test]
async fn a_read_only_session_refuses_writes() {
    let Some(fixture) = Fixture::postgres().await else {
        return;
    };
    let fixture = fixture.with_items().await;
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    let reader = Database::connect(&fixture.url, options).await.unwrap();
    let delete = fixture.statement("DELETE FROM item");
    assert_eq!(
        reader.execute(&delete, &[]).await.unwrap_err().class,
        Class::ReadOnly
    );
    let select = fixture.statement("SELECT n FROM item");
    assert_eq!(reader.fetch_all(&select, &[]).await, Ok(vec![]));
    reader.close().await;
    fixture.end().await;
}

on_every_database! {
    async fn a_closed_database_says_so(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let (delete, select) = (
            fixture.statement("DELETE FROM item"),
            fixture.statement("SELECT n FROM item"),
        );
        fixture.db.ping().await.unwrap();
        let again = fixture.db.clone();
        fixture.end().await;
        for error in [
            again.execute(&delete, &[]).await.unwrap_err(),
            again.fetch_all(&select, &[]).await.unwrap_err(),
            again.ping().await.unwrap_err(),
        ] {
            assert_eq!(error.message, "the database was closed by this process");
        }
    }
}
