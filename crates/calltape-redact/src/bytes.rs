//! Classes of bytes that shapes and assignments are made of.

/// Capital letters.
pub(crate) const UPPER: u8 = 1;
/// Small letters.
pub(crate) const LOWER: u8 = 2;
/// Digits.
pub(crate) const DIGIT: u8 = 4;
/// The small letters of hexadecimal digits.
pub(crate) const HEX_LETTER: u8 = 8;
/// `-` and `_`.
pub(crate) const DASH: u8 = 16;
/// `.` and `~`.
pub(crate) const DOT: u8 = 32;
/// `+`, `/`, `=` and `%`: Base64 beyond letters and digits, and what it is escaped with.
pub(crate) const BASE64: u8 = 64;
/// Bytes beyond ASCII.
pub(crate) const FOREIGN: u8 = 128;

/// Letters and digits.
pub(crate) const ALNUM: u8 = UPPER | LOWER | DIGIT;
/// Hexadecimal digits, small.
pub(crate) const HEX: u8 = DIGIT | HEX_LETTER;
/// The alphabet of Base64 for URLs.
pub(crate) const URL_SAFE: u8 = ALNUM | DASH;
/// Everything that a token in a header consists of.
pub(crate) const TOKEN: u8 = URL_SAFE | DOT | BASE64;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' => UPPER,
            b'a'..=b'f' => LOWER | HEX_LETTER,
            b'g'..=b'z' => LOWER,
            b'0'..=b'9' => DIGIT,
            b'-' | b'_' => DASH,
            b'.' | b'~' => DOT,
            b'+' | b'/' | b'=' | b'%' => BASE64,
            0x80.. => FOREIGN,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Whether the byte is of one of the classes.
#[inline]
pub(crate) fn is(byte: u8, classes: u8) -> bool {
    CLASSES[usize::from(byte)] & classes != 0
}

/// How many bytes of these classes the text begins with, counted up to `most`.
pub(crate) fn span(text: &[u8], classes: u8, most: usize) -> usize {
    let text = &text[..text.len().min(most)];
    text.iter().position(|&byte| !is(byte, classes)).unwrap_or(text.len())
}

/// How many bytes of these classes the text ends with, counted up to `most`.
pub(crate) fn span_back(text: &[u8], classes: u8, most: usize) -> usize {
    text.iter().rev().take(most).take_while(|&&byte| is(byte, classes)).count()
}

/// Whether the text begins with these small letters, in any case.
pub(crate) fn starts_with_word(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Whether there are both letters and digits: what is made by chance has, and words have not.
pub(crate) fn is_mixed(text: &[u8]) -> bool {
    text.iter().any(|&byte| is(byte, DIGIT)) && text.iter().any(|&byte| is(byte, UPPER | LOWER))
}
