//! `cargo xtask deny`: licences, bans and sources, by cargo-deny; deny.toml holds the rules.
//!
//! The tool is built once, without optimisation (a minute), into a folder that outlives the clone.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{answers, cargo, on_path, root, run, target_dir};

const VERSION: &str = "0.20.2";

pub(crate) fn deny() -> Result<()> {
    let tool = find_or_install()?;
    run(Command::new(tool)
        .args(["check", "bans", "licenses", "sources"])
        .current_dir(root()?))
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = on_path("cargo-deny") {
        return Ok(found);
    }
    let tools = tools_folder()?;
    let tool = tools.join("bin/cargo-deny");
    if !answers(Command::new(&tool).arg("--version")) {
        eprintln!("installing cargo-deny {VERSION} for this and later runs");
        let mut install = cargo(&["install", "cargo-deny", "--version", VERSION, "--locked"])?;
        install
            .args(["--quiet", "--debug", "--no-default-features", "--root"])
            .arg(&tools);
        run(&mut install).context("cargo-deny could not be installed")?;
    }
    Ok(tool)
}

fn tools_folder() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    match cache.or_else(home) {
        Some(cache) => Ok(cache
            .join("runstone-tools")
            .join(format!("cargo-deny-{VERSION}"))),
        None => Ok(target_dir()?.join("tools")),
    }
}
