//! JSON web tokens and their like: Base64 of a JSON object, then more of it behind a dot.

use std::ops::Range;

use crate::bytes::{URL_SAFE, span};
use crate::find::Text;

/// Base64 of `{"`, as every header begins.
pub(super) const HEADER: &[u8] = b"eyJ";

/// The least bytes of a header (`{"alg":""}`), and of what follows.
const LEAST_HEADER: usize = 12;
const LEAST_PAYLOAD: usize = 4;

/// The token at `at`, or else where the next may begin. Every segment is passed once: what fails is skipped as far as
/// it was read.
pub(super) fn read(text: Text, at: usize) -> Result<Range<usize>, usize> {
    let header_end = segment_end(text, at);
    if text.is_cut_at(header_end) {
        return Ok(at..header_end);
    }
    if header_end - at < LEAST_HEADER || text.bytes.get(header_end) != Some(&b'.') {
        return Err(header_end);
    }
    let payload_end = segment_end(text, header_end + 1);
    if payload_end - header_end <= LEAST_PAYLOAD && !text.is_cut_at(payload_end) {
        return Err(header_end);
    }
    let mut end = payload_end;
    while text.bytes.get(end) == Some(&b'.') {
        end = segment_end(text, end + 1);
    }
    Ok(at..end)
}

fn segment_end(text: Text, from: usize) -> usize {
    from + span(&text.bytes[from..], URL_SAFE, usize::MAX)
}
