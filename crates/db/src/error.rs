//! What can go wrong with a database, classed once for all of them. Holds no secret: drivers'
//! messages are passed on, values are not, and passwords in URLs are masked.
use std::{fmt, sync::Arc};

use crate::url::{is_option, name_of};

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A row with the same key exists.
    Unique,
    /// Two transactions were in each other's way; the whole transaction may be tried again.
    Serialization,
    /// The database or the pool is occupied; may be tried again.
    Busy,
    /// The connection broke; whether the statement took effect is not known. May be tried again
    /// when the work is safe to repeat.
    Gone,
    /// No connection can be made: server down, wrong host, wrong password, no such database.
    Unavailable,
    /// The database may only be read.
    ReadOnly,
    /// The disk is full.
    Full,
    /// The file or the page is damaged, or is no database.
    Corrupt,
    /// The statement took longer than allowed and was stopped.
    Timeout,
    /// A batch changed another number of rows than its step expects; all of it was rolled back.
    Expectation,
    /// Anything else; trying again does not help.
    Other,
}

impl Class {
    /// Whether the same work may succeed when tried again.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Serialization | Self::Busy | Self::Gone)
    }
}

/// An error of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What a caller can do about it.
    pub class: Class,
    /// What happened and how to mend it.
    pub message: String,
    /// The name of the statement, where one was at fault.
    pub statement: Option<Arc<str>>,
    /// The index of the batch's step, where one was at fault.
    pub step: Option<usize>,
    /// The database's own number for it, where it has one: MySQL's 1050, SQL Server's 2627.
    pub code: Option<u32>,
}

impl Error {
    /// An error of `class`.
    #[must_use]
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            statement: None,
            step: None,
            code: None,
        }
    }

    /// An error of class [`Class::Other`].
    #[must_use]
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Class::Other, message)
    }

    /// An error of class [`Class::Expectation`], for work inside a transaction that found
    /// something else than it needs and wants to roll back.
    #[must_use]
    pub fn expectation(message: impl Into<String>) -> Self {
        Self::new(Class::Expectation, message)
    }

    /// The same error, naming its statement.
    #[must_use]
    pub fn of(mut self, statement: &Arc<str>) -> Self {
        self.statement.get_or_insert_with(|| Arc::clone(statement));
        self
    }

    /// The same error, naming the batch's step.
    #[must_use]
    pub fn at(mut self, step: usize) -> Self {
        self.step.get_or_insert(step);
        self
    }

    /// The same error with the database's own number for it.
    #[must_use]
    pub fn numbered(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn closed() -> Self {
        Self::new(Class::Gone, "the database was closed by this process")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.statement, self.step) {
            (Some(name), Some(step)) => {
                write!(
                    f,
                    "{} (statement {name}, step {step} of the batch)",
                    self.message
                )
            }
            (Some(name), None) => write!(f, "{} (statement {name})", self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}

/// `url` with its password replaced by `***`, for messages.
#[must_use]
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // Two slashes forgotten; a path of SQLite may hold what it likes.
        return match (url.split_once(':'), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) if scheme != "sqlite" => {
                format!("{scheme}:***@{host}")
            }
            _ => url.to_owned(),
        };
    };
    let slash = rest.find(['/', '?']).unwrap_or(rest.len());
    // A password may hold an unescaped `/` or `?`: then there is a `:` before and an `@` behind.
    let host = match rest.rfind('@') {
        Some(at) if at < slash || rest[..slash].contains(':') => at + 1,
        _ => 0,
    };
    let (user, rest) = rest.split_at(host);
    let user = match user.split_once(':') {
        Some((name, _)) => format!("{name}:***@"),
        None => user.to_owned(),
    };
    format!("{scheme}://{user}{}", masked_query(rest))
}

fn masked_query(tail: &str) -> String {
    let Some((path, query)) = tail.split_once('?') else {
        return tail.to_owned();
    };
    let mut parts: Vec<String> = Vec::new();
    // What follows a password and is no option may be the rest of it: it held a `&`.
    let mut behind = false;
    for part in query.split('&') {
        let key = part.split_once('=').map(|(key, _)| (key, name_of(key)));
        match key {
            Some((key, name)) if name.eq_ignore_ascii_case("password") => {
                behind = true;
                parts.push(format!("{key}=***"));
            }
            Some((_, name)) if behind && !is_option(&name) => parts.push("***".to_owned()),
            None if behind => parts.push("***".to_owned()),
            _ => parts.push(part.to_owned()),
        }
    }
    format!("{path}?{}", parts.join("&"))
}

#[cfg(test)]
mod tests;
