//! Values in PostgreSQL's binary forms. The server says which type it wants for each parameter;
//! the value adapts, or says why it cannot.
use crate::value::Value;
use bytes::{BufMut, BytesMut};
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

type Fault = Box<dyn Error + Sync + Send>;

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
        Value::Uuid(_) => 16,
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

/// `sum` over 64-bit integers answers a numeric; SQLite answers an integer.
fn numeric(raw: &[u8]) -> Result<Value, Fault> {
    let word = |at: usize| -> Result<i16, Fault> {
        let bytes = raw.get(at..at + 2).ok_or("a numeric cut short")?;
        Ok(i16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let (count, weight, sign) = (word(0)?, word(2)?, word(4)?);
    let (mut whole, mut double) = (Some(0_i128), 0_f64);
    for index in 0..count {
        let digit = word(8 + 2 * usize::try_from(index)?)?;
        let power = i32::from(weight) - i32::from(index);
        double += f64::from(digit) * 10_000_f64.powi(power);
        whole = match u32::try_from(power) {
            Ok(power) => whole
                .zip(10_000_i128.checked_pow(power))
                .and_then(|(sum, unit)| {
                    unit.checked_mul(digit.into())
                        .and_then(|part| part.checked_add(sum))
                }),
            Err(_) if digit == 0 => whole,
            Err(_) => None,
        };
    }
    let negative = match u16::from_be_bytes(sign.to_be_bytes()) {
        0 => false,
        0x4000 => true,
        _ => return Err("a numeric that is no finite number".into()),
    };
    let whole = whole.map(|v| if negative { -v } else { v });
    Ok(match whole.and_then(|v| i64::try_from(v).ok()) {
        Some(v) => Value::Int(v),
        None => Value::Float(if negative { -double } else { double }),
    })
}
