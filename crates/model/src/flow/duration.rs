//! Durations as written in a flow file: `200ms`, `30s`, `5m`, `1h30m`, `2d`.
use std::time::Duration;

/// The longest duration a flow may name: ten years of 365 days.
pub const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads a duration: whole numbers, each followed by `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// What is wrong, as one plain sentence without the text itself.
pub fn parse(text: &str) -> Result<Duration, &'static str> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("the duration is empty");
    }
    let mut total: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err("a duration is whole numbers with units");
        }
        let count: u64 = rest[..digits]
            .parse()
            .map_err(|_| "the duration is too long")?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = UNITS.iter().find(|(name, _)| *name == &rest[..letters]);
        let Some((_, millis)) = unit else {
            return Err(if letters == 0 {
                "the duration has no unit"
            } else {
                "the duration has an unknown unit"
            });
        };
        if *millis >= last_unit {
            return Err("the units of a duration go from large to small, each once");
        }
        last_unit = *millis;
        rest = &rest[letters..];
        total = count
            .checked_mul(*millis)
            .and_then(|ms| ms.checked_add(total))
            .filter(|ms| u128::from(*ms) <= LONGEST.as_millis())
            .ok_or("the duration is too long")?;
    }
    Ok(Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_combine_from_large_to_small() {
        assert_eq!(parse("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for text in [
            "",
            "30",
            "s",
            "1.5h",
            "-1s",
            "30m1h",
            "1s1s",
            "5y",
            "1é",
            "99999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
