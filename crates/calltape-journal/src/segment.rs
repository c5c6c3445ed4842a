//! A segment's header and its life: FREE, LEASED, SEALED, FREE again.
//!
//! `pool.rs` leases, `tail.rs` appends and seals, `run.rs` marks drained and recycles. Nothing here waits, and no
//! header value is used as a bound before it is clamped to the memory at hand.

use crate::checksum;
use crate::layout::segment as at;
use crate::layout::{FORMAT_VERSION, is_known_version};
use crate::memory::Memory;

/// Where a segment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SegmentState {
    /// Empty; any thread of the owner may lease it.
    Free,
    /// One thread appends to it.
    Leased,
    /// Complete: nothing is appended any more.
    Sealed,
}

impl SegmentState {
    const fn word(self) -> u64 {
        match self {
            SegmentState::Free => 0,
            SegmentState::Leased => 1,
            SegmentState::Sealed => 2,
        }
    }

    const fn from_word(word: u64) -> Option<SegmentState> {
        match word {
            0 => Some(SegmentState::Free),
            1 => Some(SegmentState::Leased),
            2 => Some(SegmentState::Sealed),
            _ => None,
        }
    }
}

/// How a run is cut: the size of a segment and how many a chunk file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of a segment, header included; a multiple of 8.
    pub segment_bytes: usize,
    /// Segments in a chunk file.
    pub chunk_segments: usize,
}

impl Geometry {
    pub(crate) const fn chunk_bytes(self) -> usize {
        self.segment_bytes * self.chunk_segments
    }

    pub(crate) const fn word(self) -> u64 {
        self.segment_bytes as u64 | ((self.chunk_segments as u64) << 32)
    }

    /// Reads a geometry, refusing what no run has.
    pub(crate) fn from_word(word: u64) -> Option<Geometry> {
        let geometry = Geometry { segment_bytes: (word & 0xffff_ffff) as usize, chunk_segments: (word >> 32) as usize };
        let bytes = geometry.segment_bytes;
        let sound = bytes.is_multiple_of(8)
            && (at::MINIMUM_BYTES..=at::MAXIMUM_BYTES).contains(&bytes)
            && (1..=1 << 20).contains(&geometry.chunk_segments);
        sound.then_some(geometry)
    }
}

/// One segment in memory that outlives it, addressed by run and number.
#[derive(Clone)]
pub struct Segment {
    memory: Memory,
    run_id: u64,
    number: u32,
}

impl Segment {
    /// Takes memory as the segment `number` of a run. The header may be anything; see [`Segment::header_is_sound`].
    pub fn new(memory: Memory, run_id: u64, number: u32) -> Segment {
        Segment { memory, run_id, number }
    }

    /// Writes the header of a new segment into zeroed memory and leaves it FREE.
    pub fn format(&self, geometry: Geometry, epoch: u32) {
        let memory = &self.memory;
        memory.store_unpublished(at::VERSION_AND_NUMBER, self.version_and_number());
        memory.store_unpublished(at::RUN_ID, self.run_id);
        memory.store_unpublished(at::GEOMETRY, geometry.word());
        memory.store_unpublished(at::EPOCH, u64::from(epoch));
        memory.store_unpublished(at::DRAINED, at::HEADER_BYTES as u64);
        memory.store_unpublished(at::COMMITTED, at::HEADER_BYTES as u64);
        memory.store_unpublished(at::MAGIC, at::MAGIC_VALUE);
        // Partner: the state load in `state_word`.
        memory.store(at::STATE, SegmentState::Free.word());
    }

    fn version_and_number(&self) -> u64 {
        u64::from(FORMAT_VERSION) | (u64::from(self.number) << 32)
    }

    fn place_is_sound(&self) -> bool {
        let word = self.memory.load(at::VERSION_AND_NUMBER);
        is_known_version(word as u32) && word >> 32 == u64::from(self.number)
    }

