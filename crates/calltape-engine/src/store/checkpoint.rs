//! Moving the WAL back into the database file, and keeping it within its limit. Called by the drain around batches, never
//! inside a transaction. SQLite's own checkpoints are off, so that the drain decides when to pay for one.
//!
//! A reader that stays in one transaction keeps the WAL from being begun anew, and every batch makes it longer. So above
//! its limit no batch is begun: the journal holds meanwhile.

use std::time::Duration;

use super::open::BUSY_WAIT;
use super::{Store, StoreError, wal};

/// Bytes of WAL worth a checkpoint: pages rewritten batch after batch (the right edge of each tree) go to the file
/// once, and a reader still finds a short WAL.
const WORTH_BYTES: i64 = 16 << 20;

/// Where the WAL stands, in bytes of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wal {
    pub(super) bytes: i64,
    /// Of these, in the database file already.
    pub(super) moved: i64,
}

impl Wal {
    /// Frames in it.
    pub(super) fn count(self) -> u64 {
        (self.bytes / super::open::PAGE_BYTES).unsigned_abs()
    }

    /// Bytes its file has at least.
    pub(super) fn file_bytes(self) -> u64 {
        if self.bytes == 0 { 0 } else { wal::HEADER_BYTES as u64 + self.count() * self.frame_bytes() }
    }

    /// Bytes a frame.
    pub(super) fn frame_bytes(self) -> u64 {
        super::open::PAGE_BYTES.unsigned_abs() + wal::FRAME_HEADER_BYTES as u64
    }
}

impl Store {
    /// Moves the WAL back when enough has gathered.
    pub(crate) fn checkpoint_if_due(&self) -> Result<(), StoreError> {
        let wal = self.wal("PRAGMA wal_checkpoint(NOOP)")?;
        if wal.bytes - wal.moved >= WORTH_BYTES.min(self.wal_limit / 4) || wal.bytes >= self.wal_limit {
            self.wal("PRAGMA wal_checkpoint(PASSIVE)")?;
            self.note_files()?;
        }
        Ok(())
    }

    /// Makes sure that the WAL is within its limit before a batch is begun.
    ///
    /// # Errors
    /// [`StoreError::WalHeld`] when a reader keeps it from being begun anew.
    pub(crate) fn make_room(&self) -> Result<(), StoreError> {
        let is_within = |wal: Wal| wal.file_bytes() < self.wal_limit.unsigned_abs();
        if self.watch.get().is_none_or(|watch| is_within(watch.frames)) {
            return Ok(());
        }
        let doing = StoreError::sqlite("a time limit");
        // No waiting: this is tried again soon, and the journal is looked after meanwhile.
        self.connection.busy_timeout(Duration::ZERO).map_err(&doing)?;
        let tried = self.wal("PRAGMA wal_checkpoint(TRUNCATE)");
        self.connection.busy_timeout(BUSY_WAIT).map_err(&doing)?;
        match tried {
            Err(error) if !error.is_transient() => return Err(error),
            _ => self.note_files()?,
        }
        let wal = self.wal("PRAGMA wal_checkpoint(NOOP)")?;
        if is_within(wal) {
            return Ok(());
        }
        Err(StoreError::WalHeld { path: self.path.clone(), bytes: wal.file_bytes() })
    }

    /// For a while without calls: moves what is left, so that the next reader and the end find little to do, and gives
    /// memory back.
    pub(crate) fn settle_down(&self) -> Result<(), StoreError> {
        let wal = self.wal("PRAGMA wal_checkpoint(NOOP)")?;
        if wal.moved < wal.bytes {
            self.wal("PRAGMA wal_checkpoint(PASSIVE)")?;
            self.note_files()?;
        }
        self.connection.execute_batch("PRAGMA shrink_memory").map_err(StoreError::sqlite("to give memory back"))
    }

    /// Bytes the WAL holds.
    pub(super) fn wal_bytes(&self) -> Result<u64, StoreError> {
        Ok(self.wal("PRAGMA wal_checkpoint(NOOP)")?.file_bytes())
    }

    /// Moves all of the WAL back and cuts it to nothing, as far as readers let it; true when nothing is left of it.
    pub(crate) fn cut_wal(&self) -> Result<bool, StoreError> {
        match self.wal("PRAGMA wal_checkpoint(TRUNCATE)") {
            Err(error) if !error.is_transient() => return Err(error),
            _ => self.note_files()?,
        }
        Ok(self.wal_bytes()? == 0)
    }

    pub(super) fn wal(&self, pragma: &str) -> Result<Wal, StoreError> {
        let doing = StoreError::sqlite("a checkpoint");
        let mut statement = self.connection.prepare_cached(pragma).map_err(&doing)?;
        let (pages, moved) =
            statement.query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))).map_err(&doing)?;
        let page = super::open::PAGE_BYTES;
        // -1 where the database is not in WAL mode.
        Ok(Wal { bytes: pages.max(0) * page, moved: moved.max(0) * page })
    }
}
