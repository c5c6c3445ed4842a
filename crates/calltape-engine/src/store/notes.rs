//! Notes: into the arguments of a stored call, or kept until its START is met. Called by the drain inside its transaction.

use rusqlite::{OptionalExtension, Params, params};

use super::{RowWriter, StoreError, Transaction};

impl RowWriter<'_> {
    fn execute(&self, doing: &'static str, sql: &str, values: impl Params) -> Result<(), StoreError> {
        let doing = StoreError::sqlite(doing);
        let mut statement = self.connection.prepare_cached(sql).map_err(&doing)?;
        statement.execute(values).map(drop).map_err(&doing)
    }

    /// The arguments of a stored call, which may be none; `None` when no call of this id is stored.
    pub(crate) fn arguments(&self, id: u64) -> Result<Option<Option<String>>, StoreError> {
        let doing = StoreError::sqlite("to read a call's arguments");
        let mut statement = self.connection.prepare_cached("SELECT args FROM call WHERE id = ?1").map_err(&doing)?;
        statement.query_row([id as i64], |row| row.get(0)).optional().map_err(&doing)
    }

    /// Replaces the arguments of a stored call.
    pub(crate) fn put_arguments(&self, id: u64, arguments: &str) -> Result<(), StoreError> {
        let sql = "UPDATE call SET args = ?2 WHERE id = ?1";
        self.execute("to add to a call's arguments", sql, params![id as i64, arguments])
    }

    /// Keeps the notes of a call whose START has not been seen, all of them.
    pub(crate) fn keep_early_notes(&self, run: u64, id: u64, notes: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO early_note (call_id, run_id, notes) VALUES (?1, ?2, ?3)
                   ON CONFLICT (call_id) DO UPDATE SET notes = excluded.notes";
        self.execute("to keep early notes", sql, params![id as i64, run as i64, notes])
    }

    /// Drops the notes of a call that have met its START.
    pub(crate) fn drop_early_notes(&self, id: u64) -> Result<(), StoreError> {
        self.execute("to drop early notes", "DELETE FROM early_note WHERE call_id = ?1", [id as i64])
    }
}

impl Transaction<'_> {
    /// The notes of a run that wait for their START, by call.
    pub(crate) fn early_notes(&self, run: u64) -> Result<Vec<(u64, String)>, StoreError> {
        let sql = "SELECT call_id, notes FROM early_note WHERE run_id = ?1";
        self.rows("to read early notes", sql, [run as i64], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))
    }

    /// Forgets the notes of a run whose START will never come.
    pub(crate) fn drop_early_notes(&self, run: u64) -> Result<(), StoreError> {
        self.execute("to drop early notes", "DELETE FROM early_note WHERE run_id = ?1", [run as i64]).map(drop)
    }
}
