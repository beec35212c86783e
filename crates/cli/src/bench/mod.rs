//! `runstone bench`: how fast this machine and database carry out flows, next to what the bare
//! driver writes on the same disk right before, and how a server answers. Full durability, always.
mod api;
mod chain;
mod flows;
mod raw;
mod report;
mod storage;

use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Runs of several steps one after the other, each durable before the next
    Chain,
    /// Runs of one step, from start to end
    Start,
    /// Runs that fan out into parallel branches and join
    Fanout,
    /// How much a growing state takes on disk
    Storage,
    /// How a server answers over HTTP: --server, --call
    Api,
}

impl Scenario {
    fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Start => "start",
            Self::Fanout => "fanout",
            Self::Storage => "storage",
            Self::Api => "api",
        }
    }
}

/// The flags of `runstone bench`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// What to measure
    pub(crate) scenario: Scenario,
    /// The database; without it a new SQLite file in a temporary folder of the current one
    #[arg(long, value_name = "URL")]
    pub(crate) db: Option<String>,
    /// Runs in flight at the same time; api: connections, or watchers
    #[arg(long, default_value_t = 128)]
    pub(crate) concurrency: usize,
    /// Runs in all
    #[arg(long, default_value_t = 2000)]
    pub(crate) runs: usize,
    /// Steps of a run (branches for fanout)
    #[arg(long)]
    pub(crate) steps: Option<usize>,
    /// Bytes of the value that each step takes and returns
    #[arg(long, default_value_t = 1024)]
    pub(crate) state_bytes: usize,
    /// api: the server to load, as in http://127.0.0.1:7878
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// api: a key of the server that may make projects
    #[arg(long, env = "RUNSTONE_BENCH_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// api: what to ask for
    #[arg(long, value_enum, default_value_t = api::Call::List)]
    pub(crate) call: api::Call,
    /// api: how long to ask
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// api: ask so often in all, however long it takes
    #[arg(long, conflicts_with = "seconds")]
    pub(crate) requests: Option<u64>,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Only run, and print a line for every row that is durable: for tests that kill this process
    #[arg(long, hide = true)]
    pub(crate) acks: bool,
    /// A process that was not heard of for so many seconds counts as dead
    #[arg(long, value_name = "SECONDS", default_value_t = 10, hide = true)]
    pub(crate) lease: u64,
}

/// Measures and prints.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.acks {
        return chain::acknowledge(&args).await;
    }
    let report = match args.scenario {
        Scenario::Storage => return storage::run(&args).await,
        Scenario::Api => return api::run(&args).await,
        Scenario::Chain | Scenario::Start | Scenario::Fanout => chain::run(&args).await?,
    };
    report.print(args.json)?;
    Ok(if report.errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
