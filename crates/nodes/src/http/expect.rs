//! Which statuses count as success, and what the others mean for a retry.
use std::time::Duration;

use reqwest::{StatusCode, header::HeaderMap};
use runstone_engine::node::NodeError;
use runstone_model::failure::Class;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

use super::date;

/// Statuses that count as success; 200–299 when the flow does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expect(Vec<(u16, u16)>);

impl Default for Expect {
    fn default() -> Self {
        Self(vec![(200, 299)])
    }
}

/// JSON Schema of `expect`.
pub(super) fn schema() -> Value {
    let one = json!({"anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": "^([1-5][0-9][0-9](-[1-5][0-9][0-9])?|[1-5]xx)$"},
    ]});
    json!({
        "description": "Statuses that count as success: 200, \"200-204\", \"2xx\", or a list; \
                        default 2xx",
        "anyOf": [one, {"type": "array", "items": one, "minItems": 1}],
    })
}

impl Expect {
    pub(super) fn accepts(&self, status: StatusCode) -> bool {
        self.0
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&status.as_u16()))
    }

    fn show(&self) -> String {
        let show = |(from, to): &(u16, u16)| match from == to {
            true => from.to_string(),
            false => format!("{from}-{to}"),
        };
        self.0.iter().map(show).collect::<Vec<_>>().join(", ")
    }

    /// The failure that a status which was not expected stands for.
    pub(super) fn failure(
        &self,
        place: &str,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> NodeError {
        let wait = retry_after(headers);
        let class = match status.as_u16() {
            429 => Class::RateLimit,
            503 if wait.is_some() => Class::RateLimit,
            408 | 504 => Class::Timeout,
            _ => Class::Dependency,
        };
        let reason = status
            .canonical_reason()
            .unwrap_or("a status without a name");
        let mend = match status.as_u16() {
            300..400 => "; raise `redirects` to follow it, or list the status in `expect`",
            401 | 403 => "; check the credentials in `headers`",
            400..500 if class == Class::Dependency => {
                "; to take such an answer as a result, list its status in `expect`"
            }
            _ => "",
        };
        let mut error = NodeError::new(
            class,
            format!(
                "{place} answered {} {reason}, expected {}{mend}",
                status.as_u16(),
                self.show()
            ),
        );
        error.retryable = Some(class != Class::Dependency || status.is_server_error());
        error.retry_after = wait.filter(|_| class == Class::RateLimit);
        error
    }
}

/// `Retry-After` as seconds, or as a date compared to the answer's own `Date`: no clock of ours is
/// asked, and a clock that differs between the two machines does no harm.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text("retry-after")?;
    if let Ok(seconds) = wait.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = date::seconds(wait)?;
    let now = date::seconds(text("date")?)?;
    Some(Duration::from_secs(u64::try_from(until - now).unwrap_or(0)))
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let ranges = match Value::deserialize(from)? {
            Value::Array(items) => items.iter().map(range).collect::<Option<Vec<_>>>(),
            one => range(&one).map(|range| vec![range]),
        };
        ranges
            .filter(|ranges| !ranges.is_empty())
            .map(Self)
            .ok_or_else(|| {
                D::Error::custom(
                    "`expect` is a status (200), a range (\"200-204\", \"2xx\") or a list",
                )
            })
    }
}

fn range(value: &Value) -> Option<(u16, u16)> {
    let status = |n: u16| (100..=599).contains(&n).then_some(n);
    match value {
        Value::Number(number) => {
            let one = status(u16::try_from(number.as_u64()?).ok()?)?;
            Some((one, one))
        }
        Value::String(text) => {
            if let Some(hundred) = text.strip_suffix("xx") {
                let from = status(hundred.parse::<u16>().ok()?.checked_mul(100)?)?;
                return Some((from, from + 99));
            }
            let (from, to) = text.split_once('-').unwrap_or((text, text));
            let (from, to) = (status(from.parse().ok()?)?, status(to.parse().ok()?)?);
            (from <= to).then_some((from, to))
        }
        _ => None,
    }
}
