//! Passwords are masked wherever a URL may carry them.
use super::{Class, Error, masked};
use std::sync::Arc;

#[test]
fn passwords_in_urls_are_masked() {
    for (url, shown) in [
        (
            "postgres://user:secret@host:5432/db",
            "postgres://user:***@host:5432/db",
        ),
        (
            "postgres://user:se:cr@et@host/db",
            "postgres://user:***@host/db",
        ),
        (
            "postgres://user:se/cr?et@host/db",
            "postgres://user:***@host/db",
        ),
        ("postgres://user@host/db", "postgres://user@host/db"),
        (
            "postgres://host/db?user=u&password=secret",
            "postgres://host/db?user=u&password=***",
        ),
        (
            "mssql://sa@h/db?password=secr&et!x&sec=ret&sslmode=disable",
            "mssql://sa@h/db?password=***&***&***&sslmode=disable",
        ),
        (
            "mssql://sa@h/db?pass%77ord=secret",
            "mssql://sa@h/db?pass%77ord=***",
        ),
        ("postgres:///db?host=/run/pg", "postgres:///db?host=/run/pg"),
        (
            "postgres://host/db?application_name=a@b",
            "postgres://host/db?application_name=a@b",
        ),
        ("sqlite:runs.db", "sqlite:runs.db"),
        ("postgres:user:secret@host/db", "postgres:***@host/db"),
    ] {
        assert_eq!(masked(url), shown);
        assert!(!masked(url).contains("secret"));
    }
}

#[test]
fn the_first_statement_and_step_named_are_kept() {
    let (a, b): (Arc<str>, Arc<str>) = ("run.a".into(), "run.b".into());
    let error = Error::new(Class::Busy, "locked").of(&a).at(1).of(&b).at(2);
    assert_eq!(
        error.to_string(),
        "locked (statement run.a, step 1 of the batch)"
    );
}
