//! Every offset, size and magic number on disk.
//!
//! All files of the crate read from here; nothing else may hold an on-disk offset. All integers are little-endian
//! (the words are native, and the supported machines are little-endian).

/// The version of every file of a run. A higher one in a file is refused and said.
pub(crate) const FORMAT_VERSION: u32 = 1;

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

/// The control file: a header page, then the counter slots.
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
    pub(crate) const IDENTITY: usize = 128;
    /// One page: the counters start page-aligned.
    pub(crate) const HEADER_BYTES: usize = 4096;
    pub(crate) const IDENTITY_LIMIT: usize = HEADER_BYTES - IDENTITY;
    /// One cache line a function.
    pub(crate) const SLOT_BYTES: usize = 64;
    /// Bytes of a file with counters for this many slots.
    pub(crate) const fn bytes(slots: u32) -> usize {
        HEADER_BYTES + slots as usize * SLOT_BYTES
    }
    /// No control file is longer.
    pub(crate) const MOST_BYTES: usize = bytes(super::MAXIMUM_SLOTS);
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
