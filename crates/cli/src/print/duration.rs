//! Durations and points in time as people read them, and as JSON has them.
use std::time::Duration;

use runstone_model::time::Timestamp;

/// `312 µs`, `2.5 ms`, `31 ms`, `1.24 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn human(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    let seconds = duration.as_secs();
    if ms < 0.9995 {
        format!("{} µs", duration.as_micros())
    } else if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else if seconds < 60 {
        format!("{:.2} s", duration.as_secs_f64())
    } else if seconds < 3600 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else if seconds < 86_400 {
        format!("{} h {} min", seconds / 3600, seconds / 60 % 60)
    } else {
        format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24)
    }
}

/// `now`, `12 s ago`, `3 min ago`, `2 h ago`, `4 d ago`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Milliseconds, to the microsecond.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

/// RFC 3339 in UTC; the number itself when it is outside of any calendar.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| format!("{at:.6}"))
}

/// `2026-07-29 12:00:01 UTC`.
pub(crate) fn date(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(
        |_| at.0.to_string(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_the_unit_that_fits() {
        let told = [
            (Duration::ZERO, "0 µs"),
            (Duration::from_micros(312), "312 µs"),
            (Duration::from_micros(2_512), "2.5 ms"),
            (Duration::from_micros(9_960), "10 ms"),
            (Duration::from_millis(31), "31 ms"),
            (Duration::from_micros(999_600), "1.00 s"),
            (Duration::from_millis(1_240), "1.24 s"),
            (Duration::from_secs(192), "3 min 12 s"),
            (Duration::from_secs(7_500), "2 h 5 min"),
            (Duration::from_secs(90_000), "1 d 1 h"),
        ];
        for (duration, want) in told {
            assert_eq!(human(duration), want);
        }
    }

    #[test]
    fn a_clock_that_went_back_says_now() {
        assert_eq!(ago(Timestamp(5_000_000), Timestamp(0)), "now");
        assert_eq!(ago(Timestamp(0), Timestamp(61_000_000)), "1 min ago");
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(rfc3339(Timestamp(1_500_000)), "1970-01-01T00:00:01.500000Z");
        assert_eq!(date(Timestamp(1_500_000)), "1970-01-01 00:00:01 UTC");
    }
}
