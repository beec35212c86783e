//! From a URL to connections, and what is wrong when none can be made.
use super::{fault, tls::Rustls};
use crate::{
    error::{Class, Error},
    options::Options,
    pool::Driver,
    tls::SslMode,
    url::{Host, Kind, Target},
};
use deadpool_postgres::ClientWrapper;
use std::{error::Error as _, io, time::Duration};
use tokio_postgres::{
    Config,
    config::{SslMode as Wanted, TargetSessionAttrs},
    error::SqlState,
};

const KIND: Kind = Kind {
    example: "postgres://user:password@host:port/database?option=value",
    port: 5432,
    native: &["application_name", "options", "target_session_attrs"],
};

/// Older ones have other catalogues and are no longer mended.
const OLDEST: u32 = 13;

/// Makes connections to the first of the URL's hosts that takes us.
#[derive(Debug)]
pub(super) struct Connector {
    target: Target,
    config: Config,
    tls: Rustls,
}

impl Connector {
    pub(super) fn new(url: &str, options: &Options) -> Result<Self, Error> {
        let target = Target::parse(url, &KIND, options)?;
        let config = config(&target)?;
        let tls = Rustls(target.usable_tls()?);
        Ok(Self {
            target,
            config,
            tls,
        })
    }

    /// The URL without its password.
    pub(super) fn shown(&self) -> &str {
        &self.target.shown
    }

    /// The caller's options with those of the URL in their place.
    pub(super) fn options(&self) -> &Options {
        &self.target.options
    }

    /// Whether a server that can only be read is to be left for another host.
    pub(super) fn fails_over(&self) -> bool {
        self.target.hosts.len() > 1
            && self.config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite
    }

    async fn open(&self, host: &Host) -> Result<ClientWrapper, Error> {
        let config = at(&self.config, host);
        let connected = config.connect(self.tls.clone()).await;
        let (client, connection) = connected.map_err(|error| self.refused(&error, host))?;
        let version = connection.parameter("server_version").map(str::to_owned);
        let task = tokio::spawn(async move {
            // What goes wrong is told to whoever waits for an answer.
            let _ = connection.await;
        });
        let client = ClientWrapper::new(client, task);
        match version {
            Some(version) if major(&version).is_some_and(|major| major < OLDEST) => Err(self
                .unavailable(&format!(
                    "the server is PostgreSQL {version}; PostgreSQL {OLDEST} or newer is needed"
                ))),
            _ => Ok(client),
        }
    }

    fn unavailable(&self, why: &str) -> Error {
        self.fault(Class::Unavailable, why)
    }

    fn fault(&self, class: Class, why: &str) -> Error {
        let message = format!("cannot connect to {}: {why}", self.target.shown);
        Error::new(class, message)
    }

    fn refused(&self, error: &tokio_postgres::Error, host: &Host) -> Error {
        let Some(db) = error.as_db_error() else {
            return self.unavailable(&self.no_answer(error, host));
        };
        let said = db.message();
        match *db.code() {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => self
                .unavailable(&format!(
                    "{said}; correct the user or the password in the URL, or what `pg_hba.conf` \
                     of the server allows"
                )),
            SqlState::INVALID_CATALOG_NAME => self.unavailable(&format!(
                "{said}; create it with `createdb`, or correct the URL"
            )),
            SqlState::TOO_MANY_CONNECTIONS => self.fault(
                Class::Busy,
                &format!("{said}; lower `pool_size` or raise the server's max_connections"),
            ),
            SqlState::CANNOT_CONNECT_NOW => {
                self.unavailable(&format!("{said}; try again in a moment"))
            }
            _ => self.unavailable(said),
        }
    }

