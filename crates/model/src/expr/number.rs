//! Numbers as expressions see them: 64-bit integers and doubles, mixed freely. Two integers are
//! never turned into doubles, so nothing is rounded unless a double takes part.
use std::cmp::Ordering;

use serde_json::{Number, Value};

/// What an operator or function may see of a JSON number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Num {
    Int(i64),
    Double(f64),
}

impl Num {
    /// An integer above the 64-bit signed range counts as a double.
    pub(crate) fn of(number: &Number) -> Self {
        match number.as_i64() {
            Some(int) => Self::Int(int),
            None => Self::Double(number.as_f64().unwrap_or_default()),
        }
    }

    pub(crate) fn double(self) -> f64 {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "promotion rounds, as documented"
            )]
            Self::Int(int) => int as f64,
            Self::Double(double) => double,
        }
    }

    /// The number back as JSON; what JSON cannot hold (NaN, infinity) is an error.
    pub(crate) fn json(self) -> Result<Value, String> {
        match self {
            Self::Int(int) => Ok(Value::from(int)),
            Self::Double(double) => Number::from_f64(double)
                .map(Value::Number)
                .ok_or_else(|| "the result is beyond the range of a double".to_owned()),
        }
    }
}

/// The arithmetic operators, apart from `+` on text and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl Arith {
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        }
    }

    pub(crate) fn apply(self, a: Num, b: Num) -> Result<Num, String> {
        match (a, b) {
            (Num::Int(a), Num::Int(b)) => self.ints(a, b),
            _ => self.doubles(a.double(), b.double()),
        }
    }

    fn ints(self, a: i64, b: i64) -> Result<Num, String> {
        if b == 0 && matches!(self, Self::Div | Self::Rem) {
            return Err("division by zero".to_owned());
        }
        let result = match self {
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Mul => a.checked_mul(b),
            Self::Div => a.checked_div(b),
            Self::Rem => a.checked_rem(b),
        };
        result.map(Num::Int).ok_or_else(|| {
            format!(
                "`{}` goes beyond the range of 64-bit integers; make one side a double with \
                 double(…) if rounding is acceptable",
                self.symbol()
            )
        })
    }

    fn doubles(self, a: f64, b: f64) -> Result<Num, String> {
        if b == 0.0 && matches!(self, Self::Div | Self::Rem) {
            return Err("division by zero".to_owned());
        }
        let result = match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Rem => a % b,
        };
        if result.is_finite() {
            Ok(Num::Double(result))
        } else {
            Err(format!(
                "`{}` goes beyond the range of doubles",
                self.symbol()
            ))
        }
    }
}

/// Orders two JSON numbers by value, exactly: `9007199254740993 > 9007199254740992.0`.
pub(crate) fn compare(a: &Number, b: &Number) -> Ordering {
    match (wide(a), wide(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => int_to_double(a, b.as_f64().unwrap_or_default()),
        (None, Some(b)) => int_to_double(b, a.as_f64().unwrap_or_default()).reverse(),
        (None, None) => {
            let (a, b) = (
                a.as_f64().unwrap_or_default(),
                b.as_f64().unwrap_or_default(),
            );
            // JSON has no NaN, so the order is total.
            a.partial_cmp(&b).unwrap_or(Ordering::Equal)
        }
    }
}

fn wide(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

fn int_to_double(int: i128, double: f64) -> Ordering {
    // Every 64-bit integer lies well inside this range; outside of it the sign decides.
    if double.abs() >= 1e20 {
        return if double > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        };
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "|double| < 1e20 fits an i128"
    )]
    let whole = double.trunc() as i128;
    int.cmp(&whole).then_with(|| {
        0.0_f64
            .partial_cmp(&double.fract())
            .unwrap_or(Ordering::Equal)
    })
}
