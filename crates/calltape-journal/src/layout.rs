//! Every offset, size and magic number on disk.
//!
//! All files of the crate read from here; nothing else may hold an on-disk offset. All integers are little-endian
//! (the words are native, and the supported machines are little-endian).

/// The version of every file of a run. A higher one in a file is refused and said; a lower one is read.
/// 2: tallies, lost errors, pressure.
pub(crate) const FORMAT_VERSION: u32 = 2;

/// Whether files of this version can be read.
pub(crate) const fn is_known_version(version: u32) -> bool {
    version >= 1 && version <= FORMAT_VERSION
}

/// The frame kind that names the thread whose frames follow. The journal writes it first in every segment a thread
/// leases; all other kinds belong to the caller.
pub const THREAD_KIND: u8 = 1;

/// Function slots of a run, slot 0 ("more functions") included: 16384 x 64 B = 1 MiB of counters.
pub const MAXIMUM_SLOTS: u32 = 16_384;

/// The segment header. Its first 64 bytes are written at creation, lease and by the drain; the second cache line
/// belongs to the writing thread, so that a drain's stores never take the line an append stores to.
pub(crate) mod segment {
    /// "ctsegmnt" as a little-endian word.
    pub(crate) const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"ctsegmnt");
    pub(crate) const MAGIC: usize = 0;
    /// Format version in the low half, segment number in the high half.
    pub(crate) const VERSION_AND_NUMBER: usize = 8;
    pub(crate) const RUN_ID: usize = 16;
    /// Segment bytes in the low half, segments a chunk in the high half: a chunk file describes itself.
    pub(crate) const GEOMETRY: usize = 24;
    pub(crate) const EPOCH: usize = 32;
    pub(crate) const GENERATION: usize = 40;
    pub(crate) const STATE: usize = 48;
    pub(crate) const DRAINED: usize = 56;
    /// How far the writer has committed; published after each commit word.
    pub(crate) const COMMITTED: usize = 64;
    /// Two cache lines; the first frame stands here.
    pub(crate) const HEADER_BYTES: usize = 128;
    /// The smallest useful segment: the header and a few frames.
    pub(crate) const MINIMUM_BYTES: usize = 256;
    /// A payload length has 24 bits, so no segment is larger.
    pub(crate) const MAXIMUM_BYTES: usize = 1 << 24;
}

/// A frame: the commit word, the payload, zeros up to a multiple of 8.
/// Commit word: `length:24 | kind:6 | flags:2 | checksum:32`, from the low bit. Kind 0 is not used, so a committed
/// word is never zero.
pub(crate) mod frame {
    pub(crate) const WORD_BYTES: usize = 8;
    pub(crate) const LENGTH_MASK: u32 = (1 << 24) - 1;
    pub(crate) const KIND_SHIFT: u32 = 24;
    pub(crate) const KIND_MASK: u32 = 0x3f;
    pub(crate) const CHECKSUM_SHIFT: u32 = 32;

    /// Bytes a frame with this payload takes. Saturates instead of wrapping, so an absurd length never fits.
    #[inline]
    pub(crate) const fn bytes(payload: usize) -> usize {
        payload.saturating_add(WORD_BYTES + 7) & !7
    }

    /// The low half of the commit word.
    #[inline]
    pub(crate) const fn head(kind: u8, payload: usize) -> u32 {
        (payload as u32 & LENGTH_MASK) | ((kind as u32 & KIND_MASK) << KIND_SHIFT)
    }
}

/// The control file: a header page, the counter slots, then the lost errors, which version 1 does not have.
pub(crate) mod control {
    /// "ctcontrl" as a little-endian word.
    pub(crate) const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"ctcontrl");
    pub(crate) const MAGIC: usize = 0;
    /// Format version in the low half, checksum of the identity in the high half.
    pub(crate) const VERSION_AND_CHECKSUM: usize = 8;
    pub(crate) const RUN_ID: usize = 16;
    /// Segment bytes in the low half, segments a chunk in the high half.
    pub(crate) const GEOMETRY: usize = 24;
    /// Bytes of identity that follow at `IDENTITY`.
    pub(crate) const IDENTITY_LENGTH: usize = 32;
    /// Unix time minus monotonic time, ns, signed.
    pub(crate) const UNIX_OFFSET: usize = 64;
    /// 0 while the run goes on, then `256 | ending`.
    pub(crate) const ENDING: usize = 72;
    /// Slots in use, slot 0 included.
    pub(crate) const SLOTS_IN_USE: usize = 80;
    /// Lost errors of all kinds.
    pub(crate) const LOST_COUNT: usize = 88;
    pub(crate) const IDENTITY: usize = 128;
    /// For each level of pressure above none, lowest first: times it was entered, when last, when left. Zero in
    /// version 1, whose identity has at most 2,544 bytes.
    pub(crate) const SPELLS: usize = 3072;
    pub(crate) const SPELL_BYTES: usize = 24;
    /// One page: the counters start page-aligned.
    pub(crate) const HEADER_BYTES: usize = 4096;
    pub(crate) const IDENTITY_LIMIT: usize = SPELLS - IDENTITY;
    /// One cache line a function.
    pub(crate) const SLOT_BYTES: usize = 64;
    pub(crate) const LOST_ERRORS: usize = HEADER_BYTES + super::MAXIMUM_SLOTS as usize * SLOT_BYTES;
    pub(crate) const FILE_BYTES: usize = LOST_ERRORS + super::lost_error::ENTRIES * super::lost_error::BYTES;
}

