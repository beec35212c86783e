//! SQLite's errors in our classes.
use crate::error::{Class, Error};
use rusqlite::ffi::{self, ErrorCode};

pub(super) fn classed(error: &rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => failure(
            *code,
            message.as_deref().unwrap_or("SQLite gave no message"),
        ),
        rusqlite::Error::SqlInputError {
            error, msg, offset, ..
        } => {
            let mut fault = failure(*error, msg);
            fault.message = format!("{} (at character {offset})", fault.message);
            fault
        }
        rusqlite::Error::ToSqlConversionFailure(why) => Error::other(why.to_string()),
        rusqlite::Error::InvalidParameterName(_) | rusqlite::Error::InvalidParameterCount(..) => {
            Error::other(format!(
                "the statement's text and its parameters differ: {error}"
            ))
        }
        other => Error::other(other.to_string()),
    }
}

fn failure(code: ffi::Error, message: &str) -> Error {
    let (class, message) = match code.code {
        ErrorCode::ConstraintViolation => (constraint(code.extended_code), message.to_owned()),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            Class::Busy,
            format!("the database is locked by another process ({message}); try again later"),
        ),
        ErrorCode::OperationInterrupted => (
            Class::Timeout,
            "the statement took too long and was stopped".to_owned(),
        ),
        ErrorCode::DiskFull => (
            Class::Full,
            format!("the disk is full ({message}); free some space"),
        ),
        ErrorCode::ReadOnly => (
            Class::ReadOnly,
            format!(
                "the database can only be read ({message}); check the permissions of the file, \
                 of its `-wal` and `-shm` and of the folder"
            ),
        ),
        ErrorCode::DatabaseCorrupt => (
            Class::Corrupt,
            format!("the database file is damaged ({message})"),
        ),
        ErrorCode::NotADatabase => (
            Class::Corrupt,
            "the file is not a SQLite database".to_owned(),
        ),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => (
            Class::Unavailable,
            format!("the database file cannot be opened ({message}); check its permissions"),
        ),
        ErrorCode::SystemIoFailure => (
            Class::Other,
            format!(
                "the disk failed (code {}: {message}); check its health, its free space and the \
                 limit on the size of files",
                code.extended_code
            ),
        ),
        _ => (Class::Other, message.to_owned()),
    };
    Error::new(class, message)
}

fn constraint(extended: i32) -> Class {
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => Class::Unique,
        _ => Class::Other,
    }
}
