//! Spans and moments as people write them: `50ms`, `1h30m`; `yesterday 14:00`. Read here for options of the command line,
//! for conditions and for Python's arguments alike. Never guesses a unit.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Nanoseconds of a unit, by the names people give it.
fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" | "msec" => 1e6,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e9,
        "m" | "min" | "mins" | "minute" | "minutes" => 60e9,
        "h" | "hr" | "hour" | "hours" => 3_600e9,
        "d" | "day" | "days" => 86_400e9,
        "w" | "week" | "weeks" => 7.0 * 86_400e9,
        _ => return None,
    })
}

/// The nanoseconds of a span: one or more numbers, each with its unit (`1h30m`, `1 min 12 s`). `None` for what is none,
/// and for a bare number but 0: whether 50 are seconds or milliseconds is anybody's guess.
pub fn parse_duration(text: &str) -> Option<u64> {
    let (mut rest, mut sum) = (text.trim(), 0.0);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(rest.len());
        sum += number * unit(&rest[..end].to_ascii_lowercase())?;
        rest = rest[end..].trim_start();
    }
    // Beyond 292 years there is no time in ns.
    (sum < i64::MAX as f64).then_some(sum.round() as u64)
}

/// The Unix time in ns that `text` means: so long ago (`90s`, `10m`, `1h30m`, `3d`, also `3d ago`), a time of day (the
/// last that was), a day (`today`, `yesterday`, `2026-10-14`, each also with a time of day), an instant
/// (`2026-10-14T09:00:00+02:00`), or Unix nanoseconds as `--json` has them. Times are of `zone` unless they say so. `None`
/// for what is none of these.
pub fn parse_time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    let ns = |moment: Timestamp| i64::try_from(moment.as_nanosecond()).ok();
    if text == "now" {
        return ns(now);
    }
    if let Some(back) = parse_duration(text.strip_suffix("ago").unwrap_or(text)) {
        return ns(now)?.checked_sub(i64::try_from(back).ok()?).filter(|_| back > 0);
    }
    // No other time has so many digits: Unix ns since 1973.
    if text.len() >= 18 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    if let Ok(exact) = text.parse::<Timestamp>() {
        return ns(exact);
    }
    let here = now.to_zoned(zone.clone());
    let civil = named_day(text, &here).or_else(|| written(text)).or_else(|| time_of_day(text, &here))?;
    ns(civil.to_zoned(zone.clone()).ok()?.timestamp())
}

/// `today`, `yesterday`, `yesterday 14:00`.
fn named_day(text: &str, now: &Zoned) -> Option<DateTime> {
    let (day, time) = text.split_once(' ').unwrap_or((text, "00:00"));
    let date = match day {
        "today" => now.date(),
        "yesterday" => now.date().checked_sub(1.day()).ok()?,
        _ => return None,
    };
    Some(date.to_datetime(time.trim().parse::<Time>().ok()?))
}

/// `2026-10-14`, `2026-10-14 09:00`, `2026-10-14T09:00`.
fn written(text: &str) -> Option<DateTime> {
    match text.contains([':', 'T', 't']) {
        true => text.parse().ok(),
        false => Some(text.parse::<Date>().ok()?.to_datetime(Time::midnight())),
    }
}

/// `09:00`: of today, or of yesterday where today's is still to come, for what was recorded lies behind.
fn time_of_day(text: &str, now: &Zoned) -> Option<DateTime> {
    let time = text.contains(':').then(|| text.parse::<Time>().ok())??;
    let today = now.date().to_datetime(time);
    if today <= now.datetime() { Some(today) } else { today.checked_sub(1.day()).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        let written = [
            ("50ms", 50_000_000),
            ("1.5s", 1_500_000_000),
            ("2h", 7_200_000_000_000),
            ("10m", 600_000_000_000),
            ("10 min", 600_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("250us", 250_000),
            ("45 ns", 45),
            ("1.5 Days", 129_600_000_000_000),
            ("1w", 604_800_000_000_000),
            (" 0 ", 0),
        ];
        for (text, ns) in written {
            assert_eq!(parse_duration(text), Some(ns), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "50", "ms", "-1s", "10x", "1..5s", "5 5", "9223372036854775807d", "1e5s", "٣s", "1s;"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    fn noon() -> Timestamp {
        "2026-10-14T12:00:00Z".parse().unwrap()
    }

    fn seconds_before_noon(text: &str) -> Option<i64> {
        parse_time(text, noon(), &TimeZone::UTC).map(|ns| noon().as_second() - ns / 1_000_000_000)
    }

    #[test]
    fn spans_count_back_from_now() {
        let spans = [
            ("90s", 90),
            ("10m", 600),
            ("2h", 7_200),
            ("3d", 259_200),
            ("1w", 604_800),
            ("1h30m", 5_400),
            ("1.5h", 5_400),
            ("10 min ago", 600),
            ("now", 0),
        ];
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
            ("today", 43_200),
            ("yesterday", 129_600),
            ("yesterday 23:00", 46_800),
            ("1791979200123456789", 0),
        ];
        for (text, seconds) in times {
            assert_eq!(seconds_before_noon(text), Some(seconds), "{text}");
        }
        let berlin = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(parse_time("13:00", noon(), &berlin), Some((noon().as_second() - 3_600) * 1_000_000_000));
    }

    #[test]
    fn a_time_of_day_that_is_still_to_come_was_yesterday() {
        assert_eq!(seconds_before_noon("23:50"), Some(43_800));
        assert_eq!(seconds_before_noon("12:00"), Some(0));
    }

    #[test]
    fn what_says_no_time_is_refused() {
        for text in ["", "10", "m", "0m", "10x", "tomorrow", "9223372036854775807d", "2026-13-01", "25:00", "ago"] {
            assert_eq!(seconds_before_noon(text), None, "{text}");
        }
    }
}
