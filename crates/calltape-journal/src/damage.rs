//! What of a run cannot be read, in words. `run.rs` finds it; the drain says it. Never an error: what can be read is read.

use std::fmt;

/// What of a run cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// The control file is gone: identity, clock offset, ending and counters are unknown.
    ControlMissing,
    /// The control file is too short or not this run's: as if it were gone.
    ControlUnreadable,
    /// The functions file is gone.
    FunctionsMissing,
    /// The tallies file is not this run's: how long calls without a row took is unknown.
    TalliesUnreadable,
    /// A function's definition is unreadable; its slot keeps its counters.
    Definition {
        /// The slot.
        slot: u32,
    },
    /// A chunk file cannot be opened or holds no segment.
    ChunkUnreadable {
        /// The chunk.
        number: u32,
    },
    /// A chunk file is shorter than it was made.
    ChunkShort {
        /// The chunk.
        number: u32,
        /// Bytes that are gone, written or not.
        missing_bytes: u64,
    },
    /// A segment's header is not what its place says; its frames are tried all the same.
    SegmentHeader {
        /// The segment.
        number: u32,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::ControlMissing => f.write_str("the control file is missing; counters are unknown"),
            Damage::ControlUnreadable => f.write_str("the control file is unreadable; counters are unknown"),
            Damage::FunctionsMissing => f.write_str("the functions file is missing; function names are unknown"),
            Damage::TalliesUnreadable => {
                f.write_str("the tallies file is unreadable; how long calls without a row took is unknown")
            }
            Damage::Definition { slot } => write!(f, "the definition of function slot {slot} is unreadable"),
            Damage::ChunkUnreadable { number } => write!(f, "chunk {number} is unreadable"),
            Damage::ChunkShort { number, missing_bytes } => {
                write!(f, "chunk {number} is {missing_bytes} bytes short")
            }
            Damage::SegmentHeader { number } => write!(f, "the header of segment {number} is damaged"),
        }
    }
}
