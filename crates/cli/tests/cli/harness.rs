//! A temporary folder with the binary run in it, and a view of its output in which nothing depends
//! on time or chance.
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::LazyLock,
};

use regex::Regex;
use runstone_testkit::servers::{Fixture, Fresh, TestDatabase};
use serde_json::Value;
use tempfile::TempDir;

/// A folder to work in; its database is `runstone.db` unless another one is named.
pub(crate) struct Place {
    folder: TempDir,
    /// What `RUNSTONE_DATABASE_URL` is set to.
    pub(crate) db: Option<String>,
    /// Removed after the test.
    _fresh: Option<Fresh>,
}

/// On SQLite the file in the folder, elsewhere an empty database of the server.
impl Fixture for Place {
    async fn open(database: TestDatabase) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        let on_server = database != TestDatabase::Sqlite;
        Some(Self {
            db: on_server.then(|| fresh.url().to_owned()),
            _fresh: Some(fresh),
            ..Self::new()
        })
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            db: None,
            _fresh: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// The names of all files in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The command, ready to run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runstone"));
        command.args(args).current_dir(self.path());
        for name in ["RUNSTONE_DATABASE_URL", "RUNSTONE_HTTP_ALLOW", "NO_COLOR"] {
            command.env_remove(name);
        }
        if let Some(url) = &self.db {
            command.env("RUNSTONE_DATABASE_URL", url);
        }
        command.env("RUNSTONE_HTTP_ALLOW", "127.0.0.1");
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs the command with `input` on its stdin.
    pub(crate) fn run_with_stdin(&self, args: &[&str], input: &[u8]) -> Said {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that refuses early does not read to the end.
        let _ = child.stdin.take().unwrap().write_all(input);
        Said::from(child.wait_with_output().unwrap())
    }

    /// Starts the command.
    pub(crate) fn start(&self, args: &[&str]) -> Live {
        let mut command = self.command(args);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Live {
            child,
            err,
            seen: String::new(),
        }
    }

    /// The newest run, as `show --json` has it.
    pub(crate) fn last(&self, more: &[&str]) -> Value {
        let args = [&["show", "last", "--json"], more].concat();
        let said = self.run(&args);
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Everything it said, without times and ids.
    pub(crate) fn told(&self) -> String {
        let text = format!(
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.out, self.err
        );
        timeless(&text)
    }
}

/// A command that is running.
pub(crate) struct Live {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    seen: String,
}

impl Live {
    /// Waits until a line on stderr holds `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let read = self.err.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended without saying `{text}`:\n{}", self.seen);
            self.seen.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }

    /// Sends a signal, as `kill -INT` does.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it said once it has ended.
    pub(crate) fn end(mut self) -> Said {
        let mut out = String::new();
        let stdout = self.child.stdout.take();
        let mut err = std::mem::take(&mut self.seen);
        self.err.read_to_string(&mut err).unwrap();
        stdout.unwrap().read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Said { code, out, err }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It may have ended; a test that fails must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of the repository's examples.
pub(crate) fn example(name: &str) -> String {
    repository()
        .join("examples")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// `text` with ids, times and durations replaced, and without what depends on their width.
pub(crate) fn timeless(text: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
        let rules = [
            (
                r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
                "ID",
            ),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "DATE"),
            (r"process \d+", "process N"),
            (r"\b(now|\d+ (s|min) ago)\b", "AGO"),
            (r"\d+(\.\d+)? (µs|ms|s)\b", "TOOK"),
            (r#""duration_ms": \d+(\.\d+)?"#, "\"duration_ms\": TOOK"),
            (r" *█+", ""),
            (r"([^ \n]) {2,}", "$1  "),
            (r"(?m) +$", ""),
        ];
        rules
            .map(|(rule, with)| (Regex::new(rule).unwrap(), with))
            .to_vec()
    });
    RULES.iter().fold(
        text.replace(env!("CARGO_MANIFEST_DIR"), "CLI"),
        |text, (rule, with)| rule.replace_all(&text, *with).into_owned(),
    )
}
