//! Threads and their messages. A message's number is taken from its thread's row in the transaction
//! that writes it, so a thread is strictly ordered and has no gaps, whoever writes at the same time.
use runstone_db::{Class, RetryPolicy, Row as DbRow, Value, retry};
use runstone_model::{
    ids::{MessageId, ProjectId, RunId, ThreadId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{Error, SqlStore, cells::Cells, phrase};

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its id.
    pub id: ThreadId,
    /// Its project.
    pub project: ProjectId,
    /// Its title.
    pub title: String,
    /// Anything as JSON.
    pub metadata: Option<String>,
    /// The number of the newest message ever; 0 before the first.
    pub last_seq: i64,
    /// How long messages stay, in milliseconds; for ever when not given.
    pub retain_ms: Option<i64>,
    /// Raised by every change of the thread itself; messages do not raise it.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it, or its messages, changed last.
    pub updated_at: Timestamp,
}

/// What a thread is made of, or changed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadText {
    /// Its title, at most 300 characters.
    pub title: String,
    /// Anything as JSON.
    pub metadata: Option<String>,
    /// How long messages stay, in milliseconds.
    pub retain_ms: Option<i64>,
}

/// A message to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Who speaks, where there are several.
    pub name: Option<String>,
    /// The run that it comes from.
    pub run: Option<RunId>,
    /// The content as JSON.
    pub content: String,
    /// What of the content is searched.
    pub text: String,
    /// Anything as JSON.
    pub metadata: Option<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its thread.
    pub thread: ThreadId,
    /// Its place in the thread, from 1, without gaps.
    pub seq: i64,
    /// Its id.
    pub id: MessageId,
    /// Who speaks.
    pub role: String,
    /// Who speaks, where there are several.
    pub name: Option<String>,
    /// The run that it comes from.
    pub run: Option<RunId>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Bytes of the content.
    pub bytes: i64,
    /// The content as JSON.
    pub content: String,
    /// Anything as JSON.
    pub metadata: Option<String>,
}

/// What a thread holds of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleStats {
    /// The role.
    pub role: String,
    /// Messages.
    pub messages: i64,
    /// Bytes of their contents.
    pub bytes: i64,
    /// The number of the first one that is kept.
    pub first_seq: i64,
    /// When the oldest was added.
    pub first_at: Timestamp,
    /// When the newest was added.
    pub last_at: Timestamp,
}

/// Which messages of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Those after a number, oldest first.
    After(i64),
    /// Those before a number, newest first.
    Before(i64),
}

/// What one clean-up of messages did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Threads that had messages too old.
    pub threads: usize,
    /// Messages removed.
    pub messages: u64,
    /// There may be more threads to look at.
    pub more: bool,
}

/// Contention on one thread is resolved by waiting; a deadlock among several needs another try.
const APPEND_RETRIES: RetryPolicy = RetryPolicy {
    attempts: 10,
    initial: std::time::Duration::from_millis(5),
    max: std::time::Duration::from_millis(500),
};

fn thread(row: DbRow, project: ProjectId) -> Result<Thread, Error> {
    let mut cells = Cells::new("threads", row);
    let id = ThreadId(cells.next()?);
    let of = ProjectId(cells.next()?);
    if of != project {
        return Err(cells.corrupt("a row of another project"));
    }
    Ok(Thread {
        id,
        project: of,
        title: cells.next()?,
        metadata: cells.next()?,
        last_seq: cells.next()?,
        retain_ms: cells.next()?,
        version: cells.next()?,
        created_at: Timestamp(cells.next()?),
        updated_at: Timestamp(cells.next()?),
    })
}

fn message(row: DbRow) -> Result<Message, Error> {
    let mut cells = Cells::new("messages", row);
    Ok(Message {
        thread: ThreadId(cells.next()?),
        seq: cells.next()?,
        id: MessageId(cells.next()?),
        role: cells.next()?,
        name: cells.next()?,
        run: cells.next::<Option<Uuid>>()?.map(RunId),
        created_at: Timestamp(cells.next()?),
        bytes: cells.next()?,
        content: cells.next()?,
        metadata: cells.next()?,
    })
}

impl NewMessage {
    fn row(&self, thread: ThreadId, project: ProjectId, seq: i64, now: Timestamp) -> Vec<Value> {
        vec![
            thread.0.into(),
            seq.into(),
            self.id.0.into(),
            project.0.into(),
            self.role.as_str().into(),
            self.name.as_deref().into(),
            self.run.map(|run| run.0).into(),
            now.0.into(),
            self.bytes().into(),
            self.content.as_str().into(),
            self.metadata.as_deref().into(),
            phrase::folded(&self.text).into(),
        ]
    }

