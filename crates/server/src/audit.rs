//! The audit log: every write and every denial goes through a bounded queue into the database, many
//! in one transaction. A write waits for room in the queue; a flood of denials is counted instead.
//! While the database is away entries wait, and with them writes.
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use runstone_store::{AuditRecord, Error};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::App;

/// Entries that may wait.
const QUEUE: usize = 4096;
/// Entries of one transaction.
const BATCH: usize = 500;
/// The longest target and actor that are kept, in characters.
const LONGEST: usize = 250;
/// The first wait for a database that is away; doubled each time.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest wait for it.
const SLOWEST: Duration = Duration::from_secs(5);
/// Tries once the server stops; then it must end, with or without the database.
const LAST_TRIES: u32 = 3;

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
        if text.chars().count() > LONGEST {
            *text = text.chars().take(LONGEST).collect();
        }
    }
    entry
}

async fn write(app: App, mut receiver: mpsc::Receiver<AuditRecord>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        store(&app, &batch).await;
        batch.clear();
    }
}

/// Writes entries, as often as it takes while the database is away. After an answer that was lost
/// some may be there already: all of them, as they are one transaction.
async fn store(app: &App, entries: &[AuditRecord]) {
    let (mut wait, mut last_tries) = (PAUSE, 0);
    loop {
        let error = match app.store.insert_audit(entries.to_vec()).await {
            Ok(()) => return,
            Err(error) => error,
        };
        if *app.stopping.borrow() {
            last_tries += 1;
        }
        let away = matches!(error, Error::Unavailable(_));
        if !away || last_tries > LAST_TRIES {
            let lost = entries.len() as u64;
            app.metrics.audit_lost.add(lost);
            tracing::error!(lost, %error, "audit entries could not be written");
            return;
        }
        tracing::warn!(%error, "audit entries wait for the database");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(SLOWEST);
    }
}
