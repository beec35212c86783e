//! What the database remembers of migrations: the table `runstone_migrations` with those that are
//! applied, and where DDL cannot be undone `runstone_migrating` with the one under way.
use super::plan::Way;
use crate::{
    database::Database,
    dialect::Dialect,
    error::Error,
    row::Row,
    statement::{RenderError, Statement},
    transaction::Tx,
    value::Value,
};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS runstone_migrations (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    app_version TEXT NOT NULL
)";
const CREATE_MYSQL: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS runstone_migrations (
    version BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    applied_at BIGINT NOT NULL,
    app_version VARCHAR(64) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4",
    "CREATE TABLE IF NOT EXISTS runstone_migrating (
    version BIGINT NOT NULL PRIMARY KEY,
    way VARCHAR(8) NOT NULL,
    done BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4",
];
const CREATE_MSSQL: &str = "IF NOT EXISTS (SELECT 1 FROM INFORMATION_SCHEMA.TABLES
    WHERE TABLE_SCHEMA = SCHEMA_NAME() AND TABLE_NAME = 'runstone_migrations')
CREATE TABLE runstone_migrations (
    version BIGINT NOT NULL PRIMARY KEY,
    name NVARCHAR(255) NOT NULL,
    checksum NVARCHAR(64) NOT NULL,
    applied_at BIGINT NOT NULL,
    app_version NVARCHAR(64) NOT NULL
)";
const READ: &str =
    "SELECT version, name, checksum, applied_at FROM runstone_migrations ORDER BY version";
const READ_BEGUN: &str = "SELECT version, way, done, digest FROM runstone_migrating";
const INSERT: &str = "INSERT INTO runstone_migrations
    (version, name, checksum, applied_at, app_version)
    VALUES (:version, :name, :checksum, :applied_at, :app_version)";
const DELETE: &str = "DELETE FROM runstone_migrations WHERE version = :version";
const BEGIN: &str = "INSERT INTO runstone_migrating (version, way, done, digest)
    VALUES (:version, :way, :done, :digest)";
const PROGRESS: &str = "UPDATE runstone_migrating SET done = :done, digest = :digest
    WHERE version = :version";
const END: &str = "DELETE FROM runstone_migrating WHERE version = :version";

/// A migration that the database says it has.
#[derive(Clone, Debug)]
pub(super) struct Applied {
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) applied_at: i64,
}

/// A migration that was begun and not ended.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) version: u32,
    pub(super) way: Way,
    /// So many of its statements are done for certain; the next one may be.
    pub(super) done: usize,
    /// Of those statements.
    pub(super) digest: String,
}

/// Everything the database remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) applied: Vec<Applied>,
    pub(super) begun: Option<Begun>,
}

/// A row of the ledger to be.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) version: u32,
    pub(super) name: &'static str,
    pub(super) checksum: String,
    pub(super) applied_at: i64,
    pub(super) app_version: String,
}

/// The statements on both tables, for one dialect.
#[derive(Debug)]
pub(super) struct Ledger {
    dialect: Dialect,
}

