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

/// Arguments: the folder of the programs, our folder, the port, the user of the database.
const WATCH: &str = r#"
trap : INT TERM HUP
server=
if "$1/initdb" -D "$2/data" -U "$4" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync \
    >"$2/log" 2>&1 </dev/null
then
    "$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=400 >"$2/log" 2>&1 </dev/null &
    server=$!
else
    echo "FATAL: initdb failed" >>"$2/log"
fi
read -r _
# INT does not wait for clients. A server that has only just been forked may not hear it yet.
while [ -n "$server" ] && kill -INT "$server" 2>/dev/null; do
    kill -TERM "$server" 2>/dev/null
    sleep 0.1
done
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
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut watch = Command::new("sh");
        watch
            .args(["-c", WATCH, "postgres-watch"])
            .arg(programs)
            .arg(folder.path());
        watch.args([&port.to_string(), USER]).stdin(Stdio::piped());
        watch.current_dir(folder.path()).env("HOME", folder.path());
        if let Some((user, group)) = owner {
            watch.uid(user).gid(group);
        }
        let watcher = watch.spawn().context("could not start sh")?;
        // From here on the watcher removes the folder, even when we are killed.
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

/// The eighth line of postmaster.pid is the server's own word that it takes connections.
fn wait_until_ready(folder: &Path) -> Result<()> {
    let until = Instant::now() + READY_WITHIN;
    loop {
        // initdb runs a server of its own for a moment, but never says that it is ready.
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
