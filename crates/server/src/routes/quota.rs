//! Quotas: what a project may have of something. What is being made at this moment is counted with
//! what is there, so that many requests at the same time do not all find the last place free. Other
//! servers' are seen once they are stored: each may be over by what it makes at the same moment.
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use runstone_api::{Code, projects::Quotas};
use runstone_model::ids::ProjectId;
use runstone_store::ProjectRecord;

use crate::{Answer, App, Fault};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// Flows.
    Flows,
    /// Runs that have not ended.
    ActiveRuns,
}

/// What is being made here now.
#[derive(Debug, Default)]
pub(crate) struct Underway(Mutex<HashMap<(ProjectId, Counted), u64>>);

/// Places that are taken until it is dropped: until what takes them is stored, or was given up.
pub(super) struct Places {
    app: App,
    of: (ProjectId, Counted),
    number: u64,
    /// How many others were being made before.
    before: u64,
}

impl Places {
    fn take(app: &App, of: (ProjectId, Counted), number: u64) -> Self {
        let mut underway = app
            .underway
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let taken = underway.entry(of).or_default();
        let before = *taken;
        *taken = taken.saturating_add(number);
        drop(underway);
        Self {
            app: app.clone(),
            of,
            number,
            before,
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        let underway = &self.app.underway.0;
        let mut underway = underway.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = underway.get_mut(&self.of) {
            *taken = taken.saturating_sub(self.number);
            if *taken == 0 {
                underway.remove(&self.of);
            }
        }
    }
}

/// What a project may use.
pub(super) fn of(project: &ProjectRecord) -> Answer<Quotas> {
    let Some(text) = &project.quotas else {
        return Ok(Quotas::default());
    };
    serde_json::from_str(text).map_err(|error| {
        // No limit would be the wrong guess.
        Fault::internal(format!(
            "the quotas of project {} cannot be read: {error}",
            project.id
        ))
    })
}

/// Takes `number` places of `counted`, when `most` are not exceeded by them, what `count` finds and
/// what others are making.
pub(super) async fn take(
    app: &App,
    project: ProjectId,
    counted: Counted,
    (number, most): (u64, u64),
    count: impl Future<Output = Answer<u64>>,
) -> Answer<Places> {
    // Taken before counting: what is stored meanwhile is counted once at least.
    let places = Places::take(app, (project, counted), number);
    let there = count.await?;
    let wanted = there.saturating_add(places.before).saturating_add(number);
    if wanted <= most {
        return Ok(places);
    }
    let detail = match counted {
        Counted::Flows => format!("the project may have {most} flows and has {there}"),
        Counted::ActiveRuns => {
            format!("the project may have {most} unfinished runs and has {there}")
        }
    };
    Err(Fault::new(Code::QuotaExceeded, detail))
}
