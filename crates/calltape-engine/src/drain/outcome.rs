//! What a pass comes to: what it did, or why it stopped. Made by `pass.rs` and `commit.rs`, answered by `thread.rs`.

use std::fmt;

use crate::store::StoreError;

/// Where a test makes a pass stop as if the process had died there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Everything is written, nothing committed.
    BeforeCommit,
    /// Committed, the journal does not know yet.
    AfterCommit,
    /// Segments are marked, not recycled.
    AfterMark,
    /// Everything is released but ended runs' journals.
    BeforeRemove,
    /// They are removed, their cursors are left.
    AfterRemove,
    /// What is too old or too much is removed, nothing of that committed.
    BeforePrune,
}

/// Why a pass stopped.
#[derive(Debug)]
pub enum DrainError {
    /// When the database could not be opened, read or written.
    Store(StoreError),
    /// When a journal's folder or the lease could not be used.
    Journal(String),
    /// When a test said so.
    Stopped(Point),
}

impl fmt::Display for DrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Journal(fault) => f.write_str(fault),
            Self::Stopped(point) => write!(f, "stopped at {point:?}"),
        }
    }
}

impl std::error::Error for DrainError {}

impl DrainError {
    /// Whether nothing is wrong: the batch is put off, and tried again soon.
    pub(super) fn is_a_wait(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_a_wait())
    }

    /// Whether the database, or its WAL, is not in its place.
    pub(super) fn is_displaced(&self) -> bool {
        matches!(self, Self::Store(StoreError::Replaced(_)))
    }
}

impl From<StoreError> for DrainError {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Ended calls stored.
    pub calls: u64,
    /// Something was committed.
    pub committed: bool,
    /// There is more to read now.
    pub more: bool,
}
