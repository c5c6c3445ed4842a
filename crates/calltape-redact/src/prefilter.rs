//! Whether a text may hold a secret at all: asked for every text that is captured, so it must cost next to nothing.
//!
//! Every kind of secret has something that prose has not: a sign of an assignment, two dashes, a long run that begins
//! like a token, or many digits. Each is looked for with a pass over eight or more bytes at a time.

use crate::assignments;
use crate::runs::{self, LongRuns};
use crate::shapes::{cards, scheme, tokens};

/// The most bytes that are looked at one by one: cheaper than to set up the passes.
const SHORT: usize = 24;

/// The least bytes of a text that is a token or a card's number as a whole.
const LEAST_WITHOUT_SIGNS: usize = 13;

/// What a short text's bytes may be beginnings of.
const SIGN: u8 = 1;
const OTHER: u8 = 2;

const SIGNS: [u8; 256] = {
    let mut signs = [0; 256];
    signs[b'=' as usize] = SIGN;
    signs[b':' as usize] = SIGN;
    signs[b',' as usize] = SIGN;
    signs[b'-' as usize] = OTHER;
    signs
};

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
    let signs = text.iter().fold(0, |signs, &byte| signs | SIGNS[usize::from(byte)]);
    if signs & SIGN != 0 && assignments::may_hold(text)
        || signs & OTHER != 0 && assignments::may_hold_dashes(text)
        || scheme::may_start(text)
    {
        return true;
    }
    text.len() >= LEAST_WITHOUT_SIGNS && (cards::may_hold(text) || text.len() >= runs::LEAST && may_hold_token(text))
}

fn may_hold_long(text: &[u8]) -> bool {
    assignments::may_hold(text)
        || assignments::may_hold_dashes(text)
        || may_hold_token(text)
        || cards::may_hold(text)
        || scheme::may_start(text)
}

fn may_hold_token(text: &[u8]) -> bool {
    LongRuns::of(text).any(|run| scheme::may_announce(text, &run) || tokens::may_hold(text, run))
}
