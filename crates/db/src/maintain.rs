//! The upkeep that a database needs while it is used: statistics for its planner, and what deleted
//! rows leave behind. Only what blocks no reader and no writer for long; whatever locks a table or
//! rewrites it is left to people. Knows no table; the names come from the caller.
use std::time::{Duration, Instant};

use crate::{
    database::Database,
    dialect::Dialect,
    error::{Class, Error},
    row::Row,
    statement::Statement,
};

/// One step of a database's upkeep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintained {
    /// The statement.
    pub what: String,
    /// How long it took.
    pub took: Duration,
    /// Whether it was done.
    pub done: Result<(), Error>,
}

impl Database {
    /// Does what is safe while others use these tables, one statement after the other; each tells
    /// how it went. When `budget` is used up no other statement begins, and each that was left out
    /// is told as [`Class::Timeout`].
    ///
    /// - SQLite: `PRAGMA optimize` on all tables, a checkpoint of the log that waits for nobody, and
    ///   free pages given back where the file was made for that.
    /// - PostgreSQL: `VACUUM (ANALYZE)`, without the step at its end that locks the table, and not of
    ///   tables that others have locked.
    /// - MySQL and MariaDB: `ANALYZE TABLE`, here and not on replicas.
    /// - SQL Server: `UPDATE STATISTICS`.
    pub async fn maintain(&self, tables: &[String], budget: Duration) -> Vec<Maintained> {
        let began = Instant::now();
        let mut all = Vec::new();
        for (name, what) in self.upkeep(tables).await {
            let at = Instant::now();
            let done = if began.elapsed() < budget {
                self.carry_out(name, &what).await
            } else {
                let message = "there was no time left for it; ask again";
                Err(Error::new(Class::Timeout, message))
            };
            all.push(Maintained {
                what,
                took: at.elapsed(),
                done,
            });
        }
        all
    }

    async fn upkeep(&self, tables: &[String]) -> Vec<(&'static str, String)> {
        let each = |name, before: &str, (open, close): (char, char)| {
            let of = |table: &String| (name, format!("{before} {open}{table}{close}"));
            tables.iter().map(of).collect()
        };
        match self.dialect() {
            Dialect::Sqlite => self.upkeep_of_file().await,
            Dialect::Postgres => each(
                "maintain.vacuum",
                "VACUUM (ANALYZE, TRUNCATE FALSE, SKIP_LOCKED)",
                ('"', '"'),
            ),
            Dialect::Mysql => each(
                "maintain.analyze",
                "ANALYZE NO_WRITE_TO_BINLOG TABLE",
                ('`', '`'),
            ),
            Dialect::Mssql => each("maintain.statistics", "UPDATE STATISTICS", ('[', ']')),
        }
    }

    async fn upkeep_of_file(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("maintain.optimize", "PRAGMA optimize=0x10002".to_owned()),
            (
                "maintain.checkpoint",
                "PRAGMA wal_checkpoint(PASSIVE)".to_owned(),
            ),
        ];
        let found = self.ask("maintain.auto_vacuum", "PRAGMA auto_vacuum").await;
        let mode = found
            .ok()
            .and_then(|rows| rows.first()?.get("auto_vacuum").ok());
        // 2: pages that are free stay in the file until somebody gives them back.
        if mode == Some(2_i64) {
            let what = "PRAGMA incremental_vacuum(1000)".to_owned();
            all.push(("maintain.give_back", what));
        }
        all
    }

    async fn ask(&self, name: &'static str, text: &str) -> Result<Vec<Row>, Error> {
        let statement = Statement::render(name, text, self.dialect());
        let statement = statement.map_err(|error| Error::other(error.to_string()))?;
        self.fetch_all(&statement, &[]).await
    }

    async fn carry_out(&self, name: &'static str, text: &str) -> Result<(), Error> {
        let rows = self.ask(name, text).await?;
        if self.dialect() != Dialect::Mysql {
            return Ok(());
        }
        // What goes wrong comes as a row there.
        let failed = rows.iter().find_map(|row| {
            let kind: String = row.get("Msg_type").ok()?;
            let text: String = row.get("Msg_text").ok()?;
            kind.eq_ignore_ascii_case("error").then_some(text)
        });
        failed.map_or(Ok(()), |text| Err(Error::other(text)))
    }
}
