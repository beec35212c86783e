//! What goes in and out of the store. Plain data; JSON stays text here, the engine reads it.
use runstone_db::Direction;
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    run::Status,
    time::Timestamp,
};

/// Why a verb failed, as far as a caller can act on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another owner has written to the run; ours is stale.
    #[error("another server owns this run now")]
    Fenced,
    /// The database cannot be reached or answers too late; trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// What was read does not make sense: damaged data or another program's.
    #[error("the database holds something unexpected in {place}: {message}")]
    Corrupt {
        /// Table, column and key.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// The database itself finds that its file is damaged.
    #[error("{0}; restore the last backup")]
    Damaged(String),
    /// Anything else; trying again will not help.
    #[error("{0}")]
    Other(String),
}

/// One journal row as written. The owner's epoch is in [`Commit::epoch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Position in the run's journal, from 1, without gaps.
    pub seq: u64,
    /// `runstone_model::run::Kind` as its stable number.
    pub kind: i16,
    /// The node, for rows about a step.
    pub node: Option<String>,
    /// The start of the node this belongs to, from 1; 0 for rows that are not about a step.
    pub visit: u32,
    /// The item of a map.
    pub item: Option<u32>,
    /// The attempt, from 1; 0 for rows that are not about a step.
    pub attempt: u32,
    /// When the attempt started (or when the entry was made).
    pub started_at: Timestamp,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// The rest of the entry as JSON; large values are replaced by blob references.
    pub body: String,
}

/// A journal row as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// The row.
    pub row: Row,
    /// The epoch of its writer.
    pub epoch: i64,
}

/// A large value, stored once under its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// blake3 of `bytes`, in hex.
    pub hash: String,
    /// The JSON text, not compressed (the store compresses).
    pub bytes: Vec<u8>,
}

/// A run's first row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Its project.
    pub project: ProjectId,
    /// The version it is pinned to.
    pub flow_version: FlowVersionId,
    /// The validated input as JSON.
    pub input: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who runs it; `None` leaves it for anybody to claim (status `pending`).
    pub owner: Option<ServerId>,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
    /// Its labels, name and value, by which it can be found.
    pub labels: Vec<(String, String)>,
}

/// The change of the run's own row, at park and finish only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunUpdate {
    /// The new status.
    pub status: Status,
    /// When the run ended; `None` while it has not.
    pub finished_at: Option<Timestamp>,
    /// The output as JSON, when completed.
    pub output: Option<String>,
    /// The failure as JSON, when failed or cancelled.
    pub error: Option<String>,
    /// Steps committed so far.
    pub steps: u64,
    /// When a run that is parked is due.
    pub wake_at: Option<Timestamp>,
}

/// The folded run at `seq`; the newest one of a run is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last row folded in.
    pub seq: u64,
    /// The folded run as JSON, not compressed (the store compresses).
    pub body: String,
}

/// One atomic write of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The run.
    pub run: RunId,
    /// The owner's epoch.
    pub epoch: i64,
    /// Present for a run's first commit.
    pub create: Option<NewRun>,
    /// New journal rows, contiguous.
    pub rows: Vec<Row>,
    /// Present at park and finish. That the run has no owner then is the store's business.
    pub update: Option<RunUpdate>,
    /// A newer snapshot, replacing the older.
    pub snapshot: Option<Snapshot>,
    /// Values the rows and the snapshot refer to.
    pub blobs: Vec<Blob>,
}

/// A run that has failed or was cancelled, to be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopen {
    /// The run.
    pub run: RunId,
    /// The epoch in which it ended.
    pub epoch: i64,
    /// The journal row that says so, after the row of its end.
    pub row: Row,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
}

/// A definition to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFlow {
    /// Its project.
    pub project: ProjectId,
    /// Its name.
    pub name: String,
    /// The canonical JSON.
    pub definition: String,
    /// The id used if this text is new.
    pub id: FlowVersionId,
    /// When.
    pub created_at: Timestamp,
}

/// One immutable version of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowVersion {
    /// Its id.
    pub id: FlowVersionId,
    /// Its project.
    pub project: ProjectId,
    /// The flow's name.
    pub name: String,
    /// 1, 2, 3, …
    pub version: u32,
    /// The canonical JSON.
    pub definition: String,
}

/// What to claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The new owner.
    pub server: ServerId,
    /// Now.
    pub now: Timestamp,
    /// An owner whose last heartbeat is before this is dead.
    pub expired_before: Timestamp,
    /// At most so many.
    pub limit: u32,
    /// Only this run, and also when `server` owns it already: it may own it without knowing, when
    /// the answer to an earlier claim was lost.
    pub only: Option<RunId>,
}

/// A run that is ours now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The run.
    pub run: RunId,
    /// Our epoch.
    pub epoch: i64,
}

/// The run's own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Its project.
    pub project: ProjectId,
    /// The version it is pinned to.
    pub flow_version: FlowVersionId,
    /// The flow's name.
    pub flow: String,
    /// The version's number.
    pub version: u32,
    /// Where it stands.
    pub status: Status,
    /// The input as JSON.
    pub input: String,
    /// The output as JSON.
    pub output: Option<String>,
    /// The failure as JSON.
    pub error: Option<String>,
    /// Steps committed, as of the last park or the end.
    pub steps: u64,
    /// Who runs it.
    pub owner: Option<ServerId>,
    /// The ownership counter.
    pub epoch: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
    /// When it is due, while it waits for a time without an owner.
    pub wake_at: Option<Timestamp>,
    /// When somebody asked to cancel it.
    pub cancel_requested_at: Option<Timestamp>,
}

/// A run with everything needed to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedRun {
    /// Its own row.
    pub record: RunRecord,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// The rows after the snapshot, in order.
    pub rows: Vec<StoredRow>,
    /// Every blob that the snapshot and the rows refer to.
    pub blobs: Vec<Blob>,
}

/// Which runs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this project.
    pub project: Option<ProjectId>,
    /// With one of these states; empty: any.
    pub status: Vec<Status>,
    /// Of this flow.
    pub flow: Option<String>,
    /// Newest first, when nothing else is said.
    pub direction: Direction,
    /// Beyond this run (keyset paging).
    pub beyond: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}
