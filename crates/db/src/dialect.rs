//! The databases we speak, and the closed list of markers that stand for their differences. A
//! statement that needs more than a marker gets a file of its own for that dialect.
//!
//! | marker | PostgreSQL | SQLite |
//! |---|---|---|
//! | `{{limit :n}}` | `LIMIT $1` | `LIMIT ?1` |
//! | `{{skip_locked}}` | `FOR UPDATE SKIP LOCKED` | nothing: there is one writer |
//! | `x {{in :ids:uuid}}` | `x = ANY($1::uuid[])` | `x IN (SELECT … FROM json_each(?1))` |
//! | `{{rows a:uuid, b:int}}` | `SELECT * FROM unnest(…)`, once for all rows; `VALUES` for one | `VALUES (?1, ?2)`, once a row |
//! | `{{upsert k: a, b}}` | `ON CONFLICT (k) DO UPDATE SET a = excluded.a, …` | the same |
//! | `{{insert_or_nothing k}}` | `ON CONFLICT (k) DO NOTHING` | the same |
//!
//! Types in `rows` and `in`: `uuid`, `int` (64 bits; smaller columns are cast), `text`, `bytes`,
//! `bool`, `float`. Twelve markers are the most there may ever be.
use std::fmt;

/// A database's way of writing SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// Its name in file names (`claim.sqlite.sql`) and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// The placeholder of parameter `number`, from 1.
    pub(crate) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of a column in `{{rows …}}` and of the elements in `{{in …}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Uuid,
    Int,
    Text,
    Bytes,
    Bool,
    Float,
}

impl ColumnType {
    fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "uuid" => Self::Uuid,
            "int" => Self::Int,
            "text" => Self::Text,
            "bytes" => Self::Bytes,
            "bool" => Self::Bool,
            "float" => Self::Float,
            other => {
                return Err(format!(
                    "the type `{other}` is not known; use uuid, int, text, bytes, bool or float"
                ));
            }
        })
    }

    fn postgres(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Int => "int8",
            Self::Text => "text",
            Self::Bytes => "bytea",
            Self::Bool => "bool",
            Self::Float => "float8",
        }
    }

    /// SQLite gets lists as JSON, which has no bytes: they travel in hex.
    fn json_item(self) -> &'static str {
        match self {
            Self::Uuid | Self::Bytes => "unhex(value)",
            Self::Int | Self::Text | Self::Bool | Self::Float => "value",
        }
    }
}

/// A marker, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Marker<'a> {
    Limit(Count<'a>),
    SkipLocked,
    In {
        param: &'a str,
        of: ColumnType,
    },
    Rows(Vec<(&'a str, ColumnType)>),
    Upsert {
        keys: Vec<&'a str>,
        columns: Vec<&'a str>,
    },
    InsertOrNothing {
        keys: Vec<&'a str>,
    },
}

/// A row count: a parameter or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count<'a> {
    Param(&'a str),
    Number(&'a str),
}

impl<'a> Marker<'a> {
    /// Reads what stands between the braces.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        let text = text.trim();
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match name {
            "limit" => Ok(Self::Limit(count(rest)?)),
            "skip_locked" if rest.trim().is_empty() => Ok(Self::SkipLocked),
            "skip_locked" => Err("`skip_locked` takes nothing".to_owned()),
            "in" => {
                let (param, of) = typed(rest.trim().strip_prefix(':').unwrap_or(rest))?;
                Ok(Self::In { param, of })
            }
            "rows" => Ok(Self::Rows(
                rest.split(',').map(typed).collect::<Result<_, _>>()?,
            )),
            "upsert" => {
                let (keys, columns) = rest
                    .split_once(':')
                    .ok_or("`upsert` is written `{{upsert key1, key2: column1, column2}}`")?;
                Ok(Self::Upsert {
                    keys: names(keys)?,
                    columns: names(columns)?,
                })
            }
            "insert_or_nothing" => Ok(Self::InsertOrNothing { keys: names(rest)? }),
            other => Err(format!(
                "the marker `{other}` is not known; there are limit, skip_locked, in, rows, \
                 upsert and insert_or_nothing"
            )),
        }
    }

    /// Writes the marker as `dialect` wants it; `number` gives a parameter its number. With
    /// `one_row`, a row source is written for a single row: PostgreSQL plans that much faster.
    pub(crate) fn render(
        &self,
        dialect: Dialect,
        one_row: bool,
        mut number: impl FnMut(&str) -> usize,
    ) -> String {
        let mut place = |name: &str| dialect.placeholder(number(name));
        match (self, dialect) {
            (Self::Limit(Count::Param(name)), _) => format!("LIMIT {}", place(name)),
            (Self::Limit(Count::Number(n)), _) => format!("LIMIT {n}"),
            (Self::SkipLocked, Dialect::Sqlite) => String::new(),
            (Self::SkipLocked, Dialect::Postgres) => "FOR UPDATE SKIP LOCKED".to_owned(),
            (Self::In { param, of }, Dialect::Sqlite) => {
                format!(
                    "IN (SELECT {} FROM json_each({}))",
                    of.json_item(),
                    place(param)
                )
            }
            (Self::In { param, of }, Dialect::Postgres) => {
                format!("= ANY({}::{}[])", place(param), of.postgres())
            }
            (Self::Rows(columns), Dialect::Sqlite) => {
                let places: Vec<String> = columns.iter().map(|(name, _)| place(name)).collect();
                format!("VALUES ({})", places.join(", "))
            }
            (Self::Rows(columns), Dialect::Postgres) if one_row => {
                let places: Vec<String> = columns
                    .iter()
                    .map(|(name, of)| format!("{}::{}", place(name), of.postgres()))
                    .collect();
                format!("VALUES ({})", places.join(", "))
            }
            (Self::Rows(columns), Dialect::Postgres) => {
                let arrays: Vec<String> = columns
                    .iter()
                    .map(|(name, of)| format!("{}::{}[]", place(name), of.postgres()))
                    .collect();
                format!("SELECT * FROM unnest({})", arrays.join(", "))
            }
            (Self::Upsert { keys, columns }, Dialect::Sqlite | Dialect::Postgres) => {
                let sets: Vec<String> = columns
                    .iter()
                    .map(|name| format!("{name} = excluded.{name}"))
                    .collect();
                format!(
                    "ON CONFLICT ({}) DO UPDATE SET {}",
                    keys.join(", "),
                    sets.join(", ")
                )
            }
            (Self::InsertOrNothing { keys }, Dialect::Sqlite | Dialect::Postgres) => {
                format!("ON CONFLICT ({}) DO NOTHING", keys.join(", "))
            }
        }
    }
}

fn count(text: &str) -> Result<Count<'_>, String> {
    let text = text.trim();
    if let Some(param) = text.strip_prefix(':') {
        return name(param).map(Count::Param);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Count::Number(text));
    }
    Err("`limit` is written `{{limit :n}}` or `{{limit 10}}`".to_owned())
}

fn typed(text: &str) -> Result<(&str, ColumnType), String> {
    let (column, of) = text
        .split_once(':')
        .ok_or_else(|| format!("`{}` needs a type, as in `id:uuid`", text.trim()))?;
    Ok((name(column)?, ColumnType::parse(of.trim())?))
}

fn names(text: &str) -> Result<Vec<&str>, String> {
    text.split(',').map(name).collect()
}

/// A bare name: what is written into SQL from a marker can be nothing else.
pub(crate) fn name(text: &str) -> Result<&str, String> {
    let text = text.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts = text
        .bytes()
        .next()
        .is_some_and(|b| plain(b) && !b.is_ascii_digit());
    if starts && text.bytes().all(plain) {
        Ok(text)
    } else {
        Err(format!(
            "`{text}` is not a name; names are of a-z, A-Z, 0-9 and _"
        ))
    }
}
