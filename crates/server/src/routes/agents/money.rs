//! Money between its decimal text and whole billionths.

/// Billionths of a unit.
const NANOS: i64 = 1_000_000_000;

/// The billionths of a decimal text with at most nine digits before and after the point.
pub(super) fn nanos(text: &str) -> Option<i64> {
    let (units, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(units) || !digits(part) {
        return None;
    }
    let units: i64 = units.parse().ok()?;
    let part: i64 = format!("{part:0<9}").parse().ok()?;
    Some(units * NANOS + part)
}

/// The shortest decimal text of billionths.
pub(super) fn decimal(nanos: i64) -> String {
    let (units, part) = (nanos / NANOS, nanos % NANOS);
    if part == 0 {
        return units.to_string();
    }
    let part = format!("{part:09}");
    format!("{units}.{}", part.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_and_written_exactly() {
        for (text, amount, shortest) in [
            ("0", 0, "0"),
            ("0.1", 100_000_000, "0.1"),
            ("12.50", 12_500_000_000, "12.5"),
            ("0.000000001", 1, "0.000000001"),
            (
                "999999999.999999999",
                999_999_999_999_999_999,
                "999999999.999999999",
            ),
        ] {
            assert_eq!(nanos(text), Some(amount), "{text}");
            assert_eq!(decimal(amount), shortest);
        }
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "1e3",
            "1.0000000001",
            "1234567890",
            "١",
        ] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }
}
