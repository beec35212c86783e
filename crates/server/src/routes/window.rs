//! The window of time that a report is about, as a query gives it.
use runstone_api::FieldError;
use runstone_model::time::Timestamp;

use super::versioned::time;
use crate::{Answer, invalid_query};

/// So long before its end a window begins when nothing else is said.
const USUAL_US: i64 = 30 * 86_400_000_000;

/// From `since` on, before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

impl Window {
    /// Reads the parameters `since` and `until`; without them it is the 30 days before `now`.
    ///
    /// # Errors
    /// What is no time, and a window that ends before it begins.
    pub(super) fn read(since: Option<&str>, until: Option<&str>, now: Timestamp) -> Answer<Self> {
        let until = match until {
            Some(text) => time("until", text)?,
            None => Timestamp(now.0.saturating_add(1)),
        };
        let since = match since {
            Some(text) => time("since", text)?,
            None => Timestamp(until.0.saturating_sub(USUAL_US)),
        };
        if since >= until {
            let detail = "must be before `until`";
            return Err(invalid_query(vec![FieldError::new("since", detail)]));
        }
        Ok(Self { since, until })
    }
}
