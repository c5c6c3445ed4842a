//! How a recorded call survives: the journal of one process, and the reading of any process's journal.
//!
//! The python crate appends through [`Journal`] and [`Writer`]; the engine's drain reads through [`Run`] and holds
//! the [`Lease`]. This crate knows bytes only: it never decodes a record, never mentions Python, and never makes a
//! caller wait for the disk on the append path. [`BackgroundThread`] is here among the other system calls.
//!
//! # Constraints
//!
//! - A segment has one writer at a time, so an append takes no lock and a dead or hung thread blocks nobody.
//! - Between the first store of a frame and its commit word there is no allocation and no system call.
//! - Files are sized by `posix_fallocate` before they are mapped: a full disk is an error at creation, never a
//!   SIGBUS at a store. Sizes of foreign files come from `fstat` at open. A file of a *live* run that another
//!   program truncates while it is mapped still raises SIGBUS.
//! - Nothing a file contains is trusted: every bound is checked, every frame carries a checksum that also covers
//!   where it stands.
//!
//! # On disk
//!
//! ```text
//! <tape>/writer.lock             the writer lease (OFD lock)
//! <tape>/ids                     the id counter all processes share (mapped)
//! <tape>/<run id, 16 hex>/       one directory a run, that is, one process's recording
//!     control                    header, function counters, lost errors (mapped); the owner's OFD lock: free means dead
//!     functions                  function definitions, framed, append-only
//!     tallies                    how long the calls without a row took (mapped)
//!     000001.seg ...             chunk files of segments (mapped)
//! ```
//!
//! Every offset stands in `layout.rs`.
//!
//! # A segment's life
//!
//! `FREE -> LEASED -> SEALED -> FREE`: the owner's threads lease and seal, whoever drains recycles. The state word
//! in shared memory is the handshake; the epoch, raised at each recycling, makes stale bytes fail their checksum.

#![cfg_attr(loom, allow(dead_code, reason = "the model covers the segment protocol, not the files"))]

#[cfg_attr(not(loom), expect(unsafe_code, reason = "CRC instructions, fused with the copy into mapped memory"))]
mod checksum;
mod layout;
#[cfg_attr(not(loom), expect(unreachable_pub, reason = "the loom tests reach it through `model`"))]
mod listing;
#[cfg_attr(not(loom), expect(unsafe_code, reason = "the frames' view of mapped memory"))]
mod memory;
#[cfg_attr(not(loom), expect(unreachable_pub, reason = "the loom tests reach it through `model`"))]
mod scan;
#[cfg_attr(not(loom), expect(unreachable_pub, reason = "the loom tests reach it through `model`"))]
mod segment;
#[cfg_attr(not(loom), expect(unreachable_pub, reason = "the loom tests reach it through `model`"))]
mod tail;

#[cfg(not(loom))]
mod chunk;
#[cfg(not(loom))]
mod clock;
#[cfg(not(loom))]
mod control;
#[cfg(not(loom))]
mod damage;
#[cfg(not(loom))]
mod directory;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod error_kinds;
#[cfg(not(loom))]
mod functions;
#[cfg(not(loom))]
mod ids;
#[cfg(not(loom))]
mod journal;
#[cfg(not(loom))]
mod lock;
#[cfg(not(loom))]
#[expect(unsafe_code, reason = "maps files and lends views of them")]
mod mapping;
#[cfg(not(loom))]
mod options;
#[cfg(not(loom))]
mod place;
#[cfg(not(loom))]
mod pool;
#[cfg(not(loom))]
mod pressure;
#[cfg(not(loom))]
mod run;
#[cfg(not(loom))]
#[expect(unsafe_code, reason = "the system calls the standard library does not wrap")]
mod system;
#[cfg(not(loom))]
mod tallies;
#[cfg(not(loom))]
#[expect(unsafe_code, reason = "the system's own calls to make a thread")]
mod thread;
#[cfg(not(loom))]
mod writer;

pub use layout::{MAXIMUM_SLOTS, THREAD_KIND};
pub use listing::SegmentKey;
pub use scan::{Frame, ReadEnd};
pub use segment::SegmentState;

#[cfg(not(loom))]
pub use clock::{monotonic_ns, unix_ns};
#[cfg(not(loom))]
pub use control::{CounterValues, Counters, bump};
#[cfg(not(loom))]
pub use damage::Damage;
#[cfg(not(loom))]
pub use directory::{create_tape, list_runs};
#[cfg(not(loom))]
pub use error::{Full, JournalError};
#[cfg(not(loom))]
pub use error_kinds::LostError;
#[cfg(not(loom))]
pub use ids::{ID_EPOCH_UNIX_NS, ID_UNIT_NS};
#[cfg(not(loom))]
pub use journal::{Journal, JournalStats, Occupancy, Positions};
#[cfg(not(loom))]
pub use lock::{Holder, Lease, forget_after_fork};
#[cfg(not(loom))]
pub use options::{Options, RunIdentity};
#[cfg(not(loom))]
pub use pressure::{Pressure, Spell};
#[cfg(not(loom))]
pub use run::Run;
#[cfg(not(loom))]
pub use system::free_bytes;
#[cfg(not(loom))]
pub use tallies::Tally;
#[cfg(not(loom))]
pub use thread::BackgroundThread;
#[cfg(not(loom))]
pub use writer::Writer;

/// The segment protocol over modelled memory, for the loom tests.
#[cfg(loom)]
pub mod model {
    pub use crate::listing::in_lease_order;
    pub use crate::memory::Memory;
    pub use crate::scan::read;
    pub use crate::segment::{Geometry, Segment};
    pub use crate::tail::Tail;
}
