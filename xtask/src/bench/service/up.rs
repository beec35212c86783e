//! A server of the benchmark: ours or a peer's, on loopback, until it is dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A server that is not ready by then never is.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to say so.
const ANSWER: Duration = Duration::from_secs(5);
/// Between two looks whether it is.
const LOOK: Duration = Duration::from_millis(1);

pub(super) struct Up {
    child: Child,
    pub(super) url: String,
    /// From starting the program to its first answer that it is ready.
    pub(super) ready: Duration,
}

impl Up {
    /// `runstone dev` or `serve`, in `folder`; says where it listens in its first line.
    pub(super) fn ours(runstone: &Path, folder: &Path, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(runstone);
        command.args(args).args(["--listen", "127.0.0.1:0"]);
        // As the peer: no line for each request.
        command
            .current_dir(folder)
            .env("RUNSTONE_LOG_LEVEL", "warn");
        let (up, _) = Self::start(command, |line| {
            let url = line.strip_prefix("listening on ")?;
            Some((url.to_owned(), Value::Null))
        })?;
        Ok(up)
    }

    /// The FastAPI application on `database`; says where it listens and its versions.
    pub(super) fn fastapi(
        python: &Path,
        scripts: &Path,
        database: &str,
        workers: u32,
    ) -> Result<(Self, String)> {
        let mut command = Command::new(python);
        command.arg(scripts.join("fastapi_projects.py"));
        command.args(["--url", database, "--workers", &workers.to_string()]);
        command
            .current_dir(scripts)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let (up, said) = Self::start(command, |line| {
            let said: Value = serde_json::from_str(line).ok()?;
            Some((said["url"].as_str()?.to_owned(), said.clone()))
        })?;
        Ok((up, said["version"].as_str().unwrap_or("?").to_owned()))
    }

    fn start(
        mut command: Command,
        read: impl Fn(&str) -> Option<(String, Value)>,
    ) -> Result<(Self, Value)> {
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", command.get_program().display()))?;
        let mut line = String::new();
        let out = child.stdout.take().context("no stdout")?;
        // From here on it is ended whatever happens.
        let mut up = Self {
            child,
            url: String::new(),
            ready: Duration::ZERO,
        };
        BufReader::new(out).read_line(&mut line)?;
        let said = read(line.trim());
        let (url, said) = said.with_context(|| format!("it did not say where: {line:?}"))?;
        up.url = url;
        while !up.is_ready() {
            if began.elapsed() > PATIENCE {
                bail!("{} is not ready after {PATIENCE:?}", up.url);
            }
            std::thread::sleep(LOOK);
        }
        up.ready = began.elapsed();
        Ok((up, said))
    }

    fn is_ready(&self) -> bool {
        let asked = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(self.url.trim_start_matches("http://"))?;
            stream.set_read_timeout(Some(ANSWER))?;
            stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
            // The status is in the first bytes.
            let mut begin = vec![0; 64];
            let read = stream.read(&mut begin)?;
            begin.truncate(read);
            Ok(begin)
        };
        asked().is_ok_and(|begin| begin.starts_with(b"HTTP/1.1 2"))
    }

    /// The memory that it has in use, in MB; 0 where `/proc` does not tell.
    pub(super) fn memory_mb(&self) -> f64 {
        let file = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(0.0) * 1024.0 / 1e6
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        // Asked to end, it ends its workers too.
        let _ = Command::new("kill").args(["-s", "TERM", &id]).status();
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < PATIENCE / 4 {
            std::thread::sleep(LOOK * 10);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
