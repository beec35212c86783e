//! Messages: appended in one order, read either way, searched, counted, removed when too old.
use std::{sync::Arc, time::Duration};

use runstone_db::{Class, RetryPolicy, Row as DbRow, Value, retry};
use runstone_model::{
    ids::{MessageId, ProjectId, RunId, ThreadId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    Error, Sifted, SqlStore, Total, Walk,
    catalog::Pages,
    cells::Cells,
    phrase,
    sift::{Sieve, SiftKey},
};

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

/// Messages removed at a time.
const PORTION: u32 = 1_000;
/// Contention on one thread is resolved by waiting; a deadlock among several needs another try.
const APPEND_RETRIES: RetryPolicy = RetryPolicy {
    attempts: 10,
    initial: Duration::from_millis(5),
    max: Duration::from_millis(500),
};

impl SiftKey for i64 {
    fn read(cells: &mut Cells) -> Result<Self, Error> {
        cells.next()
    }
}

impl SiftKey for MessageId {
    fn read(cells: &mut Cells) -> Result<Self, Error> {
        Ok(Self(cells.next()?))
    }
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

impl Message {
    /// How many bytes of an answer it is.
    fn size(&self) -> i64 {
        let metadata = self.metadata.as_deref().map_or(0, str::len);
        let metadata = i64::try_from(metadata).unwrap_or(i64::MAX);
        self.bytes.saturating_add(metadata)
    }
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
        let messages = Arc::new(messages);
        let last = retry(APPEND_RETRIES, || async {
            let (sql, messages) = (Arc::clone(self.sql()), Arc::clone(&messages));
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
        let messages = Arc::unwrap_or_clone(messages);
        Ok(last.map(|last| {
            let seqs = last - count + 1..;
            let added = messages.into_iter().zip(seqs);
            added.map(|(new, seq)| new.added(id, seq, now)).collect()
        }))
    }

    /// A page of a thread's messages; upwards is their order. Of large ones there are fewer.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn messages(
        &self,
        project: ProjectId,
        id: ThreadId,
        walk: Walk<i64>,
    ) -> Result<Sifted<Message, i64>, Error> {
        let sieve = Sieve {
            all_fit: true,
            ..self.of_thread(project, id, &self.sql().message_page)
        };
        self.sift(&sieve, walk, message, Message::size).await
    }

    /// The messages of a thread from number `first` on, that were added together: as many as
    /// `count`, and as large as they are.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn messages_together(
        &self,
        project: ProjectId,
        id: ThreadId,
        (first, count): (i64, u32),
    ) -> Result<Vec<Message>, Error> {
        let walk = Walk::up(count).beyond(first - 1);
        let params = [
            ("thread", id.0.into()),
            ("project", project.0.into()),
            ("to", (first - 1 + i64::from(count)).into()),
        ];
        self.page(&self.sql().message_page, &walk, params, message)
            .await
    }

    fn of_thread<'a>(&'a self, project: ProjectId, id: ThreadId, fitting: &'a Pages) -> Sieve<'a> {
        Sieve {
            keys: &self.sql().message_keys,
            fitting,
            list: vec![("thread", id.0.into()), ("project", project.0.into())],
            wanted: Vec::new(),
            reads_texts: true,
            all_fit: false,
        }
    }

    fn of_project<'a>(&'a self, project: ProjectId, fitting: &'a Pages) -> Sieve<'a> {
        Sieve {
            keys: &self.sql().message_keys_in_project,
            list: vec![("project", project.0.into())],
            ..self.of_thread(project, ThreadId(Uuid::nil()), fitting)
        }
    }

    /// How many messages a thread has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_messages(&self, project: ProjectId, id: ThreadId) -> Result<u64, Error> {
        let params = [("thread", id.0.into()), ("project", project.0.into())];
        self.found(&self.sql().message_count, &params).await
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
        self.one(&self.sql().message_get, &params, message).await
    }

    /// A message of a thread by its id.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn message_by_id(
        &self,
        project: ProjectId,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Option<Message>, Error> {
        let params = [
            ("id", id.0.into()),
            ("thread", thread.0.into()),
            ("project", project.0.into()),
        ];
        self.one(&self.sql().message_by_id, &params, message).await
    }

    /// A page of a thread's messages that have `words`, looked for in a bounded part of them.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn search_messages(
        &self,
        project: ProjectId,
        id: ThreadId,
        words: &str,
        walk: Walk<i64>,
    ) -> Result<Sifted<Message, i64>, Error> {
        let sieve = Sieve {
            wanted: vec![("pattern", self.pattern(words))],
            ..self.of_thread(project, id, &self.sql().message_search)
        };
        self.sift(&sieve, walk, message, Message::size).await
    }

    /// A page of a project's messages that have `words`, looked for in a bounded part of them.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn search_project_messages(
        &self,
        project: ProjectId,
        words: &str,
        walk: Walk<MessageId>,
    ) -> Result<Sifted<Message, MessageId>, Error> {
        let sieve = Sieve {
            wanted: vec![("pattern", self.pattern(words))],
            ..self.of_project(project, &self.sql().message_search_project)
        };
        self.sift(&sieve, walk, message, Message::size).await
    }

    /// How many messages of a project, or of one of its threads, have `words`.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_found_messages(
        &self,
        project: ProjectId,
        thread: Option<ThreadId>,
        words: &str,
    ) -> Result<Total, Error> {
        let (sql, wanted) = (self.sql(), vec![("pattern", self.pattern(words))]);
        match thread {
            Some(thread) => {
                let sieve = self.of_thread(project, thread, &sql.message_count_found);
                self.sift_count::<i64>(&Sieve { wanted, ..sieve }).await
            }
            None => {
                let sieve = self.of_project(project, &sql.message_count_found_in_project);
                self.sift_count::<MessageId>(&Sieve { wanted, ..sieve })
                    .await
            }
        }
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
    /// nothing but the time; safe to run twice. A thread in which that fails does not keep the
    /// others waiting.
    ///
    /// # Errors
    /// What the database answered first; what was removed before and behind stays removed.
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
        let mut failed = None;
        for row in rows {
            let mut cells = Cells::new("threads", row);
            let (thread, retain_ms): (Uuid, i64) = (cells.next()?, cells.next()?);
            let before = now.0.saturating_sub(retain_ms.saturating_mul(1000));
            match self.delete_messages(thread, before).await {
                Ok(removed) => pruned.messages += removed,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(pruned), Err)
    }

    /// Removes a thread's messages older than `before`, so many at a time that no statement takes
    /// long and no other writer waits for long.
    pub(super) async fn delete_messages(&self, thread: Uuid, before: i64) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let page = [
                ("thread", thread.into()),
                ("before", before.into()),
                ("limit", PORTION.into()),
            ];
            let oldest = self.database().fetch_all(&self.sql().message_older, &page);
            let Some(last) = oldest.await?.pop() else {
                return Ok(removed);
            };
            let upto: i64 = Cells::new("messages", last).next()?;
            let portion = [
                ("thread", thread.into()),
                ("before", before.into()),
                ("upto", upto.into()),
            ];
            let delete = &self.sql().message_delete_older;
            removed += self.database().execute(delete, &portion).await?;
        }
    }
}
