//! Text from a tape made safe to show. What was recorded came from a program's values, so it may hold escape sequences
//! that rename a window or hide a line; they must never reach the terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with everything that would move the cursor, change colours or reorder the line written as an escape.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if acts(c) && u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if acts(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal does something with the character instead of showing it: control characters (C1 too: some
/// terminals read U+009B as the beginning of an escape sequence), line separators, and what changes the direction of
/// writing.
pub(crate) fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_sent() {
        assert_eq!(plain("\x1b]0;owned\x07\x1b[2J"), "\\x1b]0;owned\\x07\\x1b[2J");
        assert_eq!(plain("a\u{9b}31mb"), "a\\x9b31mb");
        assert_eq!(plain("user\u{202e}gpj.exe"), "user\\u202egpj.exe");
        assert_eq!(plain("one\r\ntwo\tthree"), "one\\r\\ntwo\\tthree");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert!(matches!(plain("naïve café 你好 🦀"), Cow::Borrowed(_)));
    }
}
