//! PostgreSQL: a cluster made by initdb once a version, and a server on a copy of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use super::unprivileged::Owner;
use super::watched::{Plan, Watched};
use super::{Server, Wishes, cache, postgres_programs, version_of};
use crate::process::{capture, human};

const USER: &str = "runstone";

/// Which PostgreSQL.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// This major version and no other.
    Major(u32),
    /// What the machine has, or else Debian's package.
    Usual,
}

pub(super) fn start(wanted: Wanted, wishes: &Wishes) -> Result<Server> {
    Postgres::of(wanted, wishes).map(|postgres| postgres.server)
}

/// The usual one, with what benchmarks do to it.
pub(crate) struct Postgres {
    pub(crate) server: Server,
    programs: PathBuf,
}

impl Postgres {
    /// Installs the server if the machine has none, and starts it.
    pub(crate) fn start() -> Result<Self> {
        Self::of(Wanted::Usual, &Wishes::default())
    }

    fn of(wanted: Wanted, wishes: &Wishes) -> Result<Self> {
        let programs = postgres_programs::find_or_fetch(wanted)?;
        let begin = Instant::now();
        let said = capture(Command::new(programs.join("postgres")).arg("--version"))?;
        let version = version_of(&said)?;
        let owner = Owner::find()?;
        let prepared = prepare(&programs, said.trim(), owner)?;
        let watched = Watched::start(&Plan {
            name: "PostgreSQL",
            owner,
            prepared: &prepared,
            // It does not wait for clients.
            stop: "INT",
            within: wishes.within.as_deref(),
            line: &|folder, port| {
                let mut line = line(&programs, folder, port);
                line.extend(wishes.settings.iter().map(OsString::from));
                line
            },
            ready: &|folder, _| is_ready(folder),
        })?;
        let (port, time) = (watched.port, human(begin.elapsed()));
        eprintln!("PostgreSQL {version} on port {port}, ready in {time}");
        let server = Server {
            version,
            url: url_of(port, "postgres"),
            watched,
        };
        Ok(Self { server, programs })
    }

    /// Makes an empty database, and returns its URL.
    pub(crate) fn new_database(&self, name: &str) -> Result<String> {
        self.program("createdb", &[name])?;
        Ok(url_of(self.server.watched.port, name))
    }

    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        self.program("dropdb", &["--if-exists", "--force", name])
    }

    /// Does now what the server would do in the background while something is measured.
    pub(crate) fn tidy(&self, name: &str) -> Result<()> {
        self.program("vacuumdb", &["--analyze", "--quiet", name])
    }

    fn program(&self, program: &str, args: &[&str]) -> Result<()> {
        let mut command = Command::new(self.programs.join(program));
        let port = self.server.watched.port.to_string();
        command
            .args(["-h", "127.0.0.1", "-p", &port, "-U", USER])
            .args(args);
        capture(&mut command).map(drop)
    }
}

fn url_of(port: u16, database: &str) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/{database}")
}

/// A cluster as initdb leaves it.
fn prepare(programs: &Path, said: &str, owner: Owner) -> Result<PathBuf> {
    let plain: String = said
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let made = cache::once(&format!("cluster-{plain}"), |draft| {
        owner.take(draft)?;
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(draft.join("data"));
        initdb.args(["-U", USER, "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C.UTF-8", "--no-sync"]);
        owner.finish(&mut initdb, draft)
    })?;
    Ok(made.join("data"))
}

fn line(programs: &Path, folder: &Path, port: u16) -> Vec<OsString> {
    let mut line = vec![programs.join("postgres").into_os_string(), "-D".into()];
    line.push(folder.join("data").into_os_string());
    let port = port.to_string();
    let settings = [
        "-p",
        &port,
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "max_connections=400",
    ];
    line.extend(settings.map(OsString::from));
    line
}

/// The eighth line of postmaster.pid is the server's own word that it takes connections.
fn is_ready(folder: &Path) -> bool {
    let pid = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    let state = pid.lines().nth(7);
    state.is_some_and(|state| state.trim() == "ready")
}
