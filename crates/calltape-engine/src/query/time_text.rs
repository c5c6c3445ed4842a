//! Spans and times as people write them: for `--since` and `--slower-than`, for conditions, and for Python's arguments.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Nanoseconds in a unit.
const UNITS: [(&str, u64); 18] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("second", 1_000_000_000),
    ("seconds", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("minute", 60_000_000_000),
    ("minutes", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("hour", 3_600_000_000_000),
    ("hours", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// The nanoseconds that a span means: `50ms`, `1.5s`, `10m`, `1h30m`, `2 h`; `None` for what is no span, has no unit, or
/// is longer than 292 years.
pub fn parse_duration(text: &str) -> Option<u64> {
    let (mut rest, mut sum) = (text.trim(), 0u64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        let digits = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(is_digit).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = UNITS.iter().find(|known| known.0 == unit.trim())?.1;
        sum = sum.checked_add(times(number, unit)?)?;
        rest = after;
    }
    i64::try_from(sum).is_ok().then_some(sum)
}

/// `number`, which may have a fraction, times `unit`.
fn times(number: &str, unit: u64) -> Option<u64> {
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit);
    }
    let product = number.parse::<f64>().ok()? * unit as f64;
    (product < i64::MAX as f64).then(|| product.round() as u64)
}

/// The Unix nanoseconds that `text` means: so long before `now` (`90s`, `10m`, `2h`, `3d`, `1h30m`), or a time
/// (`2026-10-14T09:00`, `2026-10-14`, `09:00` for today, each in `zone` unless it has an offset of its own). `None` for
/// what is neither, and for no time at all before now.
pub fn parse_time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    let moment = match parse_duration(text) {
        Some(0) => return None,
        Some(ago) => now.as_nanosecond() - i128::from(ago),
        None => time(text, now, zone)?.as_nanosecond(),
    };
    i64::try_from(moment).ok()
}

fn time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Some(exact);
    }
    let civil = if let Ok(date) = text.parse::<Date>()
        && !text.contains([':', 'T', 't'])
    {
        date.to_datetime(Time::midnight())
    } else if let Ok(both) = text.parse::<DateTime>() {
        both
    } else if !text.contains(':') {
        return None;
    } else {
        now.to_zoned(zone.clone()).date().to_datetime(text.parse::<Time>().ok()?)
    };
    civil.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn noon() -> Timestamp {
        "2026-10-14T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn spans_read_as_people_write_them() {
        let spans = [
            ("50ms", 50_000_000),
            ("1.5s", 1_500_000_000),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("17ns", 17),
            ("2 h", 7_200_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1m 30s", 90_000_000_000),
            ("1w", 604_800_000_000_000),
            ("0s", 0),
        ];
        for (text, ns) in spans {
            assert_eq!(parse_duration(text), Some(ns), "{text}");
        }
        for text in ["", "10", "ms", "10x", "1..5s", "-1s", "1e3s", "9223372036854775807d", "300000w", ".s", "∞"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_a_span_before_now_or_one_of_the_zone_unless_it_says_so() {
        let times = [
            ("90s", 90),
            ("1h30m", 5_400),
            ("2026-10-14T11:00", 3_600),
            ("2026-10-14 11:00:30", 3_570),
            ("2026-10-14", 43_200),
            ("2026-10-14T11:00:00+02:00", 10_800),
            ("2026-10-14T11:00:00Z", 3_600),
            ("09:00", 10_800),
        ];
        for (text, seconds) in times {
            let before = parse_time(text, noon(), &TimeZone::UTC).map(|ns| noon().as_second() - ns / SECOND);
            assert_eq!(before, Some(seconds), "{text}");
        }
        for text in ["", "10", "m", "0m", "10x", "yesterday", "9223372036854775807d", "2026-13-01"] {
            assert_eq!(parse_time(text, noon(), &TimeZone::UTC), None, "{text}");
        }
    }
}
