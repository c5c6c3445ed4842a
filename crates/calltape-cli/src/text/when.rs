//! Moments as people say them: `--since`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::span;

/// What a moment would look like: the end of every refusal.
const EXAMPLES: &str =
    "a span back from now such as 10m, 2h or 3d, or a time such as 09:00, yesterday or 2026-10-14T09:00";

/// The Unix time in ns that `text` means: so long ago (`90s`, `10m`, `1h30m`, `3d`, also `3d ago`), a time of day (the
/// last that was), a day (`today`, `yesterday`, `2026-10-14`, each also with a time of day), an instant
/// (`2026-10-14T09:00:00+02:00`), or Unix nanoseconds as `--json` has them. Times are of `zone` unless they say so.
///
/// # Errors
/// When it is none of these: a message that names `option` and says what would do.
pub(crate) fn parse(option: &str, text: &str, now: Timestamp, zone: &TimeZone) -> Result<i64, String> {
    moment(text.trim(), now, zone).ok_or_else(|| format!("{option} {text}: give {EXAMPLES}"))
}

fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Option<i64> {
    let ns = |moment: Timestamp| i64::try_from(moment.as_nanosecond()).ok();
    if text == "now" {
        return ns(now);
    }
    if let Some(back) = span::parse(text.strip_suffix("ago").unwrap_or(text)) {
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

    fn noon() -> Timestamp {
        "2026-10-14T12:00:00Z".parse().unwrap()
    }

    fn seconds_before_noon(text: &str) -> Option<i64> {
        parse("--since", text, noon(), &TimeZone::UTC).ok().map(|ns| noon().as_second() - ns / 1_000_000_000)
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
        assert_eq!(parse("--since", "13:00", noon(), &berlin), Ok((noon().as_second() - 3_600) * 1_000_000_000));
    }

    #[test]
    fn a_time_of_day_that_is_still_to_come_was_yesterday() {
        assert_eq!(seconds_before_noon("23:50"), Some(43_800));
        assert_eq!(seconds_before_noon("12:00"), Some(0));
    }

    #[test]
    fn what_says_no_time_is_refused_with_examples() {
        for text in ["", "10", "m", "0m", "10x", "tomorrow", "9223372036854775807d", "2026-13-01", "25:00", "ago"] {
            assert_eq!(seconds_before_noon(text), None, "{text}");
        }
        let message = parse("--until", "10x", Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap_err();
        assert!(message.starts_with("--until 10x: ") && message.contains("10m"), "{message}");
    }
}
