//! Moments and ranges of time as people say them: `--since`, `--until`, the sides of a comparison.

use calltape_engine::query::parse_time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

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
    parse_time(text, now, zone).ok_or_else(|| format!("{option} {text}: give {EXAMPLES}"))
}

/// Where a comparison's side begins and ends, Unix ns: `2h..1h`, `yesterday..today`, `09:00..09:30`; an end left out is
/// open, and a moment alone is its beginning.
///
/// # Errors
/// When an end says no time, or the range ends before it begins.
pub(crate) fn range(
    option: &str,
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(Option<i64>, Option<i64>), String> {
    let end = |text: &str| match text.trim() {
        "" => Ok(None),
        text => parse(option, text, now, zone).map(Some),
    };
    let (since, until) = text.split_once("..").unwrap_or((text, ""));
    match (end(since)?, end(until)?) {
        (None, None) => Err(format!("{option} {text}: give a range such as 2h..1h or 09:00..09:30")),
        (Some(since), Some(until)) if since >= until => {
            Err(format!("{option} {text}: it ends before it begins; the earlier end comes first, as in 2h..1h"))
        }
        ends => Ok(ends),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_no_time_is_refused_with_examples() {
        assert_eq!(parse("--since", "1s", Timestamp::UNIX_EPOCH, &TimeZone::UTC), Ok(-1_000_000_000));
        let message = parse("--until", "10x", Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap_err();
        assert!(message.starts_with("--until 10x: ") && message.contains("10m"), "{message}");
    }

    #[test]
    fn a_range_has_two_ends_or_one() {
        let noon: Timestamp = "2026-10-14T12:00:00Z".parse().unwrap();
        let range = |text: &str| {
            let ends = range("A", text, noon, &TimeZone::UTC).ok()?;
            let before = |ns: i64| noon.as_second() - ns / 1_000_000_000;
            Some((ends.0.map(before), ends.1.map(before)))
        };
        assert_eq!(range("2h..1h"), Some((Some(7_200), Some(3_600))));
        assert_eq!(range("09:00..09:30"), Some((Some(10_800), Some(9_000))));
        assert_eq!(range("2h"), Some((Some(7_200), None)));
        assert_eq!(range("..yesterday"), Some((None, Some(129_600))));
        for text in ["", "..", "1h..2h", "1h..1h", "1h..x"] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