impl Ledger {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect }
    }

    /// Whether a migration can be interrupted half-way: DDL commits by itself.
    pub(super) fn is_stepwise(&self) -> bool {
        self.dialect == Dialect::Mysql
    }

    /// Makes the tables where they are missing.
    pub(super) async fn create(&self, tx: &mut Tx) -> Result<(), Error> {
        let texts: &[&str] = match self.dialect {
            Dialect::Sqlite | Dialect::Postgres => &[CREATE],
            Dialect::Mysql => &CREATE_MYSQL,
            Dialect::Mssql => &[CREATE_MSSQL],
        };
        for text in texts {
            tx.raw(text).await?;
        }
        Ok(())
    }

    /// What is remembered, inside the transaction that holds the lock.
    pub(super) async fn read(&self, tx: &mut Tx) -> Result<History, Error> {
        let applied = self.statement("migrations.read", READ)?;
        let applied = applied_of(tx.fetch_all(&applied, &[]).await?)?;
        let begun = if self.is_stepwise() {
            let begun = self.statement("migrations.begun", READ_BEGUN)?;
            begun_of(tx.fetch_all(&begun, &[]).await?)?
        } else {
            None
        };
        Ok(History { applied, begun })
    }

    /// What is remembered, without a lock; makes nothing.
    pub(super) async fn peek(&self, db: &Database) -> Result<History, Error> {
        if !self.exists(db, "runstone_migrations").await? {
            return Ok(History::default());
        }
        let applied = self.statement("migrations.read", READ)?;
        let applied = applied_of(db.fetch_all(&applied, &[]).await?)?;
        let begun = if self.is_stepwise() && self.exists(db, "runstone_migrating").await? {
            let begun = self.statement("migrations.begun", READ_BEGUN)?;
            begun_of(db.fetch_all(&begun, &[]).await?)?
        } else {
            None
        };
        Ok(History { applied, begun })
    }

    async fn exists(&self, db: &Database, table: &str) -> Result<bool, Error> {
        let tables = match self.dialect {
            Dialect::Sqlite => "sqlite_schema WHERE type = 'table' AND name",
            Dialect::Postgres => {
                "information_schema.tables WHERE table_schema = current_schema() AND table_name"
            }
            Dialect::Mysql => {
                "information_schema.tables WHERE table_schema = DATABASE() AND table_name"
            }
            Dialect::Mssql => {
                "INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = SCHEMA_NAME() AND TABLE_NAME"
            }
        };
        let text = format!("SELECT COUNT(*) AS n FROM {tables} = '{table}'");
        let exists = self.statement("migrations.exist", &text)?;
        let found = db.fetch_optional(&exists, &[]).await?;
        Ok(found.map_or(Ok(0), |row| row.get::<i64>("n"))? > 0)
    }

    /// Notes a migration as applied.
    pub(super) async fn add(&self, tx: &mut Tx, entry: &Entry) -> Result<(), Error> {
        let row = [
            ("version", Value::from(entry.version)),
            ("name", entry.name.into()),
            ("checksum", entry.checksum.as_str().into()),
            ("applied_at", entry.applied_at.into()),
            ("app_version", entry.app_version.as_str().into()),
        ];
        let insert = self.statement("migrations.insert", INSERT)?;
        tx.execute(&insert, &row).await.map(drop)
    }

    /// Notes a migration as undone.
    pub(super) async fn remove(&self, tx: &mut Tx, version: u32) -> Result<(), Error> {
        let delete = self.statement("migrations.delete", DELETE)?;
        let row = [("version", version.into())];
        tx.execute(&delete, &row).await.map(drop)
    }

    /// Notes that a migration begins.
    pub(super) async fn begin(&self, tx: &mut Tx, begun: &Begun) -> Result<(), Error> {
        let row = [
            ("version", Value::from(begun.version)),
            ("way", begun.way.name().into()),
            ("done", count(begun.done)),
            ("digest", begun.digest.as_str().into()),
        ];
        let begin = self.statement("migrations.begin", BEGIN)?;
        tx.execute(&begin, &row).await.map(drop)
    }

    /// Notes how far a migration is.
    pub(super) async fn progress(&self, tx: &mut Tx, begun: &Begun) -> Result<(), Error> {
        let row = [
            ("done", count(begun.done)),
            ("digest", begun.digest.as_str().into()),
            ("version", begun.version.into()),
        ];
        let progress = self.statement("migrations.progress", PROGRESS)?;
        tx.execute(&progress, &row).await.map(drop)
    }

    /// Notes that no migration is under way.
    pub(super) async fn end(&self, tx: &mut Tx, version: u32) -> Result<(), Error> {
        let end = self.statement("migrations.end", END)?;
        let row = [("version", version.into())];
        tx.execute(&end, &row).await.map(drop)
    }

    pub(super) fn statement(&self, name: &str, text: &str) -> Result<Statement, Error> {
        let told = |error: RenderError| Error::other(error.to_string());
        Statement::render(name, text, self.dialect).map_err(told)
    }
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn applied_of(rows: Vec<Row>) -> Result<Vec<Applied>, Error> {
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

fn begun_of(rows: Vec<Row>) -> Result<Option<Begun>, Error> {
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let way: String = row.take("way")?;
    let unknown = || Error::other(format!("runstone_migrating has a row that goes `{way}`"));
    let done: i64 = row.get("done")?;
    Ok(Some(Begun {
        version: row.get("version")?,
        way: Way::from_name(&way).ok_or_else(unknown)?,
        done: usize::try_from(done).unwrap_or(usize::MAX),
        digest: row.take("digest")?,
    }))
}
