//! Time and identity as parameters: the real ones here, virtual ones in the test kit. Waiting uses
//! tokio's timer, which a test can pause; `now` must agree with it.
use runstone_model::time::Timestamp;
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// UTC now.
    fn now(&self) -> Timestamp;
}

/// Makes identifiers.
pub trait Ids: Send + Sync {
    /// A new UUID v7.
    fn next(&self) -> Uuid;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since.map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        });
        Timestamp(micros)
    }
}

/// Random identifiers in order of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealIds;

impl Ids for RealIds {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one real source of ids"
    )]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
