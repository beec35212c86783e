//! Ctrl-C and SIGTERM: the first asks to stop, the second ends the process at once. What is
//! committed stays committed either way.
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// What a shell expects of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// SIGXFSZ, the same on Linux and macOS.
const FILE_TOO_LARGE: i32 = 25;

/// A file that grows beyond `ulimit -f` is to be an error like a full disk, which names the file
/// and the run, and not the end of the process.
pub(crate) fn outlive_file_limit() -> anyhow::Result<()> {
    // Once listened to, a signal never ends the process again.
    drop(signal(SignalKind::from_raw(FILE_TOO_LARGE))?);
    Ok(())
}

/// Tells when somebody wants the process to stop.
#[derive(Clone, Debug)]
pub(crate) struct Signals(watch::Receiver<bool>);

impl Signals {
    /// Listens from now on.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            for round in 0.. {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if round > 0 {
                    std::process::exit(INTERRUPTED);
                }
                sender.send_replace(true);
            }
        });
        Ok(Self(receiver))
    }

    /// Resolves once somebody has asked to stop.
    pub(crate) async fn stop(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await; // the listener never ends before the process
        }
    }

    /// Whether somebody has asked to stop.
    pub(crate) fn asked(&self) -> bool {
        *self.0.borrow()
    }
}
