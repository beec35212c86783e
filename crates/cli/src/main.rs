//! The `runstone` binary: starts the runtime, hands over to a command, turns its answer into an
//! exit code. What the commands do is in the library crates.
mod archives;
mod args;
mod bench;
mod commands;
mod exit;
mod handles;
mod open;
mod print;
mod progress;
mod read;
mod signals;
mod trouble;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;

/// A step allocates some dozens of times; this is a fifth of what it costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.command.json();
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(commands::dispatch(cli.command));
            // A computation that nobody waits for any more must not hold up the end.
            runtime.shutdown_background();
            done
        }
        Err(error) => Err(error.into()),
    };
    done.unwrap_or_else(|error| print::error::report(&error, json))
}
