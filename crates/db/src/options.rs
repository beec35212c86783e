//! How a database is opened: sizes of pools and time limits.
use std::time::Duration;

/// How a database is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// PostgreSQL: at most so many connections.
    pub pool_size: usize,
    /// SQLite: at most so many connections that read at the same time.
    pub readers: usize,
    /// A statement that takes longer is stopped.
    pub statement_timeout: Duration,
    /// How long a caller waits for a free connection.
    pub acquire_timeout: Duration,
    /// SQLite: how long a statement waits for another process's lock.
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
            busy_timeout: Duration::from_secs(5),
            read_only: false,
            create: true,
        }
    }
}
