//! PEM blocks: from their first dash to the end of their last line, all of it.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use crate::find::Text;

/// How a block begins and ends in PEM, and in the form that some tools for SSH write.
const BEGIN_PEM: &[u8] = b"-----BEGIN ";
const BEGIN_SSH: &[u8] = b"---- BEGIN ";
const END: &[u8] = b"-----END ";
const END_SSH: &[u8] = b"---- END ";

/// The least bytes at a text's end that are taken for the beginning of a block: dashes alone are a line.
const LEAST_PARTIAL: usize = 6;

/// Adds the blocks of a text. One without an end reaches to the end of the text.
pub(super) fn find(text: Text, found: &mut Vec<Range<usize>>) {
    let Some(dash) = memchr::memchr(b'-', text.bytes) else { return };
    let mut at = dash;
    while let Some((start, is_pem)) = next_begin(&text.bytes[at..]) {
        let start = at + start;
        let end = block_end(text.bytes, start, is_pem);
        found.push(start..end);
        at = end;
    }
    if text.goes_on {
        let beginnings =
            (LEAST_PARTIAL..BEGIN_PEM.len()).rev().flat_map(|length| [&BEGIN_PEM[..length], &BEGIN_SSH[..length]]);
        let partial = beginnings.into_iter().find(|beginning| text.bytes.ends_with(beginning));
        found.extend(partial.map(|beginning| text.bytes.len() - beginning.len()..text.bytes.len()));
    }
}

/// Where the next block begins, and whether it is written as PEM.
fn next_begin(text: &[u8]) -> Option<(usize, bool)> {
    static BEGIN: LazyLock<Finder> = LazyLock::new(|| Finder::new("BEGIN "));
    BEGIN.find_iter(text).find_map(|word| {
        let before = &text[..word];
        let is_pem = before.ends_with(&BEGIN_PEM[..5]);
        let before = before.strip_suffix(b" ").unwrap_or(before);
        let dashes = before.iter().rev().take_while(|&&byte| byte == b'-').count();
        (is_pem || before.len() < word && dashes >= 4).then(|| (before.len() - dashes, is_pem))
    })
}

/// Past the dashes that close the block that begins at `start`, or the text's end.
fn block_end(text: &[u8], start: usize, is_pem: bool) -> usize {
    let end = if is_pem { END } else { END_SSH };
    let Some(last_line) = memmem::find(&text[start..], end).map(|at| start + at + end.len()) else { return text.len() };
    let Some(dashes) = memmem::find(&text[last_line..], b"----") else { return text.len() };
    let dashes = last_line + dashes;
    dashes + text[dashes..].iter().take_while(|&&byte| byte == b'-').count()
}
