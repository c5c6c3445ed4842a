//! A segment's bytes as words that loom watches.
//!
//! Made by the loom tests only. Each word has two faces: an atomic one for header and commit words, and a plain one
//! for payload, whose unordered accesses loom reports as a race.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};

use crate::checksum;
use crate::layout::frame;

struct Word {
    atomic: AtomicU64,
    plain: UnsafeCell<u64>,
}

/// Heap words in the place of a mapped file.
#[derive(Clone)]
pub struct Memory {
    words: Arc<Vec<Word>>,
}

// SAFETY: loom's cells check every access; sharing them is what the model is for.
#[allow(unsafe_code)]
unsafe impl Send for Memory {}
// SAFETY: as for Send.
#[allow(unsafe_code)]
unsafe impl Sync for Memory {}

impl Memory {
    /// Zeroed memory of `bytes`, a multiple of 8.
    pub fn zeroed(bytes: usize) -> Memory {
        let word = || Word { atomic: AtomicU64::new(0), plain: UnsafeCell::new(0) };
        Memory { words: Arc::new((0..bytes / 8).map(|_| word()).collect()) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    pub(crate) fn load(&self, offset: usize) -> u64 {
        self.words[offset / 8].atomic.load(Ordering::Acquire)
    }

    pub(crate) fn store(&self, offset: usize, value: u64) {
        self.words[offset / 8].atomic.store(value, Ordering::Release);
    }

    pub(crate) fn store_unpublished(&self, offset: usize, value: u64) {
        self.words[offset / 8].atomic.store(value, Ordering::Relaxed);
    }

    pub(crate) fn commit(&self, offset: usize, head: u32, payload: &[u8], seed: u32) {
        let mut padded = vec![0; frame::bytes(payload.len()) - frame::WORD_BYTES];
        padded[..payload.len()].copy_from_slice(payload);
        let first = offset / 8 + 1;
        for (word, bytes) in self.words[first..].iter().zip(padded.chunks_exact(8)) {
            let value = u64::from_le_bytes(bytes.try_into().expect("chunks of 8"));
            set(&word.plain, value);
        }
        let sum = checksum::append(checksum::place(seed, offset, head), &padded);
        self.store(offset, u64::from(head) | (u64::from(sum) << frame::CHECKSUM_SHIFT));
    }

    pub(crate) fn copy_out(&self, offset: usize, into: &mut [u8]) {
        for (word, bytes) in self.words[offset / 8..].iter().zip(into.chunks_mut(8)) {
            bytes.copy_from_slice(&get(&word.plain).to_le_bytes()[..bytes.len()]);
        }
    }

    pub(crate) fn zero_from(&self, from: usize) {
        for word in &self.words[from / 8..] {
            set(&word.plain, 0);
            word.atomic.store(0, Ordering::Relaxed);
        }
    }
}

#[allow(unsafe_code)]
fn set(cell: &UnsafeCell<u64>, value: u64) {
    // SAFETY: loom panics on a concurrent access before the pointer is used.
    cell.with_mut(|pointer| unsafe { *pointer = value });
}

#[allow(unsafe_code)]
fn get(cell: &UnsafeCell<u64>) -> u64 {
    // SAFETY: loom panics on a concurrent write before the pointer is used.
    cell.with(|pointer| unsafe { *pointer })
}
