//! Takes over runs that nobody runs: new detached ones and those of dead servers.
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
    /// One round, as far as there is room.
    pub async fn run_once(&self) -> Result<ClaimReport, Error> {
        let room = self.0.inner.options.max_live.saturating_sub(self.0.live());
        let limit = u32::try_from(room).unwrap_or(u32::MAX).min(BATCH);
        if limit == 0 {
            return Ok(ClaimReport::default());
        }
        let claimed = self.0.claim(limit, None).await?;
        let more = claimed.len() as u64 >= u64::from(limit);
        Ok(ClaimReport { claimed, more })
    }
}
