//! Moments as people read them, in the time zone of the output.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::figures;

fn zoned(unix_ns: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_nanosecond(i128::from(unix_ns)).unwrap_or_default().to_zoned(zone.clone())
}

/// A Unix time in ns to the second or the millisecond: the time alone if it is of the same day as `now`, else with its
/// date.
pub(crate) fn moment(unix_ns: i64, milliseconds: bool, now: Timestamp, zone: &TimeZone) -> String {
    let moment = zoned(unix_ns, zone);
    let today = moment.date() == now.to_zoned(zone.clone()).date();
    let (date, fraction) = (if today { "" } else { "%Y-%m-%d " }, if milliseconds { ".%3f" } else { "" });
    moment.strftime(&format!("{date}%H:%M:%S{fraction}")).to_string()
}

/// A Unix time in ns in full: date, microseconds, offset.
pub(crate) fn full(unix_ns: i64, zone: &TimeZone) -> String {
    zoned(unix_ns, zone).strftime("%Y-%m-%d %H:%M:%S.%6f %:z").to_string()
}

/// A Unix time in ns as ISO 8601 in UTC, as the view `calls` has it.
pub(crate) fn iso(unix_ns: i64) -> String {
    zoned(unix_ns, &TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// How long before `now` a Unix time in ns lies: `just now`, `42 s ago`, `3 min ago`.
pub(crate) fn ago(unix_ns: i64, now: Timestamp) -> String {
    let seconds = (now.as_nanosecond() - i128::from(unix_ns)) / 1_000_000_000;
    let seconds = u64::try_from(seconds).unwrap_or(0);
    // One unit says enough.
    let whole = match seconds {
        0 => return "just now".to_owned(),
        1..60 => seconds,
        60..3_600 => seconds / 60 * 60,
        3_600..86_400 => seconds / 3_600 * 3_600,
        _ => seconds / 86_400 * 86_400,
    };
    format!("{} ago", figures::duration(whole.saturating_mul(1_000_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_791_979_200_123_456_789;

    #[test]
    fn a_moment_of_another_day_has_its_date() {
        let now = Timestamp::from_nanosecond(i128::from(NOON)).unwrap();
        assert_eq!(moment(NOON, true, now, &TimeZone::UTC), "12:00:00.123");
        assert_eq!(moment(NOON - 86_400_000_000_000, false, now, &TimeZone::UTC), "2026-10-13 12:00:00");
        assert_eq!(iso(NOON), "2026-10-14T12:00:00.123456789Z");
        assert_eq!(full(NOON, &TimeZone::fixed(jiff::tz::offset(2))), "2026-10-14 14:00:00.123456 +02:00");
    }

    #[test]
    fn what_is_past_is_so_long_ago() {
        let now = Timestamp::from_nanosecond(i128::from(NOON)).unwrap();
        let second = 1_000_000_000;
        assert_eq!(ago(NOON + second, now), "just now");
        assert_eq!(ago(NOON - 42 * second, now), "42 s ago");
        assert_eq!(ago(NOON - 200 * second, now), "3 min ago");
        assert_eq!(ago(NOON - 7_300 * second, now), "2 h ago");
        assert_eq!(ago(NOON - 90_000 * second, now), "1 d ago");
    }
}
