//! Calls of a run that ended in another file: one that was set aside, or deleted, before this tape began. Written once,
//! when the drain meets a run here that it has drained before.

use rusqlite::params;

use super::{StoreError, Transaction};

impl Transaction<'_> {
    /// Whether the tape knows the run.
    pub(crate) fn knows_run(&self, run: u64) -> Result<bool, StoreError> {
        let rows = self.rows("to read a run", "SELECT 1 FROM run WHERE id = ?1", [run as i64], |_| Ok(()))?;
        Ok(!rows.is_empty())
    }

    /// Says how many calls of a slot are in another file; `None` where nobody can tell.
    pub(crate) fn put_elsewhere(&self, run: u64, slot: u32, calls: Option<u64>) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO elsewhere (run_id, slot, calls) VALUES (?1, ?2, ?3)";
        let values = params![run as i64, slot, calls.map(|calls| calls as i64)];
        self.execute("to keep the books of another file", sql, values).map(drop)
    }

    /// How many calls of a run are in another file, by slot; 0 where nobody can tell.
    pub(crate) fn elsewhere(&self, run: u64) -> Result<Vec<(u32, u64)>, StoreError> {
        let sql = "SELECT slot, coalesce(calls, 0) FROM elsewhere WHERE run_id = ?1";
        self.rows("to read the books of another file", sql, [run as i64], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
        })
    }
}
