//! Ctrl-C and SIGTERM: the first asks to stop, the second ends the process at once. What is
//! committed stays committed either way.
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// What a shell expects of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

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
