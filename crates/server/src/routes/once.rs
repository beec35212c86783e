//! Making things once: an idempotency key is noted with the id of what is about to be made, before it
//! is. So the same request with the same key finds that thing, however often and at whatever server
//! it arrives; and when a crash came between the two, the next one makes it, under that id.
use std::time::Duration;

use axum::http::HeaderMap;
use runstone_api::Code;
use runstone_model::{ids::ProjectId, time::Timestamp};
use runstone_store::KeyUse;
use serde::Serialize;
use uuid::Uuid;

use crate::{Answer, App, Fault, idempotency_key};

/// How long an idempotency key is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// The bits of a UUID v7 that are neither time, version nor variant, as far as they are in one piece.
const RANDOM: u128 = (1 << 62) - 1;

/// What a request is to make.
pub(super) struct Once {
    /// The id of what it makes, or of the first of them.
    pub(super) id: Uuid,
    /// The key was noted by an earlier request: what it names may be there.
    pub(super) again: bool,
    noted: Option<Noted>,
}

/// A key in the database.
struct Noted {
    app: App,
    project: ProjectId,
    key: String,
    at: Timestamp,
}

/// Idempotency keys from before this count as never used.
pub(crate) fn remembered_since(now: Timestamp) -> Timestamp {
    let remembered = i64::try_from(REMEMBERED.as_micros()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(remembered))
}

impl Once {
    /// Reads and notes the key of a request in a project. `action` and `body` are what makes two
    /// requests the same.
    ///
    /// # Errors
    /// The key is none, or stands for another request.
    pub(super) async fn of(
        app: &App,
        project: ProjectId,
        headers: &HeaderMap,
        action: &str,
        body: &impl Serialize,
    ) -> Answer<Self> {
        let Some(key) = idempotency_key(headers)? else {
            return Ok(Self::fresh(app));
        };
        Self::noted(app, project, key, action, body).await
    }

    /// The same for what is made in no project. Such keys are kept with those of the default project,
    /// under names that nobody can give by accident.
    pub(super) async fn outside(
        app: &App,
        headers: &HeaderMap,
        action: &str,
        body: &impl Serialize,
    ) -> Answer<Self> {
        let Some(key) = idempotency_key(headers)? else {
            return Ok(Self::fresh(app));
        };
        let key = format!("{action}/{}", blake3::hash(key.as_bytes()).to_hex());
        Self::noted(app, ProjectId::DEFAULT, key, action, body).await
    }

    fn fresh(app: &App) -> Self {
        Self {
            id: app.new_id(),
            again: false,
            noted: None,
        }
    }

    async fn noted(
        app: &App,
        project: ProjectId,
        key: String,
        action: &str,
        body: &impl Serialize,
    ) -> Answer<Self> {
        let body = serde_json::to_vec(body).map_err(|error| Fault::internal(error.to_string()))?;
        let mut hash = blake3::Hasher::new();
        hash.update(action.as_bytes()).update(b"\n").update(&body);
        let hash = *hash.finalize().as_bytes();
        let (id, now) = (app.new_id(), app.now());
        let times = (now, remembered_since(now));
        let (id, again) = match app.store.use_key(project, &key, hash, id, times).await? {
            KeyUse::First => (id, false),
            KeyUse::Same(first) => (first, true),
            KeyUse::Other => {
                let detail = "the key stands for another request of the last 24 hours";
                return Err(Fault::new(Code::IdempotencyConflict, detail));
            }
        };
        let noted = Noted {
            app: app.clone(),
            project,
            key,
            at: now,
        };
        Ok(Self {
            id,
            again,
            noted: Some(noted),
        })
    }

    /// What an earlier request with the key has made, or else what `make` makes under its id. `look`
    /// says what is there.
    pub(super) async fn make<T, L, M>(
        self,
        look: impl Fn(Uuid) -> L,
        make: impl FnOnce(Uuid) -> M,
    ) -> Answer<T>
    where
        L: Future<Output = Answer<Option<T>>>,
        M: Future<Output = Answer<T>>,
    {
        if self.again
            && let Some(found) = look(self.id).await?
        {
            return Ok(found);
        }
        let made = make(self.id).await;
        let Err(fault) = &made else {
            return made;
        };
        if self.noted.is_none() {
            return made;
        }
        match look(self.id).await {
            // The same request was quicker somewhere else.
            Ok(Some(found)) => return Ok(found),
            Ok(None) => self.refused(fault).await,
            Err(_) => {}
        }
        made
    }

    /// A refused request has used nothing up: its key is free for the mended one.
    pub(super) async fn refused(&self, fault: &Fault) {
        if let Some(noted) = &self.noted
            && fault.is_the_callers()
            && !self.again
        {
            noted.forget().await;
        }
    }
}

impl Noted {
    async fn forget(&self) {
        let forgotten = self.app.store.forget_key(self.project, &self.key, self.at);
        if let Err(error) = forgotten.await {
            // Then the mended request needs a key of its own.
            tracing::warn!(%error, "an idempotency key that made nothing stays");
        }
    }
}

/// The id of the thing `number` of a request that makes several; the same each time.
pub(super) fn nth(first: Uuid, number: usize) -> Uuid {
    let first = first.as_u128();
    let number = u128::try_from(number).unwrap_or_default();
    Uuid::from_u128((first & !RANDOM) | (first.wrapping_add(number) & RANDOM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_things_of_one_request_have_ids_of_their_own_that_are_sound() {
        for first in [
            "01a1fc07-9978-714f-a107-7fb91e90f795",
            "01a1fc07-9978-714f-bfff-ffffffffffff",
        ] {
            let first: Uuid = first.parse().unwrap_or_default();
            let mut all: Vec<Uuid> = (0..500).map(|number| nth(first, number)).collect();
            assert_eq!(all[0], first);
            assert!(all.iter().all(|id| id.get_version_num() == 7));
            assert!(
                all.iter()
                    .all(|id| id.get_variant() == uuid::Variant::RFC4122)
            );
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 500);
        }
    }
}
