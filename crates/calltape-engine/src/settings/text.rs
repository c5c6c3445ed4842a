//! Reading and writing values as people write them. Called by the loader only; every refusal says what would do.

use std::time::Duration;

use calltape_redact::Names;

use super::table::Kind;

/// A setting's value once read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    Time(Duration),
    Switch(bool),
}

/// Reads `text` as `kind` has it; the error is the remedy.
pub(super) fn parse(text: &str, kind: Kind) -> Result<Value, String> {
    let trimmed = text.trim();
    match kind {
        Kind::Path if trimmed.is_empty() => Err("give a path".to_owned()),
        Kind::Path => Ok(Value::Text(trimmed.to_owned())),
        Kind::Bytes { least } => match bytes(trimmed) {
            Some(number) if number >= least => Ok(Value::Number(number)),
            _ => Err(format!("give a size of at least {}, such as 64MiB, 512k or 1000", show_bytes(least))),
        },
        Kind::BytesOrNone { least } => match bytes(trimmed) {
            Some(number) if number == 0 || number >= least => Ok(Value::Number(number)),
            _ => Err(format!("give a size of at least {}, such as 1GiB, or 0 for no limit", show_bytes(least))),
        },
        Kind::Time { least_ms } => match time(trimmed) {
            Some(time) if time >= Duration::from_millis(least_ms) => Ok(Value::Time(time)),
            _ => Err(format!("give a time of at least {least_ms}ms, such as 7d, 12h, 60s or 250ms")),
        },
        Kind::Count { least, most } => match trimmed.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
            _ => Err(format!("give a whole number from {least} to {most}")),
        },
        Kind::NameRules => match Names::with(&words(trimmed).iter().map(String::as_str).collect::<Vec<_>>()) {
            Ok(_) => Ok(Value::Text(trimmed.to_owned())),
            Err(fault) => Err(format!("{fault}; give names such as badge,*pin,-token")),
        },
        Kind::Switch => match trimmed.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(Value::Switch(true)),
            "0" | "false" | "no" | "off" => Ok(Value::Switch(false)),
            _ => Err("give true or false".to_owned()),
        },
        Kind::Choice(words) => {
            let lower = trimmed.to_ascii_lowercase();
            match words.iter().find(|word| **word == lower) {
                Some(word) => Ok(Value::Text((*word).to_owned())),
                None => Err(format!("give one of {}", words.join(", "))),
            }
        }
    }
}

/// What is left of a list without the words that cannot be used, as a slip in one must not show the values of the
/// others; `None` for what is no list.
pub(super) fn usable(text: &str, kind: Kind) -> Option<String> {
    let is_usable = |word: &String| Names::with(&[word]).is_ok();
    matches!(kind, Kind::NameRules).then(|| words(text).into_iter().filter(is_usable).collect::<Vec<_>>().join(","))
}

/// The words of a list separated by commas.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A number and what follows it, as in `64` and `MiB`.
fn split_unit(text: &str) -> Option<(f64, String)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let number: f64 = text[..end].replace('_', "").parse().ok()?;
    Some((number, text[end..].trim().to_ascii_lowercase()))
}

/// A size as people write it: `64MiB`, `512k`, `1000`.
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let factor = match unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(&unit) {
        "" => 1u64,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return None,
    };
    let bytes = number * factor as f64;
    (bytes.is_finite() && bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// A time as people write it: `60s`, `250ms`, `3d`, `1.5` (seconds).
pub fn time(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let seconds = match unit.as_str() {
        "" | "s" | "sec" | "seconds" => number,
        "ms" => number / 1e3,
        "us" => number / 1e6,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        "d" => number * 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// Bytes as the table writes them.
pub(super) fn show_bytes(bytes: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes >= 1 << shift && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// A time as the table writes it.
pub(super) fn show_time(time: Duration) -> String {
    const DAY: u64 = 86_400;
    if time.subsec_nanos() == 0 && time.as_secs() >= DAY && time.as_secs().is_multiple_of(DAY) {
        format!("{}d", time.as_secs() / DAY)
    } else if time.subsec_nanos() == 0 {
        format!("{}s", time.as_secs())
    } else if time.subsec_nanos().is_multiple_of(1_000_000) {
        format!("{}ms", time.as_millis())
    } else {
        format!("{}s", time.as_secs_f64())
    }
}

/// The known name nearest to `given` by edit distance, and that distance.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> (&'a str, usize) {
    known.map(|name| (name, distance(given, name))).min_by_key(|(_, distance)| *distance).unwrap_or(("", usize::MAX))
}

fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_as_people_write_them() {
        for (text, expected) in
            [("64MiB", 64 << 20), ("64M", 64 << 20), ("64 mb", 64 << 20), ("1.5k", 1536), ("4_096", 4096), ("7", 7)]
        {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for (text, ms) in [("60s", 60_000), ("250ms", 250), ("1.5", 1500), ("2m", 120_000), ("0", 0)] {
            assert_eq!(time(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "many", "-1", "64X", "1..5", "1e400s"] {
            assert_eq!((bytes(text), time(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["db", "journal_limit", "on_full"];
        assert_eq!(nearest("journal_limt", names.into_iter()), ("journal_limit", 1));
        assert_eq!(nearest("onfull", names.into_iter()), ("on_full", 1));
    }
}
