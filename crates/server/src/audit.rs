//! The audit log: every write and every denial goes through a bounded queue into the database, many
//! in one transaction. A write waits for room in the queue; a flood of denials is counted instead.
use std::sync::{Mutex, PoisonError};

use runstone_store::AuditRecord;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::App;

/// Entries that may wait.
const QUEUE: usize = 4096;
/// Entries of one transaction.
const BATCH: usize = 500;
/// The longest target that is kept, in characters.
const LONGEST: usize = 1000;

/// Where entries go.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<Option<mpsc::Sender<AuditRecord>>>);

impl Audit {
    /// Starts writing; the task ends once [`Audit::close`] was called and all is written.
    pub(crate) fn start(app: &App) -> JoinHandle<()> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        *app.audit.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        tokio::spawn(write(app.clone(), receiver))
    }

    /// Takes no more entries.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn sender(&self) -> Option<mpsc::Sender<AuditRecord>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many entries wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.sender()
            .map_or(0, |sender| sender.max_capacity() - sender.capacity())
    }

    /// Notes a write; waits while the queue is full.
    pub(crate) async fn note(&self, app: &App, entry: AuditRecord) {
        let sent = match self.sender() {
            Some(sender) => sender.send(cut(entry)).await.is_ok(),
            None => false,
        };
        if !sent {
            app.metrics.audit_lost.add(1);
        }
    }

    /// Notes a denial, unless the queue is full.
    pub(crate) fn note_denial(&self, app: &App, entry: AuditRecord) {
        let sent = self
            .sender()
            .is_some_and(|sender| sender.try_send(cut(entry)).is_ok());
        if !sent {
            app.metrics.audit_lost.add(1);
        }
    }
}

fn cut(mut entry: AuditRecord) -> AuditRecord {
    for text in [&mut entry.target, &mut entry.actor] {
        if text.chars().count() > LONGEST / 4 {
            *text = text.chars().take(LONGEST / 4).collect();
        }
    }
    entry
}

async fn write(app: App, mut receiver: mpsc::Receiver<AuditRecord>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let entries = std::mem::take(&mut batch);
        let lost = entries.len() as u64;
        if let Err(error) = app.store.insert_audit(entries).await {
            app.metrics.audit_lost.add(lost);
            tracing::error!(lost, %error, "audit entries could not be written");
        }
    }
}
