//! Live progress on stderr: spinners on a terminal, one plain line per event elsewhere, nothing
//! when asked to be quiet. Follows a run until it leaves this process.
pub(crate) mod copying;
mod logs;
mod narrator;
pub(crate) mod outage;
mod screen;

use std::sync::Arc;

use runstone_engine::{Engine, Event, EventKind, RunHandle, RunResult};
use runstone_model::flow::Flow;
use runstone_nodes::log::Line as Logged;
use tokio::sync::{
    broadcast::{
        self,
        error::{RecvError, TryRecvError},
    },
    mpsc,
};

use self::{logs::Logs, narrator::Narrator, screen::Screen};
use crate::{print::paint::Paint, signals::Signals};

/// What is listened to while a run is followed.
pub(crate) struct Feed {
    /// What happens.
    pub(crate) events: broadcast::Receiver<Event>,
    /// What `log` nodes say.
    pub(crate) logged: mpsc::UnboundedReceiver<Logged>,
}

/// Shows a run's progress until it leaves this process. The first Ctrl-C stops the engine.
pub(crate) async fn follow(
    engine: &Engine,
    handle: RunHandle,
    flow: Arc<Flow>,
    feed: Feed,
    quiet: bool,
    signals: &mut Signals,
) -> RunResult {
    let run = handle.id;
    let screen = Screen::new(quiet);
    let narrator = Narrator::new(flow, Paint::stderr(), screen.is_live());
    let Feed { mut events, logged } = feed;
    let mut telling = Telling {
        narrator,
        screen,
        logs: Logs::new(logged),
    };
    let done = handle.wait();
    tokio::pin!(done);
    let mut asked = false;
    let result = loop {
        tokio::select! {
            biased;
            () = signals.stop(), if !asked => {
                asked = true;
                telling.screen.line("  stopping; press Ctrl-C again to end at once");
                engine.stop();
            }
            event = events.recv() => match event {
                Ok(event) if event.run == run => telling.event(&event.kind),
                Ok(_) => {}
                Err(RecvError::Lagged(lost)) => telling.lagged(lost),
                Err(RecvError::Closed) => break done.await,
            },
            logged = telling.logs.next() => telling.logged(logged),
            result = &mut done => break result,
        }
    };
    // What happened right before the end may still be on its way.
    loop {
        match events.try_recv() {
            Ok(event) if event.run == run => telling.event(&event.kind),
            Ok(_) => {}
            Err(TryRecvError::Lagged(lost)) => telling.lagged(lost),
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    let rest = telling.logs.rest();
    telling.logged(rest);
    telling.screen.clear();
    result
}

struct Telling {
    narrator: Narrator,
    screen: Screen,
    logs: Logs,
}

impl Telling {
    fn event(&mut self, kind: &EventKind) {
        if let EventKind::AttemptStarted { step, attempt } = kind {
            if self.screen.is_live() {
                self.screen
                    .begin(*step, &self.narrator.title(*step, *attempt));
            }
            let lines = self.logs.begun(self.narrator.node(*step));
            self.logged(lines);
            return;
        }
        if let Some(step) = narrator::over(kind) {
            let lines = self.logs.over(self.narrator.node(step));
            self.logged(lines);
            self.screen.end(step);
        }
        for line in self.narrator.tell(kind) {
            self.screen.line(&line);
        }
        if let Some((step, done, total)) = self.narrator.map_progress(kind) {
            self.screen
                .map(step, done, total, &self.narrator.title(step, 1));
        }
    }

    fn logged(&mut self, lines: impl IntoIterator<Item = Logged>) {
        for line in lines {
            let line = self.narrator.logged(&line);
            self.screen.line(&line);
        }
    }

    fn lagged(&mut self, lost: u64) {
        self.screen
            .line(&format!("  … {lost} events were too quick to be shown"));
    }
}
