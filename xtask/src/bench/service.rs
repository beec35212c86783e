//! P9–P12: the server over HTTP, with a million runs and 100,000 documents in its database, next to
//! FastAPI on the same table. The load comes from the product's own generator.

mod rows;
mod up;
mod waiting;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::peers;
use crate::process::{capture, human, root};
use crate::servers::{Postgres, disk_folder};
pub(super) use rows::rows;
use up::Up;

pub(super) const IDS: [&str; 4] = ["P9", "P10", "P11", "P12"];
const CALLS: [&str; 3] = ["list", "get", "create"];
/// Processes of the peer; the best counts for each call.
const WORKERS: [u32; 3] = [1, 2, 4];
const CONNECTIONS: u32 = 50;
const MANY: u32 = 1_000;
const AT_ONCE: u32 = 100;
const RUNS: u64 = 1_000_000;
const DOCUMENTS: u64 = 100_000;
const PROJECTS: u64 = 100_000;
const DATABASE: &str = "bench_service";

/// What to measure, and with what.
pub(super) struct Plan<'a> {
    pub(super) runstone: &'a Path,
    pub(super) postgres: &'a Postgres,
    pub(super) rounds: usize,
    /// Cells so many times shorter.
    pub(super) shorter: u64,
    pub(super) peers: bool,
    /// Whether the database is filled first.
    pub(super) data: bool,
    pub(super) wants: &'a (dyn Fn(&str) -> bool + Sync),
}

