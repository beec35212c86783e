//! A folder with a flow and a database in it, and the real program run there under limits, as
//! another user, or killed half-way.
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_runstone");
/// Nothing here may take longer.
const HANG: Duration = Duration::from_secs(90);
/// A user without rights.
const NOBODY: u32 = 65_534;

/// Appends a text of 400 characters, 300 times.
pub(crate) const FLOW: &str = r#"
runstone: 1
name: grow
state: {log: {type: array, reducer: append, default: []}}
start: step
nodes:
  step: {uses: template, with: {text: "${{ string(visits.step) }} FILL"}, out: {log: "${{ result }}"}}
edges:
  - {from: step, to: step, when: "visits.step < 300"}
  - {from: step, to: end, else: true}
output: {n: "${{ size(state.log) }}", last: "${{ state.log[299] }}"}
"#;

/// A folder to work in; its database is `t.db`.
pub(crate) struct Place {
    folder: TempDir,
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
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        place.rights("", 0o755);
        let flow = FLOW.replace("FILL", &"x".repeat(400));
        fs::write(place.path("grow.yaml"), flow).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets the permissions of a file, or with "" of the folder.
    pub(crate) fn rights(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        self.dress(&mut command);
        command.args(args);
        command
    }

    fn dress(&self, command: &mut Command) {
        command
            .current_dir(self.folder())
            .env_remove("NO_COLOR")
            .env("RUNSTONE_DATABASE_URL", "sqlite:t.db")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.command(args).spawn().unwrap().into()
    }

    /// Runs a command as a user who owns nothing here. The superuser may write everything.
    pub(crate) fn run_as_nobody(&self, args: &[&str]) -> Said {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return self.run(args);
        }
        // Where the program was built nobody else may be allowed to look.
        let program = self.path("runstone");
        fs::copy(BINARY, &program).unwrap();
        let mut command = Command::new(&program);
        self.dress(&mut command);
        let said = command
            .args(args)
            .uid(NOBODY)
            .gid(NOBODY)
            .spawn()
            .unwrap()
            .into();
        fs::remove_file(program).unwrap();
        said
    }

    /// Runs a command that cannot make a file larger than `bytes`.
    pub(crate) fn run_on_full_disk(&self, bytes: u64, args: &[&str]) -> Said {
        let mut command = Command::new("prlimit");
        self.dress(&mut command);
        command
            .arg(format!("--fsize={bytes}"))
            .arg(BINARY)
            .args(args);
        command.spawn().unwrap().into()
    }

    /// Starts the flow and comes back once `steps` steps of it are durable.
    pub(crate) fn start(&self, steps: u64) -> Child {
        let mut child = self.command(&["run", "grow.yaml"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut seen = 0;
        let mut line = String::new();
        while seen < steps {
            line.clear();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "it ended after {seen} steps"
            );
            seen += u64::from(line.contains("✓"));
        }
        // The rest must be read too, or the child waits for a reader.
        child.stderr = Some(lines.into_inner());
        child
    }

    /// A run that was killed after `steps` steps, with its database as it was then.
    pub(crate) fn kill_after(&self, steps: u64) {
        let mut child = self.start(steps);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The next start is clean: everything goes on to its right end, and nothing is wrong.
    pub(crate) fn goes_on(&self, runs: usize) {
        let resumed = self.run(&["resume", "--all"]);
        assert_eq!(resumed.code, 0, "{resumed:?}");
        let list = self.run(&["runs", "--json"]).json();
        let list = list["items"].as_array().cloned().unwrap_or_default();
        assert_eq!(list.len(), runs, "{list:?}");
        for run in list {
            assert_eq!(run["status"], "completed", "{run}");
            let id = run["run_id"].as_str().unwrap();
            let shown = self.run(&["show", id, "--json"]).json();
            let last = format!("300 {}", "x".repeat(400));
            assert_eq!(shown["output"], json!({"n": 300, "last": last}));
        }
        self.is_sound();
    }

    pub(crate) fn is_sound(&self) {
        let doctor = self.run(&["doctor"]);
        assert_eq!(doctor.code, 0, "{doctor:?}");
        assert!(doctor.out.contains("nothing is wrong"), "{doctor:?}");
    }
}

impl From<Child> for Said {
    /// Waits for the end, but not for ever.
    fn from(child: Child) -> Self {
        let id = child.id().to_string();
        let (sender, ended) = mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if ended.recv_timeout(HANG) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-9", &id]).status();
            }
        });
        let begun = Instant::now();
        let output: Output = child.wait_with_output().unwrap();
        drop(sender);
        watch.join().unwrap();
        assert!(begun.elapsed() < HANG, "it hung: {output:?}");
        let said = Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert!(!said.err.contains("panicked"), "{said:?}");
        said
    }
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It is refused as trouble with the database, and says all of `wants`.
    pub(crate) fn refused(&self, wants: &[&str]) {
        assert_eq!(self.code, 2, "{self:?}");
        assert!(self.err.contains("error: "), "{self:?}");
        for want in wants {
            assert!(self.err.contains(want), "`{want}` is not in {}", self.err);
        }
    }
}
