//! The id counter that all processes of a tape share.
//!
//! `journal.rs` takes blocks from it. Ids are unique on a tape and nearly in time order: each block starts at the
//! time it was taken unless the counter is already ahead. Never goes back.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::Ordering;

use crate::clock;
use crate::directory;
use crate::error::JournalError;
use crate::layout::ids as at;
use crate::mapping::Mapping;
use crate::system;

/// Unix ns of id 0: 2024-01-01T00:00:00Z.
pub const ID_EPOCH_UNIX_NS: i64 = 1_704_067_200_000_000_000;

/// Nanoseconds an id stands for: 128 keeps ids below 2^53 until 2059, so JSON readers hold them exactly.
pub const ID_UNIT_NS: i64 = 128;

/// Ids in a block: a thread takes one counter operation every 256 calls.
const BLOCK: u64 = 256;

/// A counter further ahead of the clock than this (ten years of ids) was damaged, not counted up.
const PLAUSIBLE_LEAD: u64 = 10 * 365 * 86_400 * 1_000_000_000 / ID_UNIT_NS as u64;

/// The mapped counter.
pub(crate) struct Ids {
    mapping: Mapping,
}

impl Ids {
    /// Opens the counter of a tape, making it if there is none. Safe with several processes at once: the file is
    /// only ever extended with zeroes, and zero means fresh.
    pub(crate) fn open(tape: &Path) -> Result<Ids, JournalError> {
        let path = tape.join(directory::IDS);
        let file = directory::open_or_create(&path).map_err(JournalError::io("open", &path))?;
        system::allocate(&file, at::FILE_BYTES).map_err(JournalError::allocation(&path, at::FILE_BYTES))?;
        let mapping = Mapping::of_file(&file, at::FILE_BYTES).map_err(JournalError::io("map", &path))?;
        Ok(Ids { mapping })
    }

    /// A counter of this process alone. Its blocks begin at the time like everybody's, so another process without the
    /// file would have to take one within the same 33 us to get the same.
    pub(crate) fn in_memory() -> Result<Ids, JournalError> {
        Ok(Ids { mapping: Mapping::in_memory(at::FILE_BYTES).map_err(JournalError::NoMemory)? })
    }

    /// A block nobody else has.
    pub(crate) fn take(&self) -> Range<u64> {
        let now = id_of(clock::unix_ns());
        let word = self.mapping.word(at::NEXT);
        let mut next = word.load(Ordering::Relaxed);
        loop {
            let base = first_free(next, now);
            // Relaxed: the ids themselves are all that is handed over.
            match word.compare_exchange_weak(next, base + BLOCK, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return base..base + BLOCK,
                Err(seen) => next = seen,
            }
        }
    }

    /// Makes later blocks start at `least` or above; for a counter that was lost while a database still holds ids.
    pub(crate) fn raise(&self, least: u64) {
        self.mapping.word(at::NEXT).fetch_max(least, Ordering::Relaxed);
    }
}

/// The id that stands for a time.
fn id_of(unix_ns: i64) -> u64 {
    (unix_ns.saturating_sub(ID_EPOCH_UNIX_NS) / ID_UNIT_NS).max(1) as u64
}

/// Where the next block starts, given the counter and the time.
fn first_free(next: u64, now: u64) -> u64 {
    if next > now.saturating_add(PLAUSIBLE_LEAD) { now } else { next.max(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_never_overlap_over_threads_and_openings() {
        let tape = tempfile::tempdir().expect("a directory");
        let mut all: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let ids = Ids::open(tape.path()).expect("opens");
                        (0..500).map(|_| ids.take().start).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[1] - pair[0] >= BLOCK));
    }

    #[test]
    fn an_id_is_about_the_time_it_was_taken() {
        let tape = tempfile::tempdir().expect("a directory");
        let ids = Ids::open(tape.path()).expect("opens");
        let id = ids.take().start as i64;
        let age_ns = clock::unix_ns() - (ID_EPOCH_UNIX_NS + id * ID_UNIT_NS);
        assert!((0..1_000_000_000).contains(&age_ns), "{age_ns}");
        assert!(id < 1 << 53);
    }

    #[test]
    fn raising_moves_the_next_block_up_and_never_down() {
        let tape = tempfile::tempdir().expect("a directory");
        let ids = Ids::open(tape.path()).expect("opens");
        let ahead = ids.take().start + 1_000_000_000;
        ids.raise(ahead);
        assert_eq!(ids.take().start, ahead);
        ids.raise(5);
        assert!(ids.take().start >= ahead + BLOCK);
    }

    #[test]
    fn a_damaged_counter_starts_again_from_the_clock() {
        let tape = tempfile::tempdir().expect("a directory");
        std::fs::write(tape.path().join(directory::IDS), [0xff; 8]).expect("writes");
        let ids = Ids::open(tape.path()).expect("opens");
        assert!(ids.take().start < 1 << 53);
    }

    #[test]
    fn a_block_has_256_ids() {
        let ids = Ids::in_memory().expect("memory");
        for _ in 0..3 {
            let block = ids.take();
            assert_eq!(block.end - block.start, 256);
        }
    }

    #[test]
    fn a_counter_is_believed_up_to_ten_years_ahead() {
        let ten_years = 315_360_000 * 1_000_000_000 / 128;
        let cases =
            [(0, 1000), (1000, 1000), (1001, 1001), (1000 + ten_years, 1000 + ten_years), (1001 + ten_years, 1000)];
        for (next, expected) in cases {
            assert_eq!(first_free(next, 1000), expected, "{next}");
        }
    }
}
