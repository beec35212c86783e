//! API keys as they are stored: hashes, never secrets. Making and checking secrets is the server's
//! business.
use runstone_db::Row as DbRow;
use runstone_model::{ids::ProjectId, time::Timestamp};
use uuid::Uuid;

use crate::{Error, SqlStore, Walk, cells::Cells};

/// A key's row.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id, also in the key itself.
    pub id: Uuid,
    /// Its project; None for the whole server.
    pub project: Option<ProjectId>,
    /// The role's name.
    pub role: String,
    /// What it is for.
    pub name: String,
    /// blake3 of the secret.
    pub secret_hash: Vec<u8>,
    /// blake3 of the secret before the last rotation.
    pub old_hash: Option<Vec<u8>>,
    /// Until when the old secret is taken.
    pub old_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}

impl std::fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Hashes are no secrets, but nobody needs them in a log.
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("project", &self.project)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Which keys to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFilter {
    /// All of them.
    All,
    /// Those for the whole server.
    Server,
    /// Those of a project.
    Project(ProjectId),
}

fn record(row: DbRow) -> Result<KeyRecord, Error> {
    let mut cells = Cells::new("api_keys", row);
    Ok(KeyRecord {
        id: cells.next()?,
        project: cells.next::<Option<Uuid>>()?.map(ProjectId),
        role: cells.next()?,
        name: cells.next()?,
        secret_hash: cells.next()?,
        old_hash: cells.next()?,
        old_until: cells.next::<Option<i64>>()?.map(Timestamp),
        created_at: Timestamp(cells.next()?),
        expires_at: cells.next::<Option<i64>>()?.map(Timestamp),
        revoked_at: cells.next::<Option<i64>>()?.map(Timestamp),
    })
}

impl SqlStore {
    /// Stores a new key.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn insert_key(&self, key: KeyRecord) -> Result<(), Error> {
        let params = [
            ("id", key.id.into()),
            ("project", key.project.map(|project| project.0).into()),
            ("role", key.role.into()),
            ("name", key.name.into()),
            ("hash", key.secret_hash.into()),
            ("now", key.created_at.0.into()),
            ("expires_at", key.expires_at.map(|at| at.0).into()),
        ];
        self.database()
            .execute(&self.sql().key_insert, &params)
            .await?;
        Ok(())
    }

    /// One key.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn key(&self, id: Uuid) -> Result<Option<KeyRecord>, Error> {
        let params = [("id", id.into())];
        self.one(&self.sql().key_get, &params, record).await
    }

    /// A page of keys; upwards is oldest first.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn keys(
        &self,
        filter: KeyFilter,
        walk: &Walk<Uuid>,
    ) -> Result<Vec<KeyRecord>, Error> {
        let (pages, project) = match filter {
            KeyFilter::All => (&self.sql().key_page_all, None),
            KeyFilter::Server => (&self.sql().key_page, None),
            KeyFilter::Project(project) => (&self.sql().key_page_of_project, Some(project)),
        };
        let params = project.map(|project| ("project", project.0.into()));
        self.page(pages, walk, params, record).await
    }

    /// How many keys a project has, or the server itself.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_keys(&self, project: Option<ProjectId>) -> Result<u64, Error> {
        match project {
            None => self.found(&self.sql().key_count, &[]).await,
            Some(project) => {
                let params = [("project", project.0.into())];
                self.found(&self.sql().key_count_of_project, &params).await
            }
        }
    }

    /// Refuses a key from now on; false when there is none.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn revoke_key(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        let params = [("id", id.into()), ("now", now.0.into())];
        Ok(self
            .database()
            .execute(&self.sql().key_revoke, &params)
            .await?
            > 0)
    }

    /// Gives a key a new secret; the present one is taken until `old_until`. False when the key
    /// was revoked or rotated meanwhile.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn rotate_key(
        &self,
        id: Uuid,
        present: Vec<u8>,
        new: Vec<u8>,
        old_until: Timestamp,
    ) -> Result<bool, Error> {
        let params = [
            ("id", id.into()),
            ("old_hash", present.into()),
            ("hash", new.into()),
            ("old_until", old_until.0.into()),
        ];
        Ok(self
            .database()
            .execute(&self.sql().key_rotate, &params)
            .await?
            > 0)
    }

    /// Whether there is a key that can be used now.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn has_usable_key(&self, now: Timestamp) -> Result<bool, Error> {
        let params = [("now", now.0.into())];
        let row = self
            .database()
            .fetch_optional(&self.sql().key_usable, &params)
            .await?;
        Ok(row.is_some())
    }
}
