//! Packages of Debian in a folder of our own: fetched by apt under a state of its own, unpacked,
//! never installed. Needs no root and changes nothing of the system. What was unpacked runs with
//! its own loader and libraries, so the release may be another than the machine's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache;
use crate::process::{capture, on_path};

/// A package and all it depends on, unpacked.
pub(super) struct Tree(PathBuf);

impl Tree {
    /// That package of that release, from the mirror that the machine itself uses.
    pub(super) fn of(release: &str, package: &str) -> Result<Self> {
        let made = cache::once(&format!("{package}-{release}"), |draft| {
            fetch(release, package, draft)
        })?;
        Ok(Self(made.join("tree")))
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    /// What begins the command line of a program of the tree: its loader, told where to look.
    pub(super) fn program(&self, below: &str) -> Result<Vec<OsString>> {
        let folders = self.library_folders();
        let loader = folders.iter().find_map(|folder| loader_in(folder));
        let loader = loader.with_context(|| format!("no loader below {}", self.0.display()))?;
        Ok(vec![
            loader.into(),
            "--library-path".into(),
            std::env::join_paths(folders)?,
            self.path(below).into(),
        ])
    }

    /// `usr/lib/<machine>` and its like.
    fn library_folders(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for parent in ["usr/lib", "lib", "usr/lib64", "lib64"] {
            let parent = self.path(parent);
            let inside = std::fs::read_dir(&parent).into_iter().flatten().flatten();
            let mut folders: Vec<PathBuf> = inside.map(|entry| entry.path()).collect();
            folders.retain(|path| path.to_string_lossy().ends_with("-linux-gnu"));
            folders.push(parent);
            found.extend(folders.into_iter().filter(|path| path.is_dir()));
        }
        found
    }
}

fn loader_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut files = entries.flatten().map(|entry| entry.path());
    files.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ld-linux") && name.contains(".so.")
    })
}

fn fetch(release: &str, package: &str, draft: &Path) -> Result<()> {
    for program in ["apt-get", "dpkg-deb"] {
        if on_path(program).is_none() {
            bail!("{package} comes as a package of Debian, and there is no {program} on PATH");
        }
    }
    eprintln!("fetching {package} of Debian {release}");
    let state = draft.join("apt");
    for folder in ["lists/partial", "archives/partial"] {
        std::fs::create_dir_all(state.join(folder))?;
    }
    std::fs::write(state.join("status"), "")?;
    let source = format!("deb {} {release} main\n", mirror()?);
    std::fs::write(state.join("sources.list"), source)?;
    let apt = |args: &[&str]| -> Result<()> {
        let mut command = Command::new("apt-get");
        for setting in settings(&state) {
            command.arg("-o").arg(setting);
        }
        // What it says is worth reading only when it fails.
        let quiet = command.args(["-qq", "-y"]).args(args);
        capture(quiet.env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
    };
    apt(&["update"])?;
    apt(&["install", "--download-only", package])?;
    let tree = draft.join("tree");
    for entry in std::fs::read_dir(state.join("archives"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "deb") {
            capture(Command::new("dpkg-deb").arg("-x").arg(&path).arg(&tree))?;
        }
    }
    Ok(std::fs::remove_dir_all(state)?)
}

/// Settings that keep apt away from the system's own state.
fn settings(state: &Path) -> Vec<String> {
    let state = state.display();
    vec![
        format!("Dir::State={state}"),
        format!("Dir::State::Lists={state}/lists"),
        format!("Dir::State::status={state}/status"),
        format!("Dir::Cache={state}"),
        format!("Dir::Cache::archives={state}/archives"),
        format!("Dir::Etc::sourcelist={state}/sources.list"),
        format!("Dir::Etc::sourceparts={state}/none"),
        "APT::Sandbox::User=root".to_owned(),
        "APT::Install-Recommends=false".to_owned(),
        "Acquire::Languages=none".to_owned(),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        "Acquire::Retries=2".to_owned(),
    ]
}

/// Where this machine gets its own Debian packages from.
fn mirror() -> Result<String> {
    let about = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let of = |name: &str| {
        let line = about.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    if of("ID=").as_deref() != Some("debian") {
        bail!("only on Debian is it known where to fetch packages of Debian from");
    }
    let release = of("VERSION_CODENAME=").context("/etc/os-release names no release")?;
    let format = "$(RELEASE)|$(COMPONENT)|$(REPO_URI)";
    let targets = capture(Command::new("apt-get").args(["indextargets", "--format", format]))?;
    let wanted = format!("{release}|main|");
    let found = targets.lines().find_map(|line| line.strip_prefix(&wanted));
    let found = found.with_context(|| format!("apt has no source of Debian {release}"))?;
    Ok(found.to_owned())
}
