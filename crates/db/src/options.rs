//! How a database is opened: sizes of pools and time limits.
use std::time::Duration;

/// How a database is opened. What the URL says takes the place of what stands here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Servers: at most so many connections (`pool_size`).
    pub pool_size: usize,
    /// SQLite: at most so many connections that read at the same time (`pool_size`).
    pub readers: usize,
    /// A statement that takes longer is stopped (`statement_timeout_ms`).
    pub statement_timeout: Duration,
    /// How long a caller waits for a connection (`acquire_timeout_ms`).
    pub acquire_timeout: Duration,
    /// Servers: how long one host may take to accept a connection (`connect_timeout_ms`).
    pub connect_timeout: Duration,
    /// Servers: a connection that nobody used for so long is closed; zero is never (`idle_s`).
    pub idle_age: Duration,
    /// Servers: no connection is used for longer, up to a fifth less by chance; zero is no limit
    /// (`max_age_s`).
    pub max_age: Duration,
    /// SQLite: how long a statement waits for another process's lock (`busy_timeout_ms`).
    pub busy_timeout: Duration,
    /// Refuse every write.
    pub read_only: bool,
    /// SQLite: create the file when there is none.
    pub create: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pool_size: 8,
            readers: 4,
            statement_timeout: Duration::from_secs(30),
            acquire_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            idle_age: Duration::from_secs(600),
            max_age: Duration::from_secs(3_600),
            busy_timeout: Duration::from_secs(5),
            read_only: false,
            create: true,
        }
    }
}
