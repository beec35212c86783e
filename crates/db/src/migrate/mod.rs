//! Moves a database's schema up and down through numbered, checksummed migrations, under a lock
//! against others who do the same. A move is one transaction where the database can undo DDL; where
//! it cannot, a move that broke off is gone on with. Compares the schema with what it should be.
mod atomic;
mod ledger;
mod plan;
mod schema;
mod split;
mod stepwise;
#[cfg(test)]
mod tests;

use crate::{database::Database, dialect::Dialect, error::Error, transaction::Tx};
use ledger::{Applied, Entry, History, Ledger};
use plan::Target;
pub use plan::{PlannedMigration, PlannedStatement, Way};
pub use schema::{Difference, Schema};

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

/// A migration that broke off half-way, on a database that cannot undo DDL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// Its number.
    pub version: u32,
    /// Which way it went.
    pub way: Way,
    /// So many of its statements are done; the one behind them may be.
    pub done: usize,
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

    /// Applies what is missing, up to version `to` or the newest; answers the versions applied.
    ///
    /// On SQLite, PostgreSQL and SQL Server all of it is one transaction. MySQL and MariaDB commit
    /// every statement by itself: there a migration that broke off is finished first (and is the
    /// first of the answer, also when it went the other way).
    ///
    /// # Errors
    /// The database was written by a newer program, an applied migration differs from ours, one is
    /// missing, or a statement failed. Nothing was changed then, except on MySQL and MariaDB by the
    /// statements before the one that failed.
    pub async fn up(&self, to: Option<u32>) -> Result<Vec<u32>, Error> {
        self.run(Target::up(self.migrations, to)?).await
    }

    /// Undoes every migration above version `to`, newest first; answers the versions undone. As
    /// with [`Self::up`] it is one transaction where the database allows it.
    ///
    /// # Errors
    /// As with [`Self::up`].
    pub async fn down(&self, to: u32) -> Result<Vec<u32>, Error> {
        self.run(Target::down(to)).await
    }

    /// What [`Self::up`] would do now; changes nothing and takes no lock.
    ///
    /// # Errors
    /// As with [`Self::up`].
    pub async fn plan_up(&self, to: Option<u32>) -> Result<Vec<PlannedMigration>, Error> {
        self.plan(Target::up(self.migrations, to)?).await
    }

    /// What [`Self::down`] would do now; changes nothing and takes no lock.
    ///
    /// # Errors
    /// As with [`Self::down`].
    pub async fn plan_down(&self, to: u32) -> Result<Vec<PlannedMigration>, Error> {
        self.plan(Target::down(to)).await
    }

    /// Every migration and whether the database has it; changes nothing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn status(&self) -> Result<Vec<MigrationStatus>, Error> {
        let applied = self.history().await?.applied;
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

    /// The migration that broke off half-way, if one did. While another process is migrating, it
    /// is the one under way.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn interrupted(&self) -> Result<Option<Interrupted>, Error> {
        let begun = self.history().await?.begun;
        Ok(begun.map(|begun| Interrupted {
            version: begun.version,
            way: begun.way,
            done: begun.done,
        }))
    }

    /// That the schema's version is exactly the one this binary needs; changes nothing. What the
    /// tables are like is [`Schema`]'s to say.
    ///
    /// # Errors
    /// It is older, newer, half-way or altered; the message says what to do.
    pub async fn check(&self) -> Result<(), Error> {
        let history = self.history().await?;
        let (current, newest) = (
            verify(self.migrations, &history.applied)?,
            newest(self.migrations),
        );
        if let Some(begun) = history.begun {
            return Err(Error::other(format!(
                "migration {} ({}) was interrupted after {} of its statements; run \
                 `runstone migrate up`, which goes on with it",
                begun.version,
                begun.way.name(),
                begun.done
            )));
        }
        if current < newest {
            return Err(Error::other(format!(
                "the database has schema {current}, this binary needs {newest}; \
                 run `runstone migrate up`"
            )));
        }
        Ok(())
    }

    async fn history(&self) -> Result<History, Error> {
        Ledger::new(self.db.dialect()).peek(self.db).await
    }

    async fn plan(&self, target: Target) -> Result<Vec<PlannedMigration>, Error> {
        let history = self.history().await?;
        plan::plan(self.migrations, &history, target, self.db.dialect())
    }

    async fn run(&self, target: Target) -> Result<Vec<u32>, Error> {
        let work = Work {
            target,
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

/// What runs inside the transaction.
struct Work {
    target: Target,
    dialect: Dialect,
    migrations: Vec<Migration>,
    app_version: String,
    now_us: i64,
}

impl Work {
    async fn run(&self, tx: &mut Tx) -> Result<Vec<u32>, Error> {
        if Ledger::new(self.dialect).is_stepwise() {
            stepwise::run(tx, self).await
        } else {
            atomic::run(tx, self).await
        }
    }

    fn plan(&self, history: &History) -> Result<Vec<PlannedMigration>, Error> {
        plan::plan(&self.migrations, history, self.target, self.dialect)
    }

    /// The ledger's row of migration `version`.
    fn entry(&self, version: u32) -> Result<Entry, Error> {
        let known = self
            .migrations
            .iter()
            .find(|known| known.version == version);
        let Some(migration) = known else {
            return Err(Error::other(format!("there is no migration {version}")));
        };
        Ok(Entry {
            version,
            name: migration.name,
            checksum: migration.checksum(),
            applied_at: self.now_us,
            app_version: self.app_version.clone(),
        })
    }
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
