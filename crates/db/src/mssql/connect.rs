//! From a URL to a connection: TLS, login, what every session is set to, whether the server is new
//! enough, and what is wrong when there is none.
use super::{fault, request::Conn, tls::Encryption};
use crate::{
    error::{Class, Error},
    pool::Driver,
    row::Row,
    url::{Host, Kind, Target},
};
use std::io;
use tiberius::{AuthMethod, Client, Config, error::Error as Fault};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

pub(super) const KIND: Kind = Kind {
    example: "mssql://user:password@host:1433/database",
    port: 1433,
    native: &[
        "encrypt",
        "trust_server_certificate",
        "ca",
        "host_name_in_certificate",
        "application_name",
    ],
};
/// 2019.
const OLDEST: u32 = 15;
/// Where `OPENJSON` begins.
const OLDEST_LEVEL: i64 = 130;
/// Azure's SQL Database and Managed Instance are always the newest, whatever version they give.
const CLOUD_EDITIONS: [i64; 2] = [5, 8];
/// With TLS a packet cannot be larger.
const PACKET_BYTES: u32 = 16_384;
/// Servers that answer with another address do so once, or they go round in circles.
const MOST_ROUTES: u32 = 3;

/// The driver's own connection.
pub(crate) type Native = Client<Compat<TcpStream>>;

/// Makes connections to one server.
#[derive(Debug)]
pub(crate) struct Connector {
    target: Target,
    tls: Encryption,
}

impl Connector {
    pub(super) fn new(target: Target) -> Result<Self, Error> {
        let tls = Encryption::of(&target).map_err(|why| {
            unavailable(format!(
                "the database URL `{}` is not understood: {why}",
                target.shown
            ))
        })?;
        // Refuses a file of authorities that cannot be used, before anybody connects.
        target.usable_tls()?;
        Ok(Self { target, tls })
    }

    fn config(&self, host: &Host) -> Config {
        let target = &self.target;
        let mut config = Config::new();
        config.host(&host.name);
        config.port(host.port);
        if let Some(database) = &target.database {
            config.database(database);
        }
        let (user, password) = (target.user.as_deref(), target.password.as_deref());
        config.authentication(AuthMethod::sql_server(
            user.unwrap_or_default(),
            password.unwrap_or_default(),
        ));
        config.application_name(target.native("application_name").unwrap_or("runstone"));
        self.tls.apply(&mut config);
        config.packet_size(PACKET_BYTES);
        config.readonly(target.options.read_only);
        config.handshake_timeout(Some(target.options.connect_timeout));
        // Our own limit is on the whole statement.
        config.command_timeout(None);
        config
    }

    async fn to(&self, host: &Host) -> Result<Conn, Error> {
        let mut host = host.clone();
        for _ in 0..MOST_ROUTES {
            match self.attempt(&host).await {
                Err(Fault::Routing { host: name, port }) => host = Host { name, port },
                Err(fault) => return Err(self.refused(&fault, &host)),
                Ok(client) => return self.session(Conn::new(client)).await,
            }
        }
        Err(self.fault("the servers send us from one to another"))
    }

    /// A connection as it is.
    pub(super) async fn bare(&self) -> Result<Native, Error> {
        let first = self.target.hosts.first();
        let first = first.ok_or_else(|| self.fault("the URL names no host"))?;
        self.attempt(first)
            .await
            .map_err(|fault| self.refused(&fault, first))
    }

    async fn attempt(&self, host: &Host) -> Result<Native, Fault> {
        let tcp = TcpStream::connect((host.name.as_str(), host.port)).await?;
        tcp.set_nodelay(true)?;
        Client::connect(self.config(host), tcp.compat_write()).await
    }

    /// Sets the session up and looks at the server, in one round trip.
    async fn session(&self, mut conn: Conn) -> Result<Conn, Error> {
        let asked = conn.plain(&self.settings()).await;
        let rows = asked.map_err(|error| self.fault(&error.message))?;
        match rows.last() {
            Some(row) => self.check(row)?,
            None => return Err(self.fault("the server did not tell its version")),
        }
        Ok(conn)
    }

