//! Moves a database's schema up and down through numbered, checksummed migrations. All steps of a
//! move are one transaction under a lock: the schema gets where it was sent, or stays where it is.
mod split;
#[cfg(test)]
mod tests;

use crate::{
    database::Database,
    dialect::Dialect,
    error::Error,
    row::Row,
    statement::{RenderError, Statement},
    transaction::Tx,
    value::Value,
};

/// The lock on PostgreSQL: "runstone" in ASCII.
const LOCK_KEY: i64 = 0x7275_6e73_746f_6e65;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS runstone_migrations (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    app_version TEXT NOT NULL
)";
const READ: &str =
    "SELECT version, name, checksum, applied_at FROM runstone_migrations ORDER BY version";
const INSERT: &str = "INSERT INTO runstone_migrations
    (version, name, checksum, applied_at, app_version)
    VALUES (:version, :name, :checksum, :applied_at, :app_version)";
const DELETE: &str = "DELETE FROM runstone_migrations WHERE version = :version";

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

impl Migration {
    /// blake3 of the way up, in hex; a checkout with other line ends gives the same.
    #[must_use]
    pub fn checksum(&self) -> String {
        blake3::hash(self.up.replace("\r\n", "\n").as_bytes())
            .to_hex()
            .to_string()
    }
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

/// A migration that the database says it has.
#[derive(Clone, Debug)]
struct Applied {
    version: u32,
    name: String,
    checksum: String,
    applied_at: i64,
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
    ///
    /// # Errors
    /// The database was written by a newer program, an applied migration differs from ours, one is
    /// missing, or a statement failed. Nothing was changed then.
    pub async fn up(&self, to: Option<u32>) -> Result<Vec<u32>, Error> {
        let newest = newest(self.migrations);
        let to = to.unwrap_or(newest);
        if to > newest {
            return Err(Error::other(format!(
                "there is no schema {to}; this binary knows up to {newest}"
            )));
        }
        self.run(Direction::Up, to).await
    }

    /// Undoes every migration above version `to`, newest first, in one transaction under a lock;
    /// answers the versions undone.
    ///
    /// # Errors
    /// As with [`Self::up`].
    pub async fn down(&self, to: u32) -> Result<Vec<u32>, Error> {
        self.run(Direction::Down, to).await
    }

    /// Every migration and whether the database has it; changes nothing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn status(&self) -> Result<Vec<MigrationStatus>, Error> {
        let applied = self.applied().await?;
        let mut all: Vec<MigrationStatus> = self
            .migrations
            .iter()
            .map(|known| MigrationStatus {
                version: known.version,
                name: known.name.to_owned(),
                applied_at: applied
                    .iter()
                    .find(|row| row.version == known.version)
                    .map(|row| row.applied_at),
            })
            .collect();
        let unknown = applied
            .iter()
            .filter(|row| row.version > newest(self.migrations));
        all.extend(unknown.map(|row| MigrationStatus {
            version: row.version,
            name: row.name.clone(),
            applied_at: Some(row.applied_at),
        }));
        Ok(all)
    }

    /// That the schema is exactly the one this binary needs; changes nothing.
    ///
    /// # Errors
    /// It is older, newer or altered; the message says what to do.
    pub async fn check(&self) -> Result<(), Error> {
        let (current, newest) = (
            verify(self.migrations, &self.applied().await?)?,
            newest(self.migrations),
        );
        if current < newest {
            return Err(Error::other(format!(
                "the database has schema {current}, this binary needs {newest}; \
                 run `runstone migrate up`"
            )));
        }
        Ok(())
    }

    async fn applied(&self) -> Result<Vec<Applied>, Error> {
        let exists = match self.db.dialect() {
            Dialect::Sqlite => {
                "SELECT count(*) AS n FROM sqlite_schema
                 WHERE type = 'table' AND name = 'runstone_migrations'"
            }
            Dialect::Postgres => {
                "SELECT count(*) AS n FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_name = 'runstone_migrations'"
            }
            Dialect::Mysql => {
                "SELECT count(*) AS n FROM information_schema.tables
                 WHERE table_schema = DATABASE() AND table_name = 'runstone_migrations'"
            }
            Dialect::Mssql => {
                "SELECT COUNT(*) AS n FROM INFORMATION_SCHEMA.TABLES
                 WHERE TABLE_SCHEMA = SCHEMA_NAME() AND TABLE_NAME = 'runstone_migrations'"
            }
        };
        let exists = self.statement("migrations.exist", exists)?;
        let found = match self.db.fetch_optional(&exists, &[]).await? {
            Some(row) => row.get::<i64>("n")?,
            None => 0,
        };
        if found == 0 {
            return Ok(Vec::new());
        }
        let read = self.statement("migrations.read", READ)?;
        read_all(self.db.fetch_all(&read, &[]).await?)
    }

    fn statement(&self, name: &str, text: &str) -> Result<Statement, Error> {
        Statement::render(name, text, self.db.dialect()).map_err(rendering)
    }

