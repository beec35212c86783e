//! Values in TDS forms, and rows and lists as the JSON texts that `OPENJSON` reads.
use crate::{dialect::ColumnType, statement::Rows, value::Value};
use rust_decimal::Decimal;
use std::{borrow::Cow, fmt::Write as _};
use tiberius::{
    ColumnData,
    numeric::Numeric,
    time::{Date, DateTime, DateTime2, DateTimeOffset, SmallDateTime, Time},
};

/// The year 1, from which the server counts days.
const FIRST_US: i64 = -62_135_596_800_000_000;
const DAY_US: i64 = 86_400_000_000;
/// From the year 1 to 1900, where the older types begin.
const DAYS_TO_1900: i64 = 693_595;
/// The largest text or blob that a parameter can be.
const LARGEST: usize = 1 << 30;

/// One value as a parameter.
pub(super) fn parameter(value: &Value) -> Result<ColumnData<'_>, String> {
    if let Some(why) = value.refusal() {
        return Err(why.to_owned());
    }
    Ok(match value {
        // It is written into the text; no type of parameter fits every column.
        Value::Null => ColumnData::I32(None),
        Value::Bool(v) => ColumnData::Bit(Some(*v)),
        Value::Int(v) => ColumnData::I64(Some(*v)),
        Value::Float(v) if v.is_infinite() => {
            return Err("SQL Server cannot store an infinite number".to_owned());
        }
        Value::Float(v) => ColumnData::F64(Some(*v)),
        Value::Text(v) => ColumnData::String(Some(Cow::Borrowed(small(v, v.len())?))),
        Value::Bytes(v) => ColumnData::Binary(Some(Cow::Borrowed(small(v, v.len())?))),
        Value::Uuid(v) => ColumnData::Binary(Some(Cow::Borrowed(v.as_bytes()))),
        Value::Decimal(v) => ColumnData::Numeric(Some(numeric(*v))),
        Value::Time(v) => ColumnData::DateTime2(Some(instant(*v))),
        Value::List(_) => return Err("a list is given where one value is wanted".to_owned()),
    })
}

fn small<T>(value: T, bytes: usize) -> Result<T, String> {
    if bytes > LARGEST {
        return Err(format!(
            "a value of {bytes} bytes is larger than SQL Server takes (1 GiB)"
        ));
    }
    Ok(value)
}

fn numeric(value: Decimal) -> Numeric {
    // At most 28 digits behind the point: the driver's limit is 38.
    let scale = u8::try_from(value.scale()).unwrap_or(0);
    Numeric::new_with_scale(value.mantissa(), scale)
}

/// Units of 100 ns, as the server keeps them.
fn instant(us: i64) -> DateTime2 {
    let since = us.saturating_sub(FIRST_US);
    let days = u32::try_from(since.div_euclid(DAY_US)).unwrap_or(0);
    let ticks = u64::try_from(since.rem_euclid(DAY_US) * 10).unwrap_or(0);
    DateTime2::new(Date::new(days), Time::new(ticks, 7))
}

/// The elements of a list as one JSON text.
pub(super) fn list(value: &Value, of: ColumnType) -> Result<String, String> {
    let Value::List(list) = value else {
        return Err(format!("{} is given where a list is wanted", value.kind()));
    };
    let mut json = String::with_capacity(2 + 36 * list.len());
    json.push('[');
    for item in list {
        if json.len() > 1 {
            json.push(',');
        }
        write(item, of, &mut json)?;
    }
    json.push(']');
    Ok(json)
}

/// All rows of a step as one JSON text, an array of arrays.
pub(super) fn rows(rows: &[Vec<Value>], source: &Rows) -> Result<String, String> {
    let mut json = String::with_capacity(rows.len() * 64);
    json.push('[');
    for row in rows {
        json.push_str(if json.len() > 1 { ",[" } else { "[" });
        for (index, (name, at, of)) in source.columns.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            let value = row.get(*at).unwrap_or(&Value::Null);
            write(value, *of, &mut json).map_err(|why| format!("column `{name}`: {why}"))?;
        }
        json.push(']');
    }
    json.push(']');
    Ok(json)
}

fn write(value: &Value, of: ColumnType, json: &mut String) -> Result<(), String> {
    if let Some(why) = value.refusal() {
        return Err(why.to_owned());
    }
    match (value, of) {
        (Value::Null, _) => json.push_str("null"),
        (Value::Int(v), ColumnType::Int) => {
            let _ = write!(json, "{v}"); // a String takes everything
        }
        (Value::Bool(v), ColumnType::Bool) => json.push(if *v { '1' } else { '0' }),
        (Value::Text(v), ColumnType::Text) => quoted(v, json),
        (Value::Uuid(v), ColumnType::Uuid) => guid(v.as_bytes(), json),
        (Value::Bytes(v), ColumnType::Uuid) if v.len() == 16 => guid(v, json),
        (other, of) => {
            return Err(format!("{} is given where {of:?} is wanted", other.kind()));
        }
    }
    Ok(())
}

/// A longer text is cut by servers that speak T-SQL and are not SQL Server.
const LONGEST_IN_JSON: usize = 3_900;

