//! Durations, counts and sizes as people write them.

/// A duration in nanoseconds: three digits and a unit up to a minute (`45 ns`, `312 µs`, `1.24 ms`, `2.1 s`), two units
/// above (`1 min 12 s`, `3 h 5 min`, `2 d 4 h`).
pub(crate) fn duration(ns: u64) -> String {
    if ns < 1_000 {
        return format!("{ns} ns");
    }
    for (unit, in_ns, limit) in [("µs", 1e3, 1e3), ("ms", 1e6, 1e3), ("s", 1e9, 60.0)] {
        let text = three_digits(ns as f64 / in_ns);
        // After rounding: 999.7 µs is 1 ms.
        if text.parse::<f64>().is_ok_and(|rounded| rounded < limit) {
            return format!("{text} {unit}");
        }
    }
    let seconds = (ns + 500_000_000) / 1_000_000_000;
    let two = |high: u64, high_unit: &str, low: u64, low_unit: &str| match low {
        0 => format!("{high} {high_unit}"),
        _ => format!("{high} {high_unit} {low} {low_unit}"),
    };
    match seconds {
        0..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// `value` (at least 1) with three digits, zeros at the end left out.
fn three_digits(value: f64) -> String {
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A count with its thousands set apart: `1,234,567`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things: `1 call`, `2 calls`.
pub(crate) fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// A count that may lie below zero.
pub(crate) fn signed_count(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", count(value.unsigned_abs()))
}

/// A share of a whole, 0 to 1, in percent: `0 %`, `0.12 %`, `2.1 %`, `100 %`.
pub(crate) fn share(value: f64) -> String {
    let percent = value * 100.0;
    match percent {
        p if p <= 0.0 => "0 %".to_owned(),
        p if p < 0.01 => "<0.01 %".to_owned(),
        p if p < 0.995 => format!("{} %", format!("{p:.2}").trim_end_matches('0').trim_end_matches('.')),
        p => format!("{} %", three_digits(p)),
    }
}

/// A size in bytes: `512 B`, `3.1 MiB`.
pub(crate) fn bytes(value: u64) -> String {
    if value < 1024 {
        return format!("{value} B");
    }
    let mut scaled = value as f64;
    for unit in ["KiB", "MiB", "GiB"] {
        scaled /= 1024.0;
        if scaled < 999.5 {
            return format!("{} {unit}", three_digits(scaled));
        }
    }
    format!("{} TiB", three_digits(scaled / 1024.0))
}

/// A bar of `width` columns, as long as `value` is of `whole`, in steps of an eighth of a column.
pub(crate) fn bar(value: u64, whole: u64, width: usize) -> String {
    if whole == 0 {
        return String::new();
    }
    let eighths = (value as f64 / whole as f64 * (width * 8) as f64).round() as usize;
    let mut text = "█".repeat(eighths / 8);
    text.extend(["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8).copied());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let written = [
            (0, "0 ns"),
            (45, "45 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (312_000, "312 µs"),
            (999_700, "1 ms"),
            (1_240_000, "1.24 ms"),
            (9_996_000, "10 ms"),
            (12_400_000, "12.4 ms"),
            (2_100_000_000, "2.1 s"),
            (59_960_000_000, "1 min"),
            (72_000_000_000, "1 min 12 s"),
            (3_600_000_000_000, "1 h"),
            (11_100_000_000_000, "3 h 5 min"),
            (187_200_000_000_000, "2 d 4 h"),
        ];
        for (ns, text) in written {
            assert_eq!(duration(ns), text);
        }
    }

    #[test]
    fn counts_and_sizes_read_as_people_write_them() {
        assert_eq!((count(0), count(999), count(1_000)), ("0".into(), "999".into(), "1,000".into()));
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(signed_count(-1_000), "-1,000");
        assert_eq!((bytes(512), bytes(2_097_152), bytes(1_048_575)), ("512 B".into(), "2 MiB".into(), "1 MiB".into()));
    }

    #[test]
    fn shares_are_percent() {
        let written =
            [(0.0, "0 %"), (0.0012, "0.12 %"), (0.021, "2.1 %"), (0.5, "50 %"), (1.0, "100 %"), (1e-6, "<0.01 %")];
        for (value, text) in written {
            assert_eq!(share(value), text);
        }
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(1, 32, 4), "▏");
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(bar(0, 0, 4), "");
    }
}
