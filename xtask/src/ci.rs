//! `cargo xtask ci`: what must hold before a change lands; cheap checks first.

use anyhow::Result;

use crate::process::{cargo, run, step};
use crate::{deny, test, tidy};

pub(crate) fn ci() -> Result<()> {
    step("format", format)?;
    step("tidy", tidy::tidy)?;
    step("deny", deny::deny)?;
    step("clippy", clippy)?;
    test::test(&[])
}

pub(crate) fn format() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"])?)
}

pub(crate) fn clippy() -> Result<()> {
    let lints = ["--", "-D", "warnings"];
    run(cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--locked",
    ])?
    .args(lints))
}
