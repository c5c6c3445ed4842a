//! Moments as people say them: `--since`, `--until`.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_no_time_is_refused_with_examples() {
        assert_eq!(parse("--since", "1s", Timestamp::UNIX_EPOCH, &TimeZone::UTC), Ok(-1_000_000_000));
        let message = parse("--until", "10x", Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap_err();
        assert!(message.starts_with("--until 10x: ") && message.contains("10m"), "{message}");
    }
}