    fn settings(&self) -> String {
        // Waiting for a lock must end before the statement's own time does.
        let lock_ms = (self.target.options.statement_timeout * 3 / 4).as_millis();
        format!(
            "SET XACT_ABORT ON; SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n\
             SET LOCK_TIMEOUT {lock_ms}; SET TEXTSIZE 2147483647; SET ANSI_NULLS ON;\n\
             SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; SET ARITHABORT ON;\n\
             SET CONCAT_NULL_YIELDS_NULL ON; SET QUOTED_IDENTIFIER ON; SET IMPLICIT_TRANSACTIONS OFF;\n\
             SELECT CAST(SERVERPROPERTY('ProductVersion') AS NVARCHAR(128)) AS version,\n\
             CAST(SERVERPROPERTY('EngineEdition') AS BIGINT) AS edition,\n\
             CAST(SERVERPROPERTY('BabelfishVersion') AS NVARCHAR(128)) AS stand_in,\n\
             (SELECT CAST(compatibility_level AS BIGINT) FROM sys.databases WHERE name = DB_NAME())\n\
             AS level"
        )
    }

    fn check(&self, row: &Row) -> Result<(), Error> {
        let version: Option<String> = row.get("version")?;
        let edition: Option<i64> = row.get("edition")?;
        let stand_in: Option<String> = row.get("stand_in")?;
        if stand_in.is_some() || edition.is_some_and(|found| CLOUD_EDITIONS.contains(&found)) {
            return Ok(());
        }
        let version = version.unwrap_or_default();
        let major = version
            .split('.')
            .next()
            .and_then(|text| text.parse::<u32>().ok());
        if major.is_some_and(|found| found < OLDEST) {
            return Err(self.fault(&format!(
                "the server is SQL Server {version}; Runstone needs {OLDEST}.0 (2019) or newer"
            )));
        }
        match row.get::<Option<i64>>("level")? {
            Some(level) if level < OLDEST_LEVEL => Err(self.fault(&format!(
                "the database has compatibility level {level}; Runstone needs {OLDEST_LEVEL} or \
                 higher (ALTER DATABASE … SET COMPATIBILITY_LEVEL = 150)"
            ))),
            Some(_) | None => Ok(()),
        }
    }

    fn refused(&self, fault: &Fault, host: &Host) -> Error {
        match fault {
            Fault::Server(said) => {
                let mut error = fault::refusal(said);
                error.message =
                    format!("cannot connect to {}: {}", self.target.shown, error.message);
                error
            }
            Fault::Io { kind, message } => self.fault(&no_answer(*kind, message)),
            Fault::Tls(why) => self.fault(&self.tls.refused(why, host)),
            other => {
                let said = other.to_string();
                if said.to_ascii_lowercase().contains("encrypt") {
                    self.fault(&self.tls.refused(&said, host))
                } else {
                    self.fault(&said)
                }
            }
        }
    }

    fn fault(&self, why: &str) -> Error {
        unavailable(format!("cannot connect to {}: {why}", self.target.shown))
    }
}

impl Driver for Connector {
    type Conn = Conn;

    async fn connect(&self) -> Result<Conn, Error> {
        self.target.first_host(|host| self.to(host)).await
    }

    fn is_broken(&self, conn: &Conn) -> bool {
        !conn.is_clean()
    }

    async fn ping(&self, conn: &mut Conn) -> Result<(), Error> {
        conn.plain("IF @@TRANCOUNT > 0 ROLLBACK").await.map(drop)
    }
}

fn no_answer(kind: io::ErrorKind, said: &str) -> String {
    match kind {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there; start SQL Server, or correct host and port".to_owned()
        }
        io::ErrorKind::TimedOut => {
            "the host does not answer; check the address and the firewall".to_owned()
        }
        _ if said.contains("lookup") => {
            format!("the host's name is not known ({said}); correct the URL")
        }
        _ => said.to_owned(),
    }
}

fn unavailable(message: impl Into<String>) -> Error {
    Error::new(Class::Unavailable, message)
}
