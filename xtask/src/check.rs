//! `cargo xtask check`: the fast look before a commit; no server, under a minute when warm.

use std::time::Instant;

use anyhow::Result;

use crate::ci::{clippy, format};
use crate::process::{human, step};
use crate::test::{Runner, without_servers};

pub(crate) fn check() -> Result<()> {
    let begin = Instant::now();
    step("format", format)?;
    step("clippy", clippy)?;
    step("tests on SQLite", || without_servers(Runner::find()))?;
    println!(
        "check: ok, {}; tests on other databases: cargo xtask test",
        human(begin.elapsed())
    );
    Ok(())
}