    async fn run(&self, direction: Direction, to: u32) -> Result<Vec<u32>, Error> {
        let work = Work {
            direction,
            to,
            dialect: self.db.dialect(),
            migrations: self.migrations.to_vec(),
            app_version: self.app_version.to_owned(),
            now_us: self.now_us,
        };
        self.db
            .transact(move |tx| Box::pin(async move { work.run(tx).await }))
            .await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// What runs inside the transaction.
struct Work {
    direction: Direction,
    to: u32,
    dialect: Dialect,
    migrations: Vec<Migration>,
    app_version: String,
    now_us: i64,
}

impl Work {
    async fn run(&self, tx: &mut Tx) -> Result<Vec<u32>, Error> {
        if self.dialect == Dialect::Postgres {
            tx.raw("SET LOCAL statement_timeout = 0").await?;
            tx.raw(&format!("SELECT pg_advisory_xact_lock({LOCK_KEY})"))
                .await?;
        }
        tx.raw(CREATE).await?;
        let read = self.statement("migrations.read", READ)?;
        let current = verify(
            &self.migrations,
            &read_all(tx.fetch_all(&read, &[]).await?)?,
        )?;
        match self.direction {
            Direction::Up => self.up(tx, current).await,
            Direction::Down => self.down(tx, current).await,
        }
    }

    async fn up(&self, tx: &mut Tx, current: u32) -> Result<Vec<u32>, Error> {
        let insert = self.statement("migrations.insert", INSERT)?;
        let mut done = Vec::new();
        for migration in &self.migrations {
            if migration.version <= current || migration.version > self.to {
                continue;
            }
            self.script(tx, migration, "up", migration.up).await?;
            let row = [
                ("version", Value::from(migration.version)),
                ("name", migration.name.into()),
                ("checksum", migration.checksum().into()),
                ("applied_at", self.now_us.into()),
                ("app_version", self.app_version.as_str().into()),
            ];
            tx.execute(&insert, &row).await?;
            done.push(migration.version);
        }
        Ok(done)
    }

    async fn down(&self, tx: &mut Tx, current: u32) -> Result<Vec<u32>, Error> {
        let delete = self.statement("migrations.delete", DELETE)?;
        let mut done = Vec::new();
        for migration in self.migrations.iter().rev() {
            if migration.version > current || migration.version <= self.to {
                continue;
            }
            self.script(tx, migration, "down", migration.down).await?;
            tx.execute(&delete, &[("version", migration.version.into())])
                .await?;
            done.push(migration.version);
        }
        Ok(done)
    }

    async fn script(
        &self,
        tx: &mut Tx,
        migration: &Migration,
        way: &str,
        text: &str,
    ) -> Result<(), Error> {
        let place = |line| format!("migration {} ({way}), line {line}", migration.name);
        let statements = split::statements(text, self.dialect).map_err(|broken| {
            Error::other(format!("{}: {}", place(broken.line), broken.problem))
        })?;
        for statement in statements {
            tx.raw(statement.sql).await.map_err(|mut error| {
                error.message = format!("{}: {}", place(statement.line), error.message);
                error
            })?;
        }
        Ok(())
    }

    fn statement(&self, name: &str, text: &str) -> Result<Statement, Error> {
        Statement::render(name, text, self.dialect).map_err(rendering)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn rendering(error: RenderError) -> Error {
    Error::other(error.to_string())
}

fn read_all(rows: Vec<Row>) -> Result<Vec<Applied>, Error> {
    rows.into_iter()
        .map(|mut row| {
            Ok(Applied {
                version: row.get("version")?,
                name: row.take("name")?,
                checksum: row.take("checksum")?,
                applied_at: row.get("applied_at")?,
            })
        })
        .collect()
}

fn newest(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |migration| migration.version)
}

/// Holds what the database has against what we know; answers its version.
fn verify(known: &[Migration], applied: &[Applied]) -> Result<u32, Error> {
    let refuse = |message: String| Err(Error::other(message));
    if let Some((_, wrong)) = (1..)
        .zip(known)
        .find(|(n, migration)| migration.version != *n)
    {
        return refuse(format!(
            "this binary's migrations have a gap or are out of order at {}; it was built wrongly",
            wrong.name
        ));
    }
    let (newest, current) = (newest(known), applied.last().map_or(0, |row| row.version));
    if current > newest {
        return refuse(format!(
            "the database was written by a newer Runstone: schema {current}, this binary knows \
             up to {newest}; use the newer binary"
        ));
    }
    if let Some((n, row)) = (1..).zip(applied).find(|(n, row)| row.version != *n) {
        return refuse(format!(
            "the database has migration {} but not {n}; restore a backup or mend the table \
             runstone_migrations",
            row.version
        ));
    }
    for (row, migration) in applied.iter().zip(known) {
        if row.checksum != migration.checksum() || row.name != migration.name {
            return refuse(format!(
                "migration {} was applied as {} with another content than this binary has; \
                 a migration must never be edited, use the binary that matches the database",
                migration.name, row.name
            ));
        }
    }
    Ok(current)
}
