//! The segments of the process's own run: leasing, and the eighth of them that is kept for errors.
//!
//! `journal.rs` and `writer.rs` lease here when a thread starts or its segment is full, about once in thousands of
//! calls, so one lock serves. Growing and shrinking stand in `pool/growth.rs`, how full it is in `pool/fill.rs`.

mod fill;
mod growth;

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::chunk::Chunk;
use crate::clock;
use crate::control::Control;
use crate::error::{Full, JournalError};
use crate::options::Options;
use crate::place::Place;
use crate::pressure::{Census, Pressure};
use crate::segment::{Geometry, Segment, SegmentState};
use crate::tail::Tail;

/// After a failed lease, callers are refused at once for this long: while the journal is full every call would
/// otherwise look at every segment. A recycling in this process ends it early.
const REFUSAL_NS: u64 = 1_000_000;

/// Chunks up to which the list of them never grows, so that nobody waits for memory with its lock held: 8 KiB.
const READY_CHUNKS: usize = 1024;

/// What a segment is leased for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Calls as they come: what is not drained yet leaves the reserve.
    Calls,
    /// Errors, and the ends of calls that have begun: any segment.
    Errors,
}

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
    /// Where the spells of pressure are kept, for those who come after this process.
    control: Control,
    /// The level of pressure, as the caller's path reads it.
    pressure: AtomicU8,
    /// Monotonic ns until which leases are refused unseen, by purpose.
    refuse_until: [AtomicU64; 2],
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
    /// The last growth failed: until one succeeds, there are the segments there are.
    disk_refuses: bool,
    /// Segments as last counted, and the leases since; never fewer taken than there are.
    census: Census,
    /// Monotonic ns of that count; 0 when it is due.
    counted_ns: u64,
}

