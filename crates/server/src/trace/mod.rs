//! Traces for a collector that speaks OTLP, off unless one is configured: a span for each request,
//! each run, each attempt of a step, each execution that an agent reports. Spans go through a
//! bounded queue; what does not fit is counted and dropped, so nothing ever waits for a collector.
mod export;
mod names;
mod proto;
mod runs;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rand::RngExt as _;
use runstone_model::{flow::Flow, ids::RunId, time::Timestamp};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{App, config::TraceSettings, metrics::Counter};

pub(crate) use names::agent_span;
pub(crate) use proto::{Kind, Span};

/// Spans that may wait to be sent.
const QUEUE: usize = 16_384;
/// Runs whose origin is remembered; beyond it they get traces of their own.
const ORIGINS: usize = 65_536;

/// Names a trace; 16 bytes.
pub(crate) type TraceBytes = [u8; 16];
/// Names a span within a trace; 8 bytes, not all of them 0.
pub(crate) type SpanBytes = [u8; 8];

/// A place within a trace, under which further spans belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) trace: TraceBytes,
    pub(crate) span: SpanBytes,
}

tokio::task_local! {
    /// The request that is being worked on.
    static REQUEST: Place;
}

/// What is known of a run that was started here.
#[derive(Clone)]
struct Origin {
    place: Option<Place>,
    flow: Arc<Flow>,
}

/// Where spans go.
pub(crate) struct Traces {
    settings: Option<TraceSettings>,
    queue: Mutex<Option<mpsc::Sender<Span>>>,
    origins: Mutex<HashMap<RunId, Origin>>,
    /// Spans that a collector took.
    pub(crate) sent: Counter,
    /// Spans that found the queue full.
    pub(crate) overflowed: Counter,
    /// Spans that no collector took.
    pub(crate) refused: Counter,
    /// Spans of runs that were never made, because news came too fast.
    pub(crate) missed: Counter,
}

impl Traces {
    pub(crate) fn new(settings: Option<TraceSettings>) -> Self {
        Self {
            settings,
            queue: Mutex::default(),
            origins: Mutex::default(),
            sent: Counter::default(),
            overflowed: Counter::default(),
            refused: Counter::default(),
            missed: Counter::default(),
        }
    }

    /// Starts sending, if a collector is configured; the task ends once [`Traces::close`] was
    /// called and what was queued is sent or given up.
    pub(crate) fn start(app: &App) -> Option<JoinHandle<()>> {
        let settings = app.traces.settings.clone()?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        *app.traces.lock_queue() = Some(sender);
        tokio::spawn(runs::watch(app.clone()));
        Some(tokio::spawn(export::send(app.clone(), settings, receiver)))
    }

    /// Takes no more spans.
    pub(crate) fn close(&self) {
        self.lock_queue().take();
    }

    fn lock_queue(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Span>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_origins(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Origin>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether spans of this trace are wanted: always or never the same for one trace, on every
    /// server.
    pub(crate) fn wants(&self, trace: &TraceBytes) -> bool {
        let Some(settings) = &self.settings else {
            return false;
        };
        // The last bytes are random in every kind of id.
        let [.., a, b] = *trace;
        u64::from(u16::from_be_bytes([a, b])) % 10_000 < settings.sample_percent * 100
    }

    /// Hands a span over; never waits.
    pub(crate) fn note(&self, span: Span) {
        if let Some(queue) = &*self.lock_queue()
            && queue.try_send(span).is_err()
        {
            self.overflowed.add(1);
        }
    }

    /// Remembers where a run comes from, before it starts.
    pub(crate) fn run_starts(&self, run: RunId, flow: &Arc<Flow>) {
        if self.settings.is_none() {
            return;
        }
        let origin = Origin {
            place: REQUEST.try_with(|place| *place).ok(),
            flow: Arc::clone(flow),
        };
        let mut origins = self.lock_origins();
        if origins.len() < ORIGINS {
            origins.insert(run, origin);
        }
    }

    fn origin(&self, run: RunId) -> Option<Origin> {
        self.lock_origins().get(&run).cloned()
    }

    fn forget(&self, run: RunId) {
        self.lock_origins().remove(&run);
    }
}

/// Works on a request at this place of its trace.
pub(crate) async fn within<T>(place: Option<Place>, work: impl Future<Output = T>) -> T {
    match place {
        Some(place) => REQUEST.scope(place, work).await,
        None => work.await,
    }
}

/// The request that is being worked on, when it is traced.
pub(crate) fn request() -> Option<Place> {
    REQUEST.try_with(|place| *place).ok()
}

/// A new span's name.
pub(crate) fn new_span() -> SpanBytes {
    // Not 0, which stands for none.
    rand::rng().random::<u64>().max(1).to_be_bytes()
}

/// Bytes out of their hex digits.
pub(crate) fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if hex.len() != 2 * N || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Nanoseconds since 1970, as OTLP has them.
fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0).saturating_mul(1000)
}
