//! The schema seen from outside a store: moved up and down, planned and looked at on databases
//! that no store can be opened on yet. Executes no runs.
use runstone_db::{
    Database, Dialect, Difference, Error as DbError, Interrupted, Migration, MigrationStatus,
    PlannedMigration,
};

use crate::{
    OpenError, OpenOptions, lost,
    open::{EngineLock, database_file},
    schema,
};

/// A database whose schema is to be moved or looked at.
#[derive(Debug)]
pub struct Migrations {
    db: Database,
    _lock: Option<EngineLock>,
}

/// Where a schema stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaStatus {
    /// The version that the database has; 0 for an empty one.
    pub version: u32,
    /// The version that this program needs.
    pub known: u32,
    /// Every migration, and when it was applied.
    pub migrations: Vec<MigrationStatus>,
    /// The migration that broke off half-way, if one did.
    pub interrupted: Option<Interrupted>,
    /// In what the tables are others than ours; empty unless the version is right.
    pub differences: Vec<Difference>,
}

impl SchemaStatus {
    pub(crate) async fn of(db: &Database) -> Result<Self, DbError> {
        let version = schema::found_version(db).await?;
        let known = schema::known_version(db.dialect());
        let migrator = schema::migrator(db);
        let interrupted = migrator.interrupted().await?;
        let differences = if version == known && interrupted.is_none() {
            schema::differences(db).await?
        } else {
            Vec::new()
        };
        Ok(Self {
            version,
            known,
            migrations: migrator.status().await?,
            interrupted,
            differences,
        })
    }

    /// Whether a store can be opened on it as it is.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let mut differences = self.differences.iter();
        self.version == self.known
            && self.interrupted.is_none()
            && differences.all(|difference| difference.is_harmless)
    }
}

impl Migrations {
    /// Every migration of a dialect, oldest first.
    #[must_use]
    pub fn known(dialect: Dialect) -> &'static [Migration] {
        schema::migrations(dialect)
    }

    /// Opens the database at `url`, whatever its schema. With `options.migrate` a missing SQLite
    /// file is made.
    ///
    /// # Errors
    /// It cannot be reached, or another process executes runs on the SQLite file.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        let lock = options.lock(url)?;
        let db = Database::connect(url, options.of_database()).await?;
        Ok(Self { db, _lock: lock })
    }

    /// Opens the database to see what a move would do. An SQLite file that is not there counts as
    /// an empty one and is not made.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn open_to_plan(url: &str) -> Result<Self, OpenError> {
        let missing = database_file(url)?.is_some_and(|path| !path.exists());
        let url = if missing { "sqlite::memory:" } else { url };
        let options = OpenOptions {
            read_only: !missing,
            ..OpenOptions::default()
        };
        Self::open(url, options).await
    }

    /// The kind of database.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// The schema version that the database has; 0 for an empty one.
    ///
    /// # Errors
    /// It was migrated by a newer program, or cannot be read.
    pub async fn version(&self) -> Result<u32, OpenError> {
        schema::refuse_newer(&self.db).await
    }

    /// Applies migrations up to version `to`, or all of them; answers those applied.
    ///
    /// # Errors
    /// The schema is newer, or what the database answered. See
    /// [`Migrator::up`](runstone_db::Migrator::up) for what has changed then.
    pub async fn up(&self, to: Option<u32>) -> Result<Vec<u32>, OpenError> {
        schema::refuse_newer(&self.db).await?;
        Ok(schema::migrate_up(&self.db, to).await?)
    }

    /// Undoes every migration above version `to`; answers those undone. Everything stored in what
    /// they made is gone.
    ///
    /// # Errors
    /// As with [`Self::up`].
    pub async fn down(&self, to: u32) -> Result<Vec<u32>, OpenError> {
        schema::refuse_newer(&self.db).await?;
        Ok(schema::migrator(&self.db).down(to).await?)
    }

    /// What [`Self::up`] would do.
    ///
    /// # Errors
    /// As with [`Self::up`].
    pub async fn plan_up(&self, to: Option<u32>) -> Result<Vec<PlannedMigration>, OpenError> {
        schema::refuse_newer(&self.db).await?;
        Ok(schema::migrator(&self.db).plan_up(to).await?)
    }

    /// What [`Self::down`] would do.
    ///
    /// # Errors
    /// As with [`Self::down`].
    pub async fn plan_down(&self, to: u32) -> Result<Vec<PlannedMigration>, OpenError> {
        schema::refuse_newer(&self.db).await?;
        Ok(schema::migrator(&self.db).plan_down(to).await?)
    }

    /// Where the schema stands.
    ///
    /// # Errors
    /// The schema is newer, or the database cannot be read.
    pub async fn status(&self) -> Result<SchemaStatus, OpenError> {
        schema::refuse_newer(&self.db).await?;
        Ok(SchemaStatus::of(&self.db).await?)
    }

    /// What moving down by `plan` deletes: for each table that it drops or takes columns from,
    /// how many rows lose something. What every empty database has is not counted.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn lost_by(&self, plan: &[PlannedMigration]) -> Result<Vec<(String, u64)>, DbError> {
        lost::lost_by(&self.db, plan).await
    }

    /// Closes the connections; every later call fails.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
