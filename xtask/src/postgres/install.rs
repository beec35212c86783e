//! Finds PostgreSQL's server programs, or installs Debian's package; and the user to run them as.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{answers, capture, on_path, run};

/// Names the folder of the server programs, where they are in none of the usual places.
const FOLDER_VAR: &str = "RUNSTONE_POSTGRES_BIN";
/// Keeps Debian's package from starting a server of its own on the standard port.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/runstone.conf";

/// The folder that holds `initdb` and `postgres`.
pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find()? {
        return Ok(found);
    }
    install()?;
    find()?.context("PostgreSQL was installed, but its initdb is in none of the usual folders")
}

fn find() -> Result<Option<PathBuf>> {
    if let Some(folder) = std::env::var_os(FOLDER_VAR) {
        let folder = PathBuf::from(folder);
        if !complete(&folder) {
            bail!(
                "{FOLDER_VAR} names {}, which has no initdb and postgres",
                folder.display()
            );
        }
        return Ok(Some(folder));
    }
    let mut folders = debian_folders();
    // A link on PATH points into the folder where all the programs are.
    let linked = on_path("initdb").and_then(|file| file.canonicalize().ok());
    folders.extend(linked.and_then(|file| file.parent().map(Path::to_path_buf)));
    Ok(folders.into_iter().find(|folder| complete(folder)))
}

fn complete(folder: &Path) -> bool {
    ["initdb", "postgres", "createdb"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// Debian keeps each major version in its own folder: the newest first.
fn debian_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect()
}

fn install() -> Result<()> {
    let by_hand = format!(
        "PostgreSQL's initdb was not found. Install it (Debian, Ubuntu: `apt-get install \
         postgresql`), or name the folder of its programs in {FOLDER_VAR}"
    );
    if on_path("apt-get").is_none() {
        bail!("{by_hand}");
    }
    if !is_root()? {
        bail!("{by_hand}. This was not done for you because you are not root");
    }
    eprintln!("installing PostgreSQL with apt-get");
    let setting = Path::new(NO_CLUSTER);
    std::fs::create_dir_all(setting.parent().context("has a parent")?)?;
    std::fs::write(setting, "create_main_cluster = false\n")?;
    let apt = |args: &[&str]| {
        run(Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let installed = apt(&["update", "-q"]).and_then(|()| {
        apt(&[
            "install",
            "-q",
            "-y",
            "--no-install-recommends",
            "postgresql",
        ])
    });
    std::fs::remove_file(setting)?;
    installed
}

/// Root may not run the server: the user to take instead; nothing when we are not root.
pub(super) fn unprivileged() -> Result<Option<(u32, u32)>> {
    if !is_root()? {
        return Ok(None);
    }
    if !answers(Command::new("id").arg("postgres")) {
        run(Command::new("useradd").args(["--system", "--shell", "/bin/false", "postgres"]))?;
    }
    let id = |which: &str| -> Result<u32> {
        let text = capture(Command::new("id").args([which, "postgres"]))?;
        text.trim()
            .parse()
            .with_context(|| format!("`id {which} postgres` printed {text:?}"))
    };
    Ok(Some((id("-u")?, id("-g")?)))
}

fn is_root() -> Result<bool> {
    Ok(capture(Command::new("id").arg("-u"))?.trim() == "0")
}
