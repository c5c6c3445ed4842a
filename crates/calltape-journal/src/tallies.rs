//! Tallies: how long the calls took that have no row, function by function, in shared memory.
//!
//! The caller's path counts a call that is sampled out or dropped with [`Tally::add`]; the drain reads what there is and
//! adds what is new to the minutes. Made when first asked for, never taken back; they survive their process as the
//! counters do. The file grows by `posix_fallocate` a step ahead of need, so a store never meets a hole.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::clock;
use crate::control::Counters;
use crate::layout::tallies as at;
use crate::layout::{FORMAT_VERSION, MAXIMUM_SLOTS, is_known_version};
use crate::mapping::Mapping;
use crate::system;

/// After a failed growth the disk is not asked again for this long.
const GROWTH_PAUSE_NS: u64 = 100_000_000;

/// In a function's counters: there is no room for its tally in this run.
const NO_PLACE: u64 = u64::MAX;

/// How long the calls of one function took that have no row: a counter a bucket, in shared memory.
#[derive(Debug)]
#[repr(C)]
pub struct Tally {
    /// The function's slot plus one; 0 while the place is not used.
    slot: AtomicU64,
    /// Calls counted; stored last.
    calls: AtomicU64,
    /// Sum of their nanoseconds.
    total_ns: AtomicU64,
    _spare: [AtomicU64; at::BYTES / 8 - 3 - at::BUCKETS],
    buckets: [AtomicU64; at::BUCKETS],
}

const _: () = assert!(size_of::<Tally>() == at::BYTES);

impl Tally {
    /// Counts a call that took `ns` and that the caller has counted in its [`Counters`] as sampled out or dropped: a tally
    /// that says more than those is taken for damaged. Its bucket the caller has found (calltape-record, `latency`); a number that is no
    /// bucket's counts in the last. For callers that something else serialises (the interpreter lock): loads and stores,
    /// no locked instruction. Without that, additions may be lost.
    #[inline]
    pub fn add(&self, bucket: u16, ns: u64) {
        let plus = |counter: &AtomicU64, more: u64| counter.load(Ordering::Relaxed).wrapping_add(more);
        let bucket = &self.buckets[usize::from(bucket).min(at::BUCKETS - 1)];
        bucket.store(plus(bucket, 1), Ordering::Relaxed);
        self.total_ns.store(plus(&self.total_ns, ns), Ordering::Relaxed);
        // Partner: the load in `calls`. Who sees this call counted finds it in its bucket.
        self.calls.store(plus(&self.calls, 1), Ordering::Release);
    }

    /// Calls counted. What has not changed here need not be read again while its owner lives.
    pub fn calls(&self) -> u64 {
        // Partner: the store in `add`.
        self.calls.load(Ordering::Acquire)
    }

    /// Sum of the calls' nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.total_ns.load(Ordering::Relaxed)
    }

    /// The buckets that have calls, with their counts, rising.
    pub fn buckets(&self) -> impl Iterator<Item = (u16, u64)> {
        let counts = self.buckets.iter().map(|count| count.load(Ordering::Relaxed));
        (0..).zip(counts).filter(|(_, count)| *count > 0)
    }

    /// The slot of the function; None for a place that is not used, or that a damaged file gives away twice over.
    fn slot(&self) -> Option<u32> {
        // Partner: the store in `Tallies::make`.
        let slot = self.slot.load(Ordering::Acquire).checked_sub(1)?;
        u32::try_from(slot).ok().filter(|slot| *slot < MAXIMUM_SLOTS)
    }
}

/// The tallies of the process's own run.
pub(crate) struct Tallies {
    /// None for a run in memory.
    file: Option<File>,
    steps: [OnceLock<Mapping>; at::MOST_STEPS],
    next: Mutex<Next>,
}

/// Where the next tally goes.
struct Next {
    /// Its place; place 0 is the file's header.
    place: usize,
    /// Steps made.
    steps: usize,
    /// Monotonic ns until which growing is not tried.
    no_growth_until: u64,
}

impl Tallies {
    /// Begins in an empty file, or in memory, with the first step. A disk that has no room for it may have some later.
    pub(crate) fn new(file: Option<File>, run_id: u64) -> Tallies {
        let tallies = Tallies {
            file,
            steps: [const { OnceLock::new() }; at::MOST_STEPS],
            next: Mutex::new(Next { place: 1, steps: 0, no_growth_until: 0 }),
        };
        tallies.with_next(|next| tallies.grow(next, run_id));
        tallies
    }

