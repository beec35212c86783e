//! From a URL to a session that behaves as on every other database, and what is wrong when there
//! is none.
use super::{fault, tls};
use crate::{
    error::{Class, Error},
    options::Options,
    pool::Driver,
    tls::{SslMode, Tls},
    url::{Host, Kind, Target},
};
use mysql_async::{
    Conn, DriverError, Error as Fault, IoError, Opts, OptsBuilder, SslOpts, prelude::Queryable as _,
};
use std::{
    io,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

const KIND: Kind = Kind {
    example: "mysql://user:password@host:3306/database",
    port: 3306,
    native: &[],
};

/// The oldest servers whose SQL we use: SKIP LOCKED, checks, binary collations without padding.
const OLDEST_MYSQL: [u32; 3] = [8, 0, 17];
const OLDEST_MARIADB: [u32; 3] = [10, 6, 0];

/// So long may nothing happen inside a transaction: a process that was frozen there must not hold
/// its locks until its runs have long been taken over.
const REST: Duration = Duration::from_secs(5);

/// Prepared statements that a session keeps.
const STATEMENTS: usize = 256;

/// Strings hold what is between their quotes, `"x"` is a name and `||` joins, as in the standard;
/// nothing is cut to fit or turned into zero.
const SQL_MODE: &str = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
    ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES,ANSI_QUOTES,\
    PIPES_AS_CONCAT";

/// Makes connections to what a URL names.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) target: Target,
}

/// A connection, and how much the server takes at once.
#[derive(Debug)]
pub(crate) struct Session {
    conn: Conn,
    /// Bytes of one packet.
    pub(super) packet: u64,
    /// On a server that has one limit for every rest: what sets it for those inside a transaction,
    /// and what sets it back.
    pub(super) rests: Option<Arc<[String; 2]>>,
}

impl Deref for Session {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

/// A server's kind: their settings have other names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Mysql,
    Mariadb,
}

impl Connector {
    pub(super) fn new(url: &str, options: &Options) -> Result<Self, Error> {
        let target = Target::parse(url, &KIND, options)?;
        // Refuses a file of certificates that cannot be used, before anybody connects.
        target.usable_tls()?;
        if target.database.is_none() {
            return Err(unavailable(format!(
                "the database URL `{}` names no database; write `{}`",
                target.shown, KIND.example
            )));
        }
        Ok(Self { target })
    }

    /// Ends what a connection does on its server, as far as that can be reached.
    pub(super) async fn kill(&self, id: u32) {
        for host in &self.target.hosts {
            let work = async {
                let mut conn = self.open(host).await.ok()?;
                conn.query_drop(format!("KILL {id}")).await.ok()?;
                conn.disconnect().await.ok()
            };
            // It may be the wrong host's connection of that number only with several hosts, and
            // then nobody can tell.
            if self.target.hosts.len() == 1 {
                let _ = tokio::time::timeout(Duration::from_secs(5), work).await;
            }
        }
    }

    async fn open(&self, host: &Host) -> Result<Conn, Fault> {
        let tls = &self.target.tls;
        let Some(ssl) = tls::options(tls) else {
            return Conn::new(self.opts(host, None)).await;
        };
        match Conn::new(self.opts(host, Some(ssl.clone()))).await {
            Err(Fault::Driver(DriverError::NoClientSslFlagFromServer))
                if tls.mode() == SslMode::Prefer =>
            {
                Conn::new(self.opts(host, None)).await
            }
            Err(fault) if tls.mode() == SslMode::VerifyCa => match tls::other_name(&fault) {
                Some(name) => {
                    let ssl = ssl.with_danger_tls_hostname_override(Some(name));
                    Conn::new(self.opts(host, Some(ssl))).await
                }
                None => Err(fault),
            },
            done => done,
        }
    }

