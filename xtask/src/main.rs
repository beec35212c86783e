//! The developer's commands, one module each: `cargo xtask <command>`.
//!
//! Nothing here is part of the product, and no crate of ours is linked in: xtask must build in
//! seconds, also in a fresh clone.

mod bench;
mod check;
mod ci;
mod demo;
mod deny;
mod process;
mod servers;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <command>

  demo [FILE]          review a source file with examples/code_review, and show the run
  check                format, clippy and the tests that need no server (under a minute, warm)
  test [--db NAME,…]   all tests on all databases, with the servers they need, or on sqlite,
       [ARGUMENT…]     postgres13, postgres, postgres18, mariadb, mysql, mssql as chosen;
                       arguments go to nextest: `test -p runstone-store claims`
  servers [--db NAME,…]
                       start them, print the variables that tests read, stop them on Ctrl-C
  tidy                 file heads and sizes, crate arrows, SQL and migration rules
  deny                 licences, bans and sources of the crates we build on
  bench [--quick]      the speed bars P1–P7 and P9–P12, next to the peers, in one table
        [--no-peers]   without them
        [--no-data]    the service on an empty database, not with a million runs
        [--only P9,…]  these bars alone
  ci                   what .ci/run does: format, clippy, tidy, deny, test
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    match dispatch(command.as_deref(), &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Option<&str>, rest: &[String]) -> Result<()> {
    match command {
        Some("demo") => demo::demo(rest),
        Some("check") => check::check(),
        Some("test") => test::test(rest),
        Some("servers") => test::only_servers(rest),
        Some("server") => servers::Server::in_the_hands_of_a_test(rest),
        Some("tidy") => tidy::tidy(),
        Some("deny") => deny::deny(),
        Some("bench") => bench::bench(rest),
        Some("ci") => ci::ci(),
        None | Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => bail!("there is no command `{other}`\n\n{HELP}"),
    }
}
