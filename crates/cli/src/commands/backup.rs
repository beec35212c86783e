//! `runstone backup`: takes a backup, or goes on taking them; and looks at those there are.
mod every;
mod list;
mod take;
pub(super) mod verify;

use runstone_store::backup::{BackupError, archive::ArchiveError};

use crate::{
    args::{BackupArgs, BackupVerb, DbArgs},
    exit::Exit,
    open,
    trouble::Trouble,
};

pub(super) async fn run(args: BackupArgs) -> anyhow::Result<Exit> {
    match args.verb {
        Some(BackupVerb::Verify(args)) => verify::run(args).await,
        Some(BackupVerb::List(args)) => list::run(args).await,
        None if args.take.every.is_some() => every::run(args.take).await,
        None => take::run(args.take).await,
    }
}

/// What the user is told of a backup or a restore that came to nothing.
pub(super) fn trouble(error: BackupError, db: Option<&DbArgs>) -> Trouble {
    let db_shown = db
        .map(|db| runstone_db::masked(&db.url))
        .unwrap_or_default();
    match error {
        BackupError::Archive { file, error } => {
            let mend = mend(&error);
            Trouble::at(file, error.to_string()).mend(mend)
        }
        BackupError::Open(error) => match db {
            Some(db) => open::trouble(db, error),
            None => Trouble::at("", error.to_string()),
        },
        BackupError::NotEmpty { .. } => Trouble::at(db_shown, error.to_string()).mend(
            "nothing was changed; restore into a new one: another SQLite file, or a database that \
             CREATE DATABASE has just made",
        ),
        BackupError::Store(_) | BackupError::Occupied(_) => {
            Trouble::at(db_shown, error.to_string())
        }
        BackupError::Write(_) | BackupError::Chain(_) | BackupError::Stopped => {
            Trouble::at("", error.to_string())
        }
    }
}

fn mend(error: &ArchiveError) -> &'static str {
    match error {
        ArchiveError::PassphraseMissing => {
            "put it into RUNSTONE_BACKUP_PASSPHRASE or name a file with --passphrase-file"
        }
        ArchiveError::PassphraseWrong => {
            "give the one that was set when this backup was taken; there is no other way in"
        }
        ArchiveError::Foreign => "name a file that `runstone backup` wrote",
        error if error.is_damage() => {
            "use another backup: `runstone backup verify FOLDER` tells which ones are whole"
        }
        _ => "",
    }
}
