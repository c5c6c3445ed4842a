//! The segments of the process's own run: leasing, growing, shrinking.
//!
//! `journal.rs` and `writer.rs` lease here when a thread starts or its segment is full, about once in thousands of
//! calls, so one lock serves. The lock is never held over a system call of growing or prefaulting.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crate::chunk::Chunk;
use crate::clock;
use crate::error::{Full, JournalError};
use crate::options::Options;
use crate::place::Place;
use crate::segment::{Geometry, Segment, SegmentState};
use crate::tail::Tail;

/// After a failed lease, callers are refused at once for this long: while the journal is full every call would
/// otherwise look at every segment. A recycling in this process ends it early.
const REFUSAL_NS: u64 = 1_000_000;

/// After a failed growth the disk is not asked again for this long.
const GROWTH_PAUSE_NS: u64 = 100_000_000;

/// Bytes one `maintain` may add or prefault, so that the drain thread is away for milliseconds at most
/// (3.4 us a page).
const STEP_BYTES: u64 = 4 << 20;

/// The segments of one run.
pub(crate) struct Pool {
    run_id: u64,
    place: Place,
    geometry: Geometry,
    options: Options,
    state: Mutex<State>,
    /// Held while a chunk is made, so that two threads do not make the same one.
    growing: Mutex<()>,
    space: Condvar,
    counts: Counts,
    /// Monotonic ns until which leases are refused unseen.
    refuse_until: AtomicU64,
    /// Monotonic ns until which growing is not tried.
    no_growth_until: AtomicU64,
}

/// What the pool has done, for `stats`.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) leases: AtomicU64,
    pub(crate) growths: AtomicU64,
    pub(crate) failed_growths: AtomicU64,
    pub(crate) removed_chunks: AtomicU64,
    pub(crate) refused_leases: AtomicU64,
}

struct State {
    /// Ascending by number.
    chunks: Vec<Arc<Chunk>>,
    /// Segments of ended threads, still leased, for the next new thread.
    open: Vec<Tail>,
    /// Generation of the last lease.
    generation: u64,
    /// Monotonic ns of the last lease.
    last_lease: u64,
    /// First epoch of a new chunk: above every epoch a removed one reached, so that a number and an epoch never
    /// mean two things.
    first_epoch: u32,
    /// Chunks the journal is growing to.
    target: usize,
}

impl Pool {
    /// Takes over the chunks made in `place`.
    pub(crate) fn new(
        run_id: u64,
        place: Place,
        options: &Options,
        chunks: Vec<Arc<Chunk>>,
    ) -> Result<Pool, JournalError> {
        let state = State {
            target: chunks.len(),
            chunks,
            open: Vec::new(),
            generation: 0,
            last_lease: clock::monotonic_ns(),
            first_epoch: 0,
        };
        Ok(Pool {
            run_id,
            place,
            geometry: options.geometry()?,
            options: options.clone(),
            state: Mutex::new(state),
            growing: Mutex::new(()),
            space: Condvar::new(),
            counts: Counts::default(),
            refuse_until: AtomicU64::new(0),
            no_growth_until: AtomicU64::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the lists half changed: each change is one push or one retain.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.geometry
    }

    pub(crate) fn limit_bytes(&self) -> u64 {
        self.options.limit_bytes
    }

    /// The chunks as they are now.
    pub(crate) fn chunks(&self) -> Vec<Arc<Chunk>> {
        self.state().chunks.clone()
    }

    /// Leases an empty segment, growing by a chunk when none is free.
    pub(crate) fn lease(&self) -> Result<Tail, Full> {
        // Relaxed: a stale value costs one more look or one more refusal.
        let refuse_until = self.refuse_until.load(Ordering::Relaxed);
        if refuse_until != 0 && clock::monotonic_ns() < refuse_until {
            self.counts.refused_leases.fetch_add(1, Ordering::Relaxed);
            return Err(Full);
        }
        let leased = self.lease_free().or_else(|| {
            self.grow_for_a_caller();
            self.lease_free()
        });
        let until = if leased.is_some() { 0 } else { clock::monotonic_ns() + REFUSAL_NS };
        self.refuse_until.store(until, Ordering::Relaxed);
        let counter = if leased.is_some() { &self.counts.leases } else { &self.counts.refused_leases };
        counter.fetch_add(1, Ordering::Relaxed);
        leased.ok_or(Full)
    }

    fn lease_free(&self) -> Option<Tail> {
        let mut state = self.state();
        let generation = state.generation + 1;
        let segment = free_segment(&state.chunks, true).or_else(|| free_segment(&state.chunks, false))?;
        if !segment.try_lease(generation) {
            return None;
        }
        state.generation = generation;
        state.last_lease = clock::monotonic_ns();
        Some(Tail::of_leased(segment))
    }

    /// The open segment of an ended thread that has room for `bytes`; those without are sealed.
    pub(crate) fn take_open(&self, bytes: usize) -> Option<Tail> {
        let mut state = self.state();
        while let Some(tail) = state.open.pop() {
            if tail.room() >= bytes {
                return Some(tail);
            }
            tail.seal();
        }
        None
    }

    /// Keeps the segment of an ended thread for the next new one.
    pub(crate) fn keep_open(&self, tail: Tail) {
        self.state().open.push(tail);
    }

    fn grow_for_a_caller(&self) {
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
                let mut state = self.state();
                state.chunks.push(Arc::new(chunk));
                state.chunks.sort_by_key(|chunk| chunk.number());
                state.target = state.target.max(state.chunks.len());
                drop(state);
                self.counts.growths.fetch_add(1, Ordering::Relaxed);
                self.announce_space();
                true
            }
            Err(_) => {
                self.counts.failed_growths.fetch_add(1, Ordering::Relaxed);
                self.no_growth_until.store(clock::monotonic_ns() + GROWTH_PAUSE_NS, Ordering::Relaxed);
                false
            }
        }
    }

