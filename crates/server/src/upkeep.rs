//! What has to be done without anybody asking at that moment: exports are built and removed after
//! their day, messages are removed when they are too old. Safe on several servers at once.
use std::time::Duration;

use crate::{App, outage};

/// How often exports to build are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is too old is removed.
const SWEEP: Duration = Duration::from_secs(60);
/// Exports and threads of one sweep's step.
const STEP: u32 = 100;
/// The longest wait after repeated errors.
const SLOWEST: Duration = Duration::from_secs(60);

/// Starts the loops; they end when the server stops. What is being built then is built by another
/// server, or after the next start.
pub(crate) fn start(app: &App) {
    tokio::spawn(every(app.clone(), LOOK, async |app: &App| build(app).await));
    tokio::spawn(every(app.clone(), SWEEP, async |app: &App| {
        sweep(app).await
    }));
}

async fn every<F>(app: App, pause: Duration, step: F)
where
    F: AsyncFn(&App) -> Result<(), runstone_store::Error>,
{
    let mut stop = app.stopping.subscribe();
    let mut wait = pause;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = match step(&app).await {
            Ok(()) => pause,
            Err(error) => {
                outage::complain(&error, "upkeep waits for the database");
                (wait * 2).min(SLOWEST.max(pause))
            }
        };
    }
}

/// Builds every export that waits.
async fn build(app: &App) -> Result<(), runstone_store::Error> {
    loop {
        let built = app.store.build_export(&|| app.now()).await?;
        if let (Some(export), Some(failure)) = (built.export, &built.failure) {
            tracing::error!(%export, failure, "an export could not be built");
        }
        if !built.more || *app.stopping.borrow() {
            return Ok(());
        }
    }
}

async fn sweep(app: &App) -> Result<(), runstone_store::Error> {
    while app.store.expire_exports(app.now(), STEP).await? == STEP as usize {}
    while app.store.prune_messages(app.now(), STEP).await?.more {}
    Ok(())
}
