//! The schema: its migrations, its version, and whether the database still has it.
use std::time::{SystemTime, UNIX_EPOCH};

use runstone_db::{
    Database, Dialect, Difference, Error as DbError, Migration, MigrationStatus, Migrator, Schema,
};

use crate::{OpenError, SqlStore};

macro_rules! migrations {
    ($dialect:literal: $(($version:literal, $name:literal)),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            up: include_str!(concat!("../migrations/", $dialect, "/", $name, ".up.sql")),
            down: include_str!(concat!("../migrations/", $dialect, "/", $name, ".down.sql")),
        },)+]
    };
}

const SQLITE: &[Migration] = migrations!("sqlite": (1, "0001_trunk"), (2, "0002_blob_age"), (3, "0003_service"), (4, "0004_content"), (5, "0005_lists"), (6, "0006_parked_runs"), (7, "0007_wide_names"));
const POSTGRES: &[Migration] = migrations!("postgres": (1, "0001_trunk"), (2, "0002_blob_age"), (3, "0003_service"), (4, "0004_content"), (5, "0005_lists"), (6, "0006_parked_runs"), (7, "0007_wide_names"));
const MYSQL: &[Migration] = migrations!("mysql": (1, "0001_trunk"), (2, "0002_blob_age"), (3, "0003_service"), (4, "0004_content"), (5, "0005_lists"), (6, "0006_parked_runs"), (7, "0007_wide_names"));
const MSSQL: &[Migration] = migrations!("mssql": (1, "0001_trunk"), (2, "0002_blob_age"), (3, "0003_service"), (4, "0004_content"), (5, "0005_lists"), (6, "0006_parked_runs"), (7, "0007_wide_names"));
const SQLITE_SCHEMA: &str = include_str!("../migrations/sqlite/schema.sql");
const POSTGRES_SCHEMA: &str = include_str!("../migrations/postgres/schema.sql");
const MYSQL_SCHEMA: &str = include_str!("../migrations/mysql/schema.sql");
const MSSQL_SCHEMA: &str = include_str!("../migrations/mssql/schema.sql");

/// The migrations of a dialect, oldest first.
pub(crate) fn migrations(dialect: Dialect) -> &'static [Migration] {
    match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
        Dialect::Mysql => MYSQL,
        Dialect::Mssql => MSSQL,
    }
}

/// What all migrations together make.
pub(crate) fn schema_text(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => SQLITE_SCHEMA,
        Dialect::Postgres => POSTGRES_SCHEMA,
        Dialect::Mysql => MYSQL_SCHEMA,
        Dialect::Mssql => MSSQL_SCHEMA,
    }
}

/// The schema version of this program.
pub(crate) fn known_version(dialect: Dialect) -> u32 {
    migrations(dialect)
        .last()
        .map_or(0, |newest| newest.version)
}

#[expect(
    clippy::disallowed_methods,
    reason = "when a migration was applied is a note for people and decides nothing"
)]
fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}

pub(crate) fn migrator(db: &Database) -> Migrator<'_> {
    Migrator::new(
        db,
        migrations(db.dialect()),
        env!("CARGO_PKG_VERSION"),
        now_us(),
    )
}

pub(crate) async fn migrate_up(db: &Database, to: Option<u32>) -> Result<Vec<u32>, DbError> {
    migrator(db).up(to).await
}

/// Undoes every migration and applies them again: nothing is left of what was stored.
pub(crate) async fn empty(db: &Database) -> Result<(), DbError> {
    migrator(db).down(0).await?;
    migrate_up(db, None).await.map(drop)
}

/// The schema version of this program, the same on every database.
pub(crate) fn newest_version() -> u32 {
    known_version(Dialect::Sqlite)
}

/// The highest migration that the database has, known or not; 0 for an empty one.
pub(crate) async fn found_version(db: &Database) -> Result<u32, DbError> {
    let status = migrator(db).status().await?;
    Ok(status
        .iter()
        .filter(|migration| migration.applied_at.is_some())
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0))
}

/// That no newer program has migrated the database; answers its version.
pub(crate) async fn refuse_newer(db: &Database) -> Result<u32, OpenError> {
    let found = found_version(db).await?;
    let known = known_version(db.dialect());
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    Ok(found)
}

/// That every migration is applied, and none half-way.
pub(crate) async fn check_version(db: &Database) -> Result<(), OpenError> {
    let found = refuse_newer(db).await?;
    let known = known_version(db.dialect());
    if let Some(half) = migrator(db).interrupted().await? {
        return Err(OpenError::Interrupted {
            version: half.version,
            done: half.done,
        });
    }
    if found < known {
        return Err(OpenError::NotMigrated { found, known });
    }
    Ok(())
}

/// What of a schema's differences is told at most.
const TOLD: usize = 6;

/// That the database has the schema that this program needs.
pub(crate) async fn check(db: &Database) -> Result<(), OpenError> {
    check_version(db).await?;
    let wrong: Vec<String> = differences(db)
        .await?
        .into_iter()
        .filter(|difference| !difference.is_harmless)
        .map(|difference| difference.message)
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let mut difference = wrong[..wrong.len().min(TOLD)].join("; ");
    if wrong.len() > TOLD {
        difference.push_str(&format!("; and {} more", wrong.len() - TOLD));
    }
    Err(OpenError::Drifted { difference })
}

/// The schema that all migrations together make.
pub(crate) fn wanted(dialect: Dialect) -> Result<Schema, DbError> {
    Schema::parse(schema_text(dialect), dialect)
}

/// In what the database's schema is another than ours.
pub(crate) async fn differences(db: &Database) -> Result<Vec<Difference>, DbError> {
    Ok(wanted(db.dialect())?.differences(&Schema::read(db).await?))
}

impl SqlStore {
    /// Applies migrations up to version `to`, or all of them; answers those applied.
    ///
    /// # Errors
    /// What the database answered. Nothing has changed then, but on MySQL and MariaDB, where the
    /// next try goes on.
    pub async fn migrate_up(&self, to: Option<u32>) -> Result<Vec<u32>, DbError> {
        migrate_up(self.database(), to).await
    }

    /// Undoes every migration above version `to`; answers those undone. Everything stored in
    /// what they made is gone.
    ///
    /// # Errors
    /// What the database answered. Nothing has changed then, but on MySQL and MariaDB, where the
    /// next try goes on.
    pub async fn migrate_down(&self, to: u32) -> Result<Vec<u32>, DbError> {
        migrator(self.database()).down(to).await
    }

    /// Every migration, and when it was applied.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn migrate_status(&self) -> Result<Vec<MigrationStatus>, DbError> {
        migrator(self.database()).status().await
    }

    /// The schema version that the database has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn schema_version(&self) -> Result<u32, DbError> {
        found_version(self.database()).await
    }
}
