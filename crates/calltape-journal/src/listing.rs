//! Which segments to read, and in which order.
//!
//! `run.rs` asks at the start of each pass of a drain. The answer is closed downwards: a segment is listed only
//! together with every segment leased before it. So, read in this order, no thread's later frames are met before
//! its earlier ones, although threads lease and seal meanwhile.

use crate::segment::{Segment, SegmentState};

/// A segment that holds frames, or may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SegmentKey {
    /// Its place in the run.
    pub number: u32,
    /// How often it has been recycled; a cursor is for one epoch.
    pub epoch: u32,
    /// Rises with each lease of the run: reading segments in this order keeps each thread's frames in order.
    pub generation: u64,
    /// LEASED or SEALED; in a dead run also what only looks free.
    pub state: SegmentState,
}

/// Lists segments by rising generation.
///
/// A single look is not enough: a thread may lease one segment behind the look's back and the next one before it.
/// So the first look finds the newest lease, and the second, which sees every lease before that one (they are
/// ordered by the owner's pool lock), lists what is not newer.
pub fn in_lease_order<'a>(segments: impl Iterator<Item = &'a Segment> + Clone, owner_is_dead: bool) -> Vec<SegmentKey> {
    let newest = if owner_is_dead {
        // Nothing changes any more, and a damaged generation must not hide the rest.
        u64::MAX
    } else {
        look(segments.clone(), false).map(|key| key.generation).max().unwrap_or(0)
    };
    let mut keys: Vec<SegmentKey> = look(segments, owner_is_dead).filter(|key| key.generation <= newest).collect();
    keys.sort_by_key(|key| (key.generation, key.number));
    keys
}

/// What is leased or sealed now; in a dead run also what holds frames in spite of its state word.
fn look<'a>(segments: impl Iterator<Item = &'a Segment>, owner_is_dead: bool) -> impl Iterator<Item = SegmentKey> {
    segments.filter_map(move |segment| {
        // Acquire, first: LEASED or SEALED shows the lease's generation and epoch.
        let state = segment.state();
        let listed = state != SegmentState::Free || (owner_is_dead && !segment.is_blank());
        listed.then(|| SegmentKey {
            number: segment.number(),
            epoch: segment.epoch(),
            generation: segment.generation(),
            state,
        })
    })
}
