//! Moving the WAL back into the database file. Called by the drain after commits, never inside a transaction.
//! SQLite's own checkpoints are off, so that the drain decides when to pay for one.

use super::open::WAL_LIMIT_BYTES;
use super::{Store, StoreError};

/// Bytes of WAL worth a checkpoint: pages rewritten batch after batch (the right edge of each tree) go to the file
/// once, and a reader still finds a short WAL.
const WORTH_BYTES: i64 = 16 << 20;

/// Where the WAL stands.
#[derive(Debug, Clone, Copy)]
struct Wal {
    bytes: i64,
    /// Of these, in the database file already.
    moved: i64,
}

impl Store {
    /// Moves the WAL back when enough has gathered. Returns a warning when a reader keeps it above its limit.
    pub(crate) fn checkpoint_if_due(&mut self) -> Result<Option<String>, StoreError> {
        let wal = self.wal("PRAGMA wal_checkpoint(NOOP)")?;
        if wal.bytes - wal.moved < WORTH_BYTES && wal.bytes < WAL_LIMIT_BYTES {
            return Ok(None);
        }
        let wal = self.wal("PRAGMA wal_checkpoint(PASSIVE)")?;
        if wal.moved < wal.bytes && wal.bytes > 2 * WAL_LIMIT_BYTES {
            return Ok(Some(format!(
                "a reader of {} has kept its WAL at {} MiB; end long reads so that it can shrink",
                self.path.display(),
                wal.bytes >> 20
            )));
        }
        Ok(None)
    }

    /// For a while without calls: moves what is left, so that the next reader and the end find little to do, and gives
    /// memory back.
    pub(crate) fn settle_down(&mut self) -> Result<(), StoreError> {
        let wal = self.wal("PRAGMA wal_checkpoint(NOOP)")?;
        if wal.moved < wal.bytes {
            self.wal("PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        self.connection.execute_batch("PRAGMA shrink_memory").map_err(StoreError::sqlite("to give memory back"))
    }

    /// Bytes the WAL holds.
    pub(super) fn wal_bytes(&self) -> Result<u64, StoreError> {
        Ok(self.wal("PRAGMA wal_checkpoint(NOOP)")?.bytes.unsigned_abs())
    }

    /// Moves all of the WAL back and cuts it to nothing; false where a reader needs it still.
    pub(crate) fn cut_wal(&self) -> Result<bool, StoreError> {
        Ok(self.wal("PRAGMA wal_checkpoint(TRUNCATE)")?.bytes == 0)
    }

    fn wal(&self, pragma: &str) -> Result<Wal, StoreError> {
        let doing = StoreError::sqlite("a checkpoint");
        let mut statement = self.connection.prepare_cached(pragma).map_err(&doing)?;
        let (pages, moved) =
            statement.query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))).map_err(&doing)?;
        let page = super::open::PAGE_BYTES;
        Ok(Wal { bytes: pages * page, moved: moved * page })
    }
}
