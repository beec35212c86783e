//! Looks for what must not be: damage, gaps, orphans, counters that disagree, runs that nobody
//! executes, values that nobody refers to. Reads everything once, in pages of bounded size, and
//! mends what is safe when it is asked to: nothing that it does can lose a run.
mod blobs;
mod book;
mod content;
mod journals;
mod owners;
mod snapshots;
mod structure;

use futures::future::BoxFuture;
use runstone_model::{
    ids::{RunId, ServerId},
    time::Timestamp,
};

use crate::{Error, Snapshot, SqlStore};
use blobs::Seen;
use book::Book;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong, but something can be tidied.
    Note,
    /// Something does not go on until somebody acts.
    Warning,
    /// Data is damaged or missing.
    Error,
}

/// One thing that the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check found it, as in `journal_gaps`.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, and where.
    pub message: String,
    /// What to do about it.
    pub mend: String,
    /// What was done about it, when that was asked for and is safe.
    pub fixed: Option<String>,
}

impl Finding {
    /// Whether something is still wrong.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.severity != Severity::Note && self.fixed.is_none()
    }
}

/// How a database is examined.
#[derive(Clone, Copy)]
pub struct Examination<'a> {
    /// Owners whose last heartbeat is before this are dead.
    pub expired_before: Timestamp,
    /// Values that were not written since then and that no run refers to are unused. To delete
    /// them while runs go on it must be hours ago: a commit says of a value that it is in use once
    /// an hour at most.
    pub untouched_since: Timestamp,
    /// Mend what is safe.
    pub fix: Option<Fix>,
    /// Holds snapshots against their journals; without it they are only unpacked.
    pub folds: Option<&'a dyn Folds>,
    /// Is told how far it is.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

/// As whom and when things are mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fix {
    /// A new id, under which runs of dead owners are taken and given up.
    pub server: ServerId,
    /// The time.
    pub now: Timestamp,
}

/// How far an examination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is looked at: `journals`, `runs`, `snapshots`, `values`.
    pub at: &'static str,
    /// How many of them were.
    pub done: u64,
}

/// Folds journals. What their rows mean the engine knows, not the store.
pub trait Folds: Send + Sync {
    /// Folds the run's journal up to the snapshot's place and compares.
    fn compare<'a>(&'a self, run: RunId, snapshot: &'a Snapshot) -> BoxFuture<'a, Folded>;
}

/// What came of folding a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folded {
    /// The same as the snapshot.
    Same,
    /// Something else; in what.
    Different(String),
    /// The journal cannot be folded; why.
    Broken(String),
    /// It cannot be told here: the flow uses kinds that this program does not have.
    Unknown(String),
}

/// Rows of one page.
const PAGE: u32 = 500;

impl SqlStore {
    /// Looks at the whole database with every value and every snapshot's text counted; mends
    /// nothing. See [`Self::examine`].
    ///
    /// # Errors
    /// As with [`Self::examine`].
    pub async fn doctor(&self, expired_before: Timestamp) -> Result<Vec<Finding>, Error> {
        self.examine(Examination {
            expired_before,
            untouched_since: Timestamp(i64::MAX),
            fix: None,
            folds: None,
            progress: &|_| {},
        })
        .await
    }

    /// Examines the whole database. Reads everything once: it may take minutes on a large one, in
    /// constant memory. Of each check the first findings are told one by one, the others counted.
    ///
    /// # Errors
    /// What the database answered; damage that was found is no error but a finding.
    pub async fn examine(&self, how: Examination<'_>) -> Result<Vec<Finding>, Error> {
        let mut doctor = Doctor {
            store: self,
            how,
            book: Book::default(),
            seen: Seen::new(),
        };
        match doctor.run().await {
            Err(Error::Damaged(message)) => {
                if !doctor.book.has("integrity") {
                    doctor.book.add(structure::damaged(message));
                }
            }
            done => done?,
        }
        Ok(doctor.book.close())
    }
}

/// One examination.
struct Doctor<'a> {
    store: &'a SqlStore,
    how: Examination<'a>,
    book: Book,
    /// The values that runs refer to.
    seen: Seen,
}

impl Doctor<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        self.integrity().await?;
        if !self.schema().await? {
            return Ok(());
        }
        self.orphans().await?;
        self.journals().await?;
        self.snapshots().await?;
        self.owners().await?;
        self.content().await?;
        self.unused_blobs().await
    }

    fn progress(&self, at: &'static str, done: u64) {
        (self.how.progress)(Progress { at, done });
    }
}