    /// Whether the words that never change are what this segment's must be.
    pub(crate) fn header_is_sound(&self) -> bool {
        self.memory.load(at::MAGIC) == at::MAGIC_VALUE
            && self.place_is_sound()
            && self.memory.load(at::RUN_ID) == self.run_id
            && SegmentState::from_word(self.memory.load(at::STATE)).is_some()
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The segment's number in its run.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The state; a word that is none counts as SEALED, so that what stands there is read.
    pub fn state(&self) -> SegmentState {
        SegmentState::from_word(self.memory.load(at::STATE)).unwrap_or(SegmentState::Sealed)
    }

    /// How often the segment has been recycled.
    pub fn epoch(&self) -> u32 {
        self.memory.load(at::EPOCH) as u32
    }

    /// The number of the lease; later leases of a run have higher ones.
    pub fn generation(&self) -> u64 {
        self.memory.load(at::GENERATION)
    }

    /// Offset up to which a database holds the frames.
    pub fn drained(&self) -> usize {
        self.clamp(self.memory.load(at::DRAINED))
    }

    /// Offset up to which the writer says it has committed.
    pub fn committed(&self) -> usize {
        self.clamp(self.memory.load(at::COMMITTED))
    }

    /// An offset made safe: inside the memory, past the header, a multiple of 8.
    pub(crate) fn clamp(&self, offset: u64) -> usize {
        let end = self.memory.bytes() & !7;
        usize::try_from(offset).unwrap_or(end).clamp(at::HEADER_BYTES.min(end), end) & !7
    }

    /// The seed of this epoch's checksums.
    pub(crate) fn seed(&self) -> u32 {
        checksum::seed(self.run_id, self.number, self.epoch())
    }

    /// Whether nothing was ever committed in this epoch.
    pub(crate) fn is_blank(&self) -> bool {
        let first = at::HEADER_BYTES;
        self.memory.bytes() < first + 8 || self.memory.load(first) == 0
    }

    /// Leases the segment if it is FREE. The caller serialises the threads of its process (the owner's pool lock);
    /// the only other process that touches a FREE segment is none.
    pub fn try_lease(&self, generation: u64) -> bool {
        // The Acquire load's partner is the Release store in `recycle` or `format`: the zeroes are visible.
        if self.memory.load(at::STATE) != SegmentState::Free.word() {
            return false;
        }
        self.memory.store_unpublished(at::GENERATION, generation);
        // Partner: the state load of a drain, which then sees generation and epoch.
        self.memory.store(at::STATE, SegmentState::Leased.word());
        true
    }

    /// Publishes how far the writer has committed. Partner: `committed`.
    #[inline]
    pub(crate) fn publish(&self, offset: usize) {
        self.memory.store(at::COMMITTED, offset as u64);
    }

    /// Ends a lease: all frames are committed. Partner: the state load of a drain.
    pub(crate) fn seal(&self) {
        self.memory.store(at::STATE, SegmentState::Sealed.word());
    }

    /// Says that a database holds the frames up to `offset`. Partner: `drained`.
    pub fn mark_drained(&self, offset: usize) {
        self.memory.store(at::DRAINED, self.clamp(offset as u64) as u64);
    }

    /// Empties a SEALED segment whose frames are all in a database. Zeroing comes first and FREE last: a drain
    /// that dies between leaves a SEALED segment with nothing left to read.
    pub fn recycle(&self) {
        self.memory.zero_from(at::HEADER_BYTES);
        self.memory.store_unpublished(at::EPOCH, u64::from(self.epoch().wrapping_add(1)));
        self.memory.store_unpublished(at::DRAINED, at::HEADER_BYTES as u64);
        self.memory.store_unpublished(at::COMMITTED, at::HEADER_BYTES as u64);
        // Partner: the state load in `try_lease`.
        self.memory.store(at::STATE, SegmentState::Free.word());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mapping::Mapping;

    const GEOMETRY: Geometry = Geometry { segment_bytes: 256, chunk_segments: 2 };

    fn memory(bytes: usize) -> Memory {
        Memory::part(&Arc::new(Mapping::in_memory(4096).expect("memory")), 0, bytes)
    }

    fn segment(bytes: usize) -> Segment {
        let segment = Segment::new(memory(bytes), 7, 3);
        segment.format(GEOMETRY, 5);
        segment
    }

    #[test]
    fn a_cut_that_no_run_has_is_refused() {
        let word = |bytes: u64, segments: u64| Geometry::from_word(bytes | (segments << 32));
        for (bytes, segments) in [(256, 1), (264, 2), (16 << 20, 1 << 20)] {
            let expected = Geometry { segment_bytes: bytes as usize, chunk_segments: segments as usize };
            assert_eq!(word(bytes, segments), Some(expected));
            assert_eq!(Geometry::from_word(expected.word()), Some(expected));
        }
        let refused = [(257, 1), (248, 1), ((16 << 20) + 8, 1), (0, 1), (256, 0), (256, (1 << 20) + 1)];
        for (bytes, segments) in refused {
            assert_eq!(word(bytes, segments), None, "{segments} segments of {bytes} bytes");
        }
    }

    #[test]
    fn a_header_is_sound_in_every_state_and_in_the_versions_that_are_known() {
        let segment = segment(256);
        assert!(segment.header_is_sound(), "free");
        assert!(segment.try_lease(1) && segment.header_is_sound(), "leased");
        segment.seal();
        assert!(segment.header_is_sound(), "sealed");
        segment.memory.store(at::VERSION_AND_NUMBER, 1 | (3 << 32));
        assert!(segment.header_is_sound(), "the first version");
    }

    #[test]
    fn a_header_with_one_wrong_word_is_not_sound() {
        let version = u64::from(FORMAT_VERSION);
        let wrong = [
            ("magic", at::MAGIC, at::MAGIC_VALUE ^ 1),
            ("a later version", at::VERSION_AND_NUMBER, (version + 1) | (3 << 32)),
            ("no version", at::VERSION_AND_NUMBER, 3 << 32),
            ("another number", at::VERSION_AND_NUMBER, version | (4 << 32)),
            ("another run", at::RUN_ID, 8),
            ("no state", at::STATE, 3),
        ];
        for (what, offset, word) in wrong {
            let segment = segment(256);
            segment.memory.store(offset, word);
            assert!(!segment.header_is_sound(), "{what}");
        }
    }

    #[test]
    fn a_state_that_is_none_counts_as_sealed() {
        let segment = segment(256);
        segment.memory.store(at::STATE, 99);
        assert_eq!(segment.state(), SegmentState::Sealed);
        assert!(!segment.try_lease(1));
    }

    #[test]
    fn a_lease_keeps_its_generation_and_a_recycling_raises_the_epoch() {
        let segment = segment(256);
        assert!(segment.try_lease(41));
        assert!(!segment.try_lease(42), "it is leased");
        assert_eq!((segment.generation(), segment.epoch()), (41, 5));
        segment.seal();
        segment.recycle();
        assert_eq!((segment.state(), segment.epoch()), (SegmentState::Free, 6));
        assert!(segment.try_lease(43));
        assert_eq!(segment.generation(), 43);
    }

    #[test]
    fn an_offset_is_made_a_multiple_of_eight_within_the_frames() {
        let cases = [
            (256, 0, 128),
            (256, 127, 128),
            (256, 135, 128),
            (256, 136, 136),
            (256, 256, 256),
            (256, 257, 256),
            (256, u64::MAX, 256),
            // Memory that a cut file has left: its last bytes are no word.
            (261, u64::MAX, 256),
            (60, 0, 56),
            (60, 200, 56),
        ];
        for (bytes, offset, expected) in cases {
            assert_eq!(Segment::new(memory(bytes), 7, 3).clamp(offset), expected, "{offset} of {bytes}");
        }
    }

    #[test]
    fn a_segment_is_blank_until_its_first_word_is_committed() {
        for bytes in [136, 256] {
            let segment = segment(bytes);
            assert!(segment.is_blank(), "{bytes} bytes of which none is committed");
            segment.memory.store(at::HEADER_BYTES, 1);
            assert!(!segment.is_blank(), "{bytes} bytes");
        }
        assert!(segment(128).is_blank(), "there is no room for a word");
    }
}
