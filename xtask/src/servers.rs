//! The database servers that tests and benchmarks run on: each of a temporary folder, on a free
//! loopback port, with default durability, stopped and removed when xtask ends in whatever way.
//!
//! What has to be fetched is fetched once into a cache folder; nothing is installed into the
//! system but Debian's PostgreSQL, by root. A server that cannot be had is said aloud, and why.

mod cache;
mod debian;
mod mysql;
mod postgres;
mod postgres_programs;
mod redis;
mod unprivileged;
mod watched;

use std::path::PathBuf;
use std::process::Command;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, bail};

pub(crate) use postgres::Postgres;
use watched::Watched;
pub(crate) use watched::disk_folder;

/// Where tests find this program.
const XTASK_VAR: &str = "RUNSTONE_TEST_XTASK";

/// A kind and version of server that every suite runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres13,
    Postgres,
    Postgres18,
    Mariadb,
    Mysql,
    Mssql,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Postgres13,
        Self::Postgres,
        Self::Postgres18,
        Self::Mariadb,
        Self::Mysql,
        Self::Mssql,
    ];

    /// The word in the paths of its tests, and its name for `--db`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Postgres13 => "postgres13",
            Self::Postgres => "postgres",
            Self::Postgres18 => "postgres18",
            Self::Mariadb => "mariadb",
            Self::Mysql => "mysql",
            Self::Mssql => "mssql",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Postgres13 | Self::Postgres | Self::Postgres18 => "PostgreSQL",
            Self::Mariadb => "MariaDB",
            Self::Mysql => "MySQL",
            Self::Mssql => "SQL Server",
        }
    }

    /// What tests read; set by a user, it names a server that is used instead of one of ours.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Postgres13 => "RUNSTONE_TEST_POSTGRES13_URL",
            Self::Postgres => "RUNSTONE_TEST_POSTGRES_URL",
            Self::Postgres18 => "RUNSTONE_TEST_POSTGRES18_URL",
            Self::Mariadb => "RUNSTONE_TEST_MARIADB_URL",
            Self::Mysql => "RUNSTONE_TEST_MYSQL_URL",
            Self::Mssql => "RUNSTONE_TEST_MSSQL_URL",
        }
    }

    /// Starts one of its own, fetching it first where it is not there.
    pub(crate) fn start(self) -> Result<Server> {
        self.start_as(&Wishes::default())
    }

    fn start_as(self, wishes: &Wishes) -> Result<Server> {
        match self {
            Self::Postgres13 => postgres::start(postgres::Wanted::Major(13), wishes),
            Self::Postgres => postgres::start(postgres::Wanted::Usual, wishes),
            Self::Postgres18 => postgres::start(postgres::Wanted::Major(18), wishes),
            Self::Mariadb => mysql::start(mysql::Make::Mariadb, wishes),
            Self::Mysql => mysql::start(mysql::Make::Mysql, wishes),
            Self::Mssql => bail!("{} is not set, and no package has it", self.variable()),
        }
    }
}

/// What one test wants of a server of its own.
#[derive(Default)]
struct Wishes {
    /// Its folder is made in this one, not on the disk of the others.
    within: Option<PathBuf>,
    /// More arguments for its program.
    settings: Vec<String>,
}

impl Wishes {
    fn read(args: &[String]) -> Result<Self> {
        match args {
            [option, folder, settings @ ..] if option == "--in" => Ok(Self {
                within: Some(folder.into()),
                settings: settings.to_vec(),
            }),
            [option] if option == "--in" => bail!("--in needs a folder"),
            settings => Ok(Self {
                within: None,
                settings: settings.to_vec(),
            }),
        }
    }
}

/// A running server; dropping it stops it and removes its folder.
pub(crate) struct Server {
    /// `15.13`, without the name.
    pub(crate) version: String,
    /// A database in which others, or schemas, may be made.
    pub(crate) url: String,
    watched: Watched,
}

impl Server {
    /// `cargo xtask server KIND [--in FOLDER] [SETTING…]`, for tests that need one as no other
    /// does: prints its URL, then obeys `kill` and `start`, a line each, and says so; ends with its
    /// input.
    pub(crate) fn in_the_hands_of_a_test(args: &[String]) -> Result<()> {
        let (word, wishes) = args.split_first().context("of which kind?")?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
        let wishes = Wishes::read(wishes)?;
        let mut server = match (kind, word.as_str()) {
            (Some(kind), _) => kind.start_as(&wishes)?,
            // No suite runs on it: who needs one asks for one.
            (None, "redis") => redis::start(&wishes)?,
            (None, _) => bail!("there is no kind of server `{word}`"),
        };
        println!("{}", server.url);
        for order in std::io::stdin().lines() {
            let order = order?;
            match order.as_str() {
                "kill" => server.watched.kill()?,
                "start" => server.watched.start_again()?,
                other => bail!("`{other}` is no order; there are `kill` and `start`"),
            }
            println!("{order}");
        }
        Ok(())
    }
}

