//! The executor of one run: carries out effects, gathers outcomes, lets the model decide, commits,
//! and only then goes on. One commit of a run is under way at a time; what ends meanwhile is in the
//! next one. Branches run as tasks of their own; instant nodes run in place.
mod attempts;
mod commit;
mod timers;

use std::collections::{BTreeSet, HashMap, VecDeque};

use runstone_model::{
    run::{Command, Effect, Entry, ItemRef, Outcome, RunState, Status, StepId},
    time::Timestamp,
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

pub(super) use self::commit::Snapshots;
use super::{control::Control, start::RunResult, step::Ticket};
use crate::{Engine, node::Cancelled};

/// Commands decided on in one commit.
const COMMANDS: usize = 256;
/// One run being executed.
pub(super) struct Driver {
    engine: Engine,
    state: RunState,
    epoch: i64,
    deadline: Option<Instant>,
    /// What it is told from outside.
    pub(super) control: mpsc::UnboundedReceiver<Control>,
    tasks: JoinSet<(Ticket, Outcome)>,
    /// What to stop when a step is cancelled.
    running: HashMap<(StepId, Option<u32>), (AbortHandle, Cancelled)>,
    timers: timers::Timers,
    maps: HashMap<StepId, Map>,
    ready: VecDeque<Command>,
    pub(super) snapshots: Snapshots,
}

/// The items of a map that are on their way.
struct Map {
    next: u32,
    total: u32,
    parallel: usize,
    in_flight: BTreeSet<u32>,
}

/// Why waiting ended.
enum Woke {
    Ready,
    Stopped,
    /// Nothing happens before this time.
    Idle(Timestamp),
}

impl Driver {
    pub(super) fn new(
        engine: Engine,
        state: RunState,
        epoch: i64,
        deadline: Option<Timestamp>,
        control: mpsc::UnboundedReceiver<Control>,
    ) -> Self {
        let deadline =
            deadline.and_then(|at| Instant::now().checked_add(at.since(engine.inner.clock.now())));
        Self {
            engine,
            state,
            epoch,
            deadline,
            control,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            timers: timers::Timers::default(),
            maps: HashMap::new(),
            ready: VecDeque::new(),
            snapshots: Snapshots::default(),
        }
    }

    /// After loading: every active step starts again, or waits for its time or its next attempt.
    pub(super) fn restart(&mut self) {
        let ids: Vec<StepId> = self.state.active().iter().map(|active| active.id).collect();
        for id in ids {
            if !self.waits_on(id, None) {
                self.begin(id);
            }
        }
    }

    /// Runs until the run is over or leaves this process.
    pub(super) async fn run(&mut self) -> RunResult {
        loop {
            // A loop of instant nodes on an idle store never waits: others must get their turn.
            tokio::task::coop::consume_budget().await;
            // What is done already is still committed; nothing is begun any more.
            let stopping = *self.engine.inner.stop.borrow();
            if !stopping {
                self.carry_out();
                self.pump_maps();
            }
            if self.state.status().is_final() {
                return self.ended();
            }
            self.look_outside();
            if self.ready.is_empty() {
                match self.wait().await {
                    Woke::Ready => {}
                    Woke::Stopped => return RunResult::Stopped,
                    Woke::Idle(until) => return self.park(Vec::new(), until).await,
                }
            }
            let entries = self.decide();
            if entries.is_empty() {
                continue;
            }
            if !stopping && let Some(until) = self.idles_after() {
                return self.park(entries, until).await;
            }
            if let Err(result) = self.commit(entries, None).await {
                return result;
            }
        }
    }

    fn carry_out(&mut self) {
        for effect in self.state.take_effects() {
            match effect {
                Effect::Start(id) => self.begin(id),
                Effect::Retry { id, item, .. } | Effect::Wait { id, item, .. } => {
                    self.waits_on(id, item);
                }
                Effect::Cancel(id) => self.cancel(id),
                Effect::Ended => {}
            }
        }
    }

    fn ended(&mut self) -> RunResult {
        self.tasks.abort_all();
        for (_, cancelled) in self.running.values() {
            cancelled.set();
        }
        match self.state.end() {
            Some(end) => RunResult::Ended {
                end: end.clone(),
                steps: self.state.steps(),
            },
            None => RunResult::Stuck("the run ended without saying how".to_owned()),
        }
    }

    /// Control messages and the deadline, without waiting.
    fn look_outside(&mut self) {
        while let Ok(control) = self.control.try_recv() {
            self.obey(control);
        }
        if self.deadline.is_some_and(|at| Instant::now() >= at) {
            self.deadline = None;
            self.ready.push_front(Command::DeadlinePassed);
        }
    }

    fn obey(&mut self, control: Control) {
        match control {
            Control::Cancel { reason } => self.ready.push_front(Command::Cancel { reason }),
        }
    }

    /// Waits until there is something to decide.
    async fn wait(&mut self) -> Woke {
        let mut stop = self.engine.inner.stop.subscribe();
        while self.ready.is_empty() {
            if *stop.borrow_and_update() {
                self.tasks.abort_all();
                return Woke::Stopped;
            }
            if let Some(until) = self.idle_until() {
                return Woke::Idle(until);
            }
            let next = self.next_time();
            let timer = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(control) = self.control.recv() => self.obey(control),
                Some(joined) = self.tasks.join_next() => self.joined(joined),
                _ = stop.changed() => {}
                () = timer => {
                    self.look_outside();
                    self.time_has_come();
                }
            }
        }
        while let Some(joined) = self.tasks.try_join_next() {
            self.joined(joined);
        }
        Woke::Ready
    }

    /// Lets the model decide on what is ready.
    fn decide(&mut self) -> Vec<Entry> {
        let now = self.engine.inner.clock.now();
        let mut entries = Vec::new();
        for _ in 0..COMMANDS {
            let Some(command) = self.ready.pop_front() else {
                break;
            };
            // A rejection is the late outcome of something cancelled: there is nothing to do.
            if let Ok(decided) = self.state.handle(command, now) {
                entries.extend(decided);
            }
            if self.state.status() != Status::Running {
                break;
            }
        }
        entries
    }

    fn finished(&mut self, ticket: Ticket, outcome: Outcome) {
        let ended = self.engine.inner.clock.now().since(ticket.started_at);
        self.ready.push_back(Command::Finished {
            id: ticket.id,
            item: ticket.item,
            attempt: ticket.attempt,
            started_at: ticket.started_at,
            duration_us: u64::try_from(ended.as_micros()).unwrap_or(u64::MAX),
            outcome,
        });
    }

    fn item_ref(&self, id: StepId, index: u32) -> Option<ItemRef> {
        self.maps.get(&id).map(|map| ItemRef {
            index,
            total: map.total,
        })
    }
}
