//! The idempotency key of a request that makes something, written before the thing is.
use runstone_db::{RetryPolicy, Value, retry};
use runstone_model::{ids::ProjectId, time::Timestamp};
use uuid::Uuid;

use crate::{Error, SqlStore, cells::Cells};

/// What an idempotency key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// This request is the first with the key.
    First,
    /// The same request came before, and this is the id of what it makes.
    Same(Uuid),
    /// Another request came before with the same key.
    Other,
}

impl SqlStore {
    /// Notes an idempotency key with the id of what is about to be made, or finds what it was used
    /// for. A key from before `forget_before` counts as never used.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn use_key(
        &self,
        project: ProjectId,
        key: &str,
        hash: [u8; 32],
        id: Uuid,
        (now, forget_before): (Timestamp, Timestamp),
    ) -> Result<KeyUse, Error> {
        let (db, sql) = (self.database(), self.sql());
        let named: [(&str, Value); 2] = [("project", project.0.into()), ("key", key.into())];
        for _ in 0..3 {
            let params = [
                ("project", project.0.into()),
                ("key", key.into()),
                ("hash", hash.to_vec().into()),
                ("run", id.into()),
                ("now", now.0.into()),
            ];
            // Of several who come with a key at the same time some may be in each other's way.
            let insert = || db.execute(&sql.idempotency_insert, &params);
            if retry(RetryPolicy::default(), insert).await? == 1 {
                return Ok(KeyUse::First);
            }
            let Some(row) = db.fetch_optional(&sql.idempotency_find, &named).await? else {
                continue;
            };
            let mut cells = Cells::new("idempotency", row);
            let (found, first): (Vec<u8>, Uuid) = (cells.next()?, cells.next()?);
            let at: i64 = cells.next()?;
            if at >= forget_before.0 {
                return Ok(match found == hash {
                    // Ours: it was noted, and the answer to that was lost.
                    true if first == id => KeyUse::First,
                    true => KeyUse::Same(first),
                    false => KeyUse::Other,
                });
            }
            let old = [
                ("project", project.0.into()),
                ("key", key.into()),
                ("before", forget_before.0.into()),
            ];
            db.execute(&sql.idempotency_forget, &old).await?;
        }
        Err(Error::Unavailable(
            "an idempotency key is taken and forgotten all the time".to_owned(),
        ))
    }

    /// Forgets a key that was noted at `at`: the request was refused.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn forget_key(
        &self,
        project: ProjectId,
        key: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let params = [
            ("project", project.0.into()),
            ("key", key.into()),
            ("before", at.0.saturating_add(1).into()),
        ];
        let statement = &self.sql().idempotency_forget;
        self.database().execute(statement, &params).await?;
        Ok(())
    }

    /// Forgets idempotency keys from before `before`; answers how many.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn forget_keys(&self, before: Timestamp) -> Result<u64, Error> {
        let params = [("before", before.0.into())];
        let statement = &self.sql().idempotency_forget_old;
        Ok(self.database().execute(statement, &params).await?)
    }
}
