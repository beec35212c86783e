//! The schema that a live database has, from its own catalogue. SQLite keeps the statements that
//! made it; the others answer one row for each column of each thing.
use std::collections::BTreeMap;

use super::{Column, Index, Reference, Schema, Table, parse, words};
use crate::{database::Database, dialect::Dialect, error::Error, row::Row, statement::Statement};

const SQLITE: &str = include_str!("live.sqlite.sql");
const POSTGRES: &str = include_str!("live.postgres.sql");
const MYSQL: &str = include_str!("live.mysql.sql");
const MSSQL: &str = include_str!("live.mssql.sql");

pub(super) async fn read(db: &Database) -> Result<Schema, Error> {
    let dialect = db.dialect();
    let text = match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
        Dialect::Mysql => MYSQL,
        Dialect::Mssql => MSSQL,
    };
    let statement = Statement::render("schema.live", text, dialect)
        .map_err(|error| Error::other(error.to_string()))?;
    let rows = db.fetch_all(&statement, &[]).await?;
    if dialect == Dialect::Sqlite {
        let mut script = String::new();
        for row in rows {
            script.push_str(&row.get::<String>("script")?);
            script.push_str(";\n");
        }
        return parse::script(&script, dialect);
    }
    let mut parts = Parts::default();
    for row in rows {
        parts.take(row, dialect)?;
    }
    Ok(parts.schema(dialect))
}

/// What was read so far. Indexes and references come column by column, conditions can be read once
/// all columns are known.
#[derive(Default)]
struct Parts {
    tables: BTreeMap<String, Table>,
    keys: BTreeMap<(String, String), Key>,
    references: BTreeMap<(String, String), Reference>,
    checks: Vec<(String, String)>,
}

#[derive(Default)]
struct Key {
    unique: bool,
    columns: BTreeMap<i64, String>,
    only: String,
}

impl Parts {
    fn take(&mut self, mut row: Row, dialect: Dialect) -> Result<(), Error> {
        let kind: String = row.take("kind")?;
        let table: String = row.take("table_name")?;
        let name: String = row.take("name")?;
        let place: i64 = row.get("place")?;
        let column: String = row.take("column_name")?;
        let detail: String = row.take("detail")?;
        let name = match dialect {
            Dialect::Mssql => given_name(&name, &table).to_owned(),
            Dialect::Sqlite | Dialect::Postgres | Dialect::Mysql => name,
        };
        let key = (table.clone(), name);
        match kind.as_str() {
            "column" => {
                let (kind, nullable) = match detail.strip_suffix(" not null") {
                    Some(kind) => (kind, false),
                    None => (&*detail, true),
                };
                let kind = words::kind(kind, dialect);
                let columns = &mut self.tables.entry(table).or_default().columns;
                columns.insert(column, Column { kind, nullable });
            }
            "primary" => {
                let table = self.tables.entry(table).or_default();
                table.primary_key.push(column);
            }
            "unique" | "index" => {
                let index = self.keys.entry(key).or_default();
                index.unique = kind == "unique";
                index.columns.insert(place, column);
                index.only = detail;
            }
            "reference" => {
                let reference = self.references.entry(key).or_default();
                reference.columns.push(column);
                let (to, on_delete) = detail.split_once(' ').unwrap_or((&*detail, ""));
                let (table, to) = to.split_once('.').unwrap_or((to, ""));
                table.clone_into(&mut reference.table);
                reference.to.push(to.to_owned());
                reference.on_delete = on_delete.replace('_', " ");
            }
            _ => self.checks.push((table, detail)),
        }
        Ok(())
    }

    fn schema(mut self, dialect: Dialect) -> Schema {
        for ((table, name), key) in self.keys {
            let Some(table) = self.tables.get_mut(&table) else {
                continue;
            };
            let only = (!key.only.is_empty())
                .then(|| words::condition(&key.only, dialect, table.columns.keys()));
            let columns: Vec<String> = key.columns.into_values().collect();
            if key.unique {
                table.unique.insert(columns);
            } else {
                table.indexes.insert(name, Index { columns, only });
            }
        }
        for ((table, _), reference) in self.references {
            let table = self.tables.entry(table).or_default();
            table.references.insert(reference);
        }
        for (table, check) in self.checks {
            let Some(table) = self.tables.get_mut(&table) else {
                continue;
            };
            let check = words::condition(&check, dialect, table.columns.keys());
            table.checks.insert(check);
        }
        Schema {
            tables: self.tables,
        }
    }
}

/// The name that an index was given. Servers that speak T-SQL and are not SQL Server keep
/// `runs_owner` of `runs` as `runs_ownerruns` and 32 hex digits, cut where that becomes too long.
fn given_name<'a>(name: &'a str, table: &str) -> &'a str {
    const HASH: usize = 32;
    let Some((kept, hash)) = name
        .len()
        .checked_sub(HASH)
        .and_then(|at| name.split_at_checked(at))
    else {
        return name;
    };
    if !hash
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return name;
    }
    let mut ends = (1..=table.len()).rev().filter_map(|end| table.get(..end));
    let given = ends.find_map(|end| kept.strip_suffix(end));
    given.unwrap_or(kept)
}

#[cfg(test)]
mod tests {
    use super::given_name;

    #[test]
    fn an_index_has_the_name_that_it_was_given() {
        let hash = "09511e38861116d97d796c6a9f3bce24";
        for (stored, table, given) in [
            ("runs_owner".to_owned(), "runs", "runs_owner"),
            (format!("runs_ownerruns{hash}"), "runs", "runs_owner"),
            (
                format!("agent_executions_correlationage{hash}"),
                "agent_executions",
                "agent_executions_correlation",
            ),
            (hash.to_owned(), "runs", ""),
        ] {
            assert_eq!(given_name(&stored, table), given);
        }
    }
}