    fn opts(&self, host: &Host, tls: Option<SslOpts>) -> Opts {
        let target = &self.target;
        let socket = host.name.starts_with('/');
        OptsBuilder::default()
            .ip_or_hostname(if socket { "localhost" } else { &host.name })
            .tcp_port(host.port)
            .socket(socket.then(|| host.name.clone()))
            .prefer_socket(false)
            .user(target.user.clone())
            .pass(target.password.clone())
            .db_name(target.database.clone())
            .ssl_opts(if socket { None } else { tls })
            .stmt_cache_size(STATEMENTS)
            .tcp_keepalive(Some(Duration::from_secs(15)))
            .tcp_nodelay(true)
            .into()
    }

    async fn session(&self, host: &Host) -> Result<Session, Error> {
        let shown = &self.target.shown;
        let mut conn = self
            .open(host)
            .await
            .map_err(|error| refused(&error, shown, &self.target.tls, host))?;
        let asked = "SELECT VERSION(), @@read_only, @@max_allowed_packet";
        let found: Option<(String, i64, u64)> = conn
            .query_first(asked)
            .await
            .map_err(|error| refused(&error, shown, &self.target.tls, host))?;
        let (version, read_only, packet) = found.unwrap_or_default();
        let server = known(&version, shown)?;
        if read_only != 0 && self.target.hosts.len() > 1 && !self.target.options.read_only {
            return Err(unavailable(format!(
                "cannot connect to {shown}: the server can only be read"
            )));
        }
        conn.query_drop(settings(server, &self.target.options))
            .await
            .map_err(|error| refused(&error, shown, &self.target.tls, host))?;
        Ok(Session {
            conn,
            packet,
            rests: rests(server, &self.target.options),
        })
    }
}

impl Driver for Connector {
    type Conn = Session;

    async fn connect(&self) -> Result<Session, Error> {
        self.target.first_host(|host| self.session(host)).await
    }

    fn is_broken(&self, conn: &Session) -> bool {
        conn.is_disconnected()
    }

    async fn ping(&self, conn: &mut Session) -> Result<(), Error> {
        conn.ping().await.map_err(|error| fault::classed(&error))
    }
}

/// What MySQL ends a session by that rests; the pool does without those that it ends at rest.
fn rests(server: Server, options: &Options) -> Option<Arc<[String; 2]>> {
    let set = |seconds: u64| format!("SET SESSION wait_timeout = {seconds}");
    match server {
        Server::Mysql => Some(Arc::new([
            set(rest(options).as_secs()),
            set(seconds(options.statement_timeout)),
        ])),
        Server::Mariadb => None,
    }
}

/// How long nothing may happen inside a transaction.
fn rest(options: &Options) -> Duration {
    Duration::from_secs(seconds(options.statement_timeout.min(REST)))
}

fn seconds(time: Duration) -> u64 {
    time.as_secs().max(1)
}

/// What every session is set to.
fn settings(server: Server, options: &Options) -> String {
    let timeout = options.statement_timeout;
    let seconds = seconds(timeout);
    let (own, collation) = match server {
        // The first stops a SELECT only; writes are stopped by our own clock. The second is all
        // that ends a session that was frozen, and is shorter inside a transaction.
        Server::Mysql => (
            format!(
                "max_execution_time = {}, wait_timeout = {seconds}, \
                 information_schema_stats_expiry = 0",
                timeout.as_millis()
            ),
            "utf8mb4_0900_bin",
        ),
        Server::Mariadb => (
            format!(
                "max_statement_time = {}, idle_transaction_timeout = {}",
                timeout.as_secs_f64(),
                rest(options).as_secs()
            ),
            "utf8mb4_nopad_bin",
        ),
    };
    let access = if options.read_only { ", READ ONLY" } else { "" };
    format!(
        "SET NAMES utf8mb4 COLLATE {collation}; \
         SET SESSION sql_mode = '{SQL_MODE}', time_zone = '+00:00', \
         innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}, {own}; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED{access}"
    )
}