    fn bytes(&self) -> i64 {
        i64::try_from(self.content.len()).unwrap_or(i64::MAX)
    }

    fn added(self, thread: ThreadId, seq: i64, now: Timestamp) -> Message {
        Message {
            thread,
            seq,
            bytes: self.bytes(),
            id: self.id,
            role: self.role,
            name: self.name,
            run: self.run,
            created_at: now,
            content: self.content,
            metadata: self.metadata,
        }
    }
}

impl SqlStore {
    /// Makes a thread.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn create_thread(
        &self,
        project: ProjectId,
        id: ThreadId,
        text: ThreadText,
        now: Timestamp,
    ) -> Result<Thread, Error> {
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("title", text.title.as_str().into()),
            ("metadata", text.metadata.as_deref().into()),
            ("retain_ms", text.retain_ms.into()),
            ("now", now.0.into()),
        ];
        self.database()
            .execute(&self.sql().thread_insert, &params)
            .await?;
        Ok(Thread {
            id,
            project,
            title: text.title,
            metadata: text.metadata,
            last_seq: 0,
            retain_ms: text.retain_ms,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// A thread of a project.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn thread(&self, project: ProjectId, id: ThreadId) -> Result<Option<Thread>, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        let row = self
            .database()
            .fetch_optional(&self.sql().thread_get, &params)
            .await?;
        row.map(|row| thread(row, project)).transpose()
    }

    /// A page of a project's threads, newest first.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn threads(
        &self,
        project: ProjectId,
        before: Option<ThreadId>,
        limit: u32,
    ) -> Result<Vec<Thread>, Error> {
        let params = [
            ("project", project.0.into()),
            ("before", before.map_or(Uuid::max(), |id| id.0).into()),
            ("limit", limit.into()),
        ];
        let rows = self
            .database()
            .fetch_all(&self.sql().thread_page, &params)
            .await?;
        rows.into_iter().map(|row| thread(row, project)).collect()
    }

    /// How many threads a project has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_threads(&self, project: ProjectId) -> Result<u64, Error> {
        let params = [("project", project.0.into())];
        let row = self
            .database()
            .fetch_optional(&self.sql().thread_count, &params)
            .await?;
        Ok(row.map_or(Ok(0), |row| row.get("total"))?)
    }

    /// Changes a thread at version `expected`; false when it has another one, or is not there.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn update_thread(
        &self,
        project: ProjectId,
        id: ThreadId,
        expected: i64,
        text: ThreadText,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("title", text.title.into()),
            ("metadata", text.metadata.into()),
            ("retain_ms", text.retain_ms.into()),
            ("expected", expected.into()),
            ("now", now.0.into()),
        ];
        Ok(self
            .database()
            .execute(&self.sql().thread_update, &params)
            .await?
            > 0)
    }

    /// Removes a thread with all its messages; false when there is none.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn delete_thread(&self, project: ProjectId, id: ThreadId) -> Result<bool, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        Ok(self
            .database()
            .execute(&self.sql().thread_delete, &params)
            .await?
            > 0)
    }

    /// Adds messages to a thread, in their order and next to each other; None when there is no such
    /// thread.
    ///
    /// # Errors
    /// What the database answered. Unless it is not available, nothing has changed then.
    pub async fn append_messages(
        &self,
        project: ProjectId,
        id: ThreadId,
        messages: Vec<NewMessage>,
        now: Timestamp,
    ) -> Result<Option<Vec<Message>>, Error> {
        let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
        let messages = std::sync::Arc::new(messages);
        let last = retry(APPEND_RETRIES, || async {
            let (sql, messages) = (
                std::sync::Arc::clone(self.sql()),
                std::sync::Arc::clone(&messages),
            );
            let key = [("id", Value::from(id.0)), ("project", project.0.into())];
            let appended = self
                .database()
                .transact(move |tx| {
                    Box::pin(async move {
                        let mut params = key.to_vec();
                        params.extend([("count", count.into()), ("now", now.0.into())]);
                        if tx.execute(&sql.thread_take_numbers, &params).await? == 0 {
                            return Ok(None);
                        }
                        let last = tx.fetch_optional(&sql.thread_last_number, &key).await?;
                        let last: i64 = last.map_or(Ok(0), |row| row.get("last_seq"))?;
                        let seqs = last - count + 1..;
                        let rows = messages.iter().zip(seqs);
                        let rows = rows
                            .map(|(new, seq)| new.row(id, project, seq, now))
                            .collect();
                        tx.execute_rows(&sql.message_insert, rows).await?;
                        Ok(Some(last))
                    })
                })
                .await;
            appended.map_err(|mut error| {
                // Whether they are there is not known: adding them again could double them.
                if error.class == Class::Gone {
                    error.class = Class::Unavailable;
                }
                error
            })
        })
        .await?;
        let messages = std::sync::Arc::unwrap_or_clone(messages);
        Ok(last.map(|last| {
            let seqs = last - count + 1..;
            let added = messages.into_iter().zip(seqs);
            added.map(|(new, seq)| new.added(id, seq, now)).collect()
        }))
    }

    /// A page of a thread's messages.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn messages(
        &self,
        project: ProjectId,
        id: ThreadId,
        window: Window,
        limit: u32,
    ) -> Result<Vec<Message>, Error> {
        let sql = self.sql();
        let (statement, edge) = match window {
            Window::After(seq) => (&sql.message_after, ("after", seq.into())),
            Window::Before(seq) => (&sql.message_before, ("before", seq.into())),
        };
        let params = [
            ("thread", id.0.into()),
            ("project", project.0.into()),
            edge,
            ("limit", limit.into()),
        ];
        let rows = self.database().fetch_all(statement, &params).await?;
        rows.into_iter().map(message).collect()
    }

    /// One message.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn message(
        &self,
        project: ProjectId,
        id: ThreadId,
        seq: i64,
    ) -> Result<Option<Message>, Error> {
        let params = [
            ("thread", id.0.into()),
            ("project", project.0.into()),
            ("seq", seq.into()),
        ];
        let row = self
            .database()
            .fetch_optional(&self.sql().message_get, &params)
            .await?;
        row.map(message).transpose()
    }

    /// A page of a thread's messages before number `before` that have `words`, newest first.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn search_messages(
        &self,
        project: ProjectId,
        id: ThreadId,
        words: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, Error> {
        let params = [
            ("thread", id.0.into()),
            ("project", project.0.into()),
            ("before", before.unwrap_or(i64::MAX).into()),
            ("pattern", phrase::pattern(words).into()),
            ("limit", limit.into()),
        ];
        let rows = self
            .database()
            .fetch_all(&self.sql().message_search, &params)
            .await?;
        rows.into_iter().map(message).collect()
    }

    /// A page of a project's messages older than `before` that have `words`, newest first.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn search_project_messages(
        &self,
        project: ProjectId,
        words: &str,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<Message>, Error> {
        let params = [
            ("project", project.0.into()),
            ("before", before.map_or(Uuid::max(), |id| id.0).into()),
            ("pattern", phrase::pattern(words).into()),
            ("limit", limit.into()),
        ];
        let rows = self
            .database()
            .fetch_all(&self.sql().message_search_project, &params)
            .await?;
        rows.into_iter().map(message).collect()
    }

    /// What a thread holds, by role.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn thread_stats(
        &self,
        project: ProjectId,
        id: ThreadId,
    ) -> Result<Vec<RoleStats>, Error> {
        let params = [("thread", id.0.into()), ("project", project.0.into())];
        let rows = self
            .database()
            .fetch_all(&self.sql().message_stats, &params)
            .await?;
        let stats = |row: DbRow| {
            let mut cells = Cells::new("messages", row);
            Ok(RoleStats {
                role: cells.next()?,
                messages: cells.next()?,
                bytes: cells.next()?,
                first_seq: cells.next()?,
                first_at: Timestamp(cells.next()?),
                last_at: Timestamp(cells.next()?),
            })
        };
        rows.into_iter().map(stats).collect()
    }

    /// Removes messages that are older than their threads keep them, in up to `limit` threads. Takes
    /// nothing but the time; safe to run twice.
    ///
    /// # Errors
    /// What the database answered; what was removed before stays removed.
    pub async fn prune_messages(&self, now: Timestamp, limit: u32) -> Result<Pruned, Error> {
        let params = [
            ("after", Uuid::nil().into()),
            ("now", now.0.into()),
            ("limit", limit.into()),
        ];
        let rows = self
            .database()
            .fetch_all(&self.sql().thread_retained, &params)
            .await?;
        let mut pruned = Pruned {
            threads: rows.len(),
            more: rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX),
            ..Pruned::default()
        };
        for row in rows {
            let mut cells = Cells::new("threads", row);
            let (thread, retain_ms): (Uuid, i64) = (cells.next()?, cells.next()?);
            let before = now.0.saturating_sub(retain_ms.saturating_mul(1000));
            let params = [("thread", thread.into()), ("before", before.into())];
            pruned.messages += self
                .database()
                .execute(&self.sql().message_delete_older, &params)
                .await?;
        }
        Ok(pruned)
    }
}
