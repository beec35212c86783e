//! Threads and their messages. A message's number is taken from its thread's row in the transaction
//! that writes it, so a thread is strictly ordered and has no gaps, whoever writes at the same time.
mod message;

use runstone_db::Row as DbRow;
use runstone_model::{
    ids::{ProjectId, ThreadId},
    time::Timestamp,
};

pub use message::{Message, NewMessage, Pruned, RoleStats};

use crate::{Error, SqlStore, Walk, cells::Cells};

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
        self.one(&self.sql().thread_get, &params, |row| thread(row, project))
            .await
    }

    /// A page of a project's threads.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn threads(
        &self,
        project: ProjectId,
        walk: &Walk<ThreadId>,
    ) -> Result<Vec<Thread>, Error> {
        let params = [("project", project.0.into())];
        let read = |row| thread(row, project);
        self.page(&self.sql().thread_page, walk, params, read).await
    }

    /// How many threads a project has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_threads(&self, project: ProjectId) -> Result<u64, Error> {
        let params = [("project", project.0.into())];
        self.found(&self.sql().thread_count, &params).await
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

    /// Removes a thread with all its messages; false when there is none. The messages go first, in
    /// portions.
    ///
    /// # Errors
    /// What the database answered; what was removed before stays removed.
    pub async fn delete_thread(&self, project: ProjectId, id: ThreadId) -> Result<bool, Error> {
        if self.thread(project, id).await?.is_none() {
            return Ok(false);
        }
        self.delete_messages(id.0, i64::MAX).await?;
        let params = [("id", id.0.into()), ("project", project.0.into())];
        Ok(self
            .database()
            .execute(&self.sql().thread_delete, &params)
            .await?
            > 0)
    }
}
