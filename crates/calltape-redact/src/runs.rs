//! Long runs: stretches of ASCII without spaces. Every token is one or stands in one, and prose has hardly any.

use std::ops::Range;

/// The least bytes of a run that is looked into. The shortest tokens known, with their prefix, have as many.
pub(crate) const LEAST: usize = 16;

/// Bytes looked at at once. A run of [`LEAST`] bytes covers a whole aligned block.
const BLOCK: usize = 8;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const LOW_BITS: u64 = !HIGH_BITS;
/// Added to a byte below 0x80, this sets its high bit when it is above a space.
const ABOVE_SPACE: u64 = 0x5f5f_5f5f_5f5f_5f5f;

/// The long runs of a text, in order.
pub(crate) struct LongRuns<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> LongRuns<'a> {
    pub(crate) fn of(text: &'a [u8]) -> LongRuns<'a> {
        LongRuns { text, at: 0 }
    }
}

impl Iterator for LongRuns<'_> {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        while self.at < self.text.len() {
            let inside = self.at + dense_block(&self.text[self.at..])?;
            let run = around(self.text, inside);
            self.at = run.end.next_multiple_of(BLOCK);
            if run.len() >= LEAST {
                return Some(run);
            }
        }
        None
    }
}

/// Where the first dense block begins. Four blocks are judged at once: most fours have none.
#[inline]
fn dense_block(text: &[u8]) -> Option<usize> {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let (fours, rest) = blocks.as_chunks::<4>();
    for (number, four) in fours.iter().enumerate() {
        if is_dense(&four[0]) | is_dense(&four[1]) | is_dense(&four[2]) | is_dense(&four[3]) {
            let dense = four.iter().position(is_dense)?;
            return Some((number * 4 + dense) * BLOCK);
        }
    }
    rest.iter().position(is_dense).map(|dense| (fours.len() * 4 + dense) * BLOCK)
}

/// Whether every byte is ASCII and above a space.
#[inline]
pub(crate) fn is_dense(block: &[u8; BLOCK]) -> bool {
    let block = u64::from_le_bytes(*block);
    ((block & LOW_BITS) + ABOVE_SPACE) & !block & HIGH_BITS == HIGH_BITS
}

/// The run that the block at `inside` belongs to. The block before it is not dense, so few bytes are walked back.
fn around(text: &[u8], inside: usize) -> Range<usize> {
    let start = inside - text[..inside].iter().rev().take_while(|&&byte| is_visible(byte)).count();
    let (blocks, _) = text[inside..].as_chunks::<BLOCK>();
    let dense = inside + blocks.iter().take_while(|block| is_dense(block)).count() * BLOCK;
    let end = dense + text[dense..].iter().take_while(|&&byte| is_visible(byte)).count();
    start..end
}

/// Whether a byte belongs to a run.
pub(crate) fn is_visible(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7f)
}

/// The run that the text ends in, of any length up to `most`; empty where it ends in a space.
pub(crate) fn last(text: &[u8], most: usize) -> Range<usize> {
    let length = text.iter().rev().take(most).take_while(|&&byte| is_visible(byte)).count();
    text.len() - length..text.len()
}
