//! One commit made ready for the queue: large values compressed, its size known.
use runstone_model::ids::RunId;

use crate::{
    Commit, Error, NewRun, Row, RunUpdate,
    blob::{self, Packed},
};

/// A commit, ready to be written.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) run: RunId,
    pub(super) epoch: i64,
    pub(super) create: Option<NewRun>,
    pub(super) rows: Vec<Row>,
    pub(super) update: Option<RunUpdate>,
    pub(super) snapshot: Option<PackedSnapshot>,
    pub(super) blobs: Vec<Packed>,
    /// How many rows it writes, of all tables.
    pub(super) count: usize,
    /// About how many bytes it writes.
    pub(super) bytes: usize,
}

/// A snapshot as stored.
#[derive(Debug)]
pub(super) struct PackedSnapshot {
    pub(super) seq: u64,
    pub(super) size: usize,
    pub(super) body: Vec<u8>,
}

impl Work {
    /// Compresses what is stored compressed.
    pub(super) async fn new(commit: Commit) -> Result<Self, Error> {
        let Commit {
            run,
            epoch,
            create,
            rows,
            update,
            snapshot,
            blobs,
        } = commit;
        let (snapshot, blobs) = if snapshot.is_none() && blobs.is_empty() {
            (None, Vec::new())
        } else {
            let bytes = snapshot.as_ref().map_or(0, |s| s.body.len())
                + blobs.iter().map(|blob| blob.bytes.len()).sum::<usize>();
            blob::off_thread(bytes, move || {
                let snapshot = snapshot
                    .map(|snapshot| {
                        let body = blob::compress(snapshot.body.as_bytes())?;
                        let size = snapshot.body.len();
                        Ok::<_, Error>(PackedSnapshot {
                            seq: snapshot.seq,
                            size,
                            body,
                        })
                    })
                    .transpose()?;
                let blobs = blobs
                    .into_iter()
                    .map(Packed::new)
                    .collect::<Result<_, _>>()?;
                Ok((snapshot, blobs))
            })
            .await?
        };
        let mut work = Self {
            run,
            epoch,
            create,
            rows,
            update,
            snapshot,
            blobs,
            count: 0,
            bytes: 0,
        };
        work.measure();
        Ok(work)
    }

    fn measure(&mut self) {
        self.count = self.rows.len()
            + self.blobs.len()
            + self
                .create
                .as_ref()
                .map_or(0, |create| 1 + create.labels.len())
            + usize::from(self.update.is_some())
            + usize::from(self.snapshot.is_some());
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.bytes = self.rows.iter().map(|row| row.body.len()).sum::<usize>()
            + self.blobs.iter().map(|blob| blob.body.len()).sum::<usize>()
            + self.create.as_ref().map_or(0, |create| create.input.len())
            + self
                .update
                .as_ref()
                .map_or(0, |u| text(&u.output) + text(&u.error))
            + self
                .snapshot
                .as_ref()
                .map_or(0, |snapshot| snapshot.body.len());
    }
}
