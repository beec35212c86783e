//! Runs a page's blocks in one temporary folder, with the built program on the PATH and the
//! examples beside it, and compares what they print, except for times and ids.
use std::{path::Path, process::Command, sync::LazyLock};

use regex::Regex;
use tempfile::TempDir;

use crate::{
    page::{Block, Page},
    root,
};

pub(crate) struct Shell {
    folder: TempDir,
    database: Option<String>,
}

/// What a script printed on stdout and stderr together, and how it ended.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) code: i32,
}

impl Shell {
    /// `database` is what `RUNSTONE_DATABASE_URL` says.
    pub(crate) fn new(database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let examples = root().join("examples");
        std::os::unix::fs::symlink(examples, folder.path().join("examples")).unwrap();
        Self {
            folder,
            database: database.map(str::to_owned),
        }
    }

    pub(crate) fn run(&self, script: &str) -> Said {
        let bin = Path::new(env!("CARGO_BIN_EXE_runstone")).parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-e", "-c", &format!("exec 2>&1\n{script}")]);
        command.current_dir(self.folder.path()).env("PATH", path);
        for name in ["RUNSTONE_DATABASE_URL", "RUNSTONE_HTTP_ALLOW"] {
            command.env_remove(name);
        }
        if let Some(url) = &self.database {
            command.env("RUNSTONE_DATABASE_URL", url);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        Said {
            text,
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Plays the page; with `postgres` only what needs that. Answers how many scripts ran.
    pub(crate) fn play(&self, page: &Page, postgres: bool) -> usize {
        let mut count = 0;
        for block in &page.blocks {
            match block {
                Block::File { name, text } => {
                    std::fs::write(self.folder.path().join(name), text).unwrap();
                }
                Block::Run {
                    line,
                    script,
                    exit,
                    postgres: needs,
                    output,
                } => {
                    if *needs != postgres {
                        continue;
                    }
                    let said = self.run(script);
                    let text = &said.text;
                    assert_eq!(
                        said.code, *exit,
                        "line {line}:\n{script}it printed:\n{text}"
                    );
                    let same = output.as_ref().is_none_or(|output| same(output, text));
                    assert!(same, "line {line}:\n{script}prints something else:\n{text}");
                    count += 1;
                }
            }
        }
        count
    }
}

/// Whether `text` is what the page shows.
fn same(shown: &str, text: &str) -> bool {
    let lines = |text: &str| text.lines().map(masked).collect::<Vec<_>>();
    fits(&lines(shown), &lines(text))
}

fn fits(shown: &[String], lines: &[String]) -> bool {
    match shown {
        [] => lines.is_empty(),
        [any, rest @ ..] if any == "…" => (0..=lines.len()).any(|at| fits(rest, &lines[at..])),
        [first, rest @ ..] => lines.first() == Some(first) && fits(rest, &lines[1..]),
    }
}

/// A line without what differs from run to run.
fn masked(line: &str) -> String {
    static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let masks = [
            (
                "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
                "ID",
            ),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "DATE"),
            (r"\b(now|\d+ (s|min) ago)\b", "AGO"),
            (r#""duration_ms": [\d.]+"#, "DURATION"),
            (r"\b\d+(\.\d+)? (µs|ms|s|min)\b", "TIME"),
            (r"█+", ""),
            (r"\s+", " "),
        ];
        let regex = |(pattern, with)| (Regex::new(pattern).unwrap(), with);
        masks.map(regex).into_iter().collect()
    });
    let line = MASKS.iter().fold(line.to_owned(), |line, (mask, with)| {
        mask.replace_all(&line, *with).into_owned()
    });
    line.trim_end().to_owned()
}

#[test]
fn an_output_with_another_word_or_a_line_too_many_is_noticed() {
    assert!(same("✓ a 1.0 ms\n…\nend", "✓ a  35 µs\nb\nc\nend\n"));
    assert!(same("…", ""));
    assert!(!same("✓ a 1.0 ms", "✗ a 1.0 ms"));
    assert!(!same("a", "a\nb"));
    assert!(!same("a\n…\nc", "a\nb"));
}
