//! Databases for tests: which there are, where they are, and an empty one of a test's own.
//!
//! `cargo xtask test` starts each server once for all tests and names it in a variable; a test that
//! needs one as no other does asks it for that. A test without its server says `SKIPPED: …`, which
//! the runner counts, and passes; one that does without a further database says `LEFT OUT: …`.

mod every;
mod fresh;
mod own;
mod stand_in;

pub use fresh::Fresh;
pub use own::Own;
pub use stand_in::stands_in;

/// Where the names of the databases stand that this run is limited to, separated by commas.
pub const CHOSEN_VAR: &str = "RUNSTONE_TEST_DATABASES";

/// A kind and version of database that every suite runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TestDatabase {
    /// A file in a temporary folder.
    Sqlite,
    /// The oldest PostgreSQL that is served.
    Postgres13,
    /// The PostgreSQL that most people's machines have; 15 where nothing else is named.
    Postgres,
    /// The newest PostgreSQL.
    Postgres18,
    /// MariaDB, 10.11 where nothing else is named.
    Mariadb,
    /// Oracle's MySQL, 8 or later.
    Mysql,
    /// SQL Server, or what speaks its protocol.
    Mssql,
}

impl TestDatabase {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Sqlite,
        Self::Postgres13,
        Self::Postgres,
        Self::Postgres18,
        Self::Mariadb,
        Self::Mysql,
        Self::Mssql,
    ];

    /// Its name in test paths and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres13 => "postgres13",
            Self::Postgres => "postgres",
            Self::Postgres18 => "postgres18",
            Self::Mariadb => "mariadb",
            Self::Mysql => "mysql",
            Self::Mssql => "mssql",
        }
    }

    /// The variable that names a server which tests may fill, as a URL; SQLite needs none.
    #[must_use]
    pub fn variable(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres13 => Some("RUNSTONE_TEST_POSTGRES13_URL"),
            Self::Postgres => Some("RUNSTONE_TEST_POSTGRES_URL"),
            Self::Postgres18 => Some("RUNSTONE_TEST_POSTGRES18_URL"),
            Self::Mariadb => Some("RUNSTONE_TEST_MARIADB_URL"),
            Self::Mysql => Some("RUNSTONE_TEST_MYSQL_URL"),
            Self::Mssql => Some("RUNSTONE_TEST_MSSQL_URL"),
        }
    }

    /// Whether tests can run on it now; if not, says so where the runner counts it.
    #[must_use]
    pub fn is_there(self) -> bool {
        let missing = self.missing();
        if let Some(why) = &missing {
            eprintln!("SKIPPED: {why}");
        }
        missing.is_none()
    }

    /// Whether a test that runs on another database can use this one as well; if not, says so
    /// where the runner tells of it, and the test goes on without.
    #[must_use]
    pub fn is_there_as_well(self) -> bool {
        let missing = self.missing();
        if let Some(why) = &missing {
            eprintln!("LEFT OUT: {why}");
        }
        missing.is_none()
    }

    /// The URL of its server, in which databases or schemas may be made. None for SQLite, and,
    /// said aloud, where there is no server or this run is limited to other databases.
    #[must_use]
    pub fn url(self) -> Option<String> {
        self.is_there().then(|| self.named()).flatten()
    }

    fn named(self) -> Option<String> {
        let url = std::env::var(self.variable()?).ok();
        url.filter(|url| !url.is_empty())
    }

    /// Why tests cannot run on it now.
    fn missing(self) -> Option<String> {
        let unnamed = || {
            let variable = self.variable()?;
            let missing = self.named().is_none();
            missing.then(|| format!("{variable} is not set"))
        };
        self.not_chosen().or_else(unnamed)
    }

    /// That this run is limited to other databases.
    fn not_chosen(self) -> Option<String> {
        let chosen = std::env::var(CHOSEN_VAR).ok()?;
        let mut names = chosen.split(',');
        let found = names.any(|name| name.trim() == self.name());
        (!found).then(|| format!("{} was not chosen ({CHOSEN_VAR})", self.name()))
    }
}

/// What a suite's tests are given: a database of their own and whatever else they need.
pub trait Fixture: Sized {
    /// A new one; None, said aloud, where tests cannot run on `database` now.
    fn open(database: TestDatabase) -> impl Future<Output = Option<Self>>;
}

impl Fixture for Fresh {
    async fn open(database: TestDatabase) -> Option<Self> {
        Fresh::on(database).await
    }
}

/// For tests that are not async: waits for the fixture.
pub fn open_and_wait<F: Fixture>(database: TestDatabase) -> Option<F> {
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(F::open(database)),
        Err(error) => panic!("no runtime to open {} with: {error}", database.name()),
    }
}
