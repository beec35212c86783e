//! The real program, killed for real: no acknowledged row is lost, no step's result is there twice,
//! no run is left behind; a frozen owner's rows are refused once another has taken over.
//! `RUNSTONE_KILLS` sets how often (100 without `CI`, 15 with it; a few on further servers).
#![expect(clippy::unwrap_used, reason = "tests")]
mod journal_check;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use journal_check::check;
use runstone_testkit::{
    on_every_database,
    servers::{Fresh, TestDatabase},
};

const BINARY: &str = env!("CARGO_BIN_EXE_runstone");
const IN_FLIGHT: &str = "1000";

/// The bar is for SQLite and PostgreSQL; on the others a few kills show that nothing differs.
fn kills(database: TestDatabase) -> u32 {
    let default = if std::env::var_os("CI").is_some() {
        15
    } else {
        100
    };
    let all = std::env::var("RUNSTONE_KILLS").map_or(default, |text| text.parse().unwrap());
    match database {
        TestDatabase::Sqlite | TestDatabase::Postgres => all,
        _ => all.min(5),
    }
}

/// On a server nothing but time makes an owner dead; on SQLite the lock does.
fn lease(database: TestDatabase) -> &'static str {
    match database {
        TestDatabase::Sqlite => "10",
        _ => "1",
    }
}

/// What was acknowledged: by run, the highest row.
type Acks = BTreeMap<String, u64>;

struct Load(Child);

impl Load {
    fn start(url: &str, lease: &str) -> Self {
        let child = Command::new(BINARY)
            .args(["bench", "chain", "--db", url, "--concurrency", IN_FLIGHT])
            .args(["--runs", "100000000", "--acks", "--lease", lease])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Reads acknowledgements to the end of the output; calls `then` after so many of them.
    fn read(&mut self, stages: &[usize], acks: &mut Acks, mut then: impl FnMut(usize, &mut Child)) {
        let mut lines = BufReader::new(self.0.stdout.take().unwrap());
        let mut line = String::new();
        let mut seen = 0;
        loop {
            line.clear();
            // A line without its end was cut off by the kill: it was not acknowledged.
            if lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                break;
            }
            let (run, seq) = line.trim().split_once(' ').unwrap();
            let last = acks.entry(run.to_owned()).or_default();
            *last = seq.parse::<u64>().unwrap().max(*last);
            seen += 1;
            if let Some(stage) = stages.iter().position(|count| *count == seen) {
                then(stage, &mut self.0);
            }
        }
        assert!(
            stages.iter().all(|count| seen >= *count),
            "the load ended by itself after {seen} acknowledgements"
        );
    }

    fn end(mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// SplitMix64, so that the instants differ from kill to kill and are the same from test to test.
fn draw(seed: u64, bound: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x1234_5678_9abc_def1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % bound
}

/// Goes on with everything that is unfinished, to its end.
fn resume_all(url: &str, lease: &str) {
    let done = Command::new(BINARY)
        .args(["resume", "--all", "--quiet", "--db", url, "--lease", lease])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "resume --all: {} {said}",
        done.status
    );
}

async fn kill_again_and_again(fresh: &Fresh) {
    let (url, lease) = (fresh.url(), lease(fresh.database()));
    let mut acks = Acks::new();
    let kills = kills(fresh.database());
    for kill in 0..kills {
        let mut load = Load::start(url, lease);
        let count = 1000 + usize::try_from(draw(u64::from(kill), 4000)).unwrap();
        load.read(&[count], &mut acks, |_, child| child.kill().unwrap());
        load.end();
        // Every few kills the survivors go on, and are killed too while they do.
        if kill % 10 == 4 {
            resume_all(url, lease);
        }
    }
    resume_all(url, lease);
    let found = check(url, &acks).await;
    println!(
        "{kills} kills, {} runs, {} rows, {} acknowledged runs: lost {} / twice {} / stuck {}",
        found.runs,
        found.rows,
        acks.len(),
        found.lost,
        found.twice,
        found.stuck
    );
    assert_eq!((found.lost, found.twice, found.stuck), (0, 0, 0));
    assert!(
        found.runs >= u64::from(kills),
        "hardly a run: it shows nothing"
    );
}

/// Sends a signal to a process that this test started.
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

async fn freeze_and_thaw(fresh: &Fresh) {
    let url = fresh.url();
    let mut acks = Acks::new();
    let mut load = Load::start(url, "1");
    load.read(&[3000, 9000], &mut acks, |stage, child| match stage {
        0 => {
            signal(child, "-STOP");
            // Past its lease, another process takes all of its runs over and ends them; then it
            // goes on with what it believes to own.
            resume_all(url, "1");
            signal(child, "-CONT");
        }
        _ => child.kill().unwrap(),
    });
    load.end();
    resume_all(url, "1");
    let found = check(url, &acks).await;
    println!(
        "{} runs, {} taken over, {} rows of a stale owner",
        found.runs, found.taken, found.stale
    );
    assert!(found.taken > 0, "nothing was taken over: it shows nothing");
    assert_eq!(
        (found.stale, found.lost, found.twice, found.stuck),
        (0, 0, 0, 0)
    );
}

on_every_database! {
    async fn killed_nothing_is_lost(fresh: &Fresh) {
        kill_again_and_again(fresh).await;
    }
}

/// SQLite's lock lets nobody take a frozen owner's runs over.
mod frozen {
    use runstone_testkit::{on_every_server, servers::Fresh};

    on_every_server! {
        async fn killed_after_a_take_over_a_frozen_owner_is_refused(fresh: &Fresh) {
            super::freeze_and_thaw(fresh).await;
        }
    }
}
