//! `cargo xtask bench`: the speed bars P1–P7 and P9–P12 as one table, ours and the peers' on one
//! machine, and beside them how the chain fares on the databases that have no bar.
//!
//! Every bar is a ratio of two figures measured next to each other, because the machine is shared:
//! the raw driver in the same process right before, a peer between two of our own runs.

mod bars;
mod cells;
mod machine;
mod peers;
mod service;
mod table;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::{cargo, human, run, target_dir};
use crate::servers::Postgres;
use bars::{Against, Measured, Row};
use cells::{Cells, Db};
use machine::Machine;
use peers::{PEERS, Peers};

struct Options {
    rounds: usize,
    /// Cells this many times shorter.
    shorter: u64,
    peers: bool,
    /// Whether the service is measured on a database with a million runs.
    data: bool,
    /// The bars that are wanted; all of them when empty.
    only: Vec<String>,
}

/// The bars that the chain, its starts and its peers are measured for.
const CHAIN: [&str; 6] = ["P1", "P2", "P3", "P4", "P5", "P6"];
const STORAGE: &str = "P7";

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Options {
            rounds: 3,
            shorter: 1,
            peers: true,
            data: true,
            only: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => (options.rounds, options.shorter) = (1, 5),
                "--no-peers" => options.peers = false,
                "--no-data" => options.data = false,
                "--only" => {
                    let bars = args.next().context("--only takes bars, as in `P9,P10`")?;
                    options.only.extend(bars.split(',').map(str::to_owned));
                }
                other => bail!(
                    "bench takes --quick, --no-peers, --no-data and --only P1,…, not `{other}`"
                ),
            }
        }
        let known = || CHAIN.iter().chain([&STORAGE]).chain(&service::IDS);
        let unknown = options.only.iter().find(|id| !known().any(|bar| bar == id));
        if let Some(id) = unknown {
            let known: Vec<&str> = known().copied().collect();
            bail!("there is no bar `{id}`; there are {}", known.join(", "));
        }
        Ok(options)
    }

    fn wants(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == id)
    }

    fn wants_chain(&self) -> bool {
        CHAIN.iter().any(|id| self.wants(id))
    }
}

pub(crate) fn bench(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "runstone",
    ])?)?;
    let peers = match (options.peers, options.wants_chain()) {
        (true, true) => Peers::install(),
        (true, false) => Err("not asked for".to_owned()),
        (false, _) => Err("--no-peers".to_owned()),
    };
    // The first figure should not see the compiler's own load.
    let machine = Machine::read();
    let postgres = Postgres::start()?;
    let runstone = target_dir()?.join("release/runstone");
    let begin = Instant::now();
    let measured = chain(&options, &runstone, &postgres, peers.as_ref())?;
    let service = service::measure(&service::Plan {
        runstone: &runstone,
        postgres: &postgres,
        rounds: options.rounds,
        shorter: options.shorter,
        peers: options.peers,
        data: options.data,
        wants: &|id| options.wants(id),
    })?;
    let mut rows = bars::judge(&measured);
    rows.extend(service::rows(&service));
    if !options.only.is_empty() {
        rows.retain(|row| options.wants(row.id) || (row.id.is_empty() && row.measured.is_ok()));
    }
    let mut notes = notes(
        &machine,
        &postgres,
        &measured,
        begin.elapsed(),
        peers.as_ref().err(),
    );
    notes.extend(service.notes.iter().cloned());
    println!("\n{}", table::text(&rows, &notes));
    write_json(&rows, &notes, &measured, &service)?;
    let missed = rows.iter().filter(|row| row.misses()).count();
    if missed > 0 {
        bail!("{missed} bars are missed");
    }
    Ok(())
}

/// P1–P7, as far as they are wanted.
fn chain(
    options: &Options,
    runstone: &Path,
    postgres: &Postgres,
    peers: Result<&Peers, &String>,
) -> Result<Measured> {
    let cells = Cells::new(runstone, postgres, options.shorter)?;
    let mut measured = Measured::default();
    for round in 1..=options.rounds {
        if options.wants_chain() {
            eprintln!("\n== round {round} of {}", options.rounds);
            one_round(&cells, peers, &mut measured)?;
        }
    }
    if options.wants(STORAGE) {
        measured.storage = Some(cells.storage()?);
    }
    Ok(measured)
}

fn one_round(
    cells: &Cells<'_>,
    peers: Result<&Peers, &String>,
    measured: &mut Measured,
) -> Result<()> {
    for db in [Db::Sqlite, Db::Postgres] {
        measured.add(cells.chain(db, 1)?);
        measured.add(cells.start(db)?);
        let mut before = cells.chain(db, cells::MANY)?;
        measured.add(before.clone());
        for peer in PEERS.iter().filter(|peer| peer.against == db) {
            let theirs = match peers {
                Ok(peers) => peers.run(peer, cells.postgres, cells.shorter),
                Err(why) => Err(anyhow::anyhow!("{why}")),
            };
            match theirs {
                Ok(theirs) => {
                    let after = cells.chain(db, cells::MANY)?;
                    measured.add(after.clone());
                    measured
                        .against
                        .push(Against::new(peer.name, &before, &after, theirs)?);
                    before = after;
                }
                Err(error) => measured.not_run(peer.name, &format!("{error:#}")),
            }
        }
    }
    measured.add(cells.fanout()?);
    for db in [Db::Mariadb, Db::Mssql] {
        for in_flight in [1, cells::MANY] {
            match cells.chain(db, in_flight) {
                Ok(cell) => measured.add(cell),
                Err(error) => measured.not_run(db.name(), &format!("{error:#}")),
            }
        }
    }
    Ok(())
}

fn notes(
    machine: &Machine,
    postgres: &Postgres,
    measured: &Measured,
    took: std::time::Duration,
    no_peers: Option<&String>,
) -> Vec<String> {
    let mut notes = vec![
        machine.to_string(),
        format!(
            "load average at the end {}; took {}",
            machine::load_average(),
            human(took)
        ),
        "chain: a run = 10 steps, each takes and returns 1 KiB of JSON, durable before the next; \
         ours with 128 runs in flight against the peer's best of 1, 16 and 128"
            .to_owned(),
        format!(
            "{}: fsync, synchronous_commit, full_page_writes on, shared_buffers 128 MB",
            postgres.server.version
        ),
    ];
    notes.push("SQL Server: what RUNSTONE_TEST_MSSQL_URL names, if anything".to_owned());
    notes.extend(measured.settings());
    notes.extend(no_peers.map(|why| format!("peers not run: {why}")));
    if machine.is_busy() {
        notes.push("THE MACHINE WAS BUSY at the start: trust ratios, not figures".to_owned());
    }
    notes
}

fn write_json(
    rows: &[Row],
    notes: &[String],
    measured: &Measured,
    service: &service::Figures,
) -> Result<()> {
    let file = target_dir()?.join("bench.json");
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    let all = json!({"bars": rows, "notes": notes, "cells": measured.json(),
                     "service": service.json()});
    std::fs::write(&file, serde_json::to_vec_pretty(&all)?)
        .with_context(|| format!("could not write {}", file.display()))?;
    eprintln!("all figures: {}", file.display());
    Ok(())
}
