//! PostgreSQL's errors in our classes. The server's DETAIL is left out: it quotes rows.
use crate::error::{Class, Error};
use std::{error::Error as _, io};
use tokio_postgres::error::{DbError, SqlState};

pub(super) fn classed(error: &tokio_postgres::Error) -> Error {
    if let Some(db) = error.as_db_error() {
        return answered(db);
    }
    let source = error.source();
    if error.is_closed() || source.is_some_and(|s| s.downcast_ref::<io::Error>().is_some()) {
        return Error::new(
            Class::Gone,
            format!("the connection broke: {}", plain(error)),
        );
    }
    // Our own refusals of values arrive as sources.
    Error::other(source.map_or_else(|| plain(error), ToString::to_string))
}

/// The driver's words with their cause.
pub(super) fn plain(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The connection's prepared statements are of no use any more; a new one has none.
pub(super) fn is_stale_plan(error: &Error) -> bool {
    error.class == Class::Serialization && error.message.contains("cached plan")
}

fn answered(db: &DbError) -> Error {
    let said = db.message();
    let code = db.code();
    let (class, message) = match *code {
        SqlState::UNIQUE_VIOLATION => (Class::Unique, said.to_owned()),
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            (Class::Serialization, said.to_owned())
        }
        // "cached plan must not change result type": somebody changed a table.
        SqlState::FEATURE_NOT_SUPPORTED if said.contains("cached plan") => {
            (Class::Serialization, said.to_owned())
        }
        SqlState::LOCK_NOT_AVAILABLE | SqlState::OBJECT_IN_USE => (Class::Busy, said.to_owned()),
        SqlState::QUERY_CANCELED => (
            Class::Timeout,
            format!("the statement took too long and was stopped ({said})"),
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => (
            Class::ReadOnly,
            format!("the database can only be read ({said})"),
        ),
        SqlState::DISK_FULL => (
            Class::Full,
            format!("the server's disk is full ({said}); free some space"),
        ),
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => (
            Class::Corrupt,
            format!("the server's data is damaged ({said}); restore a backup"),
        ),
        SqlState::CANNOT_CONNECT_NOW => (Class::Unavailable, said.to_owned()),
        SqlState::TOO_MANY_CONNECTIONS | SqlState::OUT_OF_MEMORY => (Class::Busy, said.to_owned()),
        // Here the server's DETAIL tells the limit, and no value.
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE => (
            Class::Other,
            db.detail()
                .map_or_else(|| said.to_owned(), |detail| format!("{said}: {detail}")),
        ),
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => (
            Class::Gone,
            format!("the server closed the connection ({said})"),
        ),
        // 08 is the class of connection errors.
        _ if code.code().starts_with("08") => (Class::Gone, said.to_owned()),
        _ => (Class::Other, said.to_owned()),
    };
    Error::new(class, message)
}
