//! A statement with its values, as the server gets it: prepared, with a text that depends on how
//! many values there are, or as one text with the values written in. Sends nothing.
use super::value::{Civil, INFINITE, param};
use crate::{
    dialect::ColumnType,
    statement::{ListForm, Piece, Rows, Statement},
    value::Value,
};
use mysql_async::Value as Native;
use std::fmt::Write as _;

/// A prepared statement has at most so many placeholders.
const PLACEHOLDERS: usize = 65_535;
/// Longer lists travel as one JSON text. The server may read that text once for each row that it
/// looks at (MySQL 9 took more than 30 s for 10,000 items and as many rows), while of so many
/// placeholders it still looks each one up in the index: 230 bytes each of the 8 MiB that
/// `range_optimizer_max_mem_size` leaves it.
const LIST: usize = 32_768;
/// Rows of one prepared statement.
const ROWS: usize = 512;
/// Bytes of the values of one prepared statement, unless a single row has more.
const BYTES: usize = 4 << 20;

/// A text and the values for its placeholders.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) sql: String,
    pub(super) params: Vec<Native>,
    /// How many rows it stands for.
    pub(super) rows: usize,
}

/// The calls that execute `statement` for each of `rows`.
pub(super) fn calls(statement: &Statement, rows: &[Vec<Value>]) -> Result<Vec<Call>, String> {
    let mut calls = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(slice(statement, rest));
        calls.push(call(statement, now)?);
        rest = later;
    }
    Ok(calls)
}

/// How many of `rows` go into the next call: a power of two or one and a half of it, so that few
/// texts are prepared. The server keeps each of them, and that is not little.
pub(super) fn slice(statement: &Statement, rows: &[Vec<Value>]) -> usize {
    if !statement.rows() {
        return 1;
    }
    let columns = statement.params().len().max(1);
    let mut bytes = 0;
    let fits = rows
        .iter()
        .take(ROWS.min(PLACEHOLDERS / columns))
        .take_while(|row| {
            bytes += row.iter().map(size).sum::<usize>();
            bytes <= BYTES
        })
        .count()
        .max(1);
    let power = 1_usize << fits.ilog2();
    let half_more = power + power / 2;
    if half_more <= fits { half_more } else { power }
}

/// About how many bytes it takes.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Text(v) => v.len() + 4,
        Value::Bytes(v) => v.len() + 4,
        Value::List(list) => list.iter().map(size).sum(),
        _ => 20,
    }
}

/// One call for all of `rows`; only a statement with a row source may have several.
pub(super) fn call(statement: &Statement, rows: &[Vec<Value>]) -> Result<Call, String> {
    let Some(template) = statement.template() else {
        return Err("the statement was rendered for another kind of database".to_owned());
    };
    let first = rows.first().map_or(&[][..], Vec::as_slice);
    let mut params = Vec::new();
    for piece in template.pieces() {
        match piece {
            Piece::Text(_) => {}
            Piece::Value(at) => params.push(param(&first[*at])?),
            Piece::List(at, of) => list_params(items(&first[*at])?, *of, &mut params)?,
            Piece::Rows(source) => {
                for row in rows {
                    for (_, at, _) in &source.columns {
                        params.push(param(&row[*at])?);
                    }
                }
            }
        }
    }
    let sql = template.write(rows.len(), |at| match &first[at] {
        Value::List(list) => form(list.len()),
        _ => ListForm::Items(0),
    });
    Ok(Call {
        sql,
        params,
        rows: rows.len(),
    })
}

fn form(items: usize) -> ListForm {
    if items > LIST {
        ListForm::Json
    } else {
        ListForm::Items(if items == 0 {
            0
        } else {
            items.next_power_of_two()
        })
    }
}

fn items(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::List(list) => Ok(list),
        other => Err(format!("{} is given where a list is wanted", other.kind())),
    }
}

/// The list, filled up with its last item to the length that `form` says.
fn list_params(list: &[Value], of: ColumnType, params: &mut Vec<Native>) -> Result<(), String> {
    match form(list.len()) {
        ListForm::Items(length) => {
            for at in 0..length {
                params.push(param(&list[at.min(list.len() - 1)])?);
            }
        }
        ListForm::Json => params.push(Native::Bytes(json(list, of)?.into_bytes())),
    }
    Ok(())
}

