//! API keys: `rs_<id>_<secret>`. The secret is 256 random bits, so a plain fast hash is enough to
//! store; it is compared in constant time.
use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::RngExt as _;
use runstone_store::KeyRecord;
use uuid::Uuid;

use crate::{Answer, App};

/// Keys kept in memory.
const KEPT: usize = 10_000;

/// A key as its holder has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Names the key's row.
    pub id: Uuid,
    secret: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rs_{}_***", self.id.simple())
    }
}

impl Secret {
    /// A new secret for the key `id`.
    #[must_use]
    pub fn make(id: Uuid) -> Self {
        let bytes: [u8; 32] = rand::rng().random();
        let secret = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, secret }
    }

    /// Reads what was sent; None when it is no key.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("rs_")?.split_once('_')?;
        let hex = |text: &str, length| {
            text.len() == length
                && text
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
        };
        (hex(id, 32) && hex(secret, 64)).then_some(())?;
        Some(Self {
            id: Uuid::try_parse(id).ok()?,
            secret: secret.to_owned(),
        })
    }

    /// What to show to its holder, once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("rs_{}_{}", self.id.simple(), self.secret)
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        blake3::hash(self.secret.as_bytes()).as_bytes().to_vec()
    }

    /// Whether it is the one whose hash is `stored`; takes as long whatever the answer is.
    fn is(&self, stored: &[u8]) -> bool {
        let stored: Result<[u8; 32], _> = stored.try_into();
        // blake3's hashes compare in constant time.
        stored
            .is_ok_and(|stored| blake3::hash(self.secret.as_bytes()) == blake3::Hash::from(stored))
    }
}

/// Keys that were looked up a moment ago.
#[derive(Default)]
pub(crate) struct Keys(Mutex<HashMap<Uuid, (Instant, Option<KeyRecord>)>>);

impl Keys {
    /// Forgets a key, after it was changed here.
    pub(crate) fn forget(&self, id: Uuid) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    /// The key that `secret` is, when it may be used now.
    pub(crate) async fn check(&self, app: &App, secret: &Secret) -> Answer<Option<KeyRecord>> {
        let now = app.now();
        let Some(record) = self.look_up(app, secret.id).await? else {
            // As long as for one that is there.
            secret.is(&[0; 32]);
            return Ok(None);
        };
        let new = secret.is(&record.secret_hash);
        let old = record.old_hash.as_ref().is_some_and(|hash| secret.is(hash))
            && record.old_until.is_some_and(|until| now < until);
        let alive = record.revoked_at.is_none() && record.expires_at.is_none_or(|end| now < end);
        Ok(((new || old) && alive).then_some(record))
    }

    async fn look_up(&self, app: &App, id: Uuid) -> Answer<Option<KeyRecord>> {
        let fresh = Duration::from_millis(app.settings.auth.key_cache_ms);
        let kept = {
            let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            keys.get(&id).cloned()
        };
        if let Some((at, record)) = kept
            && at.elapsed() < fresh
        {
            return Ok(record);
        }
        let record = app.store.key(id).await?;
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEPT {
            keys.clear(); // only a cache: looking up again is only slower
        }
        keys.insert(id, (Instant::now(), record.clone()));
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_nothing_else_is_one() {
        let secret = Secret::make(Uuid::from_u128(7));
        let text = secret.reveal();
        assert_eq!(Secret::read(&text), Some(secret.clone()));
        assert!(secret.is(&secret.hash()));
        assert!(!secret.is(&Secret::make(secret.id).hash()));
        assert!(!secret.is(b"short"));
        let shorter = &text[..text.len() - 1];
        for wrong in [
            "",
            "rs_",
            "rs__",
            shorter,
            &text.to_uppercase(),
            &format!("{text}0"),
        ] {
            assert_eq!(Secret::read(wrong), None, "{wrong}");
        }
        assert!(!format!("{secret:?}").contains(&text[36..]));
    }
}
