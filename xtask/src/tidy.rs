//! `cargo xtask tidy`: the rules that neither rustc nor clippy can hold, all problems at once.

mod arrows;
mod rust_files;
mod sql;
mod text;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{capture, metadata, root};

/// What is wrong, each with its place, and the figures worth seeing either way.
#[derive(Default)]
pub(crate) struct Findings {
    problems: Vec<String>,
    figures: Vec<String>,
}

impl Findings {
    fn problem(&mut self, place: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.problems.push(format!("{place}: {what}"));
    }

    fn figure(&mut self, line: String) {
        self.figures.push(line);
    }
}

/// A file of the project, by its path from the root with `/` between the parts.
struct Source {
    path: String,
    text: String,
}

pub(crate) fn tidy() -> Result<()> {
    let root = root()?;
    let sources = sources(&root)?;
    let mut findings = Findings::default();
    rust_files::check(&sources, &mut findings);
    sql::check(&sources, &mut findings);
    text::check(&sources, &mut findings);
    arrows::check(&metadata()?, &mut findings)?;
    for line in &findings.figures {
        println!("{line}");
    }
    if findings.problems.is_empty() {
        println!("tidy: ok, {} files", sources.len());
        return Ok(());
    }
    findings.problems.sort();
    for problem in &findings.problems {
        println!("{problem}");
    }
    bail!("tidy found {} problems", findings.problems.len())
}

/// The text files that are, or would be, in the repository.
fn sources(root: &Path) -> Result<Vec<Source>> {
    let listed = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let names = capture(Command::new("git").args(listed).current_dir(root))?;
    let mut sources = Vec::new();
    for path in names.split('\0').filter(|name| !name.is_empty()) {
        let file: PathBuf = root.join(path);
        // Deleted but not yet committed, or not text.
        if let Ok(text) = std::fs::read_to_string(&file) {
            sources.push(Source {
                path: path.to_owned(),
                text,
            });
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources.dedup_by(|a, b| a.path == b.path);
    Ok(sources)
}
