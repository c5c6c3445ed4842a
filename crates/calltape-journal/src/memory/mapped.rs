//! A segment's bytes inside a mapped chunk file.
//!
//! Made by `chunk.rs`, used by the segment protocol. Never reads or writes outside its part of the mapping: each
//! method checks its bounds, also on the append path, where one compare covers the whole frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::checksum;
use crate::layout::frame;
use crate::mapping::Mapping;

/// A part of a mapping, kept mapped for as long as this lives.
#[derive(Clone)]
pub(crate) struct Memory {
    /// First byte of the part; 8-byte aligned.
    base: *mut u8,
    bytes: usize,
    /// Keeps `base` mapped.
    _mapping: Arc<Mapping>,
}

// SAFETY: `base` points into the mapping this value holds, and all access through it is by atomics or follows the
// commit protocol (a plain byte is read only after an Acquire load saw the word that was Release-stored after it).
unsafe impl Send for Memory {}
// SAFETY: as for Send; no method gives out a reference to plain bytes.
unsafe impl Sync for Memory {}

impl Memory {
    /// The part `[from, from + bytes)` of a mapping.
    ///
    /// # Panics
    ///
    /// When the part lies outside the mapping or does not start on a multiple of 8.
    pub(crate) fn part(mapping: &Arc<Mapping>, from: usize, bytes: usize) -> Memory {
        assert!(from.is_multiple_of(8) && from <= mapping.bytes() && bytes <= mapping.bytes() - from);
        // SAFETY: `from` is at most the mapping's length, checked above.
        let base = unsafe { mapping.base().add(from) };
        Memory { base, bytes, _mapping: Arc::clone(mapping) }
    }

    /// Length of the part.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline]
    fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset < self.bytes && self.bytes - offset >= 8);
        // SAFETY: in bounds and 8-byte aligned (checked; `base` is aligned by `part`), mapped while `self` lives,
        // and a word of a mapped file is always a valid u64.
        unsafe { AtomicU64::from_ptr(self.base.add(offset).cast()) }
    }

    /// Acquire load of a word; its partner is `store` or the last step of `commit`.
    #[inline]
    pub(crate) fn load(&self, offset: usize) -> u64 {
        self.word(offset).load(Ordering::Acquire)
    }

    /// Release store of a word; its partner is `load`.
    #[inline]
    pub(crate) fn store(&self, offset: usize, value: u64) {
        self.word(offset).store(value, Ordering::Release);
    }

    /// Store of a word that a later `store` publishes.
    pub(crate) fn store_unpublished(&self, offset: usize, value: u64) {
        self.word(offset).store(value, Ordering::Relaxed);
    }

    /// Writes a frame at `offset`: the padded payload, then the commit word as one Release store whose partner is
    /// the `load` in `scan.rs`.
    ///
    /// # Panics
    ///
    /// When the frame does not fit.
    #[inline]
    pub(crate) fn commit(&self, offset: usize, head: u32, payload: &[u8], seed: u32) {
        let bytes = frame::bytes(payload.len());
        assert!(offset.is_multiple_of(8) && offset <= self.bytes && bytes <= self.bytes - offset);
        // SAFETY: the whole frame is in bounds (checked above); the caller is the segment's only writer, and no
        // reader touches these bytes before it has seen the commit word, which is still zero.
        let sum = unsafe {
            let body = self.base.add(offset + frame::WORD_BYTES);
            checksum::copy(body, payload, checksum::place(seed, offset, head))
        };
        let word = u64::from(head) | (u64::from(sum) << frame::CHECKSUM_SHIFT);
        // SAFETY: in bounds and aligned, as checked above.
        unsafe { AtomicU64::from_ptr(self.base.add(offset).cast()) }.store(word, Ordering::Release);
    }

    /// Copies bytes out. Called only below a commit word that `load` has seen.
    ///
    /// # Panics
    ///
    /// When the bytes lie outside the part.
    pub(crate) fn copy_out(&self, offset: usize, into: &mut [u8]) {
        assert!(offset <= self.bytes && into.len() <= self.bytes - offset);
        // SAFETY: in bounds (checked); `into` is exclusive memory and cannot overlap the mapping. The bytes were
        // written before the commit word the caller acquired. In a damaged file they may be anything; any byte is
        // a valid u8, and the caller checks the copy, not the mapping.
        unsafe { std::ptr::copy_nonoverlapping(self.base.add(offset), into.as_mut_ptr(), into.len()) }
    }

    /// Zeroes from `from` to the end. Called only by the one drain, on a segment no thread writes to.
    ///
    /// # Panics
    ///
    /// When `from` lies outside the part.
    pub(crate) fn zero_from(&self, from: usize) {
        assert!(from <= self.bytes);
        // SAFETY: in bounds (checked); a sealed segment has no writer until the Release store of FREE that follows.
        unsafe { std::ptr::write_bytes(self.base.add(from), 0, self.bytes - from) }
    }
}
