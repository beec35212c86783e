//! The database server is killed and started again, over and over, under 200 runs in flight of the
//! real program: the program waits and goes on, and nothing is lost, doubled or stuck.
//! `RUNSTONE_DATABASE_KILLS` sets how often (40 without `CI`, which is two minutes; 5 with it).
#![expect(clippy::unwrap_used, reason = "tests")]
mod journal_check;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use journal_check::check;
use runstone_testkit::servers::{Own, TestDatabase};

const BINARY: &str = env!("CARGO_BIN_EXE_runstone");
const IN_FLIGHT: &str = "200";
/// Shorter than a dead server's lease would need: there is one process, which never dies.
const LEASE: &str = "10";
/// From one kill to the next.
const PERIOD: Duration = Duration::from_secs(3);
/// The last kill is for so many periods.
const AWAY_PERIODS: u32 = 6;

/// By run, the highest acknowledged row.
type Acks = BTreeMap<String, u64>;

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
fn complaints(load: &mut Child) -> thread::JoinHandle<Vec<String>> {
    let lines = BufReader::new(load.stderr.take().unwrap()).lines();
    thread::spawn(move || lines.map_while(Result::ok).collect())
}

/// Of 200 runs that wait none says so by itself: a line when the database goes away, one when it is
/// back, and nothing else.
fn are_few(said: &[String], kills: usize) {
    let (away, back): (Vec<_>, Vec<_>) = said
        .iter()
        .partition(|line| line.starts_with("! the database does not answer, waiting: "));
    assert!(
        (1..=kills).contains(&away.len()),
        "{kills} kills: {said:#?}"
    );
    assert!(back.len() <= away.len(), "{said:#?}");
    for line in back {
        assert_eq!(line, "the database answers again", "{said:#?}");
    }
}

fn note(acks: &mut Acks, (run, seq): (String, u64)) {
    let last = acks.entry(run).or_default();
    *last = seq.max(*last);
}

/// Takes in what is acknowledged for one period; answers how much.
fn one_period(received: &Receiver<(String, u64)>, acks: &mut Acks) -> u64 {
    let end = std::time::Instant::now() + PERIOD;
    let mut count = 0;
    loop {
        let left = end.saturating_duration_since(std::time::Instant::now());
        match received.recv_timeout(left) {
            Ok(ack) => {
                note(acks, ack);
                count += 1;
            }
            Err(RecvTimeoutError::Timeout) => return count,
            Err(RecvTimeoutError::Disconnected) => panic!("the program ended under the kills"),
        }
    }
}

fn resume_all(url: &str) {
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

fn kill_again_and_again(kind: TestDatabase) {
    let Some(mut server) = Own::start(kind, None, &[]) else {
        return;
    };
    let default = if std::env::var_os("CI").is_some() {
        5
    } else {
        40
    };
    let kills =
        std::env::var("RUNSTONE_DATABASE_KILLS").map_or(default, |text| text.parse().unwrap());
    let url = server.url().to_owned();
    let mut load = Command::new(BINARY)
        .args(["bench", "chain", "--db", &url, "--concurrency", IN_FLIGHT])
        .args(["--runs", "100000000", "--acks", "--lease", LEASE])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (received, said) = (acknowledgements(&mut load), complaints(&mut load));
    let mut acks = Acks::new();
    // Not before it is under load: the load makes its schema first.
    note(&mut acks, received.recv().unwrap());
    let mut idle = 0;
    for _ in 0..kills {
        idle += u32::from(one_period(&received, &mut acks) == 0);
        server.kill();
        server.start_again();
    }
    assert!(
        idle < kills / 2,
        "in {idle} of {kills} periods nothing went on"
    );
    // Away for longer than a commit waits before it says so.
    server.kill();
    for _ in 0..AWAY_PERIODS {
        one_period(&received, &mut acks);
    }
    server.start_again();
    // And it goes on after the last one.
    let before = acks.values().sum::<u64>();
    while acks.values().sum::<u64>() < before + 1_000 {
        note(
            &mut acks,
            received.recv_timeout(Duration::from_secs(60)).unwrap(),
        );
    }
    load.kill().unwrap();
    load.wait().unwrap();
    are_few(&said.join().unwrap(), kills as usize + 1);
    received.into_iter().for_each(|ack| note(&mut acks, ack));
    resume_all(&url);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime.block_on(check(&url, &acks));
    println!(
        "{} killed {kills} times, {} runs, {} rows, {} acknowledged runs: \
         lost {} / twice {} / stuck {}",
        kind.name(),
        found.runs,
        found.rows,
        acks.len(),
        found.lost,
        found.twice,
        found.stuck
    );
    assert_eq!((found.lost, found.twice, found.stuck), (0, 0, 0));
}

mod postgres {
    #[test]
    fn a_killed_server_loses_nothing() {
        super::kill_again_and_again(super::TestDatabase::Postgres);
    }
}

mod mariadb {
    #[test]
    fn a_killed_server_loses_nothing() {
        super::kill_again_and_again(super::TestDatabase::Mariadb);
    }
}