    /// A segment became free.
    pub(crate) fn announce_space(&self) {
        self.refuse_until.store(0, Ordering::Relaxed);
        self.space.notify_all();
    }

    /// Waits until a segment is free or can be made. The wait is cut into pieces of a millisecond because another
    /// process may recycle without telling.
    pub(crate) fn wait_for_space(&self, timeout: Duration) -> bool {
        const PIECE: Duration = Duration::from_millis(1);
        let deadline = clock::monotonic_ns().saturating_add(timeout.as_nanos().try_into().unwrap_or(u64::MAX));
        let mut state = self.state();
        loop {
            let may_grow = state.chunks.len() < self.options.most_chunks()
                && clock::monotonic_ns() >= self.no_growth_until.load(Ordering::Relaxed);
            if may_grow || free_segment(&state.chunks, false).is_some() {
                self.refuse_until.store(0, Ordering::Relaxed);
                return true;
            }
            if clock::monotonic_ns() >= deadline {
                return false;
            }
            state = self.space.wait_timeout(state, PIECE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Grows ahead of need, prefaults what is free, shrinks when idle.
    pub(crate) fn maintain(&self) {
        self.grow_ahead();
        self.prefault_free();
        self.shrink_when_idle();
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

    fn prefault_free(&self) {
        let mut left = (STEP_BYTES / self.geometry.segment_bytes as u64).max(1);
        for chunk in self.chunks() {
            for (position, segment) in chunk.segments().iter().enumerate() {
                if left == 0 {
                    return;
                }
                if !chunk.is_prefaulted(position) && segment.state() == SegmentState::Free {
                    chunk.prefault(position);
                    left -= 1;
                }
            }
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

    /// Bytes mapped, and segments free.
    pub(crate) fn usage(&self) -> (u64, usize) {
        let state = self.state();
        let bytes = state.chunks.len() as u64 * self.geometry.chunk_bytes() as u64;
        (bytes, count_free(&state.chunks))
    }
}

fn free_segment(chunks: &[Arc<Chunk>], prefaulted: bool) -> Option<Segment> {
    chunks.iter().find_map(|chunk| {
        let fits = |(position, segment): &(usize, &Segment)| {
            segment.state() == SegmentState::Free && (!prefaulted || chunk.is_prefaulted(*position))
        };
        chunk.segments().iter().enumerate().find(fits).map(|(_, segment)| segment.clone())
    })
}

fn is_all_free(chunk: &Chunk) -> bool {
    chunk.segments().iter().all(|segment| segment.state() == SegmentState::Free)
}

fn count_free(chunks: &[Arc<Chunk>]) -> usize {
    let free =
        |chunk: &Arc<Chunk>| chunk.segments().iter().filter(|segment| segment.state() == SegmentState::Free).count();
    chunks.iter().map(free).sum()
}
