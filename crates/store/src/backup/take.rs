//! Taking a backup: what is to be had is read from one snapshot of the database and handed, page by
//! page, to a thread that writes the archive. Never more than a few pages are in memory.
use std::{io::Write, path::PathBuf, sync::Arc};

use runstone_db::{Isolation, Value};
use runstone_model::time::Timestamp;
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

use super::{
    BackupError, Meter,
    archive::{ArchiveError, Cost, Header, Passphrase, Section, Trailer, Writer, rows_weight},
    index::Index,
    reading::Reading,
};
use crate::{SqlStore, schema};

/// Pages that may wait to be written.
const QUEUE: usize = 8;

/// What is to be backed up.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// The new archive's id.
    pub id: Uuid,
    /// Now.
    pub now: Timestamp,
    /// The archive since which; `None` for a full backup.
    pub since: Option<PathBuf>,
    /// Encrypts the archive, and opens the one since which.
    pub passphrase: Option<Passphrase>,
    /// How hard the passphrase is made to guess.
    pub cost: Cost,
}

/// A backup that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The archive's manifest.
    pub header: Header,
    /// The counts at its end.
    pub trailer: Trailer,
    /// Its size.
    pub bytes: u64,
    /// How the database's state was kept the same meanwhile.
    pub isolation: Isolation,
}

/// What the writing thread is told.
pub(super) enum Order {
    Rows(Section, Vec<Vec<Value>>),
    /// What follows begins a new chunk.
    Cut,
    Finish,
}

impl SqlStore {
    /// Writes an archive of one consistent state to `sink`, while runs go on; answers the sink,
    /// which has not been flushed.
    ///
    /// # Errors
    /// The database's, the sink's, a bad archive to add to, or a request to stop. What is in the
    /// sink is useless then.
    pub async fn backup<W: Write + Send + 'static>(
        &self,
        sink: W,
        request: BackupRequest,
        meter: &Arc<Meter>,
    ) -> Result<(W, Taken), BackupError> {
        let dialect = self.database().dialect();
        let index = match &request.since {
            Some(path) => Some(open_index(path.clone(), request.passphrase.clone()).await?),
            None => None,
        };
        let known = schema::known_version(dialect);
        if let Some(parent) = index.as_ref().map(Index::header)
            && parent.schema_version != known
        {
            return Err(BackupError::Chain(format!(
                "the earlier backup is of schema version {}, the database has {known}: take a full \
                 one",
                parent.schema_version
            )));
        }
        let header = Header {
            id: request.id,
            parent: index.as_ref().map(|index| index.header().id),
            schema_version: known,
            program: concat!("runstone ", env!("CARGO_PKG_VERSION")).to_owned(),
            source: dialect.name().to_owned(),
            created_at: request.now.0,
            compression: "zstd".to_owned(),
            encryption: None,
            sections: Vec::new(),
        };
        let (orders, queue) = mpsc::channel(QUEUE);
        let writing = write(sink, header.clone(), &request, queue, Arc::clone(meter));
        let snapshot = self.database().snapshot().await?;
        let isolation = snapshot.isolation();
        let mut reading = Reading::new(snapshot, self.sql(), index, orders, Arc::clone(meter));
        let read = match reading.everything().await {
            Ok(()) => reading.finish().await,
            Err(error) => {
                drop(reading);
                Err(error)
            }
        };
        let written = writing.await.unwrap_or_else(|_| Err(ended()));
        let (sink, trailer, bytes) = match (read, written) {
            (Ok(()), Ok(done)) => done,
            // When the writer fails the reader only sees that nobody listens any more.
            (Ok(()) | Err(BackupError::Write(_)), Err(error)) => {
                return Err(BackupError::Write(error));
            }
            (Err(error), _) => return Err(error),
        };
        let taken = Taken {
            header,
            trailer,
            bytes,
            isolation,
        };
        Ok((sink, taken))
    }
}

async fn open_index(path: PathBuf, passphrase: Option<Passphrase>) -> Result<Index, BackupError> {
    let open = move || Index::open(&path, passphrase.as_ref());
    tokio::task::spawn_blocking(open)
        .await
        .unwrap_or_else(|_| Err(BackupError::interrupted()))
}

/// What the reader gets to see when the writer has ended.
pub(super) fn ended() -> ArchiveError {
    ArchiveError::Unwritable("writing it ended too early".to_owned())
}

fn write<W: Write + Send + 'static>(
    sink: W,
    header: Header,
    request: &BackupRequest,
    mut queue: mpsc::Receiver<Order>,
    meter: Arc<Meter>,
) -> JoinHandle<Result<(W, Trailer, u64), ArchiveError>> {
    let (passphrase, cost) = (request.passphrase.clone(), request.cost);
    tokio::task::spawn_blocking(move || {
        let mut writer = Writer::begin(sink, header, passphrase.as_ref(), cost)?;
        while let Some(order) = queue.blocking_recv() {
            match order {
                Order::Rows(section, rows) => {
                    let mut bytes = 0;
                    for row in &rows {
                        bytes += rows_weight(row);
                        writer.row(section, row)?;
                    }
                    meter.passed(section, rows.len(), bytes);
                    meter.stored(writer.written());
                }
                Order::Cut => writer.cut()?,
                Order::Finish => {
                    let (sink, trailer, bytes) = writer.finish()?;
                    meter.stored(bytes);
                    return Ok((sink, trailer, bytes));
                }
            }
        }
        Err(ended())
    })
}
