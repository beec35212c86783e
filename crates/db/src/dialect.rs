//! The databases we speak, and the closed list of markers that stand for their differences. A
//! statement that needs more than a marker gets a file of its own for that dialect.
//!
//! | marker | PostgreSQL | SQLite | MySQL and MariaDB | SQL Server |
//! |---|---|---|---|---|
//! | `{{limit :n}}` | `LIMIT $1` | `LIMIT ?1` | `LIMIT ?` | `OFFSET 0 ROWS FETCH NEXT @P1 ROWS ONLY` |
//! | `{{skip_locked}}` | `FOR UPDATE SKIP LOCKED` | nothing: there is one writer | as PostgreSQL | nothing: its hints stand elsewhere |
//! | `x {{in :ids:uuid}}` | `x = ANY($1::uuid[])` | `x IN (SELECT … FROM json_each(?1))` | `x IN (?, ?, …)` | `x IN (SELECT … FROM OPENJSON(@P1))` |
//! | `{{rows a:uuid, b:int}}` | `SELECT * FROM unnest(…)`, once for all rows; `VALUES` for one | `VALUES (?1, ?2)`, once a row | `VALUES (?, ?), …`, once for all | `VALUES (@P1, @P2)` |
//! | `{{upsert k: a, b}}` | `ON CONFLICT (k) DO UPDATE SET a = excluded.a, …` | the same | `ON DUPLICATE KEY UPDATE …` | none |
//! | `{{insert_or_nothing k}}` | `ON CONFLICT (k) DO NOTHING` | the same | `ON DUPLICATE KEY UPDATE k = k` | none |
//!
//! A list's statement is written once and rendered for each of its pages (`statement/leg.rs`):
//!
//! | marker | upwards | downwards | on the first page |
//! |---|---|---|---|
//! | `{{beyond id :edge}}` | `id > :edge` | `id < :edge` | `1 = 1` |
//! | `{{beyond at :at, id :edge}}` | `at >= :at AND (at > :at OR id > :edge)` | the same with `<` | `1 = 1` |
//! | `{{upto id :to}}` | `id <= :to` | `id >= :to` | as its direction |
//! | `{{upto at :to_at, id :to}}` | `at <= :to_at AND (at < :to_at OR id <= :to)` | the same with `>` | as its direction |
//! | `{{along}}` | `ASC` | `DESC` | as its direction |
//!
//! MySQL's forms with many values are written at execution, by `statement/template.rs`.
//!
//! Types in `rows` and `in`: `uuid`, `int` (64 bits; smaller columns are cast), `text`, `bytes`,
//! `bool`, `float`, `decimal`, `time` (a native timestamp). Twelve markers are the most there may
//! ever be.
use crate::statement::tsql;
use std::fmt;

/// A database's way of writing SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB: what both understand.
    Mysql,
    /// SQL Server.
    Mssql,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [Self::Sqlite, Self::Postgres, Self::Mysql, Self::Mssql];

    /// Its name in file names (`claim.sqlite.sql`) and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Mssql => "mssql",
        }
    }

    /// What stands before and after the number of rows that `{{limit …}}` wants.
    pub(crate) fn limit(self) -> (&'static str, &'static str) {
        match self {
            Self::Mssql => ("OFFSET 0 ROWS FETCH NEXT ", " ROWS ONLY"),
            Self::Sqlite | Self::Postgres | Self::Mysql => ("LIMIT ", ""),
        }
    }

    /// The placeholder of parameter `number`, from 1.
    pub(crate) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
            Self::Mysql => "?".to_owned(),
            Self::Mssql => format!("@P{number}"),
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
    Decimal,
    Time,
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
            "decimal" => Self::Decimal,
            "time" => Self::Time,
            other => {
                return Err(format!(
                    "the type `{other}` is not known; use uuid, int, text, bytes, bool, float, \
                     decimal or time"
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
            Self::Decimal => "numeric",
            Self::Time => "timestamptz",
        }
    }

    /// How a value of a row source is written where MySQL cannot know its type: a parameter of a
    /// derived table is text of some length otherwise.
    pub(crate) fn mysql_value(self) -> &'static str {
        match self {
            Self::Uuid => "CAST(? AS BINARY(16))",
            Self::Bytes => "CAST(? AS BINARY)",
            Self::Int | Self::Bool => "CAST(? AS SIGNED)",
            Self::Text | Self::Float => "?",
            Self::Decimal => "CAST(? AS DECIMAL(65, 28))",
            Self::Time => "CAST(? AS DATETIME(6))",
        }
    }

    /// SQL Server: the type that a value of a derived table is cast to; none where a cast could
    /// change it.
    pub(crate) fn mssql(self) -> Option<&'static str> {
        Some(match self {
            Self::Uuid => "BINARY(16)",
            Self::Int => "BIGINT",
            Self::Text => "NVARCHAR(MAX)",
            Self::Bytes => "VARBINARY(MAX)",
            Self::Bool => "BIT",
            Self::Float => "FLOAT",
            Self::Time => "DATETIME2(7)",
            Self::Decimal => return None,
        })
    }

    /// How SQL Server reads the item `name` out of JSON, and as what; none for a type that JSON
    /// would round or blow up. A UUID travels as a GUID, whose first half is turned round. A text
    /// travels without escapes of JSON's own, which not every server undoes: `~1` stands for a
    /// quote, `~2` for a backslash, `~0` for a tilde; and it gets a collation that fits our columns.
    pub(crate) fn mssql_json(self, name: &str) -> Option<(String, &'static str)> {
        Some(match self {
            Self::Uuid => (format!("CAST([{name}] AS BINARY(16))"), "UNIQUEIDENTIFIER"),
            Self::Int => (format!("[{name}]"), "BIGINT"),
            Self::Bool => (format!("[{name}]"), "BIT"),
            Self::Text => (
                format!(
                    "REPLACE(REPLACE(REPLACE([{name}] COLLATE {}, '~1', '\"'), '~2', '\\'), '~0', '~')",
                    tsql::COLLATION
                ),
                "NVARCHAR(MAX)",
            ),
            Self::Bytes | Self::Float | Self::Decimal | Self::Time => return None,
        })
    }

    /// SQLite gets lists as JSON, which has no bytes: they travel in hex.
    fn json_item(self) -> &'static str {
        match self {
            Self::Uuid | Self::Bytes => "unhex(value)",
            Self::Int | Self::Text | Self::Bool | Self::Float | Self::Decimal | Self::Time => {
                "value"
            }
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
                 upsert and insert_or_nothing, and for the pages of lists beyond, upto and along"
            )),
        }
    }

    /// Writes the marker as `dialect` wants it; `number` gives a parameter its number. With
    /// `one_row`, a row source is written for a single row: PostgreSQL plans that much faster.
    pub(crate) fn render(
        &self,
        dialect: Dialect,
        one_row: bool,
        place_in: Place<'_>,
        mut number: impl FnMut(&str) -> usize,
    ) -> String {
        let mut place = |name: &str| dialect.placeholder(number(name));
        match self {
            Self::Limit(count) => {
                let count = match count {
                    Count::Param(name) => place(name),
                    Count::Number(n) => (*n).to_owned(),
                };
                let (before, after) = dialect.limit();
                format!("{before}{count}{after}")
            }
            Self::SkipLocked => match dialect {
                Dialect::Sqlite | Dialect::Mssql => String::new(),
                Dialect::Postgres | Dialect::Mysql => "FOR UPDATE SKIP LOCKED".to_owned(),
            },
            Self::In { param, of } => list(dialect, *of, &place(param)),
            Self::Rows(columns) => rows(dialect, one_row, place_in, columns, place),
            Self::Upsert { keys, columns } => upsert(dialect, keys, columns),
            Self::InsertOrNothing { keys } => insert_or_nothing(dialect, keys, place_in),
        }
    }
}

