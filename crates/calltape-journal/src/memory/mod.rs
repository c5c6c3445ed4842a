//! The seam between the segment protocol and the memory it runs on.
//!
//! `segment.rs`, `tail.rs` and `scan.rs` use only [`Memory`]. It has two implementations with the same methods:
//! a part of a mapped file, and, under `--cfg loom`, words that loom watches. Nothing else in the crate may differ
//! between the two builds.

#[cfg(not(loom))]
mod mapped;
#[cfg(loom)]
mod modelled;

#[cfg(not(loom))]
pub(crate) use mapped::Memory;
#[cfg(loom)]
pub use modelled::Memory;
