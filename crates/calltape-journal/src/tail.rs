//! The writing end of a leased segment.
//!
//! `writer.rs` appends through it; `pool.rs` keeps the tails of ended threads. A tail never checks who else writes:
//! it is the lease.

use crate::layout::frame;
use crate::layout::segment::HEADER_BYTES;
use crate::segment::Segment;

/// A leased segment and where the next frame goes.
pub struct Tail {
    segment: Segment,
    offset: usize,
    end: usize,
    seed: u32,
}

impl Tail {
    /// The tail of a segment that was just leased, and is therefore empty.
    pub fn of_leased(segment: Segment) -> Tail {
        let (seed, end) = (segment.seed(), segment.memory().bytes() & !7);
        Tail { segment, offset: HEADER_BYTES, end, seed }
    }

    /// Bytes left for frames.
    #[inline]
    pub fn room(&self) -> usize {
        self.end - self.offset
    }

    /// The segment this is the tail of.
    #[cfg(loom)]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Commits a frame. The caller has checked [`Tail::room`].
    ///
    /// # Panics
    ///
    /// When the frame does not fit.
    #[inline]
    pub fn put(&mut self, kind: u8, payload: &[u8]) {
        self.segment.memory().commit(self.offset, frame::head(kind, payload.len()), payload, self.seed);
        self.offset += frame::bytes(payload.len());
        self.segment.publish(self.offset);
    }

    /// Ends the lease: nothing follows.
    pub fn seal(self) {
        self.segment.seal();
    }
}
