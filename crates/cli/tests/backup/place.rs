//! A temporary folder with the binary run in it.
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

const FLOW: &str = "{runstone: 1, name: hello, start: a, state: {n: {type: integer}}, nodes: \
    {a: {uses: set, with: {n: 1}}}, edges: [a -> end], output: {n: '${{ state.n }}'}}";

pub(crate) struct Place(TempDir);

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
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
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That it was refused with exit code 2, and with these words.
    pub(crate) fn refused(&self, wants: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{self:?}");
        for want in wants {
            assert!(self.err.contains(want), "`{want}` is not in {}", self.err);
        }
    }
}

impl Place {
    /// With one run in `runstone.db`.
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::write(place.path("flow.yaml"), FLOW).unwrap();
        place.another_run();
        place
    }

    pub(crate) fn another_run(&self) {
        assert_eq!(self.run(&["run", "flow.yaml", "-q"]).code, 0);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The names of the files in a folder of it.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(self.path(folder)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runstone"));
        command.args(args).current_dir(self.folder());
        for name in ["RUNSTONE_DATABASE_URL", "RUNSTONE_BACKUP_PASSPHRASE"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.command(args).output().unwrap().into()
    }

    pub(crate) fn run_with(&self, args: &[&str], name: &str, value: &str) -> Said {
        self.command(args).env(name, value).output().unwrap().into()
    }

    /// Runs a command that must succeed.
    pub(crate) fn done(&self, args: &[&str]) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said
    }

    /// How many runs a database has.
    pub(crate) fn runs(&self, db: &str) -> usize {
        let said = self.done(&["runs", "--json", "--limit", "500", "--db", db]);
        said.json()["items"].as_array().unwrap().len()
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

/// Polls until `done`.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{what} did not come"
        );
        std::thread::yield_now();
    }
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}
