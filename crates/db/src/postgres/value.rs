//! Values in PostgreSQL's binary forms. The server says which type it wants for each parameter;
//! the value adapts, or says why it cannot.
use crate::value::Value;
use bytes::{BufMut, BytesMut};
use rust_decimal::Decimal;
use std::{error::Error, fmt::Write as _};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

type Fault = Box<dyn Error + Sync + Send>;

/// PostgreSQL counts from there.
const YEAR_2000_US: i64 = 946_684_800_000_000;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Self::List(list) => array(list.iter(), list.len(), ty, out),
            one => scalar(one, ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// One parameter of all rows of a step, as an array.
#[derive(Debug)]
pub(super) struct Column<'a> {
    pub(super) rows: &'a [Vec<Value>],
    pub(super) index: usize,
}

impl ToSql for Column<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        array(
            self.rows.iter().map(|row| &row[self.index]),
            self.rows.len(),
            ty,
            out,
        )
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn array<'a>(
    items: impl Iterator<Item = &'a Value> + Clone,
    count: usize,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Fault> {
    let Kind::Array(of) = ty.kind() else {
        return Err(format!("a list is given where the database wants {ty}").into());
    };
    let bytes: usize = items.clone().map(|item| 4 + size(item)).sum();
    out.reserve(20 + bytes);
    out.put_i32(1);
    out.put_i32(i32::from(
        items.clone().any(|item| matches!(item, Value::Null)),
    ));
    out.put_u32(of.oid());
    out.put_i32(i32::try_from(count)?);
    out.put_i32(1);
    for item in items {
        let at = out.len();
        out.put_i32(-1);
        if let IsNull::No = scalar(item, of, out)? {
            let length = i32::try_from(out.len() - at - 4)?;
            out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(IsNull::No)
}

/// How many bytes it may take.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::List(_) => 0,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => 8,
        Value::Text(v) => v.len(),
        Value::Bytes(v) => v.len(),
        Value::Uuid(_) | Value::Time(_) => 16,
        Value::Decimal(_) => 32,
    }
}

fn scalar(value: &Value, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
    if let Some(why) = value.refusal() {
        return Err(why.into());
    }
    match (value, ty) {
        (Value::Null, _) => return Ok(IsNull::Yes),
        (Value::Bool(v), &Type::BOOL) => out.put_u8(u8::from(*v)),
        (Value::Int(v), &Type::INT8) => out.put_i64(*v),
        (Value::Int(v), &Type::INT4) => out.put_i32(narrow(*v, ty)?),
        (Value::Int(v), &Type::INT2) => out.put_i16(narrow(*v, ty)?),
        (Value::Float(v), &Type::FLOAT8) => out.put_f64(*v),
        #[expect(clippy::cast_possible_truncation, reason = "the column is declared so")]
        (Value::Float(v), &Type::FLOAT4) => out.put_f32(*v as f32),
        (
            Value::Text(v),
            &Type::TEXT
            | &Type::VARCHAR
            | &Type::BPCHAR
            | &Type::NAME
            | &Type::UNKNOWN
            | &Type::JSON,
        ) => out.put_slice(v.as_bytes()),
        (Value::Text(v), &Type::JSONB) => {
            out.put_u8(1);
            out.put_slice(v.as_bytes());
        }
        (Value::Bytes(v), &Type::BYTEA) => out.put_slice(v),
        (Value::Uuid(v), &Type::UUID | &Type::BYTEA) => out.put_slice(v.as_bytes()),
        (Value::Decimal(v), &Type::NUMERIC) => put_numeric(v, out),
        (Value::Int(v), &Type::NUMERIC) => put_numeric(&Decimal::from(*v), out),
        // The refusal above keeps it in range.
        (Value::Time(v), &Type::TIMESTAMPTZ | &Type::TIMESTAMP) => out.put_i64(v - YEAR_2000_US),
        (Value::Time(v), &Type::INT8) => out.put_i64(*v),
        _ => {
            return Err(format!("{} is given where the database wants {ty}", value.kind()).into());
        }
    }
    Ok(IsNull::No)
}

fn narrow<T: TryFrom<i64>>(value: i64, ty: &Type) -> Result<T, Fault> {
    T::try_from(value).map_err(|_| format!("{value} does not fit into {ty}").into())
}

