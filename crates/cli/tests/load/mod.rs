//! The real program under 200 runs in flight on a server, and what it says meanwhile: which rows it
//! acknowledges, and its complaints.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_runstone");
const IN_FLIGHT: &str = "200";
/// Longer than any outage: there is one process, which never dies.
const LEASE: &str = "60";
/// How long is looked whether anything goes on.
const PERIOD: Duration = Duration::from_secs(3);
/// After an outage something goes on again within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it says when the database goes away, before the reason.
pub(crate) const AWAY: &str = "! the database does not answer, waiting: ";
/// And when it is back.
pub(crate) const BACK: &str = "the database answers again";

/// By run, the highest acknowledged row.
pub(crate) type Acks = BTreeMap<String, u64>;

pub(crate) struct Load {
    process: Child,
    received: Receiver<(String, u64)>,
    said: Arc<Mutex<Vec<String>>>,
    saying: JoinHandle<()>,
    acks: Acks,
}

impl Load {
    /// Comes back when it is under way: it makes its schema first.
    pub(crate) fn start(url: &str) -> Self {
        let mut process = Command::new(BINARY)
            .args(["bench", "chain", "--db", url, "--concurrency", IN_FLIGHT])
            .args(["--runs", "100000000", "--acks", "--lease", LEASE])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let received = acknowledgements(&mut process);
        let said = Arc::default();
        let saying = complaints(&mut process, Arc::clone(&said));
        let mut load = Self {
            process,
            received,
            said,
            saying,
            acks: Acks::new(),
        };
        load.goes_on(1);
        load
    }

    /// Takes in what is acknowledged for one period; answers how much.
    pub(crate) fn one_period(&mut self) -> u64 {
        let end = Instant::now() + PERIOD;
        let mut count = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.received.recv_timeout(left) {
                Ok(ack) => {
                    note(&mut self.acks, ack);
                    count += 1;
                }
                Err(RecvTimeoutError::Timeout) => return count,
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended: {:#?}", self.said.lock().unwrap())
                }
            }
        }
    }

    /// Waits until so many more rows are acknowledged.
    pub(crate) fn goes_on(&mut self, rows: u64) {
        for _ in 0..rows {
            let ack = self.received.recv_timeout(PATIENCE);
            let said = || self.said.lock().unwrap().clone();
            let ack = ack.unwrap_or_else(|error| panic!("nothing goes on, {error}: {:#?}", said()));
            note(&mut self.acks, ack);
        }
    }

    /// Waits until a new line on stderr begins like this.
    pub(crate) fn tells(&mut self, begin: &str) {
        let tells = |load: &Self| {
            let said = load.said.lock().unwrap();
            said.last().is_some_and(|line| line.starts_with(begin))
        };
        let end = Instant::now() + PATIENCE;
        while !tells(self) {
            assert!(Instant::now() < end, "{begin}: {:#?}", self.said);
            self.one_period();
        }
    }

    /// Kills it; answers what was acknowledged, and all complaints.
    pub(crate) fn end(mut self) -> (Acks, Vec<String>) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.saying.join().unwrap();
        for ack in self.received {
            note(&mut self.acks, ack);
        }
        let said = std::mem::take(&mut *self.said.lock().unwrap());
        (self.acks, said)
    }
}

/// Every line that the load prints, until it ends.
fn acknowledgements(load: &mut Child) -> Receiver<(String, u64)> {
    let lines = BufReader::new(load.stdout.take().unwrap()).lines();
    let (acks, received) = mpsc::channel();
    thread::spawn(move || {
        for line in lines {
            let Ok(line) = line else { return };
            // The last line may have been cut off by the kill: then it was not acknowledged.
            let Some((run, seq)) = line.split_once(' ') else {
                return;
            };
            let Ok(seq) = seq.parse() else { return };
            if acks.send((run.to_owned(), seq)).is_err() {
                return;
            }
        }
    });
    received
}

/// What the load says on stderr, until it ends.
fn complaints(load: &mut Child, said: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let lines = BufReader::new(load.stderr.take().unwrap()).lines();
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            said.lock().unwrap().push(line);
        }
    })
}

fn note(acks: &mut Acks, (run, seq): (String, u64)) {
    let last = acks.entry(run).or_default();
    *last = seq.max(*last);
}

/// Of 200 runs that wait none says so by itself: a line when the database goes away, one when it is
/// back, and nothing else.
pub(crate) fn are_few(said: &[String], outages: usize) {
    let (away, back): (Vec<_>, Vec<_>) = said.iter().partition(|line| line.starts_with(AWAY));
    assert!(
        (1..=outages).contains(&away.len()),
        "{outages} outages: {said:#?}"
    );
    assert!(back.len() <= away.len(), "{said:#?}");
    for line in back {
        assert_eq!(line, BACK, "{said:#?}");
    }
}

/// Another process goes on with everything to its end.
pub(crate) fn resume_all(url: &str) {
    let done = Command::new(BINARY)
        .args(["resume", "--all", "--quiet", "--db", url, "--lease", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "resume --all: {} {said}",
        done.status
    );
}