    fn with_next<T>(&self, run: impl FnOnce(&mut Next) -> T) -> T {
        // A panic cannot leave it half changed.
        run(&mut self.next.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a step; false when there can be none now.
    fn grow(&self, next: &mut Next, run_id: u64) -> bool {
        if next.steps >= at::MOST_STEPS || clock::monotonic_ns() < next.no_growth_until {
            return false;
        }
        let from = next.steps * at::STEP_BYTES;
        let made = match &self.file {
            Some(file) => system::allocate(file, from + at::STEP_BYTES)
                .and_then(|()| Mapping::of_part(file, from, at::STEP_BYTES)),
            None => Mapping::in_memory(at::STEP_BYTES),
        };
        let Ok(mapping) = made else {
            next.no_growth_until = clock::monotonic_ns() + GROWTH_PAUSE_NS;
            return false;
        };
        if next.steps == 0 {
            let put = |offset, value| mapping.word(offset).store(value, Ordering::Relaxed);
            put(at::VERSION_AND_BUCKETS, u64::from(FORMAT_VERSION) | ((at::BUCKETS as u64) << 32));
            put(at::RUN_ID, run_id);
            put(at::MAGIC, at::MAGIC_VALUE);
        }
        let _ = self.steps[next.steps].set(mapping);
        next.steps += 1;
        true
    }

    /// The tally of a slot whose counters are these: made when it is first asked for, None when there is no room.
    #[inline]
    pub(crate) fn of(&self, slot: u32, counters: &Counters, run_id: u64) -> Option<&Tally> {
        match counters.tally.load(Ordering::Relaxed) {
            0 => self.make(slot, counters, run_id),
            place => self.at(place),
        }
    }

    fn at(&self, place: u64) -> Option<&Tally> {
        let place = usize::try_from(place).ok()?;
        let mapping = self.steps.get(place / at::STEP_ENTRIES)?.get()?;
        Some(mapping.view(place % at::STEP_ENTRIES * at::BYTES))
    }

    #[cold]
    fn make(&self, slot: u32, counters: &Counters, run_id: u64) -> Option<&Tally> {
        let place = self.with_next(|next| {
            let known = counters.tally.load(Ordering::Relaxed);
            if known != 0 {
                return known;
            }
            if next.place >= at::MOST_STEPS * at::STEP_ENTRIES {
                counters.tally.store(NO_PLACE, Ordering::Relaxed);
                return NO_PLACE;
            }
            if next.place >= next.steps * at::STEP_ENTRIES && !self.grow(next, run_id) {
                return NO_PLACE;
            }
            let place = next.place as u64;
            if let Some(tally) = self.at(place) {
                // Partner: the load in `Tally::slot`.
                tally.slot.store(u64::from(slot) + 1, Ordering::Release);
            }
            next.place += 1;
            counters.tally.store(place, Ordering::Relaxed);
            place
        });
        self.at(place)
    }

    /// Keeps half a step ahead of need, so that a full disk finds tallies made.
    pub(crate) fn maintain(&self, run_id: u64) {
        self.with_next(|next| {
            if next.steps * at::STEP_ENTRIES < next.place + at::STEP_ENTRIES / 2 {
                self.grow(next, run_id);
            }
        });
    }

    /// The tallies there are, with their slots. Places that were never given are not looked at: each look would keep a page.
    pub(crate) fn all(&self) -> Vec<(u32, &Tally)> {
        let given = self.with_next(|next| next.place as u64);
        (1..given).filter_map(|place| self.at(place)).filter_map(|tally| Some((tally.slot()?, tally))).collect()
    }
}

/// The tallies of any run, as read.
#[derive(Default)]
pub(crate) struct FoundTallies {
    mapping: Option<Mapping>,
    /// The file's length when it was mapped.
    length: u64,
}

impl FoundTallies {
    /// Looks again, since the file may have grown; false when what stands there is no tallies of this run. A run
    /// without such a file has none.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(crate) fn refresh(&mut self, path: &Path, run_id: u64) -> io::Result<bool> {
        let length = match std::fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        // A step that could not be made leaves an empty file.
        if length == self.length || length == 0 {
            return Ok(true);
        }
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let length = file.metadata()?.len();
        let bytes = usize::try_from(length).unwrap_or(usize::MAX).min(at::MOST_STEPS * at::STEP_BYTES);
        self.length = length;
        self.mapping = None;
        let bytes = bytes - bytes % at::BYTES;
        if bytes == 0 {
            return Ok(false);
        }
        let mapping = Mapping::of_file(&file, bytes)?;
        let word = |offset| mapping.word(offset).load(Ordering::Relaxed);
        let version = word(at::VERSION_AND_BUCKETS);
        let sound = word(at::MAGIC) == at::MAGIC_VALUE
            && is_known_version(version as u32)
            && version >> 32 == at::BUCKETS as u64
            && word(at::RUN_ID) == run_id;
        if sound {
            self.mapping = Some(mapping);
        }
        Ok(sound)
    }

    /// The tallies there are, with their slots.
    pub(crate) fn all(&self) -> Vec<(u32, &Tally)> {
        let Some(mapping) = &self.mapping else { return Vec::new() };
        let tallies = (1..mapping.bytes() / at::BYTES).map(|place| mapping.view(place * at::BYTES));
        tallies.filter_map(|tally: &Tally| Some((tally.slot()?, tally))).collect()
    }
}

#[cfg(test)]
mod tests;
