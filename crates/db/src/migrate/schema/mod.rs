//! What a schema consists of, read from a script or from a live database, and how two differ.
//! Names that the database invents (of unique keys, foreign keys, checks) are not compared.
mod live;
mod parse;
#[cfg(test)]
mod tests;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{database::Database, dialect::Dialect, error::Error};

/// The tables of a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    tables: BTreeMap<String, Table>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    columns: BTreeMap<String, Column>,
    primary_key: Vec<String>,
    /// By their columns: names of unique keys differ from database to database.
    unique: BTreeSet<Vec<String>>,
    indexes: BTreeMap<String, Index>,
    references: BTreeSet<Reference>,
    /// By what they say, not by name.
    checks: BTreeSet<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    /// As the catalogue writes it.
    kind: String,
    nullable: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Index {
    columns: Vec<String>,
    /// Of a partial index.
    only: Option<Condition>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    columns: Vec<String>,
    table: String,
    to: Vec<String>,
    /// `cascade`, `restrict`, `no action`, …
    on_delete: String,
}

/// A condition without what databases write differently: its columns, constants and comparisons,
/// sorted, each once. That tells `a >= 1` from `a >= 2`, not `a OR b` from `a AND b`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Condition(BTreeSet<String>);

/// One thing in which a live schema differs from the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is missing, different or not ours.
    pub message: String,
    /// Nothing goes wrong because of it: an index that somebody added.
    pub is_harmless: bool,
}

impl Schema {
    /// The schema that a script for `dialect` makes: its `CREATE TABLE`, `CREATE INDEX` and
    /// `ALTER TABLE … ADD`. Other statements are passed over.
    ///
    /// # Errors
    /// The script cannot be read.
    pub fn parse(script: &str, dialect: Dialect) -> Result<Self, Error> {
        parse::script(script, dialect)
    }

    /// The schema that `db` has, in the schema that its connections work in.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn read(db: &Database) -> Result<Self, Error> {
        live::read(db).await
    }

    /// The names of its tables.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// The same without a table.
    #[must_use]
    pub fn without(mut self, table: &str) -> Self {
        self.tables.remove(table);
        self
    }

    /// Whether `live` has every table and every column of this one, so that statements can run.
    #[must_use]
    pub fn is_readable_in(&self, live: &Self) -> bool {
        self.tables.iter().all(|(name, table)| {
            live.tables.get(name).is_some_and(|found| {
                let mut columns = table.columns.keys();
                columns.all(|column| found.columns.contains_key(column))
            })
        })
    }

    /// Everything in which `live` differs, table by table; tables that only `live` has are not our
    /// business.
    #[must_use]
    pub fn differences(&self, live: &Self) -> Vec<Difference> {
        let mut all = Vec::new();
        for (name, wanted) in &self.tables {
            match live.tables.get(name) {
                None => all.push(bad(format!("the table `{name}` is missing"))),
                Some(found) => wanted.differences(name, found, &mut all),
            }
        }
        all
    }

    /// Foreign keys of our tables that have no index in `live` which begins with their columns:
    /// deleting from the table that they refer to reads the whole table that has them.
    #[must_use]
    pub fn unindexed_references(&self, live: &Self) -> Vec<String> {
        let mut all = Vec::new();
        let ours = |(name, _): &(&String, &Table)| self.tables.contains_key(*name);
        for (name, table) in live.tables.iter().filter(ours) {
            for reference in &table.references {
                let keys = table.indexes.values().filter(|index| index.only.is_none());
                let mut keys = keys
                    .map(|index| &index.columns)
                    .chain(&table.unique)
                    .chain([&table.primary_key]);
                if !keys.any(|key| key.starts_with(&reference.columns)) {
                    all.push(format!("`{name}` ({})", reference.columns.join(", ")));
                }
            }
        }
        all
    }
}

fn bad(message: String) -> Difference {
    Difference {
        message,
        is_harmless: false,
    }
}

impl Table {
    fn differences(&self, name: &str, found: &Self, all: &mut Vec<Difference>) {
        let mut tell = |message: String| all.push(bad(message));
        for (column, wanted) in &self.columns {
            match found.columns.get(column) {
                None => tell(format!("the column `{name}.{column}` is missing")),
                Some(found) if found != wanted => tell(format!(
                    "the column `{name}.{column}` is {found}, wanted {wanted}"
                )),
                Some(_) => {}
            }
        }
        for column in found.columns.keys() {
            if !self.columns.contains_key(column) {
                tell(format!("the column `{name}.{column}` is not ours"));
            }
        }
        if found.primary_key != self.primary_key {
            let (found, wanted) = (found.primary_key.join(", "), self.primary_key.join(", "));
            tell(format!(
                "the primary key of `{name}` is ({found}), wanted ({wanted})"
            ));
        }
        let unique =
            |columns: &Vec<String>| format!("the unique key `{name}` ({})", columns.join(", "));
        sets(&self.unique, &found.unique, unique, &mut tell);
        let reference = |reference: &Reference| format!("the foreign key `{name}` {reference}");
        sets(&self.references, &found.references, reference, &mut tell);
        let check = |check: &Condition| format!("the check of `{name}` on {check}");
        sets(&self.checks, &found.checks, check, &mut tell);
        self.indexes(name, found, all);
    }

    fn indexes(&self, name: &str, found: &Self, all: &mut Vec<Difference>) {
        for (index, wanted) in &self.indexes {
            match found.indexes.get(index) {
                None => all.push(bad(format!("the index `{index}` of `{name}` is missing"))),
                Some(found) if found != wanted => all.push(bad(format!(
                    "the index `{index}` of `{name}` is on {found}, wanted {wanted}"
                ))),
                Some(_) => {}
            }
        }
        for (index, found) in &found.indexes {
            if !self.indexes.contains_key(index) {
                all.push(Difference {
                    message: format!("the index `{index}` of `{name}` on {found} is not ours"),
                    is_harmless: true,
                });
            }
        }
    }
}

fn sets<T: Ord>(
    wanted: &BTreeSet<T>,
    found: &BTreeSet<T>,
    shown: impl Fn(&T) -> String,
    mut tell: impl FnMut(String),
) {
    for missing in wanted.difference(found) {
        tell(format!("{} is missing", shown(missing)));
    }
    for extra in found.difference(wanted) {
        tell(format!("{} is not ours", shown(extra)));
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.nullable {
            Ok(())
        } else {
            f.write_str(" not null")
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.columns.join(", "))?;
        match &self.only {
            Some(only) => write!(f, " where {only}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (columns, to) = (self.columns.join(", "), self.to.join(", "));
        write!(
            f,
            "({columns}) to `{}` ({to}) on delete {}",
            self.table, self.on_delete
        )
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        write!(f, "{{{}}}", words.join(" "))
    }
}
