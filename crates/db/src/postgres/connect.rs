//! From a URL to a pool, and what is wrong when no connection can be made.
use super::fault;
use crate::{
    error::{Class, Error, masked},
    options::Options,
};
use deadpool_postgres::{
    Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use std::{error::Error as _, io, time::Duration};
use tokio_postgres::{Config, NoTls, error::SqlState};

/// The pool for `url` and the URL as it may be shown.
pub(super) fn pool(url: &str, options: &Options) -> Result<(Pool, String), Error> {
    let shown = masked(url);
    refuse_tls(url, &shown)?;
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        let why = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        unavailable(format!(
            "the database URL `{shown}` is not understood ({why}); write \
             `postgres://user:password@host:port/database`"
        ))
    })?;
    if config.get_hosts().is_empty() {
        return Err(unavailable(format!(
            "the database URL `{shown}` names no host; write \
             `postgres://user@host/database`, or `?host=/folder` for a socket"
        )));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    if config.get_application_name().is_none() {
        config.application_name("runstone");
    }
    config.options(session_options(
        config.get_options().unwrap_or_default(),
        options,
    ));
    // A server that vanished without a word must be noticed, also in the middle of an answer.
    config.keepalives_idle(Duration::from_secs(15));
    config.tcp_user_timeout(options.statement_timeout);
    let manager = Manager::from_config(
        config,
        NoTls,
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    let pool = Pool::builder(manager)
        .max_size(options.pool_size.max(1))
        .wait_timeout(Some(options.acquire_timeout))
        .create_timeout(Some(options.acquire_timeout))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|e| Error::other(format!("no pool of connections: {e}")))?;
    Ok((pool, shown))
}

fn refuse_tls(url: &str, shown: &str) -> Result<(), Error> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mode = query
        .split('&')
        .find_map(|part| part.strip_prefix("sslmode="));
    match mode {
        Some("require" | "verify-ca" | "verify-full") => Err(unavailable(format!(
            "`{shown}` asks for TLS, which is not supported yet; use `sslmode=disable` on a \
             network that you trust"
        ))),
        _ => Ok(()),
    }
}

/// What every session is set to, unless the URL sets it.
fn session_options(given: &str, options: &Options) -> String {
    let timeout = options.statement_timeout.as_millis();
    let mut all = given.to_owned();
    let mut add = |name: &str, value: &str| {
        if !given.contains(name) {
            all.push_str(&format!(" -c {name}={value}"));
        }
    };
    add("statement_timeout", &timeout.to_string());
    // A process that was frozen in a transaction must not hold its locks for ever.
    add("idle_in_transaction_session_timeout", &timeout.to_string());
    if options.read_only {
        add("default_transaction_read_only", "on");
    }
    all.trim().to_owned()
}

/// Why the pool gave no connection.
pub(super) fn fault(error: &PoolError, shown: &str, options: &Options) -> Error {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => Error::new(
            Class::Busy,
            format!(
                "all {} connections to {shown} were in use for {:?}; raise the pool's size",
                options.pool_size, options.acquire_timeout
            ),
        ),
        PoolError::Timeout(_) => unavailable(format!(
            "no connection to {shown}: the server does not answer"
        )),
        PoolError::Closed => Error::closed(),
        PoolError::Backend(error) => refused(error, shown),
        other => Error::other(format!("no connection to {shown}: {other}")),
    }
}

fn refused(error: &tokio_postgres::Error, shown: &str) -> Error {
    let why = if let Some(db) = error.as_db_error() {
        let said = db.message();
        match *db.code() {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                format!("{said}; correct the user or the password in the URL")
            }
            SqlState::INVALID_CATALOG_NAME => {
                format!("{said}; create it with `createdb`, or correct the URL")
            }
            SqlState::TOO_MANY_CONNECTIONS => {
                format!("{said}; lower the pool's size or raise max_connections")
            }
            SqlState::CANNOT_CONNECT_NOW => format!("{said}; try again in a moment"),
            _ => said.to_owned(),
        }
    } else {
        no_answer(error)
    };
    unavailable(format!("cannot connect to {shown}: {why}"))
}

fn no_answer(error: &tokio_postgres::Error) -> String {
    let said = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let io = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            "nothing listens there; start PostgreSQL, or correct host and port".to_owned()
        }
        Some(io::ErrorKind::NotFound) => {
            "there is no such socket; start PostgreSQL, or correct `host`".to_owned()
        }
        Some(io::ErrorKind::TimedOut) => {
            "the host does not answer; check the address and the firewall".to_owned()
        }
        _ if said.contains("lookup") => {
            format!("the host's name is not known ({said}); correct the URL")
        }
        _ if said.contains("password missing") => {
            "the server wants a password; write `user:password@` into the URL".to_owned()
        }
        _ => format!("{} ({said})", fault::plain(error)),
    }
}

fn unavailable(message: impl Into<String>) -> Error {
    Error::new(Class::Unavailable, message)
}
