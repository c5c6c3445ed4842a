//! Whether a text may hold a secret at all: asked for every text that is captured, so it must cost next to nothing.
//!
//! Every kind of secret has something that prose has not: a sign of an assignment, a tag, two dashes, a long run that begins
//! like a token, or many digits. Each is looked for with a pass over eight or more bytes at a time.

use crate::assignments;
use crate::runs::{self, LongRuns};
use crate::shapes::{cards, scheme, tokens};

/// The most bytes of a text that is looked at as a few words of eight bytes.
const SHORT: usize = 24;

/// The bytes that every long run and every card's number in a short text covers: it begins before and ends after.
const MIDDLE: std::ops::Range<usize> = 8..16;
const CARD_MIDDLE: std::ops::Range<usize> = 11..13;

/// Whether [`find`](crate::find) is worth its time: false for nearly all text, and never for a text that holds a
/// secret which `find` finds in it as a whole. Where a caller cuts, it passes as much as it passes to `find`, at least
/// [`LOOKAHEAD`](crate::LOOKAHEAD) bytes past the cut.
///
/// ```
/// use calltape_redact::may_hold_secret;
///
/// assert!(!may_hold_secret(b"forty-two parcels, all of them late"));
/// assert!(may_hold_secret(b"password=hunter2"));
/// ```
#[inline]
pub fn may_hold_secret(text: &[u8]) -> bool {
    if text.len() <= SHORT { may_hold_short(text) } else { may_hold_long(text) }
}

fn may_hold_short(text: &[u8]) -> bool {
    if has_sign(text) && (assignments::may_hold(text) || assignments::may_hold_marks(text)) || scheme::may_start(text) {
        return true;
    }
    if text.get(CARD_MIDDLE).is_some_and(|middle| middle.iter().any(u8::is_ascii_digit)) && cards::may_hold(text) {
        return true;
    }
    text.get(MIDDLE).and_then(<[u8]>::first_chunk).is_some_and(runs::is_dense) && may_hold_token(text)
}

/// Whether a text has a `=`, `:`, `-`, `(`, `[`, `<` or `'`.
#[inline]
fn has_sign(text: &[u8]) -> bool {
    let Some(first) = text.first_chunk() else {
        return text.iter().any(|byte| matches!(byte, b'=' | b':' | b'-' | b'(' | b'[' | b'<' | b'\''));
    };
    let (middle, last) = (&text[MIDDLE.start.min(text.len() - 8)..], text.last_chunk());
    [Some(first), middle.first_chunk(), last].into_iter().flatten().any(|word| word_has_sign(*word))
}

/// As [`has_sign`], eight bytes at once. A byte is zero where it equals the sign, and a zero borrows its high bit.
#[inline]
fn word_has_sign(word: [u8; 8]) -> bool {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    let word = u64::from_le_bytes(word);
    let zero_where = |sign: u8| {
        let differs = word ^ (LOW * u64::from(sign));
        differs.wrapping_sub(LOW) & !differs
    };
    let assigns = zero_where(b'=') | zero_where(b':') | zero_where(b'-') | zero_where(b'<');
    let quotes = zero_where(b'(') | zero_where(b'[') | zero_where(b'\'');
    (assigns | quotes) & LOW << 7 != 0
}

fn may_hold_long(text: &[u8]) -> bool {
    assignments::may_hold(text)
        || assignments::may_hold_marks(text)
        || may_hold_token(text)
        || cards::may_hold(text)
        || scheme::may_start(text)
}

fn may_hold_token(text: &[u8]) -> bool {
    LongRuns::of(text).any(|run| scheme::may_announce(text, &run) || tokens::may_hold(text, run))
}