/// The kind of a server by its version, or that it is too old.
fn known(version: &str, shown: &str) -> Result<Server, Error> {
    let (server, oldest, name) = if version.to_ascii_lowercase().contains("mariadb") {
        (Server::Mariadb, OLDEST_MARIADB, "MariaDB")
    } else {
        (Server::Mysql, OLDEST_MYSQL, "MySQL")
    };
    let mut parts = version
        .trim_start_matches("5.5.5-")
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let found = [0; 3].map(|_: u32| parts.next().unwrap_or(0));
    if found < oldest {
        let [a, b, c] = oldest;
        return Err(unavailable(format!(
            "cannot connect to {shown}: the server is {name} {version}, at least {a}.{b}.{c} is \
             needed; upgrade the server"
        )));
    }
    Ok(server)
}

fn refused(error: &Fault, shown: &str, tls: &Tls, host: &Host) -> Error {
    let mut class = Class::Unavailable;
    let why = match error {
        Fault::Server(server) => {
            let said = server.message.as_str();
            match server.code {
                1045 | 1698 => format!("{said}; correct the user or the password in the URL"),
                1044 => format!("{said}; grant the user access, or correct the URL"),
                1049 => format!("{said}; create it with CREATE DATABASE, or correct the URL"),
                1040 | 1203 | 1226 => {
                    class = Class::Busy;
                    format!("{said}; lower the pool's size or raise max_connections")
                }
                1129 | 1130 => format!("{said}; let this host in on the server"),
                1820 | 1862 => format!("{said}; set a new password"),
                _ => said.to_owned(),
            }
        }
        Fault::Io(IoError::Io(io)) => match tls::untrusted(error) {
            Some(why) => tls::explain(why, tls, host),
            None => no_answer(io),
        },
        Fault::Io(IoError::Tls(error)) => format!("TLS: {error} (sslmode={})", tls.mode()),
        Fault::Driver(DriverError::NoClientSslFlagFromServer) => format!(
            "the server offers no TLS; use `sslmode=disable` on a network that you trust, or set \
             TLS up on the server (sslmode={})",
            tls.mode()
        ),
        Fault::Driver(DriverError::UnknownAuthPlugin { name }) => format!(
            "the user logs in by `{name}`, which is not supported; use caching_sha2_password or \
             mysql_native_password"
        ),
        Fault::Driver(DriverError::CleartextPluginDisabled) => {
            "the server wants the password in clear text, which is refused".to_owned()
        }
        other => other.to_string(),
    };
    Error::new(class, format!("cannot connect to {shown}: {why}"))
}

fn no_answer(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there; start the server, or correct the host and port".to_owned()
        }
        io::ErrorKind::NotFound => "there is no such socket; correct the URL".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "the server hung up; look at its log, and whether it speaks MySQL's protocol".to_owned()
        }
        _ => error.to_string(),
    }
}

fn unavailable(message: String) -> Error {
    Error::new(Class::Unavailable, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn servers_are_told_apart_and_old_ones_refused_by_name() {
        for (version, server) in [
            ("8.0.17", Server::Mysql),
            ("9.7.4-2", Server::Mysql),
            ("8.4.0-commercial", Server::Mysql),
            ("10.6.0-MariaDB", Server::Mariadb),
            ("5.5.5-10.11.14-MariaDB-0+deb12u2", Server::Mariadb),
            ("11.4.2-MariaDB-log", Server::Mariadb),
        ] {
            assert_eq!(known(version, "u"), Ok(server), "{version}");
        }
        for (version, needed) in [
            ("8.0.16", "MySQL 8.0.16, at least 8.0.17"),
            ("5.7.44-log", "MySQL 5.7.44-log, at least 8.0.17"),
            (
                "5.5.5-10.5.23-MariaDB",
                "MariaDB 5.5.5-10.5.23-MariaDB, at least 10.6.0",
            ),
        ] {
            let error = known(version, "u").unwrap_err();
            assert_eq!(error.class, Class::Unavailable);
            assert!(error.message.contains(needed), "{error}");
        }
    }
}