/// A value as the server sends it.
pub(super) struct Cell(pub(super) Value);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(match *ty {
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::Float(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Value::Float(f32::from_sql(ty, raw)?.into()),
            Type::NUMERIC => numeric(raw)?,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON => {
                Value::Text(std::str::from_utf8(raw)?.to_owned())
            }
            Type::JSONB => {
                let text = raw.get(1..).ok_or("an empty jsonb")?;
                Value::Text(std::str::from_utf8(text)?.to_owned())
            }
            Type::BYTEA => Value::Bytes(raw.to_vec()),
            Type::UUID => Value::Uuid(Uuid::from_slice(raw)?),
            Type::TIMESTAMPTZ | Type::TIMESTAMP => Value::Time(time(i64::from_sql(ty, raw)?)?),
            Type::VOID => Value::Null,
            _ => return Err(format!("columns of type {ty} cannot be read; cast it").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A timestamp in microseconds since 1970; the infinite ones are the ends of 64 bits.
fn time(since_2000_us: i64) -> Result<i64, Fault> {
    if matches!(since_2000_us, i64::MAX | i64::MIN) {
        return Ok(since_2000_us);
    }
    since_2000_us
        .checked_add(YEAR_2000_US)
        .ok_or_else(|| "a timestamp beyond 64 bits".into())
}

/// Groups of four digits, the most significant first; `weight` is the power of the first one.
fn put_numeric(value: &Decimal, out: &mut BytesMut) {
    let scale = value.scale();
    // At most 29 digits and three more: no overflow.
    let mut rest = value.mantissa().unsigned_abs() * 10_u128.pow((4 - scale % 4) % 4);
    let mut groups: Vec<u16> = Vec::with_capacity(9);
    while rest > 0 {
        groups.push(u16::try_from(rest % 10_000).unwrap_or(0));
        rest /= 10_000;
    }
    let whole =
        i16::try_from(groups.len()).unwrap_or(0) - i16::try_from(scale.div_ceil(4)).unwrap_or(0);
    let zeros = groups.iter().take_while(|group| **group == 0).count();
    out.put_u16(u16::try_from(groups.len() - zeros).unwrap_or(0));
    out.put_i16(whole - 1);
    out.put_u16(if value.is_sign_negative() && !groups.is_empty() {
        0x4000
    } else {
        0
    });
    out.put_u16(u16::try_from(scale).unwrap_or(0));
    for group in groups[zeros..].iter().rev() {
        out.put_u16(*group);
    }
}

/// Whole numbers are integers where they fit, because `sum` over 64-bit integers answers a numeric
/// and elsewhere an integer; what has more digits than a decimal holds is text.
fn numeric(raw: &[u8]) -> Result<Value, Fault> {
    let word = |at: usize| -> Result<u16, Fault> {
        let bytes = raw.get(at..at + 2).ok_or("a numeric cut short")?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let (count, sign, scale) = (word(0)?, word(4)?, usize::from(word(6)?));
    let weight = i32::from(i16::from_be_bytes(word(2)?.to_be_bytes()));
    let mut text = match sign {
        0 => String::new(),
        0x4000 => "-".to_owned(),
        _ => return Err("a numeric that is no finite number".into()),
    };
    // The group of a power of 10,000; those that are zero may not be there.
    let group = |power: i32| -> Result<u16, Fault> {
        match usize::try_from(weight - power) {
            Ok(at) if at < usize::from(count) => word(8 + 2 * at),
            _ => Ok(0),
        }
    };
    write!(text, "{}", group(weight.max(0))?)?;
    for power in (0..weight.max(0)).rev() {
        write!(text, "{:04}", group(power)?)?;
    }
    if scale == 0 {
        return Ok(
            match (text.parse::<i64>(), Decimal::from_str_exact(&text)) {
                (Ok(whole), _) => Value::Int(whole),
                (_, Ok(decimal)) => Value::Decimal(decimal),
                _ => Value::Text(text),
            },
        );
    }
    text.push('.');
    let end = text.len() + scale;
    let mut power = -1;
    while text.len() < end {
        write!(text, "{:04}", group(power)?)?;
        power -= 1;
    }
    text.truncate(end);
    let exact = Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_str_exact(text.trim_end_matches('0').trim_end_matches('.')));
    Ok(exact.map_or(Value::Text(text), Value::Decimal))
}
