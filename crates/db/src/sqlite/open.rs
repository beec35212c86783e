//! Opens connections: where the file is, what is wrong when it cannot be used, and how every
//! connection is set up.
use super::{fault::classed, held::Held};
use crate::{
    error::{Class, Error},
    options::Options,
};
use rusqlite::{Connection, OpenFlags};
use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Pages in the write-ahead log that start a checkpoint (16 MiB). Every checkpoint stalls the
/// writer for two more flushes; a log that is reused in place also flushes faster than one that
/// grows.
const CHECKPOINT_PAGES: u32 = 4_000;
/// A log that grew beyond this (a long reader held it) is cut back.
const WAL_BYTES_MAX: u64 = 64 << 20;
/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 256;
/// Between two attempts at what SQLite does not wait for itself.
const PAUSE: Duration = Duration::from_millis(2);
/// How often a running statement looks at the clock, in steps of SQLite's machine: about 1 ms.
const CLOCK_STEPS: i32 = 50_000;

/// Where a database is.
#[derive(Debug)]
pub(super) enum Place {
    Memory,
    File(PathBuf),
}

impl Place {
    /// From what stands in a URL behind `sqlite:`, without its options.
    pub(super) fn parse(rest: &str) -> Result<Self, Error> {
        if rest == ":memory:" {
            return Ok(Self::Memory);
        }
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() {
            return Err(unavailable(
                "the URL `sqlite:` names no file; write `sqlite:FILE`",
            ));
        }
        Ok(Self::File(PathBuf::from(path)))
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

/// A connection and the time limit of what runs on it.
pub(super) struct Link {
    pub(super) connection: Connection,
    statement_timeout: Duration,
    busy_timeout: Duration,
    /// Whether the connection is set to wait for locks.
    waits: Cell<bool>,
    started: Instant,
    /// Milliseconds after `started`; 0 is no limit.
    deadline_ms: Arc<AtomicU64>,
    held: Held,
}

impl Link {
    fn new(mut connection: Connection, options: &Options, held: Held) -> Result<Self, Error> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection
            .busy_timeout(options.busy_timeout)
            .map_err(|e| classed(&e))?;
        let started = Instant::now();
        let deadline_ms = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&deadline_ms);
        connection
            .progress_handler(
                CLOCK_STEPS,
                Some(move || match seen.load(Ordering::Relaxed) {
                    0 => false,
                    deadline => millis(started.elapsed()) > deadline,
                }),
            )
            .map_err(|e| classed(&e))?;
        Ok(Self {
            connection,
            statement_timeout: options.statement_timeout,
            busy_timeout: options.busy_timeout,
            waits: Cell::new(true),
            started,
            deadline_ms,
            held,
        })
    }

    /// From now on the statement timeout runs.
    pub(super) fn limited(&self) {
        let deadline = millis(self.started.elapsed() + self.statement_timeout).max(1);
        self.deadline_ms.store(deadline, Ordering::Relaxed);
    }

    /// From now on statements may take as long as they like.
    pub(super) fn unlimited(&self) {
        self.deadline_ms.store(0, Ordering::Relaxed);
    }

    /// Whether what is about to be written would last.
    pub(super) fn in_place(&self) -> Result<(), Error> {
        self.held.check()
    }

