//! How many bytes of JSON a captured value will take, told without rendering it. Called by the capture on the caller's
//! thread for every value, so that a budget in bytes of the tape is kept before anything is written. What is said here
//! must be what `json.rs` renders: the tests compare both.

use std::fmt::{self, Write as _};

use super::json::render_key;
use crate::varint::Input;

/// Bytes of JSON that values take, one associated function a kind.
///
/// ```
/// use calltape_record::value::Width;
/// assert_eq!(Width::int(-42), "-42".len());
/// assert_eq!(Width::text(b"say \"hi\""), r#"say \"hi\""#.len());
/// ```
#[derive(Debug)]
pub struct Width;

impl Width {
    /// The shortest text that says that something is there: `"..."`.
    pub const DOTS: usize = 5;
    /// A value withheld: `"***"`.
    pub const MASKED: usize = 5;
    /// The quotes of a text.
    pub const QUOTES: usize = 2;
    /// What stands around a marker's summary: `"[` and `]"`.
    pub const MARKER: usize = 4;
    /// What stands around bytes: `"b'` and `'"`.
    pub const BYTES: usize = 5;

    /// An integer of 64 bits.
    #[inline]
    pub fn int(value: i64) -> usize {
        usize::from(value < 0) + digits(value.unsigned_abs())
    }

    /// A float.
    pub fn float(value: f64) -> usize {
        // A decimal of up to 15 digits is the shortest text of its float, so its length is told by arithmetic.
        const SCALE: f64 = 1e4;
        let scaled = (value * SCALE).abs();
        let nearest = (scaled + 0.5) as u64;
        if scaled < 1e15 && nearest as f64 / SCALE == value.abs() {
            let mut fraction = nearest % SCALE as u64;
            let mut places = 4;
            while places > 1 && fraction.is_multiple_of(10) {
                fraction /= 10;
                places -= 1;
            }
            return usize::from(value.is_sign_negative()) + digits(value.abs() as u64) + 1 + places;
        }
        if !value.is_finite() {
            return if value == f64::NEG_INFINITY { 6 } else { 5 };
        }
        let mut counted = Counted(0);
        let _ = write!(counted, "{value:?}");
        counted.0
    }

    /// Text between its quotes.
    #[inline]
    pub fn text(utf8: &[u8]) -> usize {
        if is_plain(utf8) { utf8.len() } else { (0..utf8.len()).map(|at| text_byte(utf8, at)).sum() }
    }

    /// How much of the beginning of a text fits into `room` bytes of JSON between its quotes: bytes of the text, up to
    /// the end of a character, and what they take.
    pub fn text_fitting(utf8: &[u8], room: usize) -> (usize, usize) {
        let limit = utf8.len().min(room);
        let is_plain = is_plain(&utf8[..limit]);
        let mut end = limit;
        if !is_plain {
            let mut taken = 0;
            end = (0..utf8.len())
                .find(|&at| {
                    taken += text_byte(utf8, at);
                    taken > room
                })
                .unwrap_or(utf8.len());
        }
        while end > 0 && utf8.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        (end, if is_plain { end } else { Self::text(&utf8[..end]) })
    }

    /// Bytes between `b'` and `'`.
    pub fn bytes(bytes: &[u8]) -> usize {
        if is_plain_literal(bytes) {
            return bytes.len();
        }
        bytes.iter().map(|&byte| literal_byte(byte)).sum()
    }

    /// How many of `bytes` fit into `room` between `b'` and `'`, and what they take.
    pub fn bytes_fitting(bytes: &[u8], room: usize) -> (usize, usize) {
        let bytes = &bytes[..bytes.len().min(room)];
        if is_plain_literal(bytes) {
            return (bytes.len(), bytes.len());
        }
        let mut taken = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let width = literal_byte(byte);
            if taken + width > room {
                return (at, taken);
            }
            taken += width;
        }
        (bytes.len(), taken)
    }

    /// The note on a text or on bytes that were cut: `... [1048576 chars]`.
    pub fn cut(length: usize) -> usize {
        12 + digits(length as u64)
    }

    /// The last item of a list that goes on: `"... 9 more"`.
    #[inline]
    pub fn more_items(items: usize) -> usize {
        11 + digits(items as u64)
    }

    /// The last pair of an object that goes on: `"...":"9 more"`.
    #[inline]
    pub fn more_pairs(pairs: usize) -> usize {
        13 + digits(pairs as u64)
    }

    /// A value of any kind as the key of an object, quotes included; `None` for bytes that are no value.
    pub fn key(tagged: &[u8]) -> Option<usize> {
        let (mut input, mut json) = (Input::new(tagged), String::new());
        let first = input.byte().ok()?;
        render_key(first, &mut input, &mut json, 0).ok()?;
        Some(json.len())
    }
}

/// Counts what is written to it.
struct Counted(usize);

impl fmt::Write for Counted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

#[inline]
fn digits(value: u64) -> usize {
    if value < 10 { 1 } else { value.ilog10() as usize + 1 }
}

/// Whether every byte of a text stands for itself in JSON. A surrogate's first byte counts as one that may not.
#[inline]
pub(super) fn is_plain(utf8: &[u8]) -> bool {
    match utf8.last_chunk() {
        // The words before the last one, and the last, which may overlap.
        Some(last) if utf8.len() < SHORT => {
            let (words, _) = utf8.as_chunks::<8>();
            words.iter().all(|word| is_plain_word(*word)) && is_plain_word(*last)
        }
        // Without a way out in the middle, so that the compiler looks at many bytes at once.
        _ => !utf8.iter().fold(false, |found, &byte| found | is_odd(byte)),
    }
}

/// Bytes of the shortest text that is better looked at in the processor's largest words.
const SHORT: usize = 48;

#[inline]
fn is_odd(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f || byte == 0xed
}

/// As [`is_odd`], of none of eight bytes. A byte is zero where it equals the sought one, and a zero borrows its high
/// bit; what is borrowed beyond a zero cannot hide one.
#[inline]
fn is_plain_word(word: [u8; 8]) -> bool {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let word = u64::from_le_bytes(word);
    let zero_where = |sought: u8| {
        let differs = word ^ (LOW * u64::from(sought));
        differs.wrapping_sub(LOW) & !differs
    };
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    (control | zero_where(b'"') | zero_where(b'\\') | zero_where(0x7f) | zero_where(0xed)) & HIGH == 0
}

/// Whether every byte stands for itself between `b'` and `'`.
#[inline]
fn is_plain_literal(bytes: &[u8]) -> bool {
    let odd = |byte: u8| !(0x20..=0x7e).contains(&byte) || byte == b'"' || byte == b'\\' || byte == b'\'';
    !bytes.iter().fold(false, |found, &byte| found | odd(byte))
}

/// What the byte at `at` takes. A lone surrogate, `\ud800`, takes 4 at the first of its three bytes.
fn text_byte(utf8: &[u8], at: usize) -> usize {
    match utf8[at] {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 | 0x7f => 6,
        0xed if utf8.get(at + 1).is_some_and(|&second| second >= 0xa0) => 4,
        _ => 1,
    }
}

fn literal_byte(byte: u8) -> usize {
    match byte {
        b'"' => 2,
        b'\'' | b'\n' | b'\r' | b'\t' => 3,
        b'\\' => 4,
        0x20..=0x7e => 1,
        _ => 5,
    }
}

#[cfg(test)]
mod tests;
