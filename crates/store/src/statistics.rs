//! What became of a flow's runs, for statistics: of each only the few numbers that sums and ranks
//! need. The work is bounded: the newest runs of a stretch of time, found by an index, up to a cap.
use std::collections::VecDeque;

use runstone_db::{Row as DbRow, Value};
use runstone_model::{
    ids::{FlowVersionId, ProjectId},
    run::Status,
    time::Timestamp,
};
use uuid::Uuid;

use crate::{Error, SqlStore, Walk, cells::Cells};

/// Versions of a flow that are looked at, the newest.
const VERSIONS: u32 = 100;
/// Ids carry the time of their making in milliseconds; a run's own time is taken a moment later. Never
/// are they further apart than this, in microseconds.
pub const ID_SLACK_US: i64 = 2_000_000;
/// Runs that one statement reads.
const PAGE: std::ops::RangeInclusive<usize> = 200..=2000;

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunFacts {
    /// The flow's version.
    pub version: u32,
    /// How it stands.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Steps committed, as of the last time it was parked or ended.
    pub steps: u64,
}

/// The runs of a flow in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowFacts {
    /// The newest, newest first.
    pub runs: Vec<RunFacts>,
    /// Whether there may be more.
    pub truncated: bool,
}

/// The runs of one version, read page by page from the newest on.
struct Lane {
    id: FlowVersionId,
    version: u32,
    before: Uuid,
    read: VecDeque<(Uuid, RunFacts)>,
    is_over: bool,
}

impl SqlStore {
    /// The newest runs of a flow that were created at `since` or later and before `until`, at most
    /// `most` of them; None when there is no such flow. Reads at most twice as many rows, by the
    /// index on versions.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn flow_facts(
        &self,
        project: ProjectId,
        name: &str,
        (since, until): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<Option<FlowFacts>, Error> {
        let versions = self
            .flow_versions(project, name, &Walk::down(VERSIONS + 1))
            .await?;
        if versions.is_empty() {
            return Ok(None);
        }
        let slack = |at: Timestamp, by: i64| Self::first_id_at(Timestamp(at.0.saturating_add(by)));
        let (first, before) = (slack(since, -ID_SLACK_US), slack(until, ID_SLACK_US));
        let looked_at = usize::try_from(VERSIONS).unwrap_or(usize::MAX);
        let mut truncated = versions.len() > looked_at;
        let lanes = versions.iter().take(looked_at).map(|version| Lane {
            id: version.id,
            version: version.version,
            before,
            read: VecDeque::new(),
            is_over: false,
        });
        let mut lanes: Vec<Lane> = lanes.collect();
        let page = most.div_ceil(lanes.len()).clamp(*PAGE.start(), *PAGE.end());
        let mut runs = Vec::new();
        loop {
            for lane in &mut lanes {
                self.read_on(lane, project, first, page).await?;
            }
            // The newest of all versions.
            let newest = lanes
                .iter_mut()
                .filter_map(|lane| lane.read.front().map(|(id, _)| *id).map(|id| (id, lane)))
                .max_by_key(|(id, _)| *id);
            let Some((_, run)) = newest.and_then(|(_, lane)| lane.read.pop_front()) else {
                break;
            };
            if run.created_at < since || run.created_at >= until {
                continue;
            }
            if runs.len() >= most {
                truncated = true;
                break;
            }
            runs.push(run);
        }
        Ok(Some(FlowFacts { runs, truncated }))
    }

    /// Makes sure that a lane has its next run, if there is one.
    async fn read_on(
        &self,
        lane: &mut Lane,
        project: ProjectId,
        first: Uuid,
        page: usize,
    ) -> Result<(), Error> {
        if lane.is_over || !lane.read.is_empty() {
            return Ok(());
        }
        let params = [
            ("flow_version", lane.id.0.into()),
            ("first", first.into()),
            ("before", lane.before.into()),
            ("limit", Value::Int(i64::try_from(page).unwrap_or(i64::MAX))),
        ];
        let read = |row| facts(row, project, lane.version);
        let found = self.all(&self.sql().run_facts, &params, read).await?;
        lane.is_over = found.len() < page;
        if let Some((last, _)) = found.last() {
            lane.before = *last;
        }
        lane.read = found.into();
        Ok(())
    }
}

fn facts(row: DbRow, project: ProjectId, version: u32) -> Result<(Uuid, RunFacts), Error> {
    let mut cells = Cells::new("runs", row);
    let id = cells.next()?;
    if cells.next::<Uuid>()? != project.0 {
        return Err(cells.corrupt("a run of another project than its flow's"));
    }
    let facts = RunFacts {
        version,
        status: {
            let name: String = cells.next()?;
            let unknown = || cells.corrupt(format!("no status is called `{name}`"));
            Status::from_name(&name).ok_or_else(unknown)?
        },
        created_at: Timestamp(cells.next()?),
        finished_at: cells.next::<Option<i64>>()?.map(Timestamp),
        steps: cells.next()?,
    };
    Ok((id, facts))
}
