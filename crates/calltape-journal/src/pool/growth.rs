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

/// Bytes of free segments kept prefaulted for a burst while fewer are taken: three thousand calls of usual size. A burst
/// beyond them meets each page once in the life of a process; an idle one need not hold them all.
const READY_BYTES: usize = 768 << 10;

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
