//! Lengths of time in `with`: `700ms`, `1.5s`, `2m`, `1h`, `1h30m`, or a number of milliseconds.
use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

/// A length of time as written in a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// JSON Schema of a length of time.
#[must_use]
pub fn schema(description: &str) -> Value {
    json!({
        "description": description,
        "anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$"},
        ],
    })
}

/// Reads `700ms`, `1.5s`, `1h30m`. A bare number needs a unit here: `5` says nothing to a reader.
///
/// # Errors
/// A sentence that says what a length of time looks like.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "`{}` is not a length of time; write for example 700ms, 30s, 5m, 1h or 1h30m",
            text.chars().take(40).collect::<String>()
        )
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut seconds = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return Err(wrong()),
        };
        seconds += number.parse::<f64>().map_err(|_| wrong())? * scale;
        rest = next;
    }
    // Whole microseconds: 0.3 s is no exact binary fraction, and nobody means the error.
    Duration::try_from_secs_f64((seconds * 1e6).round() / 1e6).map_err(|_| wrong())
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) => parse(&text).map(Span).map_err(D::Error::custom),
            Value::Number(number) => number
                .as_f64()
                .and_then(|ms| Duration::try_from_secs_f64((ms * 1e3).round() / 1e6).ok())
                .map(Span)
                .ok_or_else(|| D::Error::custom("a number of milliseconds cannot be negative")),
            _ => Err(D::Error::custom(
                "a length of time is a text like 30s or milliseconds",
            )),
        }
    }
}

/// A length of time as a person writes it: `700ms`, `1.5s`, `2m`, `1h`.
#[must_use]
pub fn show(span: Duration) -> String {
    let ms = span.as_millis();
    match ms {
        0..1000 => format!("{ms}ms"),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ => format!("{}s", span.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_unit_and_their_sums_are_read() {
        for (text, ms) in [
            ("700ms", 700),
            ("1.5s", 1500),
            ("0.3s", 300),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
    }

    #[test]
    fn a_text_without_a_known_unit_is_refused_with_examples() {
        for text in [
            "", "5", "s", "5 s", "-1s", "1e3s", "1.2.3s", "5y", "s5", "9e999h", "٣s",
        ] {
            assert!(parse(text).unwrap_err().contains("700ms"), "{text}");
        }
    }

    #[test]
    fn a_number_is_milliseconds() {
        assert_eq!(
            serde_json::from_str::<Span>("250").unwrap().0,
            Duration::from_millis(250)
        );
        assert_eq!(
            serde_json::from_str::<Span>("0.5").unwrap().0,
            Duration::from_micros(500)
        );
        assert!(serde_json::from_str::<Span>("-1").is_err());
        assert!(serde_json::from_str::<Span>("true").is_err());
    }
}
