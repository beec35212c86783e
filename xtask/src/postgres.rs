//! One real PostgreSQL server in a temporary folder, on a free loopback port, default durability.
//!
//! A small shell stands between us and the server and holds the other end of a pipe: when xtask
//! ends, in whatever way, the pipe closes, the shell stops the server it started and removes the
//! folder. Nothing else is ever stopped or removed.

mod install;

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::capture;

const READY_WITHIN: Duration = Duration::from_secs(60);
/// A port may be taken between finding it free and using it.
const TRIES: u32 = 3;
const USER: &str = "runstone";

/// Arguments: the folder of the programs, our folder, the port.
const WATCH: &str = r#"
trap : INT TERM HUP
"$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c max_connections=400 >"$2/log" 2>&1 </dev/null &
server=$!
read -r _
kill -INT "$server" 2>/dev/null
while kill -0 "$server" 2>/dev/null; do wait "$server"; done
rm -rf -- "$2"
"#;

/// A running server; dropping it stops it.
pub(crate) struct Postgres {
    pub(crate) version: String,
    programs: PathBuf,
    port: u16,
    watcher: Child,
}

impl Postgres {
    /// Installs the server if the machine has none, makes a new database cluster and starts it.
    pub(crate) fn start() -> Result<Self> {
        let programs = install::find_or_install()?;
        let version = capture(Command::new(programs.join("postgres")).arg("--version"))?;
        let owner = install::unprivileged()?;
        let begin = Instant::now();
        for attempt in 1.. {
            match Self::try_start(&programs, owner, version.trim()) {
                Ok(server) => {
                    let time = crate::process::human(begin.elapsed());
                    eprintln!(
                        "{} on port {}, ready in {time}",
                        server.version, server.port
                    );
                    return Ok(server);
                }
                Err(error) if attempt < TRIES => eprintln!("trying again: {error:#}"),
                Err(error) => return Err(error.context("PostgreSQL did not start")),
            }
        }
        unreachable!("the loop returns on its last attempt")
    }

    fn try_start(programs: &Path, owner: Option<(u32, u32)>, version: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("runstone-pg-")
            .tempdir_in(disk_folder())?;
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group))?;
        }
        let mut initdb = as_user(programs.join("initdb"), owner, folder.path());
        initdb.args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        initdb
            .args(["-U", USER, "-D"])
            .arg(folder.path().join("data"));
        capture(&mut initdb)?;

        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut watch = as_user("sh".into(), owner, folder.path());
        watch
            .args(["-c", WATCH, "postgres-watch"])
            .arg(programs)
            .arg(folder.path());
        watch.arg(port.to_string()).stdin(Stdio::piped());
        let watcher = watch.spawn().context("could not start sh")?;
        // From here on the watcher removes the folder, also when we are killed.
        let folder = folder.keep();
        let version = version.to_owned();
        let server = Postgres {
            version,
            programs: programs.to_path_buf(),
            port,
            watcher,
        };
        wait_until_ready(&folder)?;
        Ok(server)
    }

    /// The URL of the database that is always there.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Makes an empty database, and returns its URL.
    pub(crate) fn new_database(&self, name: &str) -> Result<String> {
        self.program("createdb", &[name])?;
        Ok(self.url_of(name))
    }

    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        self.program("dropdb", &["--if-exists", "--force", name])
    }

    fn program(&self, program: &str, args: &[&str]) -> Result<()> {
        let mut command = Command::new(self.programs.join(program));
        let port = self.port.to_string();
        command
            .args(["-h", "127.0.0.1", "-p", &port, "-U", USER])
            .args(args);
        capture(&mut command).map(drop)
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        if let Err(error) = self.watcher.wait() {
            eprintln!("could not wait for PostgreSQL to stop: {error}");
        }
    }
}

/// A folder for database files on a real disk: a memory file system has no durability to measure.
pub(crate) fn disk_folder() -> PathBuf {
    let folder = std::env::temp_dir();
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let in_memory = mounts.lines().any(|line| {
        let mut words = line.split(' ').skip(1);
        words.next().is_some_and(|point| Path::new(point) == folder)
            && words.next() == Some("tmpfs")
    });
    if in_memory {
        PathBuf::from("/var/tmp")
    } else {
        folder
    }
}

fn as_user(program: PathBuf, owner: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("HOME", folder);
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// The eighth line of postmaster.pid is the server's own word that it takes connections.
fn wait_until_ready(folder: &Path) -> Result<()> {
    let until = Instant::now() + READY_WITHIN;
    loop {
        let pid = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        if pid
            .lines()
            .nth(7)
            .is_some_and(|state| state.trim() == "ready")
        {
            return Ok(());
        }
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        if log.contains("FATAL") || Instant::now() > until {
            bail!("its log says:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
