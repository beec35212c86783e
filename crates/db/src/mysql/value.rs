//! Values in MySQL's binary protocol, both ways. What a column is follows from its type and from
//! whether its character set is `binary`.
use crate::value::Value;
use mysql_async::{
    Column, Value as Native,
    consts::{ColumnFlags, ColumnType},
};
use rust_decimal::Decimal;

/// The character set `binary`.
const BINARY: u16 = 63;
const DAY_US: i64 = 86_400_000_000;

/// A parameter, or why it cannot be one.
pub(super) fn param(value: &Value) -> Result<Native, String> {
    if let Some(why) = value.refusal() {
        return Err(why.to_owned());
    }
    Ok(match value {
        Value::Null => Native::NULL,
        Value::Bool(v) => Native::Int(i64::from(*v)),
        Value::Int(v) => Native::Int(*v),
        Value::Float(v) if v.is_infinite() => return Err(INFINITE.to_owned()),
        Value::Float(v) => Native::Double(*v),
        Value::Text(v) => Native::Bytes(v.as_bytes().to_vec()),
        Value::Bytes(v) => Native::Bytes(v.clone()),
        Value::Uuid(v) => Native::Bytes(v.as_bytes().to_vec()),
        Value::Decimal(v) => Native::Bytes(v.to_string().into_bytes()),
        Value::Time(v) => {
            let at = Civil::from_us(*v);
            Native::Date(
                at.year, at.month, at.day, at.hour, at.minute, at.second, at.micros,
            )
        }
        Value::List(_) => return Err("a list is given where one value is wanted".to_owned()),
    })
}

pub(super) const INFINITE: &str = "an infinite number cannot be stored; use NULL";

/// A column's value, or why it cannot be read.
pub(super) fn cell(native: Native, column: &Column) -> Result<Value, String> {
    Ok(match native {
        Native::NULL => Value::Null,
        Native::Int(v) => Value::Int(v),
        Native::UInt(v) => i64::try_from(v).map_or_else(|_| Value::Decimal(v.into()), Value::Int),
        Native::Float(v) => Value::Float(v.into()),
        Native::Double(v) => Value::Float(v),
        Native::Date(year, month, day, hour, minute, second, micros) => {
            let at = Civil {
                year,
                month,
                day,
                hour,
                minute,
                second,
                micros,
            };
            Value::Time(
                at.us()
                    .ok_or("a date with a zero in it is no date; cast it to CHAR")?,
            )
        }
        Native::Time(..) => return Err("columns of type TIME cannot be read; cast it".to_owned()),
        Native::Bytes(bytes) => from_bytes(bytes, column)?,
    })
}

fn from_bytes(bytes: Vec<u8>, column: &Column) -> Result<Value, String> {
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).map_err(|_| "a text that is not UTF-8; cast it".to_owned())
    };
    Ok(match column.column_type() {
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => decimal(text(bytes)?),
        ColumnType::MYSQL_TYPE_BIT => Value::Int(bits(&bytes)?),
        ColumnType::MYSQL_TYPE_JSON => Value::Text(text(bytes)?),
        _ if column
            .flags()
            .intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG) =>
        {
            Value::Text(text(bytes)?)
        }
        _ if column.character_set() == BINARY => Value::Bytes(bytes),
        _ => Value::Text(text(bytes)?),
    })
}

/// Whole numbers are integers where they fit, as `sum` over integers is on SQLite; what has more
/// digits than a decimal holds is text.
fn decimal(text: String) -> Value {
    if !text.contains('.')
        && let Ok(whole) = text.parse::<i64>()
    {
        return Value::Int(whole);
    }
    // A column's own zeros at the end are no digits of the number.
    let plain = text.trim_end_matches('0').trim_end_matches('.');
    let exact = Decimal::from_str_exact(&text);
    let exact = match exact {
        Err(_) if text.contains('.') => Decimal::from_str_exact(plain),
        done => done,
    };
    match exact {
        Ok(decimal) => Value::Decimal(decimal),
        Err(_) => Value::Text(text),
    }
}

fn bits(bytes: &[u8]) -> Result<i64, String> {
    let all = bytes
        .iter()
        .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    i64::try_from(all).map_err(|_| "a BIT(64) beyond 63 bits; cast it".to_owned())
}

/// A date and a time of day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) micros: u32,
}

impl Civil {
    /// From microseconds since 1970, in the years 1 to 9999.
    pub(super) fn from_us(us: i64) -> Self {
        let (days, rest) = (us.div_euclid(DAY_US), us.rem_euclid(DAY_US));
        // Years that begin in March make the leap day the last of a year; 400 years have 146,097
        // days.
        let days = days + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        let small = |v: i64| u8::try_from(v).unwrap_or(0);
        Self {
            year: u16::try_from(era * 400 + year + next).unwrap_or(0),
            month: small(month),
            day: small(day),
            hour: small(rest / 3_600_000_000),
            minute: small(rest / 60_000_000 % 60),
            second: small(rest / 1_000_000 % 60),
            micros: u32::try_from(rest % 1_000_000).unwrap_or(0),
        }
    }

    /// Microseconds since 1970; `None` when a part is zero that cannot be.
    pub(super) fn us(self) -> Option<i64> {
        if self.month == 0 || self.day == 0 {
            return None;
        }
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        let seconds =
            i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some(days * DAY_US + seconds * 1_000_000 + i64::from(self.micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days() {
        for (us, year, month, day) in [
            (0, 1970, 1, 1),
            (951_782_400_000_000, 2000, 2, 29),
            (-62_135_596_800_000_000, 1, 1, 1),
            (253_402_300_799_999_999, 9999, 12, 31),
            (4_107_456_000_000_000, 2100, 2, 28),
            (4_107_542_400_000_000, 2100, 3, 1),
        ] {
            let at = Civil::from_us(us);
            assert_eq!((at.year, at.month, at.day), (year, month, day));
            assert_eq!(at.us(), Some(us));
        }
    }

    proptest! {
        #[test]
        fn every_instant_comes_back(us in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
            prop_assert_eq!(Civil::from_us(us).us(), Some(us));
        }
    }
}
