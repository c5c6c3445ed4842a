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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::pool::tests::{lease, pool};
    use crate::segment::Segment;
    use crate::tail::Tail;

    #[test]
    fn a_census_says_what_is_taken_what_holds_something_and_what_a_thread_keeps() {
        let pool = pool(Place::Memory, 512, 8, 1, 1);
        let mut tails = lease(&pool, 5);
        let segments = pool.chunks()[0].segments().to_vec();
        // The first is new; the others have a frame; the third and the fifth are drained.
        tails[1..].iter_mut().for_each(|tail| tail.put(2, b"frame"));
        for drained in [&segments[2], &segments[4]] {
            drained.mark_drained(drained.committed());
        }
        tails.drain(3..).for_each(Tail::seal);
        let mut state = pool.state();
        state.census = Census { taken: 99, holding: 99, leased: 99, capacity: 8 };
        pool.count(&mut state);
        assert_eq!(state.census, Census { taken: 5, holding: 3, leased: 3, capacity: 8 });
    }

    #[test]
    fn many_segments_are_not_counted_again_at_once() {
        let (due, long_ago, just_now) = (0, 1, u64::MAX);
        let cases =
            [(64, due, true), (64, just_now, true), (65, due, true), (65, long_ago, true), (65, just_now, false)];
        for (segments, counted_ns, expected) in cases {
            let pool = pool(Place::Memory, 256, segments, 1, 1);
            let mut state = pool.state();
            (state.census.taken, state.counted_ns) = (99, counted_ns);
            pool.count(&mut state);
            assert_eq!(state.census.taken == 0, expected, "{segments} segments, counted at {counted_ns}");
        }
    }

    #[test]
    fn a_level_is_reached_and_left_by_what_is_counted_and_not_by_an_old_census() {
        let pool = pool(Place::Memory, 512, 16, 1, 1);
        let full = Census { taken: 16, holding: 16, leased: 16, capacity: 16 };
        let weigh_by = |census| {
            let mut state = pool.state();
            state.census = census;
            pool.weigh(&mut state);
            (pool.pressure(), state.census.taken)
        };
        assert_eq!(weigh_by(full), (Pressure::None, 0));
        let _tails = lease(&pool, 15);
        assert_eq!(weigh_by(full), (Pressure::Dropping, 15));
        assert_eq!(weigh_by(Census::default()), (Pressure::Dropping, 15));
    }

    #[test]
    fn when_the_pressure_falls_nobody_is_refused_unseen_any_more() {
        let pool = pool(Place::Memory, 512, 16, 1, 1);
        let until = || pool.refuse_until.each_ref().map(|until| until.load(Ordering::Relaxed));
        let refuse = || pool.refuse_until.iter().for_each(|until| until.store(u64::MAX, Ordering::Relaxed));
        let tails = lease(&pool, 12);
        pool.look_around();
        assert_eq!((pool.pressure(), until()), (Pressure::Shortened, [0, 0]));
        refuse();
        pool.look_around();
        assert_eq!(until(), [u64::MAX; 2], "the level is as it was");
        tails.into_iter().for_each(Tail::seal);
        pool.chunks()[0].segments().iter().for_each(Segment::recycle);
        pool.look_around();
        assert_eq!((pool.pressure(), until()), (Pressure::None, [0, 0]));
    }
}