/// Where in a statement a marker stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    /// The table after `INSERT INTO`.
    pub(crate) into: &'a str,
    /// Within parentheses: a row source is a derived table there.
    pub(crate) nested: bool,
}

fn list(dialect: Dialect, of: ColumnType, place: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("IN (SELECT {} FROM json_each({place}))", of.json_item()),
        Dialect::Postgres => format!("= ANY({place}::{}[])", of.postgres()),
        Dialect::Mysql => format!("IN ({place})"),
        // Written at execution, by `statement/tsql.rs`.
        Dialect::Mssql => String::new(),
    }
}

fn rows(
    dialect: Dialect,
    one_row: bool,
    place_in: Place<'_>,
    columns: &[(&str, ColumnType)],
    mut place: impl FnMut(&str) -> String,
) -> String {
    let each: Vec<String> = columns
        .iter()
        .map(|(name, of)| {
            let place = place(name);
            match dialect {
                Dialect::Postgres if one_row => format!("{place}::{}", of.postgres()),
                Dialect::Postgres => format!("{place}::{}[]", of.postgres()),
                Dialect::Mysql if place_in.nested => format!("{} AS {name}", of.mysql_value()),
                Dialect::Sqlite | Dialect::Mysql | Dialect::Mssql => place,
            }
        })
        .collect();
    let each = each.join(", ");
    match dialect {
        Dialect::Postgres if !one_row => format!("SELECT * FROM unnest({each})"),
        Dialect::Mysql if place_in.nested => format!("SELECT {each}"),
        Dialect::Sqlite | Dialect::Postgres | Dialect::Mysql | Dialect::Mssql => {
            format!("VALUES ({each})")
        }
    }
}

fn upsert(dialect: Dialect, keys: &[&str], columns: &[&str]) -> String {
    let sets = |source: &dyn Fn(&str) -> String| {
        let sets: Vec<String> = columns
            .iter()
            .map(|name| format!("{name} = {}", source(name)))
            .collect();
        sets.join(", ")
    };
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => format!(
            "ON CONFLICT ({}) DO UPDATE SET {}",
            keys.join(", "),
            sets(&|name| format!("excluded.{name}"))
        ),
        // MariaDB has no `AS new`, MySQL still has `VALUES()`.
        Dialect::Mysql => format!(
            "ON DUPLICATE KEY UPDATE {}",
            sets(&|name| format!("VALUES({name})"))
        ),
        Dialect::Mssql => String::new(),
    }
}

fn insert_or_nothing(dialect: Dialect, keys: &[&str], place: Place<'_>) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => {
            format!("ON CONFLICT ({}) DO NOTHING", keys.join(", "))
        }
        // `INSERT IGNORE` would also swallow values that do not fit and missing parents. Without
        // the table, `k` could be one of a SELECT's.
        Dialect::Mysql => {
            let key = keys.first().copied().unwrap_or_default();
            let table = place.into;
            format!("ON DUPLICATE KEY UPDATE {key} = {table}.{key}")
        }
        Dialect::Mssql => String::new(),
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
