//! Looks at a tape on a connection of their own that change nothing: a figure for `stats()` of a process whose journal
//! another process drains, and whether the database takes a write, for the doctor.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::StoreError;
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

/// Begins a write and gives it up, waiting for locks so long.
pub(crate) fn try_to_write(db: &Path, wait: Duration) -> Result<(), StoreError> {
    tell_files_apart();
    let doing = StoreError::sqlite("to begin a write");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(db, flags).map_err(&doing)?;
    // Closing it must move nothing, should it be the last.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(&doing)?;
    connection.busy_timeout(wait).map_err(&doing)?;
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").map_err(&doing)
}
