//! Conversions between types and the rounding of numbers. Messages never show the value: it may be
//! a secret.
use std::borrow::Cow;

use serde_json::{Number, Value};

use super::{Args, Function, owned};
use crate::expr::{
    budget::{Budget, Size, Stop},
    eval::Found,
    number::Num,
};

/// Text stays; everything else is written as JSON.
pub(super) fn string<'a>(args: Args<'a>, budget: &Budget) -> Found<'a> {
    if args.get(0).is_string() {
        return Ok(args.take());
    }
    to_json(args.get(0), budget)
}

pub(super) fn to_json<'a>(value: &Value, budget: &Budget) -> Found<'a> {
    let size = Size::of(value)?;
    budget.spend(size.values)?;
    budget.build(size.bytes)?;
    Ok(owned(value.to_string()))
}

pub(super) fn from_json<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let text = args.text(0)?;
    // A parsed value takes several times the room of its text.
    budget.build(text.len().saturating_mul(4))?;
    serde_json::from_str(text).map(Cow::Owned).map_err(|error| {
        Stop::Failed(format!(
            "this text is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

/// `int` and `uint`: a double loses its fraction, text must be a whole number.
pub(super) fn int<'a>(args: &Args<'a>) -> Found<'a> {
    let int = match args.get(0) {
        Value::Number(number) => match Num::of(number) {
            Num::Int(int) => int,
            Num::Double(double) => to_int(double)?,
        },
        Value::String(text) => text
            .parse::<i64>()
            .map_err(|_| Stop::Failed("this text is not a whole 64-bit number".to_owned()))?,
        _ => return Err(args.unfit(0, "a number or text")),
    };
    if args.function == Function::Uint && int < 0 {
        return Err(Stop::Failed(
            "`uint` needs a number that is not negative".to_owned(),
        ));
    }
    Ok(owned(int))
}

fn to_int(double: f64) -> Result<i64, Stop> {
    // 2^63 is exact as a double; the largest integer below it is not.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&double) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "range checked; truncation is meant"
        )]
        return Ok(double as i64);
    }
    Err(Stop::Failed(
        "this number does not fit into a 64-bit integer".to_owned(),
    ))
}

pub(super) fn double<'a>(args: &Args<'a>) -> Found<'a> {
    let double = match args.get(0) {
        Value::Number(number) => Num::of(number).double(),
        Value::String(text) => text
            .parse::<f64>()
            .map_err(|_| Stop::Failed("this text is not a number".to_owned()))?,
        _ => return Err(args.unfit(0, "a number or text")),
    };
    json(Num::Double(double))
}

fn json<'a>(num: Num) -> Found<'a> {
    Ok(Cow::Owned(num.json()?))
}

pub(super) fn bool<'a>(args: &Args<'a>) -> Found<'a> {
    match args.get(0) {
        Value::Bool(value) => Ok(owned(*value)),
        Value::String(text) => match text.as_str() {
            "true" | "True" | "TRUE" | "t" | "1" => Ok(owned(true)),
            "false" | "False" | "FALSE" | "f" | "0" => Ok(owned(false)),
            _ => Err(Stop::Failed(
                "this text is neither true nor false".to_owned(),
            )),
        },
        _ => Err(args.unfit(0, "a bool or text")),
    }
}

fn number<'v>(args: &'v Args<'_>) -> Result<&'v Number, Stop> {
    match args.get(0) {
        Value::Number(number) => Ok(number),
        _ => Err(args.unfit(0, "a number")),
    }
}

/// `floor`, `ceil` and `round` give integers; `round` with digits gives a double.
pub(super) fn rounded<'a>(args: &Args<'a>) -> Found<'a> {
    let number = Num::of(number(args)?);
    if let Some(digits) = args.given(1) {
        let Some(digits) = digits.as_i64().filter(|digits| (0..=15).contains(digits)) else {
            return Err(Stop::Failed("`round` keeps 0 to 15 digits".to_owned()));
        };
        #[expect(clippy::cast_possible_truncation, reason = "0 to 15")]
        let scale = 10_f64.powi(digits as i32);
        let scaled = number.double() * scale;
        // Too large to have such digits at all.
        let kept = if scaled.is_finite() {
            scaled.round() / scale
        } else {
            number.double()
        };
        return json(Num::Double(kept));
    }
    let double = match number {
        Num::Int(int) => return Ok(owned(int)),
        Num::Double(double) => double,
    };
    Ok(owned(to_int(match args.function {
        Function::Floor => double.floor(),
        Function::Ceil => double.ceil(),
        _ => double.round(),
    })?))
}

pub(super) fn abs<'a>(args: &Args<'a>) -> Found<'a> {
    json(match Num::of(number(args)?) {
        Num::Int(int) => Num::Int(int.checked_abs().ok_or_else(|| {
            Stop::Failed("`abs` goes beyond the range of 64-bit integers".to_owned())
        })?),
        Num::Double(double) => Num::Double(double.abs()),
    })
}
