//! One figure for `stats()` of a process whose journal another process drains. Reads only, on a connection of its own.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::open::BUSY_WAIT;
use crate::forked::{Reading, tell_files_apart};

/// Ended calls of a run that are in the database, or in one that was set aside; `None` when it cannot be read now.
pub(crate) fn stored_of_run(db: &Path, run: u64) -> Option<u64> {
    let _reading = Reading::begin()?;
    tell_files_apart();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(db, flags).ok()?;
    connection.busy_timeout(BUSY_WAIT).ok()?;
    let sql = "SELECT (SELECT coalesce(sum(stored), 0) FROM run_function WHERE run_id = ?1)
                      + (SELECT coalesce(sum(calls), 0) FROM elsewhere WHERE run_id = ?1)";
    connection.query_row(sql, [run as i64], |row| row.get::<_, i64>(0)).ok().map(i64::unsigned_abs)
}
