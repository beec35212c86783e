//! Documents, threads, exports, keys and members: parents that are gone, numbers that disagree,
//! gaps. What people wrote is never deleted here.
use runstone_db::{Row, Statement, Value};
use uuid::Uuid;

use super::{Doctor, Finding, PAGE, Severity};
use crate::{Error, cells::Cells};

/// Parents without which rows are looked for at a time.
const ORPHANS: u32 = 1000;
/// What an export says whose bytes are gone.
const GONE: &str = "its bytes are not there; make it again";

/// A statement that mends, its parameters, and what it has done then.
type Mending<'a> = (&'a Statement, &'a [(&'a str, Value)], &'a str);

/// Something that was found, before it is mended.
struct Found {
    check: &'static str,
    severity: Severity,
    message: String,
    mend: &'static str,
}

impl Doctor<'_> {
    pub(super) async fn content(&mut self) -> Result<(), Error> {
        self.orphans_of_content().await?;
        self.documents().await?;
        self.threads().await?;
        self.exports().await
    }

    /// Tells `found`, and with `--fix` executes `fix` first, which answers what it has done.
    async fn tell(&mut self, found: Found, fix: Option<Mending<'_>>) -> Result<(), Error> {
        let mut fixed = None;
        if let (Some((statement, params, done)), Some(_)) = (fix, self.how.fix) {
            self.store.database().execute(statement, params).await?;
            fixed = Some(done.to_owned());
        }
        let Found {
            check,
            severity,
            message,
            mend,
        } = found;
        self.book.add(Finding {
            check,
            severity,
            message,
            mend: mend.to_owned(),
            fixed,
        });
        Ok(())
    }

    async fn orphans_of_content(&mut self) -> Result<(), Error> {
        let sql = std::sync::Arc::clone(self.store.sql());
        let limit = [("limit", ORPHANS.into())];
        let rows = self
            .store
            .database()
            .fetch_all(&sql.doctor_orphans_of_content, &limit)
            .await?;
        for row in rows {
            let mut cells = Cells::new("orphans", row);
            let (table, id): (String, Uuid) = (cells.next()?, cells.next()?);
            let parent: String = cells.next()?;
            let delete = match table.as_str() {
                "api_keys" => Some(&sql.doctor_delete_orphan_keys),
                "members" => Some(&sql.doctor_delete_orphan_members),
                "export_chunks" => Some(&sql.doctor_delete_orphan_chunks),
                _ => None,
            };
            let (severity, mend) = if delete.is_some() {
                (Severity::Warning, "nobody can use them; --fix deletes them")
            } else {
                (Severity::Error, "restore a backup: they cannot be reached")
            };
            let found = Found {
                check: "orphans",
                severity,
                message: format!("rows of {table} belong to the {parent} {id}, which is not there"),
                mend,
            };
            let done = format!("deleted the rows of {table} of the {parent} {id}");
            let params = [("id", id.into())];
            let fix = delete.map(|delete| (&**delete, &params[..], done.as_str()));
            self.tell(found, fix).await?;
        }
        Ok(())
    }

    /// The rows of one page. Content changes while it is read: what looks wrong is read again, and
    /// only rows that are the same both times are believed.
    async fn content_page(
        &self,
        statement: &Statement,
        after: Uuid,
        looks_wrong: impl Fn(&Row) -> Result<bool, Error>,
    ) -> Result<(Vec<Row>, Option<Uuid>), Error> {
        let params = [("after", after.into()), ("limit", PAGE.into())];
        let db = self.store.database();
        let rows = db.fetch_all(statement, &params).await?;
        let last = match rows.last() {
            Some(row) => Some(row.get("id")?),
            None => None,
        };
        let mut wrong = Vec::new();
        for row in rows {
            if looks_wrong(&row)? {
                wrong.push(row.get::<Uuid>("id")?);
            }
        }
        let mut again = Vec::new();
        if !wrong.is_empty() {
            for row in db.fetch_all(statement, &params).await? {
                if wrong.contains(&row.get("id")?) && looks_wrong(&row)? {
                    again.push(row);
                }
            }
        }
        Ok((again, last))
    }

    async fn documents(&mut self) -> Result<(), Error> {
        let sql = std::sync::Arc::clone(self.store.sql());
        let looks_wrong = |row: &Row| -> Result<bool, Error> {
            let version: i64 = row.get("version")?;
            let count: i64 = row.get("versions_found")?;
            let newest: Option<i64> = row.get("newest")?;
            Ok(newest != Some(version) || count != version)
        };
        let mut after = Uuid::nil();
        loop {
            let page = self.content_page(&sql.doctor_documents_page, after, looks_wrong);
            let (wrong, last) = page.await?;
            for row in wrong {
                let id: Uuid = row.get("id")?;
                let version: i64 = row.get("version")?;
                let count: i64 = row.get("versions_found")?;
                let newest = row.get::<Option<i64>>("newest")?.unwrap_or(0);
                if count != newest || newest < version {
                    let found = Found {
                        check: "document_gaps",
                        severity: Severity::Error,
                        message: format!(
                            "document {id} is at version {version}; {count} versions are there, \
                             the newest is {newest}"
                        ),
                        mend: "versions are gone; restore a backup",
                    };
                    self.tell(found, None).await?;
                }
                if newest > version {
                    let found = Found {
                        check: "counters",
                        severity: Severity::Warning,
                        message: format!(
                            "document {id} says version {version}, its newest is {newest}"
                        ),
                        mend: "--fix takes the newest; searches find it after its next change",
                    };
                    let done = format!("document {id} is at version {newest} now");
                    let params = [("id", id.into()), ("newest", newest.into())];
                    let fix = Some((&*sql.doctor_renumber_document, &params[..], done.as_str()));
                    self.tell(found, fix).await?;
                }
            }
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    async fn threads(&mut self) -> Result<(), Error> {
        let sql = std::sync::Arc::clone(self.store.sql());
        let looks_wrong = |row: &Row| -> Result<bool, Error> {
            let (last, found): (i64, i64) = (row.get("last_seq")?, row.get("messages_found")?);
            let newest: i64 = row.get::<Option<i64>>("newest")?.unwrap_or(last);
            let first: i64 = row.get::<Option<i64>>("first_seq")?.unwrap_or(newest + 1);
            let strangers: i64 = row.get("strangers")?;
            Ok(newest != last || found != newest - first + 1 || strangers > 0)
        };
        let mut after = Uuid::nil();
        loop {
            let page = self.content_page(&sql.doctor_threads_page, after, looks_wrong);
            let (wrong, last) = page.await?;
            for row in wrong {
                self.thread(&row).await?;
            }
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    async fn thread(&mut self, row: &Row) -> Result<(), Error> {
        let sql = std::sync::Arc::clone(self.store.sql());
        let id: Uuid = row.get("id")?;
        let (last, count): (i64, i64) = (row.get("last_seq")?, row.get("messages_found")?);
        let newest: i64 = row.get::<Option<i64>>("newest")?.unwrap_or(last);
        let first: i64 = row.get::<Option<i64>>("first_seq")?.unwrap_or(newest + 1);
        // Where messages go by their age, clocks that differ may leave a hole for a moment.
        let ages = row.get::<Option<i64>>("retain_ms")?.is_some();
        if !ages && (newest < last || count != newest - first + 1) {
            let found = Found {
                check: "message_gaps",
                severity: Severity::Error,
                message: format!(
                    "thread {id} has {count} messages from {first} to {newest} and has given out \
                     the number {last}"
                ),
                mend: "messages are gone; restore a backup",
            };
            self.tell(found, None).await?;
        }
        if newest > last {
            let found = Found {
                check: "counters",
                severity: Severity::Warning,
                message: format!("thread {id} says its last message is {last}, it is {newest}"),
                mend: "nothing can be added to it; --fix goes on after its newest message",
            };
            let done = format!("thread {id} goes on after {newest}");
            let params = [("id", id.into()), ("newest", newest.into())];
            let fix = Some((&*sql.doctor_renumber_thread, &params[..], done.as_str()));
            self.tell(found, fix).await?;
        }
        let strangers: i64 = row.get("strangers")?;
        if strangers > 0 {
            let found = Found {
                check: "strangers",
                severity: Severity::Error,
                message: format!("{strangers} messages of thread {id} name another project"),
                mend: "--fix gives them the project of their thread",
            };
            let done = format!("{strangers} messages of thread {id} have its project now");
            let params = [("id", id.into())];
            let fix = Some((&*sql.doctor_adopt_messages, &params[..], done.as_str()));
            self.tell(found, fix).await?;
        }
        Ok(())
    }

    async fn exports(&mut self) -> Result<(), Error> {
        let sql = std::sync::Arc::clone(self.store.sql());
        let looks_wrong = |row: &Row| -> Result<bool, Error> {
            let status: String = row.get("status")?;
            let (said, found): (i64, i64) = (row.get("chunks")?, row.get("chunks_found")?);
            Ok(match status.as_str() {
                "ready" => said != found,
                "failed" | "expired" => found > 0,
                _ => false,
            })
        };
        let mut after = Uuid::nil();
        loop {
            let page = self.content_page(&sql.doctor_exports_page, after, looks_wrong);
            let (wrong, last) = page.await?;
            for row in wrong {
                let id: Uuid = row.get("id")?;
                let status: String = row.get("status")?;
                let (said, count): (i64, i64) = (row.get("chunks")?, row.get("chunks_found")?);
                if status == "ready" {
                    let found = Found {
                        check: "exports",
                        severity: Severity::Error,
                        message: format!("export {id} has {count} of its {said} pieces"),
                        mend: "it cannot be downloaded; --fix lets it have failed",
                    };
                    let done = format!("export {id} has failed");
                    let params = [("id", id.into()), ("error", GONE.into())];
                    let fix = Some((&*sql.doctor_fail_export, &params[..], done.as_str()));
                    self.tell(found, fix).await?;
                    continue;
                }
                let found = Found {
                    check: "exports",
                    severity: Severity::Note,
                    message: format!("export {id} is {status} and {count} pieces are left of it"),
                    mend: "they only take space; --fix deletes them",
                };
                let done = format!("deleted {count} pieces of export {id}");
                let params = [("id", id.into())];
                let fix = Some((&*sql.export_delete_chunks, &params[..], done.as_str()));
                self.tell(found, fix).await?;
            }
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}