/// Whether a value can travel in JSON: control characters need JSON's own escapes, a stand-in is
/// twice as long as what it stands for, and long texts gain nothing.
pub(super) fn fits_json(value: &Value) -> bool {
    match value {
        Value::Text(text) => {
            let twice = |byte: &u8| matches!(byte, b'~' | b'"' | b'\\');
            // Cheap first: most texts are short.
            text.len() <= LONGEST_IN_JSON
                && text.bytes().all(|byte| byte >= b' ')
                && text.len() + text.as_bytes().iter().filter(|b| twice(b)).count()
                    <= LONGEST_IN_JSON
        }
        _ => true,
    }
}

/// See [`ColumnType::mssql_json`].
fn quoted(text: &str, json: &mut String) {
    json.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let stand_in = match byte {
            b'~' => "~0",
            b'"' => "~1",
            b'\\' => "~2",
            _ => continue,
        };
        json.push_str(&text[from..at]);
        json.push_str(stand_in);
        from = at + 1;
    }
    json.push_str(&text[from..]);
    json.push('"');
}

/// The GUID whose binary form on the server is `bytes`: its first three fields are little-endian.
fn guid(bytes: &[u8], json: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    json.push('"');
    for (place, at) in ORDER.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            json.push('-');
        }
        let byte = bytes.get(at).copied().unwrap_or_default();
        json.push(char::from(DIGITS[usize::from(byte >> 4)]));
        json.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    json.push('"');
}

/// A value as the server sends it.
pub(super) fn cell(data: ColumnData<'static>) -> Result<Value, String> {
    Ok(match data {
        ColumnData::U8(v) => v.into(),
        ColumnData::I16(v) => v.into(),
        ColumnData::I32(v) => v.into(),
        ColumnData::I64(v) => v.into(),
        ColumnData::F32(v) => v.map(f64::from).into(),
        ColumnData::F64(v) => v.into(),
        ColumnData::Bit(v) => v.into(),
        ColumnData::String(v) => v.map(Cow::into_owned).into(),
        ColumnData::Binary(v) => v.map(Cow::into_owned).into(),
        ColumnData::Guid(v) => v.into(),
        ColumnData::Numeric(v) => v.map_or(Value::Null, decimal),
        ColumnData::Xml(v) => v.map(|xml| xml.to_string()).into(),
        ColumnData::DateTime(v) => time(v.map(older)),
        ColumnData::SmallDateTime(v) => time(v.map(oldest)),
        ColumnData::DateTime2(v) => time(v.map(microseconds)),
        // The server sends UTC and keeps the offset apart.
        ColumnData::DateTimeOffset(v) => {
            time(v.map(|v: DateTimeOffset| microseconds(v.datetime2())))
        }
        ColumnData::Date(v) => time(v.map(|date| i64::from(date.days()) * DAY_US + FIRST_US)),
        ColumnData::Time(None) => Value::Null,
        ColumnData::Time(Some(_)) => {
            return Err("columns of type time cannot be read; cast them to text".to_owned());
        }
    })
}

fn time(us: Option<i64>) -> Value {
    us.map_or(Value::Null, Value::Time)
}

fn microseconds(at: DateTime2) -> i64 {
    let (time, scale) = (at.time().increments(), u32::from(at.time().scale()));
    let us = match scale {
        0..=6 => time.saturating_mul(10_u64.pow(6 - scale)),
        _ => time / 10_u64.saturating_pow(scale - 6),
    };
    i64::from(at.date().days()) * DAY_US + FIRST_US + i64::try_from(us).unwrap_or(0)
}

/// `datetime` counts in 1/300 seconds.
fn older(at: DateTime) -> i64 {
    let days = i64::from(at.days()) + DAYS_TO_1900;
    days * DAY_US + FIRST_US + i64::from(at.seconds_fragments()) * 10_000 / 3
}

/// `smalldatetime` counts in minutes.
fn oldest(at: SmallDateTime) -> i64 {
    let days = i64::from(at.days()) + DAYS_TO_1900;
    days * DAY_US + FIRST_US + i64::from(at.seconds_fragments()) * 60_000_000
}

/// Whole numbers of no scale are integers, because `sum` answers such; a number with more digits
/// than ours is read as its text.
fn decimal(value: Numeric) -> Value {
    let (mut units, mut scale) = (value.value(), u32::from(value.scale()));
    if scale == 0
        && let Ok(whole) = i64::try_from(units)
    {
        return Value::Int(whole);
    }
    loop {
        match Decimal::try_from_i128_with_scale(units, scale) {
            Ok(v) => return Value::Decimal(v),
            // The column's scale may be all that is too much.
            Err(_) if scale > 0 && units % 10 == 0 => (units, scale) = (units / 10, scale - 1),
            Err(_) => return Value::Text(digits(value)),
        }
    }
}

fn digits(value: Numeric) -> String {
    let scale = usize::from(value.scale());
    let digits = format!(
        "{:0>width$}",
        value.value().unsigned_abs(),
        width = scale + 1
    );
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if value.value() < 0 { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{part}")
}

#[cfg(test)]
#[path = "value/tests.rs"]
mod tests;
