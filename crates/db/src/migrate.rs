//! Moves a database's schema up and down through numbered, checksummed migrations.
use crate::{database::Database, error::Error};

/// One step of the schema: native SQL for one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// 1, 2, 3, … without gaps.
    pub version: u32,
    /// Its name, as in `0001_runs`.
    pub name: &'static str,
    /// The statements that go up.
    pub up: &'static str,
    /// The statements that undo them.
    pub down: &'static str,
}

/// One migration and whether the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// When it was applied, in UTC microseconds; `None` when it was not.
    pub applied_at: Option<i64>,
}

/// Migrates one database.
#[derive(Clone, Debug)]
pub struct Migrator<'a> {
    db: &'a Database,
    migrations: &'a [Migration],
    app_version: &'a str,
    now_us: i64,
}

impl<'a> Migrator<'a> {
    /// `migrations` are those of the database's dialect, in order; `now_us` (UTC microseconds) and
    /// `app_version` are written beside each applied one.
    #[must_use]
    pub fn new(
        db: &'a Database,
        migrations: &'a [Migration],
        app_version: &'a str,
        now_us: i64,
    ) -> Self {
        Self {
            db,
            migrations,
            app_version,
            now_us,
        }
    }

    /// Applies what is missing, up to version `to` or the newest, in one transaction under a lock;
    /// answers the versions applied.
    pub async fn up(&self, to: Option<u32>) -> Result<Vec<u32>, Error> {
        let _ = (self.db, self.migrations, self.app_version, self.now_us, to);
        Err(Error::other("not built yet"))
    }

    /// Undoes every migration above version `to`, newest first; answers the versions undone.
    pub async fn down(&self, to: u32) -> Result<Vec<u32>, Error> {
        let _ = to;
        Err(Error::other("not built yet"))
    }

    /// Every migration and whether the database has it; changes nothing.
    pub async fn status(&self) -> Result<Vec<MigrationStatus>, Error> {
        Err(Error::other("not built yet"))
    }

    /// That the schema is exactly what this binary needs.
    pub async fn check(&self) -> Result<(), Error> {
        Err(Error::other("not built yet"))
    }
}
