//! What the database itself says: its own integrity check, its schema, rows without a parent.
use runstone_db::Schema;
use uuid::Uuid;

use super::{Doctor, Finding, Severity};
use crate::{Error, cells::Cells, schema};

/// Orphans that are looked for at a time: there are none, unless foreign keys were switched off.
const ORPHANS: u32 = 1000;

pub(super) fn damaged(message: String) -> Finding {
    Finding {
        check: "integrity",
        severity: Severity::Error,
        message,
        mend: "stop every process that uses it and restore the last backup".to_owned(),
        fixed: None,
    }
}

impl Doctor<'_> {
    pub(super) async fn integrity(&mut self) -> Result<(), Error> {
        let db = self.store.database();
        for row in db
            .fetch_all(&self.store.sql().doctor_integrity, &[])
            .await?
        {
            let message: String = row.get("finding")?;
            if message != "ok" {
                let message = format!("the database file is damaged: {message}");
                self.book.add(damaged(message));
            }
        }
        Ok(())
    }

    /// False when the tables are not there as they should be: nothing else can be read then.
    pub(super) async fn schema(&mut self) -> Result<bool, Error> {
        let db = self.store.database();
        let wanted = schema::wanted(db.dialect())?;
        let live = Schema::read(db).await?;
        for difference in wanted.differences(&live) {
            let (severity, mend) = if difference.is_harmless {
                (
                    Severity::Note,
                    "it does no harm; it costs time with each write",
                )
            } else {
                let mend = "undo that change or restore a backup; until then no run is executed";
                (Severity::Error, mend)
            };
            self.book.add(Finding {
                check: "schema",
                severity,
                message: difference.message,
                mend: mend.to_owned(),
                fixed: None,
            });
        }
        for reference in wanted.unindexed_references(&live) {
            self.book.add(Finding {
                check: "foreign_keys",
                severity: Severity::Warning,
                message: format!("the foreign key {reference} has no index that begins with it"),
                mend: "make the index again: what is deleted reads the whole table until then"
                    .to_owned(),
                fixed: None,
            });
        }
        let readable = wanted.is_readable_in(&live);
        if !readable {
            self.book.add(Finding {
                check: "schema",
                severity: Severity::Error,
                message: "what the tables hold was not examined, for they are not all there"
                    .to_owned(),
                mend: "mend the schema and run the doctor again".to_owned(),
                fixed: None,
            });
        }
        Ok(readable)
    }

    /// Foreign keys forbid them, but SQLite's can be switched off and any can be dropped.
    pub(super) async fn orphans(&mut self) -> Result<(), Error> {
        let db = self.store.database();
        let limit = [("limit", ORPHANS.into())];
        for row in db
            .fetch_all(&self.store.sql().doctor_orphans, &limit)
            .await?
        {
            let mut cells = Cells::new("orphans", row);
            let (table, id): (String, Uuid) = (cells.next()?, cells.next()?);
            let parent: String = cells.next()?;
            let (severity, mend) = match table.as_str() {
                "snapshots" => (Severity::Warning, "nothing reads it; --fix deletes it"),
                _ => (
                    Severity::Error,
                    "restore a backup: it cannot be used without",
                ),
            };
            let mut fixed = None;
            if table == "snapshots" && self.how.fix.is_some() {
                let delete = &self.store.sql().doctor_delete_orphan_snapshot;
                db.execute(delete, &[("run", id.into())]).await?;
                fixed = Some(format!("deleted the snapshot of run {id}"));
            }
            self.book.add(Finding {
                check: "orphans",
                severity,
                message: format!("the row {id} of {table} belongs to a {parent} that is not there"),
                mend: mend.to_owned(),
                fixed,
            });
        }
        Ok(())
    }
}
