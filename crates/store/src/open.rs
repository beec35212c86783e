//! Opening a store: the URL, the engine's lock on an SQLite file, the schema's version, and every
//! way in which that fails, in words that a person can act on.
use std::{
    fs::{File, OpenOptions as FileOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use runstone_db::{Class, Database, Error as DbError, Options, masked};

use crate::{SqlStore, backup::restore_under_way, catalog::Catalog, schema};

/// Whoever examines a whole database has statements that read all of it.
const EXAMINED: Duration = Duration::from_secs(3600);

/// How a store is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Bring the schema to this program's version first.
    pub migrate: bool,
    /// Refuse every write.
    pub read_only: bool,
    /// SQLite: be the only process that executes runs on this file. Readers and cancel requests
    /// do not need it.
    pub engine_lock: bool,
    /// Open it also when its schema was changed by hand: for who looks what is wrong with it.
    pub any_schema: bool,
    /// Who opens it, as others see it who find it locked: the command line.
    pub who: String,
}

impl OpenOptions {
    /// The engine's lock, where it is asked for and the database is a file.
    pub(crate) fn lock(&self, url: &str) -> Result<Option<EngineLock>, OpenError> {
        match database_file(url)? {
            Some(path) if self.engine_lock => EngineLock::take(path, &self.who).map(Some),
            _ => Ok(None),
        }
    }

    /// How the database beneath is connected to.
    pub(crate) fn of_database(&self) -> Options {
        Options {
            read_only: self.read_only,
            create: self.migrate && !self.read_only,
            ..Options::default()
        }
    }
}

/// Why a store cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The URL is not understood.
    #[error("{message}")]
    WrongUrl {
        /// What is wrong with it and what is right.
        message: String,
    },
    /// No connection can be made.
    #[error("{message}")]
    Unreachable {
        /// What happened and how to mend it.
        message: String,
    },
    /// The schema is of a newer program.
    #[error(
        "the database has schema version {found}, this program knows {known}; \
         use the newer program that migrated it"
    )]
    NewerSchema {
        /// The database's version.
        found: u32,
        /// This program's version.
        known: u32,
    },
    /// The schema is older, or there is none.
    #[error(
        "the database has schema version {found}, this program needs {known}; \
         run `runstone migrate up`"
    )]
    NotMigrated {
        /// The database's version; 0 for an empty database.
        found: u32,
        /// This program's version.
        known: u32,
    },
    /// A migration broke off half-way, on a database that cannot undo it.
    #[error(
        "migration {version} was interrupted after {done} of its statements; \
         run `runstone migrate up`, which goes on with it"
    )]
    Interrupted {
        /// The migration's number.
        version: u32,
        /// So many of its statements are done.
        done: usize,
    },
    /// It may only be read, and writing was asked for.
    #[error("{message}")]
    ReadOnly {
        /// What refused and how to mend it.
        message: String,
    },
    /// Another process executes runs on this file.
    #[error(
        "another process is using this database: {holder}; wait for it or stop it, \
         or use a database server, where many can share one database"
    )]
    Locked {
        /// The process: its id and command line.
        holder: String,
    },
    /// A restore into it is under way, or was broken off.
    #[error("a restore into this database did not finish; wait for it, or restore into it again")]
    HalfRestored,
    /// Tables, columns, keys, indexes or checks are others than ours, although the version is
    /// right.
    #[error(
        "the database's schema was changed by hand: {difference}; \
         undo that change or restore a backup"
    )]
    Drifted {
        /// The difference.
        difference: String,
    },
    /// The file is damaged or no database.
    #[error("{message}")]
    Corrupt {
        /// What was found.
        message: String,
    },
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What happened.
        message: String,
    },
}

impl From<DbError> for OpenError {
    fn from(error: DbError) -> Self {
        let message = error.to_string();
        match error.class {
            Class::ReadOnly => Self::ReadOnly { message },
            Class::Corrupt => Self::Corrupt { message },
            Class::Unavailable | Class::Gone | Class::Timeout | Class::Busy => {
                Self::Unreachable { message }
            }
            _ => Self::Other { message },
        }
    }
}