/// What was measured.
#[derive(Default)]
pub(super) struct Figures {
    asked: Vec<Asked>,
    starts: Vec<Start>,
    /// A round of P9: a call, ours, theirs, in requests a second.
    against: Vec<(&'static str, f64, f64)>,
    watched: Option<Watched>,
    waited: Option<Waited>,
    no_peer: Option<String>,
    pub(super) notes: Vec<String>,
}

/// One cell: so many connections asking for the same thing.
struct Asked {
    who: String,
    call: &'static str,
    connections: u32,
    printed: Value,
}

/// One start of `runstone dev` in an empty folder.
struct Start {
    ready_ms: f64,
    idle_mb: f64,
}

/// Runs that wait, and the memory of the server that they are on.
struct Waited {
    runs: u64,
    /// From the first request to start some until all of them waited.
    seconds: f64,
    before_mb: f64,
    /// On the way there.
    most_mb: f64,
    waiting_mb: f64,
}

struct Watched {
    printed: Value,
    before_mb: f64,
    most_mb: f64,
}

impl Asked {
    fn number(&self, field: &str) -> f64 {
        self.printed[field].as_f64().unwrap_or(f64::NAN)
    }
}

impl Figures {
    pub(super) fn json(&self) -> Value {
        let asked = self.asked.iter().map(|one| {
            let mut printed = one.printed.clone();
            printed["who"] = json!(one.who);
            printed
        });
        let starts = self.starts.iter();
        let starts = starts.map(|one| json!({"ready_ms": one.ready_ms, "idle_mb": one.idle_mb}));
        json!({
            "asked": asked.collect::<Vec<_>>(),
            "starts": starts.collect::<Vec<_>>(),
            "watched": self.watched.as_ref().map(|one| &one.printed),
            "waited": self.waited.as_ref().map(|one| json!({
                "runs": one.runs, "seconds": one.seconds, "before_mb": one.before_mb,
                "most_mb": one.most_mb, "waiting_mb": one.waiting_mb,
            })),
        })
    }
}

pub(super) fn measure(plan: &Plan<'_>) -> Result<Figures> {
    let mut figures = Figures::default();
    if (plan.wants)("P12") {
        for _ in 0..plan.rounds.max(3) {
            figures.starts.push(dev(plan)?);
        }
        figures.waited = Some(waiting::measure(plan)?);
    }
    if !["P9", "P10", "P11"].into_iter().any(|id| (plan.wants)(id)) {
        return Ok(figures);
    }
    // Left by a benchmark that was broken off.
    plan.postgres.drop_database(DATABASE)?;
    let url = plan.postgres.new_database(DATABASE)?;
    let done = on_postgres(plan, &url, &mut figures);
    plan.postgres.drop_database(DATABASE)?;
    done?;
    Ok(figures)
}

fn on_postgres(plan: &Plan<'_>, url: &str, figures: &mut Figures) -> Result<()> {
    let bench = Bench::new(plan, url)?;
    if plan.data {
        let note = bench.fill()?;
        eprintln!("{note}");
        figures.notes.push(note);
    } else {
        figures
            .notes
            .push("the service was measured without a million runs".to_owned());
    }
    let python = match plan.peers {
        true => peers::fastapi(),
        false => Err("--no-peers".to_owned()),
    };
    for _ in 0..plan.rounds {
        if (plan.wants)("P9") || (plan.wants)("P10") {
            bench.against(&python, figures)?;
        }
        if (plan.wants)("P11") {
            let up = bench.serve()?;
            let asked = bench.ask("runstone", &up, "start", AT_ONCE, 5)?;
            figures.asked.push(asked);
        }
    }
    if (plan.wants)("P10") {
        let up = bench.serve()?;
        figures
            .asked
            .push(bench.ask("runstone", &up, "runs", CONNECTIONS, 5)?);
        figures
            .asked
            .push(bench.ask("runstone", &up, "mix", MANY, 30)?);
        figures.notes.push(format!(
            "`serve` on PostgreSQL: ready in {:.0} ms, {:.0} MB after {MANY} connections",
            up.ready.as_secs_f64() * 1e3,
            up.memory_mb()
        ));
    }
    if (plan.wants)("P12") {
        figures.watched = Some(bench.watch()?);
    }
    Ok(())
}

/// Starts `runstone dev` in an empty folder, looks, and ends it.
fn dev(plan: &Plan<'_>) -> Result<Start> {
    let folder = tempfile::Builder::new()
        .prefix("runstone-bench-")
        .tempdir_in(disk_folder())?;
    let up = Up::ours(plan.runstone, folder.path(), &["dev"])?;
    Ok(Start {
        ready_ms: up.ready.as_secs_f64() * 1e3,
        idle_mb: up.memory_mb(),
    })
}

/// Our program, a database and a key.
struct Bench<'a> {
    plan: &'a Plan<'a>,
    url: &'a str,
    key: String,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    fn new(plan: &'a Plan<'a>, url: &'a str) -> Result<Self> {
        let mut make = Command::new(plan.runstone);
        make.args(["keys", "create", "--name", "bench", "--role", "admin"]);
        let made = capture(make.args(["--json", "--db", url]))?;
        let made: Value = serde_json::from_str(&made)?;
        Ok(Self {
            plan,
            url,
            key: made["key"].as_str().context("no key was made")?.to_owned(),
            folder: tempfile::tempdir()?,
        })
    }

    fn serve(&self) -> Result<Up> {
        let args = ["serve", "--db", self.url];
        Up::ours(self.plan.runstone, self.folder.path(), &args)
    }

    fn runstone(&self, args: &[&str]) -> Result<Value> {
        let mut command = Command::new(self.plan.runstone);
        let text = capture(command.args(args).env("RUNSTONE_BENCH_KEY", &self.key))?;
        serde_json::from_str(&text).with_context(|| format!("{args:?} printed no JSON: {text}"))
    }

    fn ask(
        &self,
        who: &str,
        up: &Up,
        call: &'static str,
        connections: u32,
        seconds: u64,
    ) -> Result<Asked> {
        let many = connections.to_string();
        let seconds = (seconds as f64 / self.plan.shorter as f64)
            .max(1.0)
            .to_string();
        let args = ["--concurrency", &many, "--seconds", &seconds];
        let printed = self.api(up, call, &args)?;
        let rate = printed["requests_per_s"].as_f64().unwrap_or(0.0);
        eprintln!("{who}: {call} on {connections} connections: {rate:.0} requests/s");
        Ok(Asked {
            who: who.to_owned(),
            call,
            connections,
            printed,
        })
    }

    fn api(&self, up: &Up, call: &str, args: &[&str]) -> Result<Value> {
        let mut all = vec![
            "bench", "api", "--json", "--server", &up.url, "--call", call,
        ];
        all.extend(args);
        self.runstone(&all)
    }