/// An entry of the table of lost errors. Entry 0 stands for all kinds beyond the last.
pub(crate) mod lost_error {
    /// Kinds, and the one for the others: half a megabyte.
    pub(crate) const ENTRIES: usize = 1 + 1024;
    pub(crate) const BYTES: usize = 512;
    /// How many; published last, so an entry with none is no entry.
    pub(crate) const CALLS: usize = 0;
    /// A hash of all that tells kinds apart.
    pub(crate) const HASH: usize = 8;
    /// The function's slot in the low half, the line in the high half.
    pub(crate) const SLOT_AND_LINE: usize = 16;
    /// Unix ns.
    pub(crate) const FIRST: usize = 24;
    pub(crate) const LAST: usize = 32;
    /// Bytes of type, file and place, 16 bits each, from the low bits.
    pub(crate) const LENGTHS: usize = 40;
    /// Where each text stands and how long it can be.
    pub(crate) const TYPE: (usize, usize) = (48, 128);
    pub(crate) const FILE: (usize, usize) = (176, 208);
    pub(crate) const PLACE: (usize, usize) = (384, 128);
}

/// The tallies file: entries of one size, the first of which holds the header. Mapped and grown a step at a time.
pub(crate) mod tallies {
    /// "cttallys" as a little-endian word.
    pub(crate) const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"cttallys");
    pub(crate) const MAGIC: usize = 0;
    /// Format version in the low half, buckets of a tally in the high half.
    pub(crate) const VERSION_AND_BUCKETS: usize = 8;
    pub(crate) const RUN_ID: usize = 16;
    /// Eight words of head and a counter a bucket, up to a power of two.
    pub(crate) const BYTES: usize = 16 << 10;
    /// Buckets of 64-bit nanoseconds, as calltape-record cuts them.
    pub(crate) const BUCKETS: usize = 1920;
    /// Tallies of a step: 256 KiB, a multiple of every page size.
    pub(crate) const STEP_ENTRIES: usize = 16;
    pub(crate) const STEP_BYTES: usize = STEP_ENTRIES * BYTES;
    /// Steps of a run: 16 MiB, 1,023 functions.
    pub(crate) const MOST_STEPS: usize = 64;
}

/// The functions file: entries of `length:32 | checksum:32`, the definition, zeros up to a multiple of 8.
pub(crate) mod functions {
    pub(crate) const ENTRY_HEADER_BYTES: usize = 8;
    /// A definition is names and a place in a file; 1 MiB is beyond any of them and bounds what a damaged length
    /// can ask for.
    pub(crate) const MAXIMUM_DEFINITION_BYTES: usize = 1 << 20;
}

/// The shared id counter.
pub(crate) mod ids {
    pub(crate) const NEXT: usize = 0;
    /// One page; only the first word is used.
    pub(crate) const FILE_BYTES: usize = 4096;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_the_first_and_after_the_last_are_not_known() {
        assert!(!is_known_version(0));
        assert!(is_known_version(1));
        assert!(is_known_version(FORMAT_VERSION));
        assert!(!is_known_version(FORMAT_VERSION + 1));
    }

    /// Written out, for files of these sizes exist: a figure that is derived otherwise would not open them.
    #[test]
    fn the_sizes_on_disk_are_these() {
        assert_eq!((control::IDENTITY, control::IDENTITY_LIMIT), (128, 2944));
        assert_eq!((control::SPELLS, control::HEADER_BYTES), (3072, 4096));
        assert_eq!((control::LOST_ERRORS, control::FILE_BYTES), (1_052_672, 1_577_472));
        assert_eq!((lost_error::ENTRIES, tallies::BYTES, tallies::STEP_BYTES), (1025, 16_384, 262_144));
        assert_eq!((MAXIMUM_SLOTS, segment::MAXIMUM_BYTES), (16_384, 16_777_216));
        assert_eq!((frame::LENGTH_MASK, functions::MAXIMUM_DEFINITION_BYTES), (0x00ff_ffff, 1_048_576));
    }
}
