//! `--since`: how people say when.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// The Unix time in ns that `text` means: so long ago (`90s`, `10m`, `2h`, `3d`, `1w`, also `1h30m`), or a time
/// (`2026-10-14T09:00`, `2026-10-14`, `09:00` for today, each in `zone` unless it has an offset of its own).
///
/// # Errors
/// When it is neither: a message that says what would be.
pub(crate) fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<i64, String> {
    let text = text.trim();
    let moment = match ago(text) {
        Some(ns) => i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX).checked_sub(ns),
        None => time(text, now, zone).and_then(|time| i64::try_from(time.as_nanosecond()).ok()),
    };
    moment.ok_or_else(|| {
        format!("--since {text}: neither a span such as 10m, 2h or 3d nor a time such as 2026-10-14T09:00")
    })
}

/// A span in ns.
fn ago(text: &str) -> Option<i64> {
    let (mut rest, mut sum) = (text, 0i64);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = match rest[..letters].trim() {
            "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        rest = &rest[letters..];
        sum = sum.checked_add(number.checked_mul(seconds)?.checked_mul(1_000_000_000)?)?;
    }
    (sum > 0).then_some(sum)
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

    fn seconds_before_noon(text: &str) -> Option<i64> {
        let noon: Timestamp = "2026-10-14T12:00:00Z".parse().unwrap();
        parse(text, noon, &TimeZone::UTC).ok().map(|ns| noon.as_second() - ns / 1_000_000_000)
    }

    #[test]
    fn spans_count_back_from_now() {
        let spans = [("90s", 90), ("10m", 600), ("2h", 7_200), ("3d", 259_200), ("1w", 604_800), ("1h30m", 5_400)];
        for (text, seconds) in spans {
            assert_eq!(seconds_before_noon(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn times_are_of_the_zone_unless_they_say_so() {
        let times = [
            ("2026-10-14T11:00", 3_600),
            ("2026-10-14 11:00:30", 3_570),
            ("2026-10-14", 43_200),
            ("2026-10-14T11:00:00+02:00", 10_800),
            ("2026-10-14T11:00:00Z", 3_600),
            ("09:00", 10_800),
        ];
        for (text, seconds) in times {
            assert_eq!(seconds_before_noon(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_says_no_time_is_refused_with_examples() {
        for text in ["", "10", "m", "0m", "10x", "yesterday", "9223372036854775807d", "2026-13-01"] {
            assert_eq!(seconds_before_noon(text), None, "{text}");
        }
        let message = parse("10x", Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap_err();
        assert!(message.contains("10m") && message.contains("10x"));
    }
}
