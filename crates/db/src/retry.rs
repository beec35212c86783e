//! Trying again, with growing pauses and full jitter, where the error's class says that it may
//! help. Whether the work is safe to repeat is the caller's knowledge.
use crate::error::Error;
use std::time::Duration;

/// How often and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// At most so many attempts, the first included.
    pub attempts: u32,
    /// The longest first pause; doubled with every attempt.
    pub initial: Duration,
    /// No pause is longer.
    pub max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            initial: Duration::from_millis(5),
            max: Duration::from_millis(500),
        }
    }
}

impl RetryPolicy {
    /// The longest pause after failed attempt number `attempt` (from 1).
    #[must_use]
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.initial.saturating_mul(factor).min(self.max)
    }
}

/// Calls `work` until it succeeds, fails for good, or the policy's attempts are used up.
///
/// # Errors
/// The last attempt's error.
pub async fn retry<T, F, W>(policy: RetryPolicy, mut work: F) -> Result<T, Error>
where
    F: FnMut() -> W,
    W: Future<Output = Result<T, Error>>,
{
    let mut attempt = 1;
    loop {
        match work().await {
            Err(error) if error.class.is_retryable() && attempt < policy.attempts => {
                // Full jitter: those that collided must not collide again.
                tokio::time::sleep(policy.ceiling(attempt).mul_f64(rand::random::<f64>())).await;
                attempt += 1;
            }
            done => return done,
        }
    }
}