    fn no_answer(&self, error: &tokio_postgres::Error, host: &Host) -> String {
        if let Some(why) = rustls_error(error) {
            return self.target.tls.explain(why, &host.name);
        }
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
            Some(io::ErrorKind::PermissionDenied) if said.contains("does not allow writes") => {
                "the server can only be read (a standby?)".to_owned()
            }
            Some(io::ErrorKind::PermissionDenied) if said.contains("is not read only") => {
                "the server can be written, and the URL asks for one that can only be read"
                    .to_owned()
            }
            _ if said.contains("lookup") => {
                format!("the host's name is not known ({said}); correct the URL")
            }
            _ if said.contains("password missing") => {
                "the server wants a password; write `user:password@` into the URL".to_owned()
            }
            _ if said.contains("does not support TLS") => format!(
                "the server does not offer TLS, which `sslmode={}` asks for; set `ssl = on` there, \
                 or `sslmode=disable` on a network that you trust",
                self.target.tls.mode()
            ),
            _ => format!("{} ({said})", fault::plain(error)),
        }
    }
}

impl Driver for Connector {
    type Conn = ClientWrapper;

    async fn connect(&self) -> Result<ClientWrapper, Error> {
        self.target.first_host(|host| self.open(host)).await
    }

    fn is_broken(&self, conn: &ClientWrapper) -> bool {
        conn.is_closed()
    }

    async fn ping(&self, conn: &mut ClientWrapper) -> Result<(), Error> {
        let done = conn.check_connection().await;
        done.map_err(|e| fault::classed(&e))
    }
}

/// For the yardstick of the benchmarks: the bare driver on the first host, not encrypted.
pub(crate) fn bare(url: &str) -> Result<Config, Error> {
    let target = Target::parse(url, &KIND, &Options::default())?;
    let mut config = config(&target)?;
    config.ssl_mode(Wanted::Disable);
    Ok(target
        .hosts
        .first()
        .map_or(config.clone(), |host| at(&config, host)))
}

fn at(config: &Config, host: &Host) -> Config {
    let mut config = config.clone();
    config.host(&host.name).port(host.port);
    if host.name.starts_with('/') {
        config.ssl_mode(Wanted::Disable);
    }
    config
}

/// Everything but the host.
fn config(target: &Target) -> Result<Config, Error> {
    let options = &target.options;
    let mut config = Config::new();
    if let Some(user) = &target.user {
        config.user(user);
    }
    if let Some(password) = &target.password {
        config.password(password);
    }
    if let Some(database) = &target.database {
        config.dbname(database);
    }
    config.ssl_mode(match target.tls.mode() {
        SslMode::Disable => Wanted::Disable,
        SslMode::Prefer => Wanted::Prefer,
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Wanted::Require,
    });
    config.application_name(target.native("application_name").unwrap_or("runstone"));
    let several = target.hosts.len() > 1 && !options.read_only;
    config.target_session_attrs(match target.native("target_session_attrs") {
        Some("any") => TargetSessionAttrs::Any,
        Some("read-write") => TargetSessionAttrs::ReadWrite,
        Some("read-only") => TargetSessionAttrs::ReadOnly,
        Some(_) => {
            let why = "the option `target_session_attrs` must be one of any, read-write, read-only";
            let message = format!(
                "the database URL `{}` is not understood: {why}",
                target.shown
            );
            return Err(Error::new(Class::Unavailable, message));
        }
        // Of several, one that takes writes is meant.
        None if several => TargetSessionAttrs::ReadWrite,
        None => TargetSessionAttrs::Any,
    });
    let given = target.native("options").unwrap_or_default();
    config.options(session_options(given, options));
    config.connect_timeout(options.connect_timeout);
    // A server that vanished without a word must be noticed, also in the middle of an answer.
    config.keepalives_idle(Duration::from_secs(15));
    config.tcp_user_timeout(options.statement_timeout);
    Ok(config)
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
    // Columns that hold a time of day without a zone are meant to be in UTC.
    add("TimeZone", "UTC");
    if options.read_only {
        add("default_transaction_read_only", "on");
    }
    all.trim().to_owned()
}

/// `15` of `15.18 (Debian 15.18-0+deb12u1)`.
fn major(version: &str) -> Option<u32> {
    let digits = version.find(|c: char| !c.is_ascii_digit());
    version[..digits.unwrap_or(version.len())].parse().ok()
}

fn rustls_error(error: &tokio_postgres::Error) -> Option<&rustls::Error> {
    let io = error.source()?.downcast_ref::<io::Error>()?;
    io.get_ref()?.downcast_ref()
}