/// The list as JSON, which has no bytes: they travel in hex.
fn json(list: &[Value], of: ColumnType) -> Result<String, String> {
    let mut items = Vec::with_capacity(list.len());
    for value in list {
        if let Some(why) = value.refusal() {
            return Err(why.to_owned());
        }
        items.push(match (value, of) {
            (Value::Null, _) => serde_json::Value::Null,
            (Value::Bool(v), _) => i64::from(*v).into(),
            (Value::Int(v), _) => (*v).into(),
            (Value::Float(v), _) => (*v).into(),
            (Value::Text(v), _) => v.as_str().into(),
            (Value::Decimal(v), _) => v.to_string().into(),
            (Value::Bytes(v), _) => hex(v).into(),
            (Value::Uuid(v), _) => hex(v.as_bytes()).into(),
            (Value::Time(v), _) => moment(*v).into(),
            (Value::List(_), _) => return Err("a list within a list".to_owned()),
        });
    }
    Ok(serde_json::Value::Array(items).to_string())
}

/// Writes `statement` with the values of `rows` in it, or why it cannot be. The session must have
/// NO_BACKSLASH_ESCAPES.
pub(super) fn text(
    statement: &Statement,
    rows: &[Vec<Value>],
    sql: &mut String,
) -> Result<(), String> {
    let Some(template) = statement.template() else {
        return Err("the statement was rendered for another kind of database".to_owned());
    };
    let first = rows.first().map_or(&[][..], Vec::as_slice);
    for piece in template.pieces() {
        match piece {
            Piece::Text(text) => sql.push_str(text),
            Piece::Value(at) => literal(&first[*at], sql)?,
            Piece::List(at, _) => match items(&first[*at])? {
                [] => sql.push_str("IN (SELECT NULL FROM DUAL WHERE FALSE)"),
                list => {
                    sql.push_str("IN ");
                    tuple(list.iter(), sql)?;
                }
            },
            Piece::Rows(source) => source_text(source, rows, sql)?,
        }
    }
    Ok(())
}

fn source_text(source: &Rows, rows: &[Vec<Value>], sql: &mut String) -> Result<(), String> {
    for (index, row) in rows.iter().enumerate() {
        let values = source.columns.iter().map(|(_, at, _)| &row[*at]);
        if !source.nested {
            sql.push_str(if index == 0 { "VALUES " } else { "," });
            tuple(values, sql)?;
            continue;
        }
        sql.push_str(if index == 0 {
            "SELECT "
        } else {
            " UNION ALL SELECT "
        });
        for (at, value) in values.enumerate() {
            sql.push_str(if at == 0 { "" } else { "," });
            literal(value, sql)?;
            if index == 0 {
                sql.push_str(" AS ");
                sql.push_str(&source.columns[at].0);
            }
        }
    }
    Ok(())
}

fn tuple<'a>(values: impl Iterator<Item = &'a Value>, sql: &mut String) -> Result<(), String> {
    sql.push('(');
    for (at, value) in values.enumerate() {
        sql.push_str(if at == 0 { "" } else { "," });
        literal(value, sql)?;
    }
    sql.push(')');
    Ok(())
}

fn literal(value: &Value, sql: &mut String) -> Result<(), String> {
    if let Some(why) = value.refusal() {
        return Err(why.to_owned());
    }
    let written = match value {
        Value::Null => write!(sql, "NULL"),
        Value::Bool(v) => write!(sql, "{}", i32::from(*v)),
        Value::Int(v) => write!(sql, "{v}"),
        Value::Float(v) if v.is_infinite() => return Err(INFINITE.to_owned()),
        Value::Float(v) => write!(sql, "{v:e}"),
        Value::Text(v) => {
            sql.push('\'');
            for (at, part) in v.split('\'').enumerate() {
                sql.push_str(if at == 0 { "" } else { "''" });
                sql.push_str(part);
            }
            sql.push('\'');
            Ok(())
        }
        Value::Bytes(v) => write!(sql, "x'{}'", hex(v)),
        Value::Uuid(v) => write!(sql, "x'{}'", v.simple()),
        Value::Decimal(v) => write!(sql, "{v}"),
        Value::Time(v) => write!(sql, "TIMESTAMP'{}'", moment(*v)),
        Value::List(_) => return Err("a list is given where one value is wanted".to_owned()),
    };
    written.map_err(|e| e.to_string())
}

fn moment(us: i64) -> String {
    let Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        micros,
    } = Civil::from_us(us);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}")
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests;
