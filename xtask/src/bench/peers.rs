//! Installs the peers into a throw-away folder, once, and runs bench/peers/ against them.
//!
//! They get servers and folders of their own, talk over loopback only, and are gone when we are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::cells::Db;
use crate::process::{answers, capture, root, run, target_dir};
use crate::servers::{Postgres, disk_folder};

/// A peer on one database, and which of our databases it is compared with.
pub(super) struct Peer {
    pub(super) name: &'static str,
    script: &'static str,
    pub(super) against: Db,
}

/// Restate has its own storage, embedded in its one server: SQLite is what ours embeds.
pub(super) const PEERS: [Peer; 5] = [
    Peer {
        name: "LangGraph on SQLite",
        script: "langgraph_chain.py",
        against: Db::Sqlite,
    },
    Peer {
        name: "DBOS (Python) on SQLite",
        script: "dbos_chain.py",
        against: Db::Sqlite,
    },
    Peer {
        name: "Restate",
        script: "restate_chain.mjs",
        against: Db::Sqlite,
    },
    Peer {
        name: "LangGraph on PostgreSQL",
        script: "langgraph_chain.py",
        against: Db::Postgres,
    },
    Peer {
        name: "DBOS (Python) on PostgreSQL",
        script: "dbos_chain.py",
        against: Db::Postgres,
    },
];

/// A peer's best cell.
#[derive(Debug)]
pub(super) struct Theirs {
    pub(super) steps_per_s: f64,
    pub(super) version: String,
    pub(super) durability: String,
    /// All of its cells.
    pub(super) printed: Vec<Value>,
}

pub(super) struct Peers {
    python: Result<PathBuf, String>,
    node: Result<PathBuf, String>,
    scripts: PathBuf,
}

/// A private network with nothing but loopback in it, gone with all processes when its first ends.
const ALONE: [&str; 6] = [
    "--user",
    "--map-root-user",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
];

impl Peers {
    /// One that cannot be installed is reported by each of its rows.
    pub(super) fn install() -> Result<Self, String> {
        let install = || -> Result<Self> {
            let scripts = root()?.join("bench/peers");
            let home = target_dir()?.join("peers");
            std::fs::create_dir_all(&home)?;
            let python = python(&home.join("python"), &scripts.join("requirements.txt"));
            let node = node(&home.join("node"), &scripts.join("package.json"));
            let plain = |error: anyhow::Error| format!("not installed: {error:#}");
            Ok(Peers {
                python: python.map_err(plain),
                node: node.map_err(plain),
                scripts,
            })
        };
        install().map_err(|error| format!("{error:#}"))
    }

    pub(super) fn run(&self, peer: &Peer, postgres: &Postgres, shorter: u64) -> Result<Theirs> {
        let folder = tempfile::Builder::new()
            .prefix("runstone-peer-")
            .tempdir_in(disk_folder())?;
        let script = self.scripts.join(peer.script);
        let mut command = match peer.script.ends_with(".py") {
            true => {
                let mut python = Command::new(ready(&self.python)?);
                python.arg(script).env("PYTHONDONTWRITEBYTECODE", "1");
                let db = if peer.against == Db::Sqlite {
                    "sqlite"
                } else {
                    "postgres"
                };
                python.args(["--db", db, "--url", &postgres.server.url]);
                python
            }
            false => node_command(ready(&self.node)?, &script),
        };
        let seconds = (5.0 / shorter as f64).max(1.0).to_string();
        command
            .arg("--dir")
            .arg(folder.path())
            .args(["--seconds", &seconds]);
        // No peer may report to anybody.
        let quiet = [("DO_NOT_TRACK", "1"), ("LANGSMITH_TRACING", "false")];
        best(&capture(command.envs(quiet))?)
    }
}

/// Python with FastAPI, in an environment of its own: its packages are not the engines'.
pub(super) fn fastapi() -> Result<PathBuf, String> {
    let install = || -> Result<PathBuf> {
        let home = target_dir()?.join("peers");
        std::fs::create_dir_all(&home)?;
        let list = root()?.join("bench/peers/requirements-fastapi.txt");
        python(&home.join("fastapi"), &list)
    };
    install().map_err(|error| format!("not installed: {error:#}"))
}

fn ready(tool: &Result<PathBuf, String>) -> Result<&Path> {
    tool.as_deref().map_err(|why| anyhow::anyhow!("{why}"))
}

/// The best of the printed lines counts; each names the same version and settings.
fn best(printed: &str) -> Result<Theirs> {
    let lines = printed.lines().filter(|line| line.starts_with('{'));
    let cells = lines
        .map(serde_json::from_str)
        .collect::<Result<Vec<Value>, _>>()?;
    let rate = |cell: &Value| cell["steps_per_s"].as_f64().unwrap_or(0.0);
    let best = cells.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)));
    let best = best.with_context(|| format!("it printed no figures: {printed}"))?;
    let text = |field: &str| best[field].as_str().unwrap_or("?").to_owned();
    eprintln!(
        "{} on {}: {:.0} steps/s",
        text("peer"),
        text("db"),
        rate(best)
    );
    if rate(best) <= 0.0 {
        bail!("it printed no rate: {best}");
    }
    let (version, durability) = (text("version"), text("durability"));
    Ok(Theirs {
        steps_per_s: rate(best),
        version,
        durability,
        printed: cells.clone(),
    })
}

fn node_command(folder: &Path, script: &Path) -> Command {
    let mut unshare = Command::new("unshare");
    let mut command = if answers(unshare.args(ALONE).arg("true")) {
        let mut alone = Command::new("unshare");
        alone
            .args(ALONE)
            .args(["sh", "-c", "ip link set lo up && exec node \"$@\"", "node"]);
        alone
    } else {
        Command::new("node")
    };
    command.arg(script).current_dir(folder);
    command
}

fn python(folder: &Path, requirements: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    once(folder, requirements, || {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder))?;
        let mut pip = Command::new(&python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ]);
        run(pip.arg(requirements))
    })?;
    Ok(python)
}

fn node(folder: &Path, package: &Path) -> Result<PathBuf> {
    once(folder, package, || {
        std::fs::create_dir_all(folder)?;
        std::fs::copy(package, folder.join("package.json"))?;
        let quiet = [
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ];
        run(Command::new("npm").args(quiet).current_dir(folder))
    })?;
    Ok(folder.to_path_buf())
}

/// Installs again only when the list of packages has changed since it last went well.
fn once(folder: &Path, list: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut name: OsString = folder.as_os_str().to_owned();
    name.push(".installed");
    let stamp = PathBuf::from(name);
    let wanted = std::fs::read(list).with_context(|| format!("no {}", list.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    Ok(std::fs::write(&stamp, wanted)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_cell_counts_and_other_output_is_passed_over() {
        let printed = "starting\n\
            {\"peer\":\"x\",\"version\":\"1\",\"db\":\"own\",\"steps_per_s\":300,\"durability\":\"d\"}\n\
            {\"peer\":\"x\",\"version\":\"1\",\"db\":\"own\",\"steps_per_s\":900,\"durability\":\"d\"}\n";
        let theirs = best(printed).expect("two cells");
        assert_eq!((theirs.steps_per_s, theirs.printed.len()), (900.0, 2));
        assert!(best("nothing").is_err());
    }
}
