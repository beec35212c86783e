//! Every aggregate's typed verbs over SQL, and the journal with its group commit. Decides nothing
//! about runs: it stores what the engine decided, and says when it is durable.
pub mod agent;
mod audit;
pub mod backup;
mod blob;
mod catalog;
mod cells;
mod claim;
mod committer;
mod count;
mod doctor;
pub mod document;
pub mod export;
mod fault;
mod fetch;
mod flow;
mod idempotency;
mod journal;
mod key;
mod label;
mod load;
mod lost;
mod migrations;
mod open;
mod phrase;
mod project;
mod run;
mod schema;
mod server;
mod sift;
mod sql_store;
mod statistics;
mod storage;
pub mod thread;
mod together;
mod types;
mod walk;
mod watch;

use futures::future::BoxFuture;
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    time::Timestamp,
};

pub use audit::AuditRecord;
pub use committer::CommitStats;
pub use count::RunCount;
pub use doctor::{Examination, Finding, Fix, Folded, Folds, Progress, Severity};
pub use flow::{FlowDeleted, FlowExpected, FlowRecord, FlowWritten};
pub use idempotency::KeyUse;
pub use key::{KeyFilter, KeyRecord};
pub use migrations::{Migrations, SchemaStatus};
pub use open::{OpenError, OpenOptions, engine_lock_is_free};
pub use project::{
    MemberRecord, ProjectFilter, ProjectMark, ProjectOrder, ProjectRecord, ProjectText,
    ProjectWrite, Purged,
};
pub use runstone_db::Direction;
pub use sift::Sifted;
pub use sql_store::SqlStore;
pub use statistics::{FlowFacts, ID_SLACK_US, RunFacts};
pub use storage::TableSize;
pub use types::*;
pub use walk::{Total, Walk, WalkKey};

/// What the engine needs of a database. `SqlStore` is the real one; the test kit has an in-memory
/// oracle that must answer the same.
pub trait Store: Send + Sync {
    /// Makes everything in `commit` durable, or nothing of it. Resolves once it is durable.
    /// [`Error::Fenced`] when another owner has written one of the rows: the caller has lost the
    /// run and must drop it.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>>;

    /// Stores a flow's definition as a new version of `name`, or finds the version that already
    /// holds the same text.
    fn put_flow(&self, flow: NewFlow) -> BoxFuture<'_, Result<FlowVersion, Error>>;

    /// One version of a flow.
    fn flow_version(&self, id: FlowVersionId) -> BoxFuture<'_, Result<Option<FlowVersion>, Error>>;

    /// Takes ownership of up to `limit` unfinished runs that have no owner, or whose owner's last
    /// heartbeat is before `expired_before`; of parked ones only those that are due. Raises each run's epoch and, when it had an owner,
    /// appends a `taken_over` row, which fences that owner (who parked a run gave it up with the last
    /// thing that it wrote). With `only`, just that run, due or not.
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Vec<Claimed>, Error>>;

    /// Everything needed to go on with these runs, in the order asked; unknown ones are left out.
    fn load<'a>(&'a self, runs: &'a [RunId]) -> BoxFuture<'a, Result<Vec<LoadedRun>, Error>>;

    /// Says that `server` is alive, and answers the owned runs that somebody asked to cancel.
    fn heartbeat(
        &self,
        server: ServerId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>>;

    /// Gives up everything `server` owns (a clean stop): the runs have no owner afterwards.
    fn release(&self, server: ServerId) -> BoxFuture<'_, Result<u64, Error>>;

    /// The unfinished runs that `server` owns beyond `after`, oldest first, at most 1,000.
    fn owned(
        &self,
        server: ServerId,
        after: Option<RunId>,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>>;

    /// When the next parked run is due; a time in the past when one is. `None`: there are none.
    fn next_wake(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Error>>;

    /// Asks the owner of a run to cancel it; a parked one is due at once. False when the run is unknown or already ended.
    fn request_cancel(&self, run: RunId, now: Timestamp) -> BoxFuture<'_, Result<bool, Error>>;

    /// Opens an ended run that did not complete again, without an owner and in a new epoch, and
    /// writes the row that says so: both or neither. False when it is not as `reopen` says: another
    /// was quicker.
    fn reopen(&self, reopen: Reopen) -> BoxFuture<'_, Result<bool, Error>>;

    /// One run.
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRecord>, Error>>;

    /// Runs by id, which is the order of creation.
    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<RunRecord>, Error>>;

    /// Journal rows of a run with `seq > after`, in order, at most `limit`; blobs resolved.
    fn journal(
        &self,
        run: RunId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredRow>, Error>>;

    /// The default project and others; used by `doctor`.
    fn project_exists(&self, id: ProjectId) -> BoxFuture<'_, Result<bool, Error>>;
}
