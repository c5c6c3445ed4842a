//! How full the pool is: the census of its segments, the level of pressure it makes, and the reserve for errors.
//!
//! Called with the pool's lock held, at leases, recyclings and `maintain`. A census looks at every segment, so between
//! two of them leases are added to the last one. By that the number of taken segments errs on the side of fullness only;
//! what they hold does not, for a thread goes on in a segment that was drained. So an old census may say that there is
//! plenty by the former alone.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{Pool, State};
use crate::clock;
use crate::layout::segment::HEADER_BYTES;
use crate::pressure::{Census, LEVELS, Pressure, is_for_calls, level, reserve};
use crate::segment::SegmentState;

/// Two censuses are at least this far apart: with 512 segments one takes some 10 us.
const CENSUS_NS: u64 = 1_000_000;

/// So few segments are counted whenever it matters.
const FEW_SEGMENTS: usize = 64;

impl Pool {
    /// The level as of the last lease, recycling or `maintain`.
    pub(crate) fn pressure(&self) -> Pressure {
        // Relaxed: the level stands for itself.
        Pressure::from_number(self.pressure.load(Ordering::Relaxed))
    }

    /// Where the level stands.
    pub(crate) fn pressure_word(&self) -> &AtomicU8 {
        &self.pressure
    }

    /// Looks whether the level is still right; at most one census a millisecond.
    pub(crate) fn reconsider(&self) {
        self.weigh(&mut self.state());
    }

    /// Counts now and sets the level by it.
    pub(super) fn look_around(&self) {
        let mut state = self.state();
        state.counted_ns = 0;
        self.count(&mut state);
        self.weigh(&mut state);
    }

    fn segments(&self, state: &State) -> usize {
        state.chunks.len() * self.geometry.chunk_segments
    }

    /// Counts the segments, unless that was just done.
    fn count(&self, state: &mut State) {
        let now = clock::monotonic_ns();
        let is_fresh = state.counted_ns != 0 && now.saturating_sub(state.counted_ns) < CENSUS_NS;
        if is_fresh && self.segments(state) > FEW_SEGMENTS {
            return;
        }
        let (mut taken, mut holding, mut leased) = (0, 0, 0);
        for segment in state.chunks.iter().flat_map(|chunk| chunk.segments()) {
            let life = segment.state();
            if life != SegmentState::Free {
                taken += 1;
                leased += usize::from(life == SegmentState::Leased);
                // Just leased, it is about to hold something.
                let is_new = segment.committed() == HEADER_BYTES;
                holding += usize::from(is_new || segment.drained() < segment.committed());
            }
        }
        state.census = Census { taken, holding, leased, capacity: state.census.capacity };
        state.counted_ns = now;
    }

    /// Whether calls may lease a segment, and what is kept for errors is left: an eighth of those there are, so that a
    /// disk that gives no more finds it made.
    pub(super) fn is_above_reserve(&self, state: &mut State) -> bool {
        let segments = self.segments(state);
        if segments.saturating_sub(state.census.taken) > reserve(segments) {
            return true;
        }
        // Threads may keep segments that are drained: they leave the reserve all the same.
        self.count(state);
        is_for_calls(segments, &state.census)
    }

    /// Sets the level to what the segments say, and notes the spells that begin and end by that.
    pub(super) fn weigh(&self, state: &mut State) {
        let most = self.options.most_chunks().saturating_mul(self.geometry.chunk_segments);
        state.census.capacity = if state.disk_refuses { self.segments(state) } else { most };
        let was = self.pressure();
        if was != Pressure::None || level(was, &state.census) != Pressure::None {
            self.count(state);
        }
        let now = level(was, &state.census);
        if now == was {
            return;
        }
        let at = clock::unix_ns();
        for spell in 0..LEVELS {
            let (lasted, lasts) = (was as usize > spell, now as usize > spell);
            if lasts && !lasted {
                self.control.enter_spell(spell, at);
            } else if lasted && !lasts {
                self.control.leave_spell(spell, at);
            }
        }
        self.pressure.store(now as u8, Ordering::Relaxed);
        if now < was {
            self.refuse_nobody();
        }
    }
}
