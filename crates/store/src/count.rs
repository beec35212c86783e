//! Counting a project's runs by what they are looked for: along the index that serves the filter, and
//! never more than a number of them.
use runstone_db::Value;
use runstone_model::{ids::ProjectId, run::Status, time::Timestamp};
use uuid::Uuid;

use crate::{Error, SqlStore, Total, run};

/// Runs that are looked at most.
const COUNTED: u32 = 100_000;

/// Which of a project's runs to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCount {
    /// With one of these states; empty: any.
    pub status: Vec<Status>,
    /// Of this flow.
    pub flow: Option<String>,
    /// With this label.
    pub label: Option<(String, String)>,
    /// Made then or later.
    pub since: Timestamp,
    /// Made before.
    pub until: Timestamp,
    /// Ids of runs that were made in that time: from this one on, and before that one.
    pub ids: (Uuid, Uuid),
}

impl SqlStore {
    /// How many runs fit.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_runs(&self, project: ProjectId, count: &RunCount) -> Result<Total, Error> {
        let sql = self.sql();
        let mut params: Vec<(&str, Value)> = vec![
            ("project", project.0.into()),
            ("statuses", run::statuses(&count.status)),
            ("since", count.since.0.into()),
            ("until", count.until.0.into()),
            ("oldest", count.ids.0.into()),
            ("newest", count.ids.1.into()),
        ];
        let flow = || Value::from(count.flow.as_deref().unwrap_or_default());
        let statement = match (&count.label, &count.flow) {
            (Some((name, value)), _) => {
                params.push(("name", name.as_str().into()));
                params.push(("value", value.as_str().into()));
                params.push(("flow", flow()));
                &sql.label_count
            }
            (None, Some(_)) => {
                params.push(("flow", flow()));
                &sql.run_count_by_flow
            }
            (None, None) => &sql.run_count,
        };
        self.total(statement, COUNTED, params).await
    }
}