    /// Whether statements wait for another process's lock, or answer at once.
    pub(super) fn wait_for_locks(&self, wait: bool) -> Result<(), Error> {
        if self.waits.replace(wait) == wait {
            return Ok(());
        }
        let timeout = if wait {
            self.busy_timeout
        } else {
            Duration::ZERO
        };
        self.connection
            .busy_timeout(timeout)
            .map_err(|e| classed(&e))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Opens the one connection that writes, and creates the file if it may.
pub(super) fn writer(place: &Place, options: &Options) -> Result<Link, Error> {
    let (connection, held) = match place {
        Place::Memory => {
            let connection = Connection::open_in_memory().map_err(|e| classed(&e))?;
            (connection, Held::default())
        }
        Place::File(path) => {
            check_path(path, options)?;
            let connection = open_file(path, options).map_err(|e| named(path, e))?;
            (connection, Held::of(path))
        }
    };
    Link::new(connection, options, held)
}

fn open_file(path: &Path, options: &Options) -> Result<Connection, Error> {
    let connection = connect(path, options, options.create)?;
    let set = |name: &str, value: i64| {
        connection
            .pragma_update(None, name, value)
            .map_err(|e| classed(&e))
    };
    if !options.read_only {
        if connection.is_readonly("main").map_err(|e| classed(&e))? {
            return Err(Error::new(
                Class::ReadOnly,
                "this user may only read the file; give it write permission",
            ));
        }
        let mode = keep_a_log(&connection, options.busy_timeout)?;
        if mode != "wal" {
            return Err(Error::other(format!(
                "the file system does not support a write-ahead log (SQLite answers `{mode}`); \
                 put the file on a local disk"
            )));
        }
        set("wal_autocheckpoint", i64::from(CHECKPOINT_PAGES))?;
        set(
            "journal_size_limit",
            i64::try_from(WAL_BYTES_MAX).unwrap_or(i64::MAX),
        )?;
    }
    // 2 is FULL: every commit is flushed to the disk before it is answered.
    set("synchronous", 2)?;
    set("foreign_keys", 1)?;
    // 2 is memory. A negative cache size is in KiB. Other page sizes than SQLite's 4 KiB, and
    // mapped files, were measured for the journal's writes and gave nothing.
    set("temp_store", 2)?;
    set("cache_size", -32_768)?;
    // A file that is no database is noticed at the first read only.
    first_read(&connection)?;
    Ok(connection)
}

/// Has the file keep a write-ahead log; the mode that it has then. For the change of a new file
/// SQLite itself waits for nobody: of many that open it at once all but one would be refused.
fn keep_a_log(connection: &Connection, patience: Duration) -> Result<String, Error> {
    let began = Instant::now();
    loop {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
        match mode.map_err(|e| classed(&e)) {
            Err(error) if error.class == Class::Busy && began.elapsed() < patience => {
                thread::sleep(PAUSE);
            }
            answer => return answer,
        }
    }
}

/// Opens a connection that can only read.
pub(super) fn reader(place: &Place, options: &Options) -> Result<Link, Error> {
    let Place::File(path) = place else {
        return Err(Error::other("a database in memory has one connection only"));
    };
    let open = || {
        let connection = connect(path, options, false)?;
        for (name, value) in [("query_only", 1), ("temp_store", 2), ("cache_size", -8_192)] {
            connection
                .pragma_update(None, name, value)
                .map_err(|e| classed(&e))?;
        }
        Link::new(connection, options, Held::default())
    };
    open().map_err(|e| named(path, e))
}

fn connect(path: &Path, options: &Options, create: bool) -> Result<Connection, Error> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if options.read_only {
        flags |= OpenFlags::SQLITE_OPEN_READ_ONLY;
    } else {
        flags |= OpenFlags::SQLITE_OPEN_READ_WRITE;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    }
    let connection = Connection::open_with_flags(path, flags).map_err(|e| classed(&e))?;
    connection
        .busy_timeout(options.busy_timeout)
        .map_err(|e| classed(&e))?;
    if !options.read_only {
        return Ok(connection);
    }
    match first_read(&connection) {
        Err(error) if matches!(error.class, Class::ReadOnly | Class::Unavailable) => {
            drop(connection);
            without_log(path, flags, error)
        }
        _ => Ok(connection),
    }
}

fn first_read(connection: &Connection) -> Result<(), Error> {
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
        .map(drop)
        .map_err(|e| classed(&e))
}

/// Even to look SQLite wants to make its log beside the file. Where the folder forbids that and no
/// log is there, nobody has the file open: then it can be read as one that does not change.
fn without_log(path: &Path, flags: OpenFlags, error: Error) -> Result<Connection, Error> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        let message = "SQLite's log beside it is not empty, and to read it SQLite needs to write \
                       to the folder and the file; give permission to, or copy the file together \
                       with its `-wal` to another folder";
        return Err(Error::new(error.class, message));
    }
    let mut url = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes().iter().copied() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.push_str("?immutable=1");
    let flags = flags | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(url, flags).map_err(|e| classed(&e))?;
    first_read(&connection)?;
    Ok(connection)
}

/// SQLite says "unable to open database file" to all of these.
fn check_path(path: &Path, options: &Options) -> Result<(), Error> {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(unavailable(format!(
            "`{shown}` is a folder; name a file in it, as in `sqlite:{shown}/runstone.db`"
        ))),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            match parent {
                Some(parent) if !parent.is_dir() => Err(unavailable(format!(
                    "the folder `{}` does not exist; create it first",
                    parent.display()
                ))),
                _ if options.create && !options.read_only => Ok(()),
                _ => Err(unavailable(format!(
                    "the database file `{shown}` does not exist"
                ))),
            }
        }
        Err(error) => Err(unavailable(format!("`{shown}` cannot be opened: {error}"))),
    }
}

fn named(path: &Path, mut error: Error) -> Error {
    error.message = format!("`{}`: {}", path.display(), error.message);
    error
}

fn unavailable(message: impl Into<String>) -> Error {
    Error::new(Class::Unavailable, message)
}
