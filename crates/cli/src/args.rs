//! The command line as clap reads it: commands, flags, help texts. Decides nothing.
mod backup;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use runstone_model::run::Status;

pub(crate) use backup::*;

/// Durable runs for AI agents, on the database you already have.
#[derive(Debug, Parser)]
#[command(
    name = "runstone",
    version,
    propagate_version = false,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 completed · 1 failed · 2 usage, bad input or database \
                        trouble · 3 cancelled · 4 not finished"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a flow to its end
    Run(RunArgs),
    /// Go on with a run that was interrupted, or with all of them
    Resume(ResumeArgs),
    /// Cancel a run
    Cancel(CancelArgs),
    /// List runs, newest first
    Runs(RunsArgs),
    /// Show a run: its steps, its state at any of them, its graph
    Show(ShowArgs),
    /// Check flow files and name every problem
    Validate(ValidateArgs),
    /// Draw a flow
    Graph(GraphArgs),
    /// Lay out flow files in the one standard way
    Fmt(FmtArgs),
    /// Serve the HTTP API on this machine, without keys: for trying things out
    Dev(DevArgs),
    /// Serve the HTTP API
    Serve(ServeArgs),
    /// Make, list and revoke API keys
    Keys(KeysArgs),
    /// Move the database's schema up or down
    Migrate(MigrateArgs),
    /// Look for damage in the database
    Doctor(DoctorArgs),
    /// Take a backup, once or again and again; look at those there are
    Backup(BackupArgs),
    /// Put a backup into an empty database of any kind
    Restore(RestoreArgs),
    /// Measure how fast this machine and database carry out flows
    Bench(crate::bench::Args),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the version
    Version(VersionArgs),
    /// Look inside
    #[command(hide = true)]
    Debug(DebugArgs),
}

