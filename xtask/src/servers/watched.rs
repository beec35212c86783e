//! Starts a server process on a copy of a prepared data folder, and sees to its end.
//!
//! A small shell stands between us and the server and holds the other end of a pipe: when xtask
//! ends, in whatever way, the pipe closes, the shell stops the server it started and removes the
//! folder. Nothing else is ever stopped or removed. Through the same pipe it is told to kill the
//! server and to start it again, for tests of just that.

use std::ffi::OsString;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::unprivileged::Owner;

const READY_WITHIN: Duration = Duration::from_secs(60);
/// The processes that a killed server leaves behind may keep its successor from starting: then it
/// is started once more.
const PATIENCE: Duration = Duration::from_secs(10);
/// Words in a log of a server that ends by itself.
const GAVE_UP: [&str; 2] = ["FATAL", "Aborting"];
const PORTS: std::ops::Range<u16> = 15_000..32_000;
/// A port may be taken between finding it free and using it.
const TRIES: u32 = 3;

/// Arguments: our folder, the signal that stops the server, the prepared data, the server's line.
const WATCH: &str = r#"
trap : INT TERM HUP
folder=$1 stop=$2 prepared=$3
shift 3
server=
launch() {
    "$@" >"$folder/log" 2>&1 </dev/null &
    server=$!
    echo >>"$folder/launches"
}
if cp -a -- "$prepared" "$folder/data" >"$folder/log" 2>&1 </dev/null; then
    launch "$@"
else
    echo "FATAL: cannot copy $prepared" >>"$folder/log"
fi
while read -r order; do
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    if [ "$order" = start ]; then launch "$@"; fi
done
# A server that has only just been forked may not hear the signal yet.
while [ -n "$server" ] && kill "-$stop" "$server" 2>/dev/null; do
    kill -TERM "$server" 2>/dev/null
    sleep 0.1
done
rm -rf -- "$folder"
"#;

/// How a server is started.
pub(super) struct Plan<'a> {
    pub(super) name: &'a str,
    pub(super) owner: Owner,
    /// What its data folder begins as.
    pub(super) prepared: &'a Path,
    /// Where its folder is made, when not on the disk of the others.
    pub(super) within: Option<&'a Path>,
    /// What stops it soonest: its data is thrown away.
    pub(super) stop: &'a str,
    /// Its program and arguments, given its folder, where the data is `data`, and its port.
    pub(super) line: &'a dyn Fn(&Path, u16) -> Vec<OsString>,
    /// Whether it takes connections.
    pub(super) ready: &'a dyn Fn(&Path, u16) -> bool,
}

/// A running server; dropping it stops it.
pub(super) struct Watched {
    pub(super) port: u16,
    folder: PathBuf,
    watcher: Child,
}

impl Watched {
    pub(super) fn start(plan: &Plan) -> Result<Self> {
        for attempt in 1.. {
            match Self::try_start(plan) {
                Ok(server) => return Ok(server),
                Err(error) if attempt < TRIES => eprintln!("trying again: {error:#}"),
                Err(error) => return Err(error.context(format!("{} did not start", plan.name))),
            }
        }
        unreachable!("the loop returns on its last attempt")
    }

    fn try_start(plan: &Plan) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("runstone-db-")
            .tempdir_in(plan.within.map_or_else(disk_folder, Path::to_path_buf))?;
        plan.owner.take(folder.path())?;
        let port = free_port().context("no port is free")?;
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "server-watch"]).arg(folder.path());
        watch.arg(plan.stop).arg(plan.prepared);
        watch.args((plan.line)(folder.path(), port));
        watch.stdin(Stdio::piped());
        plan.owner.run_in(&mut watch, folder.path());
        let watcher = watch.spawn().context("could not start sh")?;
        // From here on the watcher removes the folder, even when we are killed.
        let folder = folder.keep();
        let mut server = Watched {
            port,
            folder,
            watcher,
        };
        server.wait_until_ready(plan)?;
        Ok(server)
    }

    /// Kills the server, as a power cut would, and waits until nobody listens on its port: its
    /// children may live a moment longer, and keep a successor from starting.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.order("kill")?;
        let until = Instant::now() + READY_WITHIN;
        while self.is_listened_on() {
            if Instant::now() > until {
                bail!("somebody still listens on the killed server's port");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts it again on what the kill left, and waits until it takes connections.
    pub(super) fn start_again(&mut self) -> Result<()> {
        let until = Instant::now() + READY_WITHIN;
        while Instant::now() < until {
            let before = self.launches();
            self.order("start")?;
            let patience = Instant::now() + PATIENCE;
            while Instant::now() < patience {
                // Until then the log and the port are the predecessor's.
                if self.launches() > before {
                    if self.is_listened_on() {
                        return Ok(());
                    }
                    if self.gave_up() {
                        break;
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        bail!("the killed server does not start again")
    }

    fn is_listened_on(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// How often it was started.
    fn launches(&self) -> usize {
        std::fs::read(self.folder.join("launches")).map_or(0, |marks| marks.len())
    }

    /// The children of the one that was killed still held its memory.
    fn gave_up(&self) -> bool {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.contains("pre-existing shared memory") || log.contains("lock file")
    }

    fn order(&mut self, order: &str) -> Result<()> {
        let pipe = self.watcher.stdin.as_mut();
        let pipe = pipe.context("the pipe is open until the drop")?;
        writeln!(pipe, "{order}").context("the server's shell is gone")
    }

    fn wait_until_ready(&mut self, plan: &Plan) -> Result<()> {
        let folder = &self.folder;
        let until = Instant::now() + READY_WITHIN;
        while !(plan.ready)(folder, self.port) {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            if GAVE_UP.iter().any(|word| log.contains(word)) || Instant::now() > until {
                bail!("its log says:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// One below those that the system gives to clients: a client that asks again and again for a
/// server that is away could be given that very port, connect to itself, and keep the server out.
fn free_port() -> Option<u16> {
    // Servers are started side by side: each looks from another port on.
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let turn = TAKEN.fetch_add(1, Ordering::Relaxed);
    let first = (std::process::id() as usize + 101 * turn) % PORTS.len();
    let mut ports = PORTS.skip(first).chain(PORTS);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        if let Err(error) = self.watcher.wait() {
            eprintln!("could not wait for a server to stop: {error}");
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
