//! `runstone completions`: a script that completes commands and flags in a shell.
use clap::CommandFactory as _;

use crate::{
    args::{Cli, CompletionsArgs},
    exit::Exit,
    print,
};

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "runstone", &mut script);
    print::out(&String::from_utf8(script)?)?;
    Ok(Exit::Ok)
}
