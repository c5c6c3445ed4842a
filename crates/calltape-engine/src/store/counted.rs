//! What is counted of calls without a row: how much of a run's tallies is in the minutes already, and the errors there was
//! no room for. Called by the drain inside its transaction. Every figure written is absolute, as in `books.rs`.

use rusqlite::params;

use super::{StoreError, Transaction};

/// Errors of one kind that there was no room for. Times are Unix nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LostErrorRow<'a> {
    /// The kind's place in the run's journal.
    pub(crate) number: u32,
    pub(crate) function: i64,
    pub(crate) error_type: &'a str,
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) place: &'a str,
    pub(crate) calls: u64,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
}

impl Transaction<'_> {
    /// How much of each tally of a run is in the minutes, by slot.
    pub(crate) fn tallies(&self, run: u64) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let sql = "SELECT slot, state FROM tally WHERE run_id = ?1";
        self.rows("to read tallies", sql, [run as i64], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Notes how much of a tally is in the minutes.
    pub(crate) fn put_tally(&self, run: u64, slot: u32, state: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO tally (run_id, slot, state) VALUES (?1, ?2, ?3)
                   ON CONFLICT (run_id, slot) DO UPDATE SET state = excluded.state";
        self.execute("to keep a tally", sql, params![run as i64, slot, state]).map(drop)
    }

    /// Forgets the tallies of a run whose journal is gone.
    pub(crate) fn drop_tallies(&self, run: u64) -> Result<(), StoreError> {
        self.execute("to drop tallies", "DELETE FROM tally WHERE run_id = ?1", [run as i64]).map(drop)
    }

    /// How many errors of each kind of a run are stored as lost, by number.
    pub(crate) fn lost_errors(&self, run: u64) -> Result<Vec<(u32, u64)>, StoreError> {
        let sql = "SELECT number, calls FROM lost_error WHERE run_id = ?1";
        self.rows("to read lost errors", sql, [run as i64], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))
    }

    /// Writes how many errors of one kind are lost.
    pub(crate) fn put_lost_error(&self, run: u64, row: &LostErrorRow<'_>) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO lost_error (run_id, number, function_id, type, file, line, place, calls, first_ns, last_ns)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                   ON CONFLICT (run_id, number) DO UPDATE SET calls = excluded.calls, last_ns = excluded.last_ns";
        let LostErrorRow { number, function, error_type, file, line, place, calls, first_ns, last_ns } = *row;
        let values =
            params![run as i64, number, function, error_type, file, line, place, calls as i64, first_ns, last_ns];
        self.execute("to store a lost error", sql, values).map(drop)
    }
}
