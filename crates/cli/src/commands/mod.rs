//! The commands, one file each: they read, call the libraries, print.
mod backup;
mod cancel;
mod completions;
mod debug;
mod dev;
mod doctor;
mod end;
mod fmt;
mod graph;
mod keys;
mod migrate;
mod restore;
mod resume;
mod resume_all;
mod run;
mod runs;
mod serve;
mod show;
mod validate;
mod version;

use std::process::ExitCode;

use runstone_db::masked;

use crate::{
    args::{Command, DebugVerb},
    signals,
    trouble::Trouble,
};

/// Carries out one command.
pub(crate) async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    signals::outlive_file_limit()?;
    let db = command.db().map(|db| masked(&db.url));
    let done = carry_out(command).await;
    done.map_err(|error| match db {
        // What the store says names no place: there is one database a command.
        Some(db) if is_damage(&error) => Trouble::at(db, format!("{error:#}"))
            .mend("stop every process that uses it; `runstone doctor` tells what is damaged")
            .into(),
        Some(db) if is_stores(&error) => Trouble::at(db, format!("{error:#}")).into(),
        _ => error,
    })
}

fn is_damage(error: &anyhow::Error) -> bool {
    use runstone_store::Error::Damaged;
    matches!(error.downcast_ref(), Some(Damaged(_)))
        || matches!(
            error.downcast_ref(),
            Some(runstone_engine::Error::Store(Damaged(_)))
        )
}

fn is_stores(error: &anyhow::Error) -> bool {
    error.is::<runstone_store::Error>()
        || matches!(error.downcast_ref(), Some(runstone_engine::Error::Store(_)))
}

async fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    Ok(match command {
        Command::Run(args) => run::run(args).await?.into(),
        Command::Resume(args) if args.all || args.watch => resume_all::run(args).await?.into(),
        Command::Resume(args) => resume::run(args).await?.into(),
        Command::Cancel(args) => cancel::run(args).await?.into(),
        Command::Runs(args) => runs::run(args).await?.into(),
        Command::Show(args) => show::run(args).await?.into(),
        Command::Validate(args) => validate::run(&args)?.into(),
        Command::Graph(args) => graph::run(&args)?.into(),
        Command::Fmt(args) => fmt::run(&args)?.into(),
        Command::Dev(args) => dev::run(args).await?.into(),
        Command::Serve(args) => serve::run(args).await?.into(),
        Command::Keys(args) => keys::run(args.verb).await?.into(),
        Command::Migrate(args) => migrate::run(args.verb).await?.into(),
        Command::Doctor(args) => doctor::run(args).await?.into(),
        Command::Backup(args) => backup::run(args).await?.into(),
        Command::Restore(args) => restore::run(args).await?.into(),
        Command::Bench(args) => crate::bench::run(args).await?,
        Command::Completions(args) => completions::run(&args)?.into(),
        Command::Version(args) => version::run(&args)?.into(),
        Command::Debug(args) => match args.verb {
            DebugVerb::Sql(args) => debug::sql(&args)?.into(),
        },
    })
}
