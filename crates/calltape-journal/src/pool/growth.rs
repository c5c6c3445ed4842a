//! How the pool grows and shrinks: chunks made for a caller or ahead of need, prefaulted, removed when idle.
//!
//! Called by `pool.rs` when nothing is free, and by `maintain`. The pool's lock is never held over a system call of
//! growing or prefaulting.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, TryLockError};

use super::{Pool, count_free};
use crate::chunk::Chunk;
use crate::clock;
use crate::segment::{Segment, SegmentState};

/// After a failed growth the disk is not asked again for this long.
const GROWTH_PAUSE_NS: u64 = 100_000_000;

/// Bytes one `maintain` may add or prefault, so that the drain thread is away for milliseconds at most
/// (3.4 us a page).
const STEP_BYTES: u64 = 4 << 20;

/// Bytes of free segments kept prefaulted for a burst while fewer are taken: two thousand calls of usual size. A burst
/// beyond them meets each page once, until the journal shrinks; an idle process need not hold them all.
const READY_BYTES: usize = 512 << 10;

impl Pool {
    /// Makes a chunk because a caller has found no segment.
    pub(super) fn grow_for_a_caller(&self) {
        let state = self.state();
        let (chunks, most) = (state.chunks.len(), self.options.most_chunks());
        drop(state);
        if chunks < most {
            let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have grown meanwhile; one chunk serves both.
            if self.state().chunks.len() == chunks {
                self.add_chunk();
            }
        }
    }

    /// Makes a chunk under the lowest free number. The caller holds `growing` and has checked the limit.
    fn add_chunk(&self) -> bool {
        if clock::monotonic_ns() < self.no_growth_until.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.state();
        let taken = |number: u32| state.chunks.iter().any(|chunk| chunk.number() == number);
        let number = (1..).find(|number| !taken(*number)).unwrap_or(u32::MAX);
        let epoch = state.first_epoch;
        drop(state);
        match self.place.create_chunk(self.run_id, number, self.geometry, epoch) {
            Ok(chunk) => {
                let chunk = Arc::new(chunk);
                let mut state = self.state();
                state.chunks.push(chunk);
                state.chunks.sort_unstable_by_key(|chunk| chunk.number());
                state.target = state.target.max(state.chunks.len());
                state.disk_refuses = false;
                drop(state);
                self.counts.growths.fetch_add(1, Ordering::Relaxed);
                self.announce_space();
                true
            }
            Err(_) => {
                self.counts.failed_growths.fetch_add(1, Ordering::Relaxed);
                self.no_growth_until.store(clock::monotonic_ns() + GROWTH_PAUSE_NS, Ordering::Relaxed);
                self.state().disk_refuses = true;
                false
            }
        }
    }

    /// Grows ahead of need, prefaults what is free, shrinks when idle, and says how full it is then.
    pub(crate) fn maintain(&self) {
        self.grow_ahead();
        self.prefault_free();
        self.shrink_when_idle();
        self.look_around();
    }

