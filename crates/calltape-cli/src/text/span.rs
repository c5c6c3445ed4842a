//! Spans of time as people write them: `50ms`, `1.5s`, `2h`, `1h30m`, and as calltape itself writes them.
//! Called where an option takes one; never guesses a unit.

/// What a span would look like: the end of every refusal.
pub(crate) const EXAMPLES: &str = "a number and a unit, such as 50ms, 1.5s, 2h or 3d";

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
pub(crate) fn parse(text: &str) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::figures::duration;

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
            assert_eq!(parse(text), Some(ns), "{text}");
        }
    }

    #[test]
    fn what_calltape_writes_it_reads() {
        for ns in [45, 312_000, 1_240_000, 2_100_000_000, 72_000_000_000, 3_600_000_000_000, 187_200_000_000_000] {
            assert_eq!(parse(&duration(ns)), Some(ns), "{}", duration(ns));
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "50", "ms", "-1s", "10x", "1..5s", "5 5", "9223372036854775807d", "1e5s", "٣s", "1s;"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