/// Where the tests find a server.
enum Place {
    Given(String),
    Ours(Server),
    /// With the reason.
    Nowhere(String),
    NotChosen,
}

/// Servers that are being started while something else goes on.
pub(crate) struct Starting(Vec<(Kind, JoinHandle<Place>)>);

/// What there is of each kind.
pub(crate) struct Servers(Vec<(Kind, Place)>);

/// Begins to start what is chosen and not given by a variable.
pub(crate) fn begin(chosen: &[Kind]) -> Starting {
    let start = |kind: Kind, chosen: bool| {
        if !chosen {
            return Place::NotChosen;
        }
        if let Some(url) = std::env::var(kind.variable())
            .ok()
            .filter(|url| !url.is_empty())
        {
            eprintln!("{}: the server that {} names", kind.word(), kind.variable());
            return Place::Given(url);
        }
        match kind.start() {
            Ok(server) => Place::Ours(server),
            Err(error) => {
                let reason = format!("{error:#}");
                eprintln!("SKIPPED: no {} to test on: {reason}", kind.word());
                Place::Nowhere(reason)
            }
        }
    };
    let all = Kind::ALL.map(|kind| {
        let chosen = chosen.contains(&kind);
        (kind, std::thread::spawn(move || start(kind, chosen)))
    });
    Starting(all.into())
}

impl Starting {
    pub(crate) fn wait(self) -> Result<Servers> {
        let ended = self.0.into_iter().map(|(kind, thread)| {
            let place = thread.join();
            Ok((
                kind,
                place.map_err(|_| anyhow!("starting {} panicked", kind.word()))?,
            ))
        });
        Ok(Servers(ended.collect::<Result<_>>()?))
    }
}

impl Servers {
    /// Tells a program that runs tests where they are, and nothing of those that were not chosen.
    pub(crate) fn name_to(&self, command: &mut Command) {
        // Who kills a server needs one of its own, and asks us for it.
        if let Ok(xtask) = std::env::current_exe() {
            command.env(XTASK_VAR, xtask);
        }
        for (kind, place) in &self.0 {
            match place {
                Place::Given(url) => command.env(kind.variable(), url),
                Place::Ours(server) => command.env(kind.variable(), &server.url),
                Place::Nowhere(_) | Place::NotChosen => command.env_remove(kind.variable()),
            };
        }
    }

    pub(crate) fn urls(&self) -> Vec<(Kind, &str)> {
        let there = self.0.iter().filter_map(|(kind, place)| match place {
            Place::Ours(server) => Some((*kind, server.url.as_str())),
            Place::Given(url) => Some((*kind, url.as_str())),
            Place::Nowhere(_) | Place::NotChosen => None,
        });
        there.collect()
    }

    /// The version of each that runs or was given; of the latter it is not known.
    pub(crate) fn versions(&self) -> Vec<(Kind, Option<&str>)> {
        let there = self.0.iter().filter_map(|(kind, place)| match place {
            Place::Ours(server) => Some((*kind, Some(server.version.as_str()))),
            Place::Given(_) => Some((*kind, None)),
            Place::Nowhere(_) | Place::NotChosen => None,
        });
        there.collect()
    }

    /// What is missing, and why.
    pub(crate) fn missing(&self) -> Vec<(Kind, &str)> {
        let missing = self.0.iter().filter_map(|(kind, place)| match place {
            Place::Nowhere(reason) => Some((*kind, reason.as_str())),
            Place::NotChosen => Some((*kind, "not chosen with --db")),
            Place::Given(_) | Place::Ours(_) => None,
        });
        missing.collect()
    }
}

/// The first word of a `--version` that is a version.
fn version_of(text: &str) -> Result<String> {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
        .with_context(|| format!("no version in {text:?}"))?;
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.');
    Ok(word[..end.unwrap_or(word.len())].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_servers_say() {
        for (said, version) in [
            (
                "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)",
                "15.13",
            ),
            (
                "mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64",
                "10.11.14",
            ),
            (
                "/x/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))",
                "9.7.4",
            ),
        ] {
            assert_eq!(version_of(said).ok().as_deref(), Some(version), "{said}");
        }
        assert!(version_of("nothing").is_err());
    }

    #[test]
    fn what_was_not_chosen_is_not_started_and_its_variable_is_taken_away() {
        let Ok(servers) = begin(&[]).wait() else {
            unreachable!("nothing was started");
        };
        assert_eq!(servers.missing().len(), Kind::ALL.len());
        assert!(servers.versions().is_empty());
        let mut command = Command::new("true");
        servers.name_to(&mut command);
        let mut set = command.get_envs().filter(|(name, _)| *name != XTASK_VAR);
        assert!(set.all(|(_, value)| value.is_none()));
    }
}
