//! Takes over runs that nobody runs: new detached ones, those of dead servers, and those that waited
//! for a time and are due.
use std::sync::{PoisonError, atomic::Ordering};

use runstone_model::ids::RunId;

use crate::{Engine, Error, RunHandle};

/// Runs claimed at a time: one round of set-based statements.
const BATCH: u32 = 1000;

/// The claim loop.
pub struct Claim(pub Engine);

/// What one round did.
#[derive(Debug, Default)]
pub struct ClaimReport {
    /// The runs that are live here now.
    pub claimed: Vec<RunHandle>,
    /// Whether there may be more.
    pub more: bool,
}

impl Claim {
    /// Goes on with runs that this server owns without knowing: after an error, the answer to a
    /// claim or a start may have been lost although the work was done.
    async fn adopt(&self) -> Result<Vec<RunHandle>, Error> {
        let inner = &self.0.inner;
        if !inner.suspect.swap(false, Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let (mut adopted, mut after) = (Vec::new(), None);
        loop {
            let owned = inner.store.owned(inner.server, after).await;
            let owned = owned.inspect_err(|_| inner.suspect.store(true, Ordering::Relaxed))?;
            let Some(last) = owned.last() else {
                return Ok(adopted);
            };
            after = Some(*last);
            for run in owned {
                // Who is about to go on with it would be fenced by a second claim, and may not get it.
                if inner.taking.has(run) {
                    inner.suspect.store(true, Ordering::Relaxed);
                    continue;
                }
                // Trying what cannot be read each time would keep all others from being claimed.
                if inner.live.has(run) || self.unreadable(run) {
                    continue;
                }
                let taken = match self.0.claim(1, Some(run)).await {
                    Err(Error::Unreadable { .. }) => continue,
                    taken => taken?,
                };
                if taken.is_empty() && !inner.live.has(run) {
                    // Somebody holds its row just now: look again.
                    inner.suspect.store(true, Ordering::Relaxed);
                }
                adopted.extend(taken);
            }
        }
    }

    fn unreadable(&self, run: RunId) -> bool {
        let unreadable = self.0.inner.unreadable.lock();
        let unreadable = unreadable.unwrap_or_else(PoisonError::into_inner);
        unreadable.contains(&run)
    }

    /// One round, as far as there is room.
    pub async fn run_once(&self) -> Result<ClaimReport, Error> {
        let room = self.0.inner.options.max_live.saturating_sub(self.0.live());
        let limit = u32::try_from(room).unwrap_or(u32::MAX).min(BATCH);
        if limit == 0 {
            return Ok(ClaimReport::default());
        }
        let mut claimed = self.adopt().await?;
        self.0.inner.wakes.ask();
        let taken = self.0.claim(limit, None).await?;
        if let Some(next) = self.0.inner.store.next_wake().await? {
            self.0.inner.wakes.note(next);
        }
        let more = taken.len() as u64 >= u64::from(limit);
        claimed.extend(taken);
        Ok(ClaimReport { claimed, more })
    }
}