impl SqlStore {
    /// Opens the store at `url`: `sqlite:FILE`, `postgres://user:password@host/database`, and the
    /// same with `mysql`, `mariadb` or `mssql`.
    ///
    /// # Errors
    /// See [`OpenError`]. A migration is one transaction, but on MySQL and MariaDB, where the next
    /// one goes on where this one broke off.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        let patient = options.any_schema;
        let store = Self::open_even_half_restored(url, options, patient).await?;
        match restore_under_way(store.database(), store.sql()).await? {
            None => Ok(store),
            Some(_) => {
                store.close().await;
                Err(OpenError::HalfRestored)
            }
        }
    }

    /// The same for a restore, which may begin anew where an earlier one was broken off. `patient`:
    /// statements that look at whole tables get the time for it.
    pub(crate) async fn open_even_half_restored(
        url: &str,
        options: OpenOptions,
        patient: bool,
    ) -> Result<Self, OpenError> {
        let lock = options.lock(url)?;
        let db_options = match patient {
            true => Options {
                statement_timeout: EXAMINED,
                ..options.of_database()
            },
            false => options.of_database(),
        };
        let db = Database::connect(url, db_options).await?;
        if options.migrate {
            schema::refuse_newer(&db).await?;
            schema::migrate_up(&db, None).await?;
        }
        let sql = Catalog::render(db.dialect()).map_err(|error| OpenError::Other {
            message: error.to_string(),
        })?;
        if options.any_schema {
            schema::check_version(&db).await?;
        } else {
            schema::check(&db).await?;
        }
        Ok(Self::new(db, Arc::new(sql), lock))
    }
}

/// The path of an SQLite file; None for a database in memory and for servers.
pub(crate) fn database_file(url: &str) -> Result<Option<&Path>, OpenError> {
    let wrong = || OpenError::WrongUrl {
        message: format!(
            "the database URL `{}` is not understood; write `sqlite:FILE` or \
             `KIND://user@host/database`, where KIND is postgres, mysql, mariadb or mssql",
            masked(url)
        ),
    };
    let (scheme, rest) = url.split_once(':').ok_or_else(wrong)?;
    match scheme {
        "sqlite" if rest == ":memory:" => Ok(None),
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            let path = path.split_once('?').map_or(path, |(path, _)| path);
            if path.is_empty() {
                Err(wrong())
            } else {
                Ok(Some(Path::new(path)))
            }
        }
        "postgres" | "postgresql" | "mysql" | "mariadb" | "mssql" | "sqlserver"
            if rest.starts_with("//") =>
        {
            Ok(None)
        }
        _ => Err(wrong()),
    }
}

/// Whether nobody executes runs on the SQLite file of `url`; `None` when that cannot be known, as
/// on a server.
#[must_use]
pub fn engine_lock_is_free(url: &str) -> Option<bool> {
    let path = database_file(url).ok()??;
    match File::open(lock_path(path)) {
        // Several may look at the same time. Closing the file gives the lock back.
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Some(true),
            Err(TryLockError::WouldBlock) => Some(false),
            Err(TryLockError::Error(_)) => None,
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(true),
        Err(_) => None,
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

/// Somebody who only looks holds the lock for an instant.
const LOCK_TRIES: u32 = 4;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            done => return done,
        }
    }
    file.try_lock()
}

/// The right to execute runs on an SQLite file. The operating system takes it back when the
/// process ends, however it ends; the file beside the database stays.
#[derive(Debug)]
pub(crate) struct EngineLock {
    _file: File,
}

impl EngineLock {
    pub(crate) fn take(database: &Path, who: &str) -> Result<Self, OpenError> {
        let path = lock_path(database);
        let failed = |error: std::io::Error| OpenError::Unreachable {
            message: format!(
                "the lock file `{}` cannot be used ({error}); check that the folder exists and \
                 may be written",
                path.display()
            ),
        };
        let mut file = FileOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder may be about to write its name.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let known = if holder.is_empty() {
                    "a process without a name"
                } else {
                    holder
                };
                return Err(OpenError::Locked {
                    holder: known.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "process {}: {who}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}
