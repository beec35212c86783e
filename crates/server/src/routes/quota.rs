//! Quotas: what a project may have of something. What is being made at this moment is counted with
//! what is there, so that many requests at the same time do not all find the last place free; who
//! is refused by nothing else than those asks again alone. Other servers' are seen once they are
//! stored: each may be over by what it makes at the same moment.
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use runstone_api::{Code, projects::Quotas};
use runstone_model::ids::ProjectId;
use runstone_store::ProjectRecord;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

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
pub(crate) struct Underway(Mutex<HashMap<(ProjectId, Counted), Arc<Making>>>);

/// What is being made of one thing in one project.
#[derive(Debug, Default)]
struct Making {
    number: AtomicU64,
    /// Shared by those who make some; held alone by who asks while nobody else does.
    turn: Arc<RwLock<()>>,
}

impl Underway {
    fn of(&self, what: (ProjectId, Counted)) -> Arc<Making> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only what somebody holds is worth keeping.
        all.retain(|_, making| Arc::strong_count(making) > 1);
        Arc::clone(all.entry(what).or_default())
    }
}

#[expect(dead_code, reason = "held, not read")]
enum Turn {
    Shared(OwnedRwLockReadGuard<()>),
    Alone(OwnedRwLockWriteGuard<()>),
}

/// Places that are taken until it is dropped: until what takes them is stored, or was given up.
pub(super) struct Places {
    making: Arc<Making>,
    number: u64,
    /// How many others were being made before.
    before: u64,
    _turn: Turn,
}

impl Places {
    fn take(making: &Arc<Making>, number: u64, turn: Turn) -> Self {
        Self {
            before: making.number.fetch_add(number, Ordering::SeqCst),
            making: Arc::clone(making),
            number,
            _turn: turn,
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.making.number.fetch_sub(self.number, Ordering::SeqCst);
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

async fn there(app: &App, project: ProjectId, counted: Counted) -> Answer<u64> {
    Ok(match counted {
        Counted::Flows => app.store.count_flows(project).await?,
        Counted::ActiveRuns => app.store.active_runs(project).await?,
    })
}

/// Takes `number` places of `counted`, when `most` are not exceeded by them, what is there and what
/// others are making.
pub(super) async fn take(
    app: &App,
    project: ProjectId,
    counted: Counted,
    (number, most): (u64, u64),
) -> Answer<Places> {
    let making = app.underway.of((project, counted));
    let shared = Arc::clone(&making.turn).read_owned().await;
    // Taken before counting: what is stored meanwhile is counted once at least, and perhaps twice.
    let places = Places::take(&making, number, Turn::Shared(shared));
    let mut found = there(app, project, counted).await?;
    if found.saturating_add(places.before).saturating_add(number) <= most {
        return Ok(places);
    }
    drop(places);
    if found.saturating_add(number) <= most {
        let alone = Arc::clone(&making.turn).write_owned().await;
        let places = Places::take(&making, number, Turn::Alone(alone));
        found = there(app, project, counted).await?;
        if found.saturating_add(number) <= most {
            return Ok(places);
        }
    }
    let detail = match counted {
        Counted::Flows => format!("the project may have {most} flows and has {found}"),
        Counted::ActiveRuns => {
            format!("the project may have {most} unfinished runs and has {found}")
        }
    };
    Err(Fault::new(Code::QuotaExceeded, detail))
}