    /// Doubles the target when less than a quarter is free, and walks there in steps.
    fn grow_ahead(&self) {
        let mut state = self.state();
        let total = state.chunks.len() * self.geometry.chunk_segments;
        let free = count_free(&state.chunks);
        if free * 4 < total && state.target <= state.chunks.len() {
            state.target = (state.chunks.len() * 2).min(self.options.most_chunks());
        }
        let missing = state.target.saturating_sub(state.chunks.len());
        drop(state);
        let step = (STEP_BYTES / self.geometry.chunk_bytes() as u64).max(1) as usize;
        for _ in 0..missing.min(step) {
            // A caller is growing right now; it is this pass's growth.
            let _growing = match self.growing.try_lock() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(error)) => error.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            if self.state().chunks.len() >= self.options.most_chunks() || !self.add_chunk() {
                return;
            }
        }
    }

    /// Prefaults free segments until as many are ready as are taken, or [`READY_BYTES`].
    fn prefault_free(&self) {
        let chunks = self.chunks();
        let segments = || {
            chunks.iter().flat_map(|chunk| {
                let free = |segment: &Segment| segment.state() == SegmentState::Free;
                chunk.segments().iter().enumerate().map(move |(position, segment)| (chunk, position, free(segment)))
            })
        };
        let taken = segments().filter(|(_, _, is_free)| !is_free).count();
        let ready = segments().filter(|(chunk, position, is_free)| *is_free && chunk.is_prefaulted(*position)).count();
        let segment_bytes = self.geometry.segment_bytes;
        let wanted = taken.max(READY_BYTES.div_ceil(segment_bytes)).saturating_sub(ready);
        let step = (STEP_BYTES / segment_bytes as u64).max(1) as usize;
        let cold = segments().filter(|(chunk, position, is_free)| *is_free && !chunk.is_prefaulted(*position));
        for (chunk, position, _) in cold.take(wanted.min(step)) {
            chunk.prefault(position);
        }
    }

    fn shrink_when_idle(&self) {
        let initial = self.options.initial_chunks();
        let mut state = self.state();
        let idle = clock::monotonic_ns().saturating_sub(state.last_lease);
        if state.chunks.len() <= initial || u128::from(idle) < self.options.idle.as_nanos() {
            return;
        }
        // Sealed, they can be drained and recycled; left open, each would keep its chunk.
        for tail in std::mem::take(&mut state.open) {
            tail.seal();
        }
        let mut removed = Vec::new();
        while state.chunks.len() > initial {
            // From the top, so that the low numbers stay in use.
            let Some(position) = state.chunks.iter().rposition(|chunk| is_all_free(chunk)) else { break };
            let chunk = state.chunks.remove(position);
            let highest = chunk.segments().iter().map(Segment::epoch).max().unwrap_or(0);
            state.first_epoch = state.first_epoch.max(highest.wrapping_add(1));
            removed.push(chunk);
        }
        state.target = state.chunks.len();
        // Under the lock, so that no new chunk takes the name before it is gone.
        for chunk in removed {
            self.place.remove_chunk(chunk.number());
            self.counts.removed_chunks.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn is_all_free(chunk: &Chunk) -> bool {
    chunk.segments().iter().all(|segment| segment.state() == SegmentState::Free)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::place::Place;
    use crate::pool::tests::{lease, pool};
    use crate::tail::Tail;

    fn numbers(pool: &Pool) -> Vec<u32> {
        pool.chunks().iter().map(|chunk| chunk.number()).collect()
    }

    /// Free segments whose pages are there.
    fn ready(pool: &Pool) -> usize {
        let of_chunk = |chunk: &Arc<Chunk>| {
            let is_free = |at: &usize| chunk.segments()[*at].state() == SegmentState::Free;
            (0..chunk.segments().len()).filter(is_free).filter(|at| chunk.is_prefaulted(*at)).count()
        };
        pool.chunks().iter().map(of_chunk).sum()
    }

    #[test]
    fn half_a_mebibyte_is_made_ready_or_as_much_as_is_taken() {
        let pool = pool(Place::Memory, 128 << 10, 16, 1, 1);
        pool.prefault_free();
        assert_eq!(ready(&pool), 4);
        let _three = lease(&pool, 3);
        assert_eq!(ready(&pool), 1, "what is ready is leased first");
        pool.prefault_free();
        assert_eq!(ready(&pool), 4);
        let _five = lease(&pool, 5);
        pool.prefault_free();
        assert_eq!(ready(&pool), 8);
        let pool = self::pool(Place::Memory, 500 << 10, 4, 1, 1);
        pool.prefault_free();
        assert_eq!(ready(&pool), 2, "less than two would not do");
    }

    #[test]
    fn one_pass_makes_four_mebibytes_ready_at_most() {
        let pool = pool(Place::Memory, 1 << 20, 16, 1, 1);
        let _six = lease(&pool, 6);
        let after_each = [(); 3].map(|()| {
            pool.prefault_free();
            ready(&pool)
        });
        assert_eq!(after_each, [4, 6, 6]);
        let pool = self::pool(Place::Memory, 8 << 20, 2, 1, 1);
        pool.prefault_free();
        assert_eq!(ready(&pool), 1, "a segment that is larger is made ready all the same");
    }

    #[test]
    fn with_less_than_a_quarter_free_the_pool_doubles_up_to_its_limit() {
        // Chunks of two segments at the limit, segments leased, and chunks then.
        for (most, leased, expected) in [(16, 6, 4), (16, 7, 8), (6, 7, 6), (4, 8, 4)] {
            let pool = pool(Place::Memory, 512, 2, 4, most);
            let _leased = lease(&pool, leased);
            pool.grow_ahead();
            assert_eq!(numbers(&pool), Vec::from_iter(1..=expected), "{leased} of 8 leased, {most} chunks at most");
            pool.grow_ahead();
            assert_eq!(numbers(&pool).len(), expected as usize, "it is as large as it is to be");
        }
    }

    #[test]
    fn one_pass_adds_four_mebibytes_at_most() {
        let pool = pool(Place::Memory, 512 << 10, 2, 8, 64);
        let _leased = lease(&pool, 13);
        let after_each = [(); 3].map(|()| {
            pool.grow_ahead();
            numbers(&pool).len()
        });
        assert_eq!(after_each, [12, 16, 16]);
        let pool = self::pool(Place::Memory, 8 << 20, 1, 1, 2);
        let _leased = lease(&pool, 1);
        pool.grow_ahead();
        assert_eq!(numbers(&pool), [1, 2], "a chunk that is larger is added all the same");
    }

    #[test]
    fn an_idle_pool_gives_back_the_chunks_that_are_free_and_never_uses_a_number_and_an_epoch_twice() {
        let pool = pool(Place::Memory, 512, 2, 1, 4);
        let mut tails = lease(&pool, 8);
        assert_eq!(numbers(&pool), [1, 2, 3, 4]);
        // The fifth is the first of chunk 3.
        let kept = tails.remove(4);
        tails.into_iter().for_each(Tail::seal);
        for segment in pool.chunks().iter().flat_map(|chunk| chunk.segments()) {
            if segment.state() == SegmentState::Sealed {
                segment.recycle();
            }
        }
        pool.shrink_when_idle();
        assert_eq!(numbers(&pool), [3]);
        assert_eq!(pool.counts.removed_chunks.load(Ordering::Relaxed), 3);
        assert!(pool.add_chunk());
        assert_eq!(numbers(&pool), [1, 3]);
        let epochs: Vec<u32> = pool.chunks()[0].segments().iter().map(Segment::epoch).collect();
        assert_eq!(epochs, [2, 2], "those that are gone were in their second");
        drop(kept);
    }

    #[test]
    fn an_idle_pool_keeps_the_lowest_of_its_chunks_as_many_as_at_first() {
        let pool = pool(Place::Memory, 512, 2, 2, 4);
        assert!(pool.add_chunk() && pool.add_chunk());
        pool.shrink_when_idle();
        assert_eq!((numbers(&pool), pool.state().target), (vec![1, 2], 2));
    }

    #[test]
    fn a_pool_that_is_not_idle_or_no_larger_than_at_first_stays_as_it_is() {
        let mut busy = pool(Place::Memory, 512, 2, 1, 4);
        busy.options.idle = Duration::from_secs(3600);
        assert!(busy.add_chunk());
        busy.shrink_when_idle();
        assert_eq!(numbers(&busy), [1, 2]);
        let smallest = pool(Place::Memory, 512, 2, 1, 4);
        smallest.keep_open(lease(&smallest, 1).remove(0));
        smallest.shrink_when_idle();
        assert_eq!(smallest.chunks()[0].segments()[0].state(), SegmentState::Leased);
    }

    #[test]
    fn segments_of_ended_threads_are_sealed_when_the_pool_is_idle() {
        let pool = pool(Place::Memory, 512, 2, 1, 4);
        pool.keep_open(lease(&pool, 1).remove(0));
        assert!(pool.add_chunk());
        pool.shrink_when_idle();
        assert_eq!(pool.chunks()[0].segments()[0].state(), SegmentState::Sealed);
        assert!(pool.take_open(0).is_none());
    }

    #[test]
    fn a_disk_that_refuses_is_asked_again_after_a_pause() {
        let folder = tempfile::tempdir().expect("a folder");
        let pool = pool(Place::Folder(folder.path().to_path_buf()), 512, 2, 1, 4);
        // Where the next chunk is to be made something stands that cannot be removed as a file.
        let obstacle = folder.path().join("000002.new");
        std::fs::create_dir(&obstacle).expect("makes");
        let failures = || pool.counts.failed_growths.load(Ordering::Relaxed);
        let before = clock::monotonic_ns();
        assert!(!pool.add_chunk() && pool.state().disk_refuses);
        assert!(pool.no_growth_until.load(Ordering::Relaxed) >= before + GROWTH_PAUSE_NS);
        pool.no_growth_until.store(u64::MAX, Ordering::Relaxed);
        assert!(!pool.add_chunk());
        assert_eq!(failures(), 1, "it is not asked meanwhile");
        std::fs::remove_dir(&obstacle).expect("removes");
        pool.no_growth_until.store(before, Ordering::Relaxed);
        assert!(pool.add_chunk() && !pool.state().disk_refuses);
        assert_eq!((failures(), pool.counts.growths.load(Ordering::Relaxed), numbers(&pool)), (1, 1, vec![1, 2]));
    }
}
