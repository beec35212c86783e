//! Runs the product's own benchmark, one cell at a time, each on an empty database.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::capture;
use crate::servers::{Kind, Postgres, disk_folder};

/// Runs in flight where many are asked for.
pub(super) const MANY: u32 = 128;
const STEPS: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(super) enum Db {
    Sqlite,
    Postgres,
    Mariadb,
    /// The server that a variable names: there is none to fetch.
    Mssql,
}

impl Db {
    pub(super) fn name(self) -> &'static str {
        match self {
            Db::Sqlite => "SQLite",
            Db::Postgres => "PostgreSQL",
            Db::Mariadb => "MariaDB",
            Db::Mssql => "SQL Server",
        }
    }
}

/// What `runstone bench … --json` printed.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) scenario: &'static str,
    pub(super) db: Db,
    pub(super) concurrency: u32,
    pub(super) printed: Value,
}

impl Cell {
    pub(super) fn number(&self, field: &str) -> Result<f64> {
        let Cell {
            scenario, printed, ..
        } = self;
        let number = printed[field].as_f64();
        number.with_context(|| format!("bench {scenario} printed no number {field}: {printed}"))
    }
}

pub(super) struct Cells<'a> {
    runstone: PathBuf,
    pub(super) postgres: &'a Postgres,
    pub(super) shorter: u64,
}

impl<'a> Cells<'a> {
    pub(super) fn new(runstone: &Path, postgres: &'a Postgres, shorter: u64) -> Result<Self> {
        if !runstone.is_file() {
            bail!("there is no {}", runstone.display());
        }
        Ok(Cells {
            runstone: runstone.to_path_buf(),
            postgres,
            shorter,
        })
    }

    pub(super) fn chain(&self, db: Db, concurrency: u32) -> Result<Cell> {
        let runs = if concurrency == 1 { 1_000 } else { 10_000 };
        let steps = STEPS.to_string();
        self.cell(
            "chain",
            db,
            concurrency,
            runs,
            &["--steps", &steps, "--state-bytes", "1024"],
        )
    }

    pub(super) fn start(&self, db: Db) -> Result<Cell> {
        self.cell("start", db, MANY, 20_000, &[])
    }

    pub(super) fn fanout(&self) -> Result<Cell> {
        self.cell("fanout", Db::Sqlite, MANY, 2_000, &[])
    }

    /// Stored bytes over the bytes of the state, 1,000 steps that each append 1 KiB.
    pub(super) fn storage(&self) -> Result<Value> {
        let folder = tempfile::Builder::new()
            .prefix("runstone-bench-")
            .tempdir_in(disk_folder())?;
        let url = sqlite_url(folder.path());
        self.runstone(&["bench", "storage", "--db", &url, "--json"])
    }

    fn cell(
        &self,
        scenario: &'static str,
        db: Db,
        concurrency: u32,
        runs: u64,
        more: &[&str],
    ) -> Result<Cell> {
        let folder = tempfile::Builder::new()
            .prefix("runstone-bench-")
            .tempdir_in(disk_folder())?;
        // A server of its own is the quickest way to an empty database.
        let mut mariadb = None;
        let url = match db {
            Db::Sqlite => sqlite_url(folder.path()),
            Db::Postgres => self.postgres.new_database("bench")?,
            Db::Mariadb => mariadb.insert(Kind::Mariadb.start()?).url.clone(),
            Db::Mssql => std::env::var(Kind::Mssql.variable())?,
        };
        let (many, runs) = (concurrency.to_string(), (runs / self.shorter).to_string());
        let mut args = vec!["bench", scenario, "--db", &url, "--concurrency", &many];
        args.extend(["--runs", &runs, "--json"]);
        args.extend(more);
        let printed = self.runstone(&args);
        match db {
            Db::Sqlite | Db::Mariadb => {}
            Db::Postgres => self.postgres.drop_database("bench")?,
            Db::Mssql => self.emptied(&url)?,
        }
        let cell = Cell {
            scenario,
            db,
            concurrency,
            printed: printed?,
        };
        let errors = cell.number("errors")?;
        if errors != 0.0 {
            bail!(
                "bench {scenario} on {} had {errors} errors: {}",
                db.name(),
                cell.printed
            );
        }
        let rate = cell.number("steps_per_s")?;
        eprintln!(
            "{scenario} on {}, {concurrency} in flight: {rate:.0} steps/s",
            db.name()
        );
        Ok(cell)
    }

    /// Takes our tables out of a database that is not ours.
    fn emptied(&self, url: &str) -> Result<()> {
        let mut down = Command::new(&self.runstone);
        capture(down.args(["migrate", "down", "--to", "0", "--yes", "--db", url])).map(drop)
    }

    fn runstone(&self, args: &[&str]) -> Result<Value> {
        let text = capture(Command::new(&self.runstone).args(args))?;
        serde_json::from_str(&text).with_context(|| format!("{args:?} printed no JSON: {text}"))
    }
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("bench.db").display())
}
