//! Lengths of time in `with`: as everywhere in a flow (`700ms`, `30s`, `1h30m`), or a number of
//! milliseconds, which is what an expression gives.
use std::time::Duration;

use runstone_model::flow::duration;
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
            {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$"},
        ],
    })
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) => duration::parse(&text).map(Span).map_err(|what| {
                D::Error::custom(format!("{what}; write it like 700ms, 30s, 5m or 1h30m"))
            }),
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
    fn a_text_is_read_as_in_the_rest_of_a_flow() {
        let read = |text: &str| serde_json::from_value::<Span>(text.into());
        assert_eq!(read("1h30m").unwrap().0, Duration::from_secs(5400));
        let wrong = read("5 parsecs").unwrap_err().to_string();
        assert!(wrong.contains("700ms"), "{wrong}");
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
