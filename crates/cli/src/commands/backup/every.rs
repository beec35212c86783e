//! Backups again and again, in the foreground: each round is one backup and its tidying. A round that
//! fails is told and made again; Ctrl-C and SIGTERM end it cleanly.
use std::time::Duration;

use super::take::One;
use crate::{
    archives::Place,
    args::BackupTakeArgs,
    exit::Exit,
    print::{duration, error, note},
    signals::Signals,
    trouble::Trouble,
};

/// The pause after a round that failed, doubled with each, as long as it is under the usual one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

pub(super) async fn run(args: BackupTakeArgs) -> anyhow::Result<Exit> {
    let text = args.to.as_deref().unwrap_or_default();
    let place = Place::to_write(text, &args.s3)?;
    if !place.is_many() {
        return Err(
            Trouble::at(text, "it is one file, and there will be several backups")
                .mend("name a folder: one that is there, or one that ends in `/`")
                .into(),
        );
    }
    let every = args.every.unwrap_or(Duration::MAX);
    let mut signals = Signals::listen()?;
    let rounds = One::new(&args)?;
    let mut failed = FIRST_PAUSE;
    while !signals.asked() {
        let begun = tokio::time::Instant::now();
        let pause = match rounds.run_once(&place, &mut signals).await {
            Ok(None) => break,
            Ok(Some(made)) => {
                rounds.tell(&made, true)?;
                failed = FIRST_PAUSE;
                // From beginning to beginning, however long a backup takes.
                every.saturating_sub(begun.elapsed())
            }
            Err(trouble) => {
                error::report(&trouble, false);
                let pause = failed.min(every);
                failed = failed.saturating_mul(2);
                pause
            }
        };
        if !args.quiet {
            note(&format!(
                "  the next backup is in {}",
                duration::human(pause)
            ));
        }
        tokio::select! {
            () = signals.stop() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    if !args.quiet {
        note("stopped");
    }
    Ok(Exit::Ok)
}
