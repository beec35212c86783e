//! What a move of the schema consists of: which migrations, in which order, cut into statements.
//! Decides; executes nothing.
use super::{
    Migration,
    ledger::{Begun, History},
    newest, split,
};
use crate::{dialect::Dialect, error::Error};

/// Which way a migration is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Applied.
    Up,
    /// Undone.
    Down,
}

impl Way {
    /// `up` or `down`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Up, Self::Down]
            .into_iter()
            .find(|way| way.name() == name)
    }
}

/// One migration of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMigration {
    /// Its number.
    pub version: u32,
    /// Its name.
    pub name: &'static str,
    /// Which way.
    pub way: Way,
    /// So many of its statements were done before a crash and are not done again.
    pub done: usize,
    /// All its statements, in order.
    pub statements: Vec<PlannedStatement>,
}

/// One statement of a migration's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedStatement {
    /// The line of the file that it starts on, from 1.
    pub line: usize,
    /// Its text, without a semicolon.
    pub sql: &'static str,
}

impl PlannedMigration {
    fn new(migration: &Migration, way: Way, dialect: Dialect) -> Result<Self, Error> {
        let text = match way {
            Way::Up => migration.up,
            Way::Down => migration.down,
        };
        let mut planned = Self {
            version: migration.version,
            name: migration.name,
            way,
            done: 0,
            statements: Vec::new(),
        };
        let pieces = split::statements(text, dialect).map_err(|broken| {
            Error::other(format!(
                "{}: {}",
                planned.place(broken.line),
                broken.problem
            ))
        })?;
        let statement = |piece: split::Piece<'static>| PlannedStatement {
            line: piece.line,
            sql: piece.sql,
        };
        planned.statements = pieces.into_iter().map(statement).collect();
        Ok(planned)
    }

    /// The name of a line for messages.
    pub(super) fn place(&self, line: usize) -> String {
        format!("migration {} ({}), line {line}", self.name, self.way.name())
    }

    /// blake3 of the first `count` statements, in hex: what is done already must be in the file
    /// still, what follows may have been mended.
    pub(super) fn digest(&self, count: usize) -> String {
        let mut hasher = blake3::Hasher::new();
        for statement in self.statements.iter().take(count) {
            hasher.update(statement.sql.replace("\r\n", "\n").as_bytes());
            hasher.update(b";\n");
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Where a move goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) way: Way,
    pub(super) version: u32,
}

impl Target {
    /// Up to `to`, or to the newest.
    pub(super) fn up(migrations: &[Migration], to: Option<u32>) -> Result<Self, Error> {
        let newest = newest(migrations);
        let version = to.unwrap_or(newest);
        if version > newest {
            return Err(Error::other(format!(
                "there is no schema {version}; this binary knows up to {newest}"
            )));
        }
        Ok(Self {
            way: Way::Up,
            version,
        })
    }

    pub(super) fn down(version: u32) -> Self {
        Self {
            way: Way::Down,
            version,
        }
    }
}

/// The migrations that lead from `history` to `target`, one that was interrupted first.
pub(super) fn plan(
    known: &[Migration],
    history: &History,
    target: Target,
    dialect: Dialect,
) -> Result<Vec<PlannedMigration>, Error> {
    let mut current = super::verify(known, &history.applied)?;
    let mut plan = Vec::new();
    if let Some(begun) = &history.begun {
        let rest = interrupted(known, current, begun, dialect)?;
        current = match rest.way {
            Way::Up => rest.version,
            Way::Down => rest.version - 1,
        };
        plan.push(rest);
    }
    let of = |migration: &Migration| PlannedMigration::new(migration, target.way, dialect);
    let between = |migration: &&Migration| match target.way {
        Way::Up => migration.version > current && migration.version <= target.version,
        Way::Down => migration.version <= current && migration.version > target.version,
    };
    let mut rest = known
        .iter()
        .filter(between)
        .map(of)
        .collect::<Result<Vec<_>, _>>()?;
    if target.way == Way::Down {
        rest.reverse();
    }
    plan.extend(rest);
    Ok(plan)
}

/// What is left of a migration that a crash interrupted.
fn interrupted(
    known: &[Migration],
    current: u32,
    begun: &Begun,
    dialect: Dialect,
) -> Result<PlannedMigration, Error> {
    let next = match begun.way {
        Way::Up => current + 1,
        Way::Down => current,
    };
    let migration = known.iter().find(|known| known.version == begun.version);
    let Some(migration) = migration.filter(|_| begun.version == next && next > 0) else {
        return Err(Error::other(format!(
            "migration {} ({}) was interrupted, which this binary does not know how to go on \
             with; use the binary that began it",
            begun.version,
            begun.way.name()
        )));
    };
    let mut rest = PlannedMigration::new(migration, begun.way, dialect)?;
    if begun.done > rest.statements.len() || rest.digest(begun.done) != begun.digest {
        return Err(Error::other(format!(
            "migration {} ({}) was interrupted after statement {}, and up to there this binary \
             has other statements; use the binary that began it, or restore a backup",
            migration.name,
            begun.way.name(),
            begun.done
        )));
    }
    rest.done = begun.done;
    Ok(rest)
}
