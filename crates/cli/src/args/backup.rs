//! The arguments of `backup` and `restore`.
use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use runstone_model::time::Timestamp;
use runstone_store::backup::Keep;

use super::DbArgs;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(override_usage = "runstone backup [OPTIONS] <TO>
       runstone backup verify [OPTIONS] <ARCHIVE>...
       runstone backup list [OPTIONS] <PLACE>")]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<BackupVerb>,
    #[command(flatten)]
    pub(crate) take: BackupTakeArgs,
}

impl BackupArgs {
    pub(crate) fn json(&self) -> bool {
        match &self.verb {
            None => self.take.json,
            Some(BackupVerb::Verify(args)) => args.json,
            Some(BackupVerb::List(args)) => args.json,
        }
    }

    /// The database, of a command that has one.
    pub(crate) fn db(&self) -> Option<&DbArgs> {
        self.verb.is_none().then_some(&self.take.db)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupVerb {
    /// Read archives to their ends and name everything that is wrong with them
    Verify(BackupVerifyArgs),
    /// List the archives in a folder or bucket
    List(BackupListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BackupTakeArgs {
    /// A new file, a folder (the name is made from the time), or s3://bucket/prefix
    #[arg(required = true, value_name = "TO")]
    pub(crate) to: Option<String>,
    /// Only what is new since this archive, which a restore then needs too
    #[arg(long, value_name = "ARCHIVE", conflicts_with_all = ["every", "full_every"])]
    pub(crate) since: Option<String>,
    /// Stay, and take a backup so often: 30m, 6h, 1d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) every: Option<Duration>,
    /// Only every Nth backup is a full one, the others hold what is new
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) full_every: Option<u32>,
    /// Delete archives in TO, but keep the newest N and what they need
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: Option<u32>,
    /// Delete archives in TO, but keep those of the last N days and what they need
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) keep_days: Option<u32>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) secret: PassphraseArgs,
    #[command(flatten)]
    pub(crate) s3: S3Args,
    /// Print one JSON document on stdout; with --every one a line
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupVerifyArgs {
    /// Files, folders or s3:// URLs; archives that they need are looked for beside them
    #[arg(required = true, value_name = "ARCHIVE")]
    pub(crate) archives: Vec<String>,
    #[command(flatten)]
    pub(crate) secret: PassphraseArgs,
    #[command(flatten)]
    pub(crate) s3: S3Args,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupListArgs {
    /// A folder, a file, or s3://bucket/prefix
    pub(crate) place: String,
    #[command(flatten)]
    pub(crate) s3: S3Args,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// An archive; archives that it needs are looked for beside it, or are named too. Or a folder
    /// or s3://bucket/prefix: the newest archive in it
    #[arg(required = true, value_name = "ARCHIVE")]
    pub(crate) archives: Vec<String>,
    /// The newest archive that was taken at this time or before: 2026-11-21T05:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[command(flatten)]
    pub(crate) secret: PassphraseArgs,
    #[command(flatten)]
    pub(crate) s3: S3Args,
    /// Print one JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Where the passphrase is.
#[derive(Clone, Debug, Args)]
pub(crate) struct PassphraseArgs {
    /// The first line of this file is the passphrase; else RUNSTONE_BACKUP_PASSPHRASE is, if set
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// How an S3-compatible store is reached.
#[derive(Clone, Debug, Args)]
pub(crate) struct S3Args {
    /// An S3-compatible store other than Amazon's
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    pub(crate) s3_endpoint: Option<String>,
}

impl BackupTakeArgs {
    /// What is kept at the place.
    pub(crate) fn keep(&self) -> Keep {
        let days = self.keep_days.map(|days| u64::from(days) * 86_400);
        Keep {
            newest: self.keep.and_then(|count| usize::try_from(count).ok()),
            younger: days.map(Duration::from_secs),
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number and s, m, h or d, from 1s to 366d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let all = number.checked_mul(seconds).ok_or_else(wrong)?;
    if (1..=366 * 86_400).contains(&all) {
        Ok(Duration::from_secs(all))
    } else {
        Err(wrong())
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    let read: Result<jiff::Timestamp, _> = text.parse();
    read.map(|time| Timestamp(time.as_microsecond()))
        .map_err(|_| "write a time with its zone, as in 2026-11-21T05:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("6h"), Ok(Duration::from_secs(21_600)));
        for wrong in ["", "6", "h", "0h", "-1h", "6 h", "1.5h", "367d", "6é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
