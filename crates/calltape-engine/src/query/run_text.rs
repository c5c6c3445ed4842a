//! Runs as people write them. Called where an option, a condition or Python takes one.

/// The run that `text` names: as it is shown, 16 digits in base 16 (with `0x` before them fewer will do), or as JSON has
/// it, in base 10. What is shown begins with zeros, as ids stay below 2^53, and a number in base 10 never does.
pub fn parse_run(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_shown = text.len() == 16 && (text.starts_with("00") || text.bytes().any(|byte| byte.is_ascii_alphabetic()));
    let (digits, base) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if is_shown => (text, 16),
        None => (text, 10),
    };
    // What Rust reads besides: a sign.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, base).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_as_it_is_shown_and_as_json_has_it() {
        assert_eq!(parse_run("00000000000000ff"), Some(255));
        assert_eq!(parse_run(" 0xff "), Some(255));
        assert_eq!(parse_run("255"), Some(255));
        assert_eq!(parse_run("18446744073709551615"), Some(u64::MAX));
        // 16 digits in base 10: ids of the tape's later years.
        assert_eq!(parse_run("1000000000000000"), Some(1_000_000_000_000_000));
        for id in [1, 713_000_000_000_000, 1_000_000_000_000_000, (1 << 53) - 1] {
            assert_eq!((parse_run(&format!("{id:016x}")), parse_run(&id.to_string())), (Some(id), Some(id)));
        }
        for text in ["shop.py", "", "-1", "+1", "0x", "1.0", "00000000000000fg"] {
            assert_eq!(parse_run(text), None, "{text}");
        }
    }
}