impl Command {
    /// Whether stdout is for one JSON document only.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Run(args) => args.json,
            Self::Resume(args) => args.json,
            Self::Cancel(args) => args.json,
            Self::Runs(args) => args.json,
            Self::Show(args) => args.json,
            Self::Validate(args) => args.json,
            Self::Doctor(args) => args.json,
            Self::Backup(args) => args.json(),
            Self::Restore(args) => args.json,
            Self::Version(args) => args.json,
            Self::Keys(args) => args.json(),
            Self::Migrate(args) => args.json(),
            Self::Bench(args) => args.json,
            Self::Graph(_)
            | Self::Fmt(_)
            | Self::Completions(_)
            | Self::Dev(_)
            | Self::Serve(_)
            | Self::Debug(_) => false,
        }
    }

    /// The database it works on.
    pub(crate) fn db(&self) -> Option<&DbArgs> {
        Some(match self {
            Self::Run(args) => &args.db,
            Self::Resume(args) => &args.db,
            Self::Cancel(args) => &args.db,
            Self::Runs(args) => &args.db,
            Self::Show(args) => &args.db,
            Self::Doctor(args) => &args.db,
            Self::Backup(args) => return args.db(),
            Self::Restore(args) => &args.db,
            Self::Keys(args) => args.verb.db(),
            Self::Migrate(args) => match &args.verb {
                MigrateVerb::Up(args) => &args.db,
                MigrateVerb::Down(args) => &args.db,
                MigrateVerb::Status(args) => &args.db,
            },
            Self::Validate(_)
            | Self::Graph(_)
            | Self::Fmt(_)
            | Self::Bench(_)
            | Self::Completions(_)
            | Self::Version(_)
            | Self::Dev(_)
            | Self::Serve(_)
            | Self::Debug(_) => return None,
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Where to listen; 127.0.0.1:7878 when not given
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// The database; sqlite:runstone.db when not given
    #[arg(long, value_name = "URL")]
    pub(crate) db: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// A TOML file; the environment and flags go before it
    #[arg(long, value_name = "FILE", env = "RUNSTONE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// The database
    #[arg(long, value_name = "URL")]
    pub(crate) db: Option<String>,
    /// Print every setting with its source, secrets masked, and start nothing
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) verb: KeysVerb,
}

impl KeysArgs {
    fn json(&self) -> bool {
        match &self.verb {
            KeysVerb::Create(args) => args.json,
            KeysVerb::List(args) => args.json,
            KeysVerb::Revoke(_) => false,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysVerb {
    /// Make a key and print it, this once
    Create(KeyCreateArgs),
    /// List the keys, without their secrets
    List(KeyListArgs),
    /// Refuse a key from now on
    Revoke(KeyRevokeArgs),
}

impl KeysVerb {
    /// The database it works on.
    pub(crate) fn db(&self) -> &DbArgs {
        match self {
            Self::Create(args) => &args.db,
            Self::List(args) => &args.db,
            Self::Revoke(args) => &args.db,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreateArgs {
    /// What it is for
    #[arg(long)]
    pub(crate) name: String,
    /// What it may do: viewer, editor, owner or admin
    #[arg(long, value_parser = role)]
    pub(crate) role: runstone_api::Role,
    /// Only in this project: its name or id; without it, on the whole server
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Refused after so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) expires_in_days: Option<u32>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeyListArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRevokeArgs {
    /// The key's id, as `runstone keys list` shows it
    pub(crate) key: uuid::Uuid,
    #[command(flatten)]
    pub(crate) db: DbArgs,
}

/// Which database.
#[derive(Clone, Debug, Args)]
pub(crate) struct DbArgs {
    /// The database: sqlite:FILE or KIND://user@host/database, where KIND is postgres, mysql,
    /// mariadb or mssql
    #[arg(long = "db", value_name = "URL", default_value = "sqlite:runstone.db")]
    #[arg(env = "RUNSTONE_DATABASE_URL", hide_env_values = true)]
    pub(crate) url: String,
}

/// How this process takes part in running.
#[derive(Clone, Debug, Args)]
pub(crate) struct EngineArgs {
    /// A process that was not heard of for so many seconds counts as dead; its runs are taken over
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) lease: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct LeaseArgs {
    /// A process that was not heard of for so many seconds counts as dead
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) lease: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A flow file, YAML or JSON
    pub(crate) flow: PathBuf,
    /// The input: a JSON file, JSON itself, or - for stdin
    #[arg(long, value_name = "FILE|JSON|-", allow_hyphen_values = true)]
    pub(crate) input: Option<String>,
    /// Set one value of the input; a.b=1 nests; a value that is not JSON is text; repeatable
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Only create the run; `runstone resume` carries it out
    #[arg(long)]
    pub(crate) detach: bool,
    /// No progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = "runstone resume [OPTIONS] <RUN | --all | --watch>")]
pub(crate) struct ResumeArgs {
    /// The run: its id, the beginning of it (4 characters or more), or `last`
    #[arg(required_unless_present_any = ["all", "watch"], conflicts_with_all = ["all", "watch"])]
    pub(crate) run: Option<String>,
    /// Go on with everything that is not finished
    #[arg(long)]
    pub(crate) all: bool,
    /// Like --all, and then stay for new runs until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print a line for every row that is durable: for tests that measure or kill this process
    #[arg(long, hide = true, conflicts_with = "json")]
    pub(crate) acks: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The run: its id, the beginning of it (4 characters or more), or `last`
    pub(crate) run: String,
    /// Why, for whoever looks at it later; kept when the run ends in this process
    #[arg(long, default_value = "cancelled from the command line")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// Only runs in one of these states
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',', value_parser = status)]
    pub(crate) status: Vec<Status>,
    /// Only runs of this flow
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
    /// Only runs older than this one: the next page
    #[arg(long, value_name = "RUN")]
    pub(crate) before: Option<String>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) engine: LeaseArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run: its id, the beginning of it (4 characters or more), or `last`
    pub(crate) run: String,
    /// Every step, on a time line
    #[arg(long)]
    pub(crate) steps: bool,
    /// The state after the journal's entry SEQ
    #[arg(long, value_name = "SEQ")]
    pub(crate) state: Option<u64>,
    /// The flow's graph with what became of each node
    #[arg(long)]
    pub(crate) graph: bool,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) engine: LeaseArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Flow files
    #[arg(required = true, value_name = "FLOW")]
    pub(crate) flows: Vec<PathBuf>,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// A flow file
    pub(crate) flow: PathBuf,
    /// How to draw it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: GraphFormat,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For the terminal
    #[default]
    Text,
    /// For Markdown
    Mermaid,
    /// For Graphviz
    Dot,
    /// For a browser
    Svg,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// Flow files, changed in place
    #[arg(required = true, value_name = "FLOW")]
    pub(crate) flows: Vec<PathBuf>,
    /// Change nothing; exit 1 when a file is laid out differently
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(subcommand)]
    pub(crate) verb: MigrateVerb,
}

impl MigrateArgs {
    fn json(&self) -> bool {
        matches!(
            self.verb,
            MigrateVerb::Status(MigrateStatusArgs { json: true, .. })
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum MigrateVerb {
    /// Apply what is missing
    Up(MigrateUpArgs),
    /// Undo migrations; what their tables hold is lost
    Down(MigrateDownArgs),
    /// Say which migrations the database has
    Status(MigrateStatusArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MigrateUpArgs {
    /// Up to this version; without it, up to the newest
    #[arg(long, value_name = "N")]
    pub(crate) to: Option<u32>,
    /// Only print the SQL
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) db: DbArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateDownArgs {
    /// Undo everything above this version; 0 undoes all
    #[arg(long, value_name = "N")]
    pub(crate) to: u32,
    /// Also when that deletes what the database holds
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only print the SQL
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) db: DbArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateStatusArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Mend what is safe and say what was done; no run is ever lost by it
    #[arg(long)]
    pub(crate) fix: bool,
    /// Values that no run refers to count as unused after so many hours
    #[arg(long, value_name = "HOURS", default_value = "24")]
    #[arg(value_parser = clap::value_parser!(u16).range(2..=8760))]
    pub(crate) grace: u16,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) engine: LeaseArgs,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DebugArgs {
    #[command(subcommand)]
    pub(crate) verb: DebugVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DebugVerb {
    /// Print a statement as one kind of database gets it
    Sql(DebugSqlArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DebugSqlArgs {
    /// The statement's name, e.g. run.insert
    pub(crate) name: String,
    /// The kind of database
    #[arg(long, value_enum, default_value_t)]
    pub(crate) dialect: DialectName,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum DialectName {
    /// SQLite
    #[default]
    Sqlite,
    /// PostgreSQL
    Postgres,
    /// MySQL and MariaDB
    Mysql,
    /// SQL Server
    Mssql,
}

fn status(name: &str) -> Result<Status, String> {
    Status::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
        format!("a run is one of {}", names.join(", "))
    })
}

fn role(name: &str) -> Result<runstone_api::Role, String> {
    runstone_api::Role::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = runstone_api::Role::ALL
            .iter()
            .map(|role| role.name())
            .collect();
        format!("a role is one of {}", names.join(", "))
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number of seconds from 0.1 to 3600".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(wrong())
    }
}