    /// Real runs and documents: nothing is measured on rows that only look like some.
    fn fill(&self) -> Result<String> {
        let begin = Instant::now();
        let of = |number: u64| (number / self.plan.shorter).to_string();
        let (runs, documents, projects) = (of(RUNS), of(DOCUMENTS), of(PROJECTS));
        let mut args = vec![
            "bench", "start", "--db", self.url, "--json", "--runs", &runs,
        ];
        args.extend(["--concurrency", "512", "--state-bytes", "64"]);
        self.runstone(&args)?;
        let (began, up) = (begin.elapsed(), self.serve()?);
        for (call, number) in [("document", &documents), ("create", &projects)] {
            self.api(&up, call, &["--concurrency", "64", "--requests", number])?;
        }
        drop(up);
        self.plan.postgres.tidy(DATABASE)?;
        Ok(format!(
            "before the service was measured: {runs} finished runs, made in {}, {documents} \
             documents and {projects} projects; {} in all",
            human(began),
            human(begin.elapsed())
        ))
    }

    /// Ours, theirs with each number of processes, ours again.
    fn against(
        &self,
        python: &Result<std::path::PathBuf, String>,
        figures: &mut Figures,
    ) -> Result<()> {
        let ours = |figures: &mut Figures| -> Result<[f64; 3]> {
            let up = self.serve()?;
            let mut rates = [0.0; 3];
            for (rate, call) in rates.iter_mut().zip(CALLS) {
                let asked = self.ask("runstone", &up, call, CONNECTIONS, 5)?;
                *rate = asked.number("requests_per_s");
                figures.asked.push(asked);
            }
            Ok(rates)
        };
        let before = ours(figures)?;
        let theirs = match python {
            Ok(python) => self.peer(python, figures),
            Err(why) => Err(anyhow::anyhow!("{why}")),
        };
        let theirs = match theirs {
            Ok(theirs) => theirs,
            Err(error) => {
                figures.no_peer = Some(format!("{error:#}"));
                return Ok(());
            }
        };
        let after = ours(figures)?;
        for (at, call) in CALLS.into_iter().enumerate() {
            let mean = (before[at] + after[at]) / 2.0;
            figures.against.push((call, mean, theirs[at]));
        }
        Ok(())
    }

    fn peer(&self, python: &Path, figures: &mut Figures) -> Result<[f64; 3]> {
        let scripts = root()?.join("bench/peers");
        let mut best = [0.0_f64; 3];
        for workers in WORKERS {
            let (up, version) = Up::fastapi(python, &scripts, self.url, workers)?;
            let who = format!("FastAPI, {workers} processes");
            for (best, call) in best.iter_mut().zip(CALLS) {
                let asked = self.ask(&who, &up, call, CONNECTIONS, 5)?;
                if asked.number("errors") == 0.0 {
                    *best = best.max(asked.number("requests_per_s"));
                }
                figures.asked.push(asked);
            }
            let note = format!(
                "the peer of P9: {version}; uvloop, httptools, no access log; its best of {WORKERS:?} processes"
            );
            if !figures.notes.contains(&note) {
                figures.notes.push(note);
            }
        }
        if best.contains(&0.0) {
            bail!("it gave no answers without errors");
        }
        Ok(best)
    }

    /// 1,000 watchers of 100 runs on a fresh server, whose memory is looked at all the while.
    fn watch(&self) -> Result<Watched> {
        let up = self.serve()?;
        let before_mb = up.memory_mb();
        let (many, mut most_mb) = (MANY.to_string(), before_mb);
        let args = ["--concurrency", &many, "--runs", "100"];
        let printed = std::thread::scope(|scope| {
            let watching = scope.spawn(|| self.api(&up, "watch", &args));
            while !watching.is_finished() {
                most_mb = most_mb.max(up.memory_mb());
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            watching.join()
        });
        let printed = printed.map_err(|_| anyhow::anyhow!("watching panicked"))??;
        Ok(Watched {
            printed,
            before_mb,
            most_mb,
        })
    }
}
