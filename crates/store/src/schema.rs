//! The schema: its migrations, its version, and whether the database still has it.
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use runstone_db::{Database, Dialect, Error as DbError, Migration, MigrationStatus, Migrator};

use crate::{OpenError, SqlStore, catalog::Catalog};

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

const SQLITE: &[Migration] = migrations!("sqlite": (1, "0001_trunk"));
const POSTGRES: &[Migration] = migrations!("postgres": (1, "0001_trunk"));
const MYSQL: &[Migration] = migrations!("mysql": (1, "0001_trunk"));
const MSSQL: &[Migration] = migrations!("mssql": (1, "0001_trunk"));
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

fn migrator(db: &Database) -> Migrator<'_> {
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

/// The highest migration that the database has, known or not; 0 for an empty one.
async fn found_version(db: &Database) -> Result<u32, DbError> {
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

/// That the database has exactly the schema that this program needs.
pub(crate) async fn check(db: &Database, sql: &Catalog) -> Result<(), OpenError> {
    let found = refuse_newer(db).await?;
    let known = known_version(db.dialect());
    if found < known {
        return Err(OpenError::NotMigrated { found, known });
    }
    let mut live: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in db.fetch_all(&sql.schema_columns, &[]).await? {
        live.entry(row.get("table_name")?)
            .or_default()
            .insert(row.get("column_name")?);
    }
    match difference(&tables(schema_text(db.dialect())), &live) {
        None => Ok(()),
        Some(difference) => Err(OpenError::Drifted { difference }),
    }
}

/// The tables and columns of a schema file. It is our own file: a column's line starts with two
/// spaces and a name in lower case.
pub(crate) fn tables(schema: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut tables = BTreeMap::new();
    let mut table: Option<(String, BTreeSet<String>)> = None;
    for line in schema.lines() {
        if let Some(name) = line
            .strip_prefix("CREATE TABLE ")
            .and_then(|l| l.strip_suffix(" ("))
        {
            table = Some((name.to_owned(), BTreeSet::new()));
        } else if line.starts_with(')') {
            tables.extend(table.take());
        } else if let Some((_, columns)) = &mut table
            && let Some(column) = line.strip_prefix("  ").and_then(|l| l.split(' ').next())
            && column.starts_with(|first: char| first.is_ascii_lowercase())
        {
            columns.insert(column.to_owned());
        }
    }
    tables
}

/// The first difference in our own tables; others in the same database are not our business.
fn difference(
    wanted: &BTreeMap<String, BTreeSet<String>>,
    live: &BTreeMap<String, BTreeSet<String>>,
) -> Option<String> {
    wanted.iter().find_map(|(table, columns)| {
        let Some(found) = live.get(table) else {
            return Some(format!("the table `{table}` is missing"));
        };
        let missing = columns.difference(found).next();
        let extra = found.difference(columns).next();
        missing
            .map(|column| format!("the column `{table}.{column}` is missing"))
            .or_else(|| extra.map(|column| format!("the column `{table}.{column}` is not ours")))
    })
}

impl SqlStore {
    /// Applies migrations up to version `to`, or all of them; answers those applied.
    ///
    /// # Errors
    /// What the database answered; nothing has changed then.
    pub async fn migrate_up(&self, to: Option<u32>) -> Result<Vec<u32>, DbError> {
        migrate_up(self.database(), to).await
    }

    /// Undoes every migration above version `to`; answers those undone. Everything stored in
    /// what they made is gone.
    ///
    /// # Errors
    /// What the database answered; nothing has changed then.
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
