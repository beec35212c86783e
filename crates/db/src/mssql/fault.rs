//! SQL Server's errors in our classes. What it quotes of rows and values is left out.
use crate::{
    error::{Class, Error},
    statement::Statement,
};
use std::io;
use tiberius::error::{Error as Fault, TokenError};

/// So severe, the server has closed the connection.
const FATAL: u8 = 20;
/// The most severe of what a user can mend; beyond, something is wrong with the server.
const USERS: u8 = 16;

/// Whether the server has refused a statement and is ready for the next one.
pub(super) fn refused(fault: &Fault) -> bool {
    matches!(fault, Fault::Server(said) if said.class() <= USERS)
}

pub(super) fn classed(fault: &Fault) -> Error {
    match fault {
        Fault::Server(said) => answered(said.code(), said.class(), said.message()),
        Fault::Io { kind, .. } if *kind == io::ErrorKind::TimedOut => {
            Error::new(Class::Timeout, "the server did not answer in time")
        }
        Fault::Io { message, .. } => gone(message),
        Fault::Tls(why) => gone(why),
        Fault::Protocol(why) | Fault::Encoding(why) => gone(why),
        other => gone(&other.to_string()),
    }
}

/// The same error, naming its statement. A statement that leaves rows alone that are there fails on
/// one only when somebody wrote it at the same time, on a server that ignores our hints.
pub(super) fn of(mut error: Error, statement: &Statement) -> Error {
    if error.class == Class::Unique && statement.inserts_on_conflict() {
        error.class = Class::Serialization;
    }
    error.of(statement.name_arc())
}

fn gone(why: &str) -> Error {
    Error::new(Class::Gone, format!("the connection broke: {why}"))
}

/// Classes what the server said. Numbers: the server's own list of messages (`sys.messages`).
pub(super) fn answered(number: u32, severity: u8, said: &str) -> Error {
    let said = shown(number, said);
    let (class, message) = match number {
        2601 | 2627 => (Class::Unique, said),
        // Deadlock; snapshot and memory-optimised conflicts; a schema that changed under a plan.
        1205 | 3960 | 41301 | 41302 | 41305 | 41325 | 2801 => (Class::Serialization, said),
        // A lock, memory, workers: all of it passes.
        1222 | 1204 | 701 | 802 | 8645 | 8651 | 10928 | 10929 | 40501 | 49918 | 49919 | 49920 => {
            (Class::Busy, said)
        }
        3906 | 3908 | 3924 => (
            Class::ReadOnly,
            format!("the database can only be read ({said})"),
        ),
        1101 | 1105 | 9002 | 40544 => (
            Class::Full,
            format!("the database or its log is full ({said}); make room, or let it grow"),
        ),
        823..=825 | 5242 | 5243 | 8966 => (
            Class::Corrupt,
            format!("the server's data is damaged ({said}); restore a backup"),
        ),
        // Recovering, paused, secondary, failing over, shut off.
        922 | 927 | 945 | 976 | 978 | 979 | 983 | 4060 | 17142 | 18401 | 18456 | 40197 | 40613
        | 40615 => (Class::Unavailable, said),
        // Killed or shut down; a transaction that the server no longer knows.
        596 | 6005 | 3971 | 3989 => (
            Class::Gone,
            format!("the server closed the connection ({said})"),
        ),
        2628 | 8152 => (
            Class::Other,
            format!("a value is longer than its column ({said})"),
        ),
        _ if severity >= FATAL => (Class::Gone, said),
        _ => by_words(said),
    };
    Error::new(class, message).numbered(number)
}

/// What servers that speak the protocol and are not SQL Server say under one number for many.
fn by_words(said: String) -> (Class, String) {
    let has = |words: &str| said.contains(words);
    if has("canceling statement due to lock timeout") {
        (Class::Busy, said)
    } else if has("deadlock detected")
        || has("could not serialize access")
        || has("tuple concurrently updated")
    {
        (Class::Serialization, said)
    } else if has("value too long for type") {
        let said = format!("a value is longer than its column ({said})");
        (Class::Other, said)
    } else if has("terminating connection") || has("the database system is shutting down") {
        (Class::Gone, said)
    } else if has("the database system is starting up") || has("too many clients") {
        (Class::Unavailable, said)
    } else if has("No space left on device") {
        (Class::Full, said)
    } else if has("read-only transaction") {
        (Class::ReadOnly, said)
    } else {
        (Class::Other, said)
    }
}

/// The server's words without the row or the value that it quotes.
fn shown(number: u32, said: &str) -> String {
    let cut = |words: &str| {
        said.split(words)
            .next()
            .unwrap_or(said)
            .trim_end()
            .to_owned()
    };
    match number {
        2601 | 2627 => cut(" The duplicate key value is"),
        2628 => cut(" Truncated value"),
        220 => cut(", value ="),
        // "Conversion failed when converting the nvarchar value 'x' to data type int."
        241 | 244 | 245 | 248 => match (said.find('\''), said.rfind('\'')) {
            (Some(open), Some(close)) if open < close => {
                format!("{}…{}", &said[..=open], &said[close..])
            }
            _ => said.to_owned(),
        },
        _ => said.to_owned(),
    }
}

/// The words of a server that refused a login, and the mend.
pub(super) fn refusal(said: &TokenError) -> Error {
    let words = sentence(said.message());
    let words = words.as_str();
    let (class, why) = match said.code() {
        18456 | 18452 | 18470 | 18486 | 18487 | 18488 | 33_557_097
            if words.to_ascii_lowercase().contains("login")
                || words.contains("authentication failed") =>
        {
            (
                Class::Unavailable,
                format!("{words} Correct the user or the password in the URL"),
            )
        }
        4060 | 911 | 4064 => (
            Class::Unavailable,
            format!("{words} Create the database, or correct the URL"),
        ),
        10928 | 10929 | 17300 | 17809 | 40501 | 49918..=49920 => (
            Class::Busy,
            format!("{words} Lower `pool_size`, or raise the server's limit"),
        ),
        number => {
            let error = answered(number, said.class(), words);
            let class = match error.class {
                Class::Busy => Class::Busy,
                _ => Class::Unavailable,
            };
            (class, error.message)
        }
    };
    Error::new(class, why).numbered(said.code())
}

/// Words that more may follow.
fn sentence(words: &str) -> String {
    let words = words.trim_end();
    let end = if words.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{words}{end}")
}

#[cfg(test)]
#[path = "fault/tests.rs"]
mod tests;
