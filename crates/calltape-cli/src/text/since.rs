//! `--since`: how people say when.

use calltape_engine::query::parse_time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The Unix time in ns that `text` means: so long ago (`90s`, `10m`, `2h`, `3d`, `1w`, also `1h30m`), or a time
/// (`2026-10-14T09:00`, `2026-10-14`, `09:00` for today, each in `zone` unless it has an offset of its own).
///
/// # Errors
/// When it is neither: a message that says what would be.
pub(crate) fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<i64, String> {
    parse_time(text, now, zone).ok_or_else(|| {
        format!("--since {}: neither a span such as 10m, 2h or 3d nor a time such as 2026-10-14T09:00", text.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_no_time_is_refused_with_examples() {
        let message = parse("10x", Timestamp::UNIX_EPOCH, &TimeZone::UTC).unwrap_err();
        assert!(message.contains("10m") && message.contains("10x"));
    }
}