impl Pool {
    /// Takes over the chunks made in `place`.
    pub(crate) fn new(
        run_id: u64,
        place: Place,
        options: &Options,
        mut chunks: Vec<Arc<Chunk>>,
        control: Control,
    ) -> Result<Pool, JournalError> {
        chunks.reserve(options.most_chunks().min(READY_CHUNKS).saturating_sub(chunks.len()));
        let state = State {
            target: chunks.len(),
            chunks,
            open: Vec::new(),
            generation: 0,
            last_lease: clock::monotonic_ns(),
            first_epoch: 0,
            disk_refuses: false,
            census: Census::default(),
            counted_ns: 0,
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
            control,
            pressure: AtomicU8::new(Pressure::None as u8),
            refuse_until: [AtomicU64::new(0), AtomicU64::new(0)],
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
        let mut chunks = Vec::new();
        loop {
            // Room is made without the lock: whoever makes it may have to wait for memory, and callers take the lock.
            let wanted = self.state().chunks.len();
            chunks.reserve_exact(wanted);
            let state = self.state();
            if state.chunks.len() <= chunks.capacity() {
                chunks.extend(state.chunks.iter().cloned());
                return chunks;
            }
        }
    }

    /// Leases an empty segment, growing by a chunk when none is free for the purpose.
    pub(crate) fn lease(&self, purpose: Purpose) -> Result<Tail, Full> {
        // Relaxed: a stale value costs one more look or one more refusal.
        let refuse_until = self.refuse_until[purpose as usize].load(Ordering::Relaxed);
        if refuse_until != 0 && clock::monotonic_ns() < refuse_until {
            self.counts.refused_leases.fetch_add(1, Ordering::Relaxed);
            return Err(Full);
        }
        let leased = self.lease_free(purpose).or_else(|| {
            self.grow_for_a_caller();
            self.lease_free(purpose)
        });
        let until = if leased.is_some() { 0 } else { clock::monotonic_ns() + REFUSAL_NS };
        self.refuse_until[purpose as usize].store(until, Ordering::Relaxed);
        let counter = if leased.is_some() { &self.counts.leases } else { &self.counts.refused_leases };
        counter.fetch_add(1, Ordering::Relaxed);
        leased.ok_or(Full)
    }

    fn lease_free(&self, purpose: Purpose) -> Option<Tail> {
        let mut state = self.state();
        if purpose == Purpose::Calls && !self.is_above_reserve(&mut state) {
            self.weigh(&mut state);
            return None;
        }
        let generation = state.generation + 1;
        let Some(segment) = free_segment(&state.chunks, true).or_else(|| free_segment(&state.chunks, false)) else {
            self.weigh(&mut state);
            return None;
        };
        if !segment.try_lease(generation) {
            return None;
        }
        state.generation = generation;
        state.last_lease = clock::monotonic_ns();
        state.census.taken += 1;
        state.census.holding += 1;
        self.weigh(&mut state);
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

    /// The next lease looks again.
    fn refuse_nobody(&self) {
        self.refuse_until.iter().for_each(|until| until.store(0, Ordering::Relaxed));
    }

    /// A segment became free.
    pub(crate) fn announce_space(&self) {
        self.refuse_nobody();
        if self.pressure() != Pressure::None {
            self.reconsider();
        }
        self.space.notify_all();
    }

    /// Waits until calls may be recorded: a segment is free for them or can be made, and what there is is not kept for
    /// errors. The wait is cut into pieces of a millisecond because another process may recycle without telling.
    pub(crate) fn wait_for_space(&self, timeout: Duration) -> bool {
        const PIECE: Duration = Duration::from_millis(1);
        let deadline = clock::monotonic_ns().saturating_add(timeout.as_nanos().try_into().unwrap_or(u64::MAX));
        let mut state = self.state();
        loop {
            let may_grow = state.chunks.len() < self.options.most_chunks()
                && clock::monotonic_ns() >= self.no_growth_until.load(Ordering::Relaxed);
            let has_room = may_grow || self.is_above_reserve(&mut state);
            self.weigh(&mut state);
            if has_room && self.pressure() < Pressure::Dropping {
                self.refuse_until[Purpose::Calls as usize].store(0, Ordering::Relaxed);
                return true;
            }
            if clock::monotonic_ns() >= deadline {
                return false;
            }
            state = self.space.wait_timeout(state, PIECE).unwrap_or_else(PoisonError::into_inner).0;
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

fn count_free(chunks: &[Arc<Chunk>]) -> usize {
    let free =
        |chunk: &Arc<Chunk>| chunk.segments().iter().filter(|segment| segment.state() == SegmentState::Free).count();
    chunks.iter().map(free).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::RunIdentity;

    /// A pool of segments that are cut from chunks of so many; idle at once.
    pub(super) fn pool(place: Place, segment_bytes: usize, chunk_segments: usize, initial: u64, most: u64) -> Pool {
        let chunk_bytes = segment_bytes * chunk_segments;
        let [initial_bytes, limit_bytes] = [initial, most].map(|chunks| chunks * chunk_bytes as u64);
        let options = Options { limit_bytes, initial_bytes, segment_bytes, chunk_bytes, idle: Duration::ZERO };
        let geometry = options.geometry().expect("a cut");
        let control = Control::in_memory(7, geometry, &RunIdentity::default()).expect("memory");
        let chunks = place.create_first_chunks(7, &options).expect("chunks");
        Pool::new(7, place, &options, chunks, control).expect("a pool")
    }

    pub(super) fn lease(pool: &Pool, count: usize) -> Vec<Tail> {
        (0..count).map(|_| pool.lease(Purpose::Errors).expect("a segment")).collect()
    }

    fn refused(pool: &Pool) -> u64 {
        pool.counts.refused_leases.load(Ordering::Relaxed)
    }

    #[test]
    fn who_is_refused_is_refused_unseen_for_a_while_and_others_are_not() {
        let pool = pool(Place::Memory, 512, 2, 1, 1);
        let _tails = lease(&pool, 2);
        let before = clock::monotonic_ns();
        assert!(pool.lease(Purpose::Calls).is_err());
        let until = pool.refuse_until.each_ref().map(|until| until.load(Ordering::Relaxed));
        assert!(until[0] >= before + REFUSAL_NS && until[1] == 0, "{until:?}, from {before}");
        assert_eq!(refused(&pool), 1);
    }

    #[test]
    fn a_refusal_ends_by_its_time_or_when_a_segment_becomes_free() {
        let pool = pool(Place::Memory, 512, 4, 1, 1);
        let until = &pool.refuse_until[Purpose::Calls as usize];
        until.store(u64::MAX, Ordering::Relaxed);
        assert!(pool.lease(Purpose::Calls).is_err(), "although there are free ones");
        assert_eq!(refused(&pool), 1);
        assert!(pool.lease(Purpose::Errors).is_ok());
        until.store(1, Ordering::Relaxed);
        assert!(pool.lease(Purpose::Calls).is_ok());
        assert_eq!(until.load(Ordering::Relaxed), 0);
        until.store(u64::MAX, Ordering::Relaxed);
        pool.announce_space();
        assert!(pool.lease(Purpose::Calls).is_ok());
        assert_eq!((refused(&pool), pool.counts.leases.load(Ordering::Relaxed)), (1, 3));
    }

    #[test]
    fn there_is_space_where_a_chunk_can_be_made() {
        let pool = pool(Place::Memory, 512, 2, 1, 4);
        let mut tails = lease(&pool, 2);
        assert!(pool.wait_for_space(Duration::ZERO), "three more chunks can be made");
        pool.no_growth_until.store(u64::MAX, Ordering::Relaxed);
        assert!(!pool.wait_for_space(Duration::ZERO), "the disk gives none");
        pool.no_growth_until.store(0, Ordering::Relaxed);
        tails.extend(lease(&pool, 6));
        assert!(!pool.wait_for_space(Duration::ZERO), "that was all");
    }

    #[test]
    fn a_segment_that_is_ready_is_leased_before_one_that_is_not() {
        let pool = pool(Place::Memory, 4096, 4, 1, 1);
        pool.chunks()[0].prefault(2);
        let leased = [(); 3].map(|()| {
            let _tail = lease(&pool, 1);
            let chunk = pool.chunks().remove(0);
            let newest = chunk.segments().iter().max_by_key(|segment| segment.generation());
            newest.map(Segment::number)
        });
        assert_eq!(leased, [Some(2), Some(0), Some(1)]);
    }
}
