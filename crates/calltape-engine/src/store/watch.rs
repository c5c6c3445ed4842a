//! Whether the files of an open tape are still the ones that were opened, as this process left them. Asked by the drain
//! before every batch: what is written into a file that was deleted, or over one that was damaged, would be lost with it.
//!
//! A look costs three `stat`s. Only where something has changed that SQLite does not account for (another program that
//! writes through SQLite moves the WAL's figures) are the files read: the WAL frame by frame, the database by SQLite's
//! own check. The database is never opened a second time for that: closing it would drop SQLite's locks on it.

use std::ffi::c_int;
use std::path::PathBuf;

use calltape_journal::unix_ns;

use super::checkpoint::Wal;
use super::marker::{self, Look};
use super::open::beside;
use super::{Store, StoreError, check_format, quarantine, shape, wal};
use crate::breaker::Fault;

/// Pages (64 MiB) up to which the thorough check is made, which compares indexes with their tables as well.
const THOROUGH_PAGES: i64 = 16_384;

/// A version no calltape will reach: a header that names one is damaged.
const LEAST_ABSURD_VERSION: i64 = 1 << 20;

/// Steps of SQLite's machine between two calls of `meanwhile`: about 0.1 ms.
const STEPS: c_int = 10_000;

/// How the files looked when this process last wrote to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watch {
    database: Look,
    wal: Option<Look>,
    shared_memory: Option<Look>,
    /// What SQLite knows of the WAL.
    pub(super) frames: Wal,
}

impl Store {
    fn wal_path(&self) -> PathBuf {
        beside(&self.path, "-wal")
    }

    /// Notes how the files look after this process wrote to them.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] when they are no longer the ones that were opened; nothing is noted then.
    pub(super) fn note_files(&self) -> Result<(), StoreError> {
        let frames = self.wal("PRAGMA wal_checkpoint(NOOP)")?;
        let now = self.look(frames)?;
        let before = self.watch.get();
        match &before {
            Some(before) => {
                self.check_in_place(before, &now)?;
                self.check_not_cut(before, &now)?;
            }
            None => self.check_complete(&now)?,
        }
        if before.is_none_or(|before| before.database != now.database) {
            marker::remember(&self.path, &now.database);
        }
        self.watch.set(Some(now));
        Ok(())
    }

    /// How the files look.
    fn look(&self, frames: Wal) -> Result<Watch, StoreError> {
        let database = Look::at_if_there(&self.path)?.ok_or_else(|| StoreError::Replaced(self.path.clone()))?;
        let wal = Look::at_if_there(&self.wal_path())?;
        let shared_memory = Look::at_if_there(&beside(&self.path, "-shm"))?;
        Ok(Watch { database, wal, shared_memory, frames })
    }

    /// For a database just opened: what SQLite writes to is what is at the path. It has made a WAL and its shared memory;
    /// where one is not there, or shorter than what was written, somebody deleted it meanwhile.
    fn check_complete(&self, now: &Watch) -> Result<(), StoreError> {
        let is_whole = now.wal.is_some_and(|wal| wal.bytes >= now.frames.file_bytes());
        if is_whole && now.shared_memory.is_some() { Ok(()) } else { Err(StoreError::Replaced(self.wal_path())) }
    }

    fn check_in_place(&self, before: &Watch, now: &Watch) -> Result<(), StoreError> {
        let is_same = |before: Option<Look>, now: Option<Look>| match (before, now) {
            (Some(before), Some(now)) => before.is_same_file(&now),
            (before, now) => before == now,
        };
        if !before.database.is_same_file(&now.database) {
            return Err(StoreError::Replaced(self.path.clone()));
        }
        if !is_same(before.wal, now.wal) || !is_same(before.shared_memory, now.shared_memory) {
            return Err(StoreError::Replaced(self.wal_path()));
        }
        Ok(())
    }

    /// A WAL that was cut after the last look and written to since is as long as it should be, with nothing in its middle:
    /// the last frame it had is blank then.
    fn check_not_cut(&self, before: &Watch, now: &Watch) -> Result<(), StoreError> {
        let has_grown = before.frames.count() > 0 && now.frames.count() > before.frames.count();
        if has_grown && wal::is_blank(&self.wal_path(), before.frames.count() - 1, now.frames.frame_bytes()) {
            self.check_wal(now.frames, now.wal.map_or(0, |wal| wal.bytes))?;
        }
        Ok(())
    }

    /// Fails when the files are no longer in their place, or were damaged. `meanwhile` is called now and then during a
    /// check that takes its time.
    pub(crate) fn check_files(&mut self, meanwhile: impl Fn() + Send + 'static) -> Result<(), StoreError> {
        let Some(watch) = self.watch.get() else { return self.note_files() };
        let now = self.look(watch.frames)?;
        self.check_in_place(&watch, &now)?;
        if (now.database, now.wal) == (watch.database, watch.wal) {
            return Ok(());
        }
        if self.wal("PRAGMA wal_checkpoint(NOOP)")? == watch.frames {
            if now.wal != watch.wal {
                self.check_wal(watch.frames, now.wal.map_or(0, |wal| wal.bytes))?;
            }
            if now.database != watch.database {
                self.verify(now.database.bytes, meanwhile)?;
            }
        }
        self.note_files()
    }

    fn damaged(&self, how: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), how: how.into() }
    }

    fn check_wal(&self, frames: Wal, bytes: u64) -> Result<(), StoreError> {
        if bytes < frames.file_bytes() {
            return Err(self.damaged("its WAL was cut short"));
        }
        let path = self.wal_path();
        let is_sound = wal::is_sound(&path, frames.count()).map_err(StoreError::files(path))?;
        if is_sound { Ok(()) } else { Err(self.damaged("its WAL was changed")) }
    }

    /// Reads the whole database, as it is on disk.
    pub(super) fn verify(&mut self, bytes: u64, meanwhile: impl Fn() + Send + 'static) -> Result<(), StoreError> {
        if bytes == 0 {
            return Err(self.damaged("it was emptied"));
        }
        let handler = move || {
            meanwhile();
            false
        };
        self.connection.progress_handler(STEPS, Some(handler)).map_err(StoreError::sqlite("a check"))?;
        let outcome = self.read_all();
        self.connection.progress_handler(0, None::<fn() -> bool>).map_err(StoreError::sqlite("a check"))?;
        outcome.map_err(|error| match error {
            StoreError::Sqlite { .. } if error.is_damage() || error.fault() != Fault::Other => error,
            StoreError::Sqlite { source, .. } => self.damaged(source.to_string()),
            StoreError::NotSqlite(_) | StoreError::NotATape(_) => self.damaged("its header was changed"),
            error => error,
        })
    }

    fn read_all(&self) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("a check");
        // Pages in memory and in the WAL hide those of the file.
        self.wal("PRAGMA wal_checkpoint(TRUNCATE)")?;
        self.connection.execute_batch("PRAGMA shrink_memory").map_err(&doing)?;
        check_format(&self.connection, &self.path)?;
        let pages = self.connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).map_err(&doing)?;
        let check = if pages <= THOROUGH_PAGES { "PRAGMA integrity_check(1)" } else { "PRAGMA quick_check(1)" };
        match self.connection.query_row(check, [], |row| row.get::<_, String>(0)).map_err(&doing) {
            Ok(found) if found == "ok" => {}
            Ok(found) => return Err(self.damaged(found.lines().last().unwrap_or_default().to_owned())),
            // A user's own table may need what only the user's program has, a collation or a function.
            Err(error) if error.may_be_of_the_schema() => {}
            Err(error) => return Err(error),
        }
        if let Some(changed) = shape::first_changed(&self.connection).map_err(&doing)? {
            return Err(self.damaged(changed));
        }
        // A header can forbid writing, which shows at the first write only.
        let write = "BEGIN IMMEDIATE; UPDATE tape SET id_lead_ns = id_lead_ns; ROLLBACK";
        self.connection.execute_batch(write).map_err(&doing)
    }

    /// What of its own tables and views is not as it was made, where that can be read.
    pub(crate) fn changed_schema(&self) -> Option<String> {
        shape::first_changed(&self.connection).ok().flatten()
    }

    /// What the check of its format says of the file at the path, knowing what was there before: a tape whose marks are
    /// gone is damaged, not somebody else's.
    pub(super) fn judged(&self, error: StoreError) -> StoreError {
        let is_judged = match &error {
            StoreError::NotSqlite(_) | StoreError::NotATape(_) => true,
            StoreError::NewerSchema { found, .. } => *found >= LEAST_ABSURD_VERSION,
            _ => false,
        };
        if !is_judged || !quarantine::was_our_tape(&self.path) {
            return error;
        }
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('tape', 'run_function', 'cursor')";
        let tables = self.connection.query_row(tables, [], |row| row.get::<_, i64>(0));
        let is_ours = matches!(error, StoreError::NotSqlite(_)) || tables.is_ok_and(|tables| tables == 3);
        if is_ours { self.damaged("its header was changed") } else { error }
    }

    /// Moves what the WAL holds into the file that is open, wherever that is by now; whether that was all. For a database
    /// that was moved away, or whose WAL was: the open file still is what it was.
    pub(crate) fn rescue(&self) -> bool {
        let moved = self.wal("PRAGMA wal_checkpoint(PASSIVE)");
        moved.is_ok_and(|wal| wal.moved == wal.bytes)
    }

    /// Closes it without a last checkpoint, and takes the WAL and the shared memory that still stand at its path out of
    /// the way of the file that comes next, or is there already: the name of what was set aside. `is_rescued`: the WAL
    /// holds nothing that is not in the file.
    pub(crate) fn leave(self, is_rescued: bool) -> Option<PathBuf> {
        let (path, watch) = (self.path.clone(), self.watch.get());
        self.drop_as_it_is();
        let is_ours = |ending, before: fn(&Watch) -> Option<Look>| {
            let before = watch.as_ref().and_then(before);
            let now = Look::at(&beside(&path, ending)).ok();
            before.zip(now).is_some_and(|(before, now)| before.is_same_file(&now))
        };
        let (wal, memory) = (is_ours("-wal", |watch| watch.wal), is_ours("-shm", |watch| watch.shared_memory));
        // A WAL that is not ours came with the file that is there now.
        if wal || memory { quarantine::clear_remains(&path, is_rescued, unix_ns()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::WAL_LIMIT_BYTES;

    /// A tape large enough that the check of a suspect one calls `meanwhile`, opened while that deletes a file.
    fn opened_while_deleting(ending: &str) -> Result<Store, StoreError> {
        let folder = tempfile::tempdir().expect("a folder");
        let db = folder.path().join("calls.db");
        drop(Store::open(&db, WAL_LIMIT_BYTES, false, || ()).expect("made"));
        let filled = Connection::open(&db).expect("a database").execute_batch(
            "CREATE TABLE filler AS WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row LIMIT 20000)
             SELECT n FROM row; CREATE INDEX filler_n ON filler(n)",
        );
        filled.expect("filled");
        let deleted = beside(&db, ending);
        Store::open(&db, WAL_LIMIT_BYTES, true, move || drop(std::fs::remove_file(&deleted)))
    }

    #[test]
    fn a_file_deleted_while_the_tape_is_opened_is_noticed() {
        for ending in ["", "-wal", "-shm"] {
            let opened = opened_while_deleting(ending);
            assert!(matches!(opened, Err(StoreError::Replaced(_))), "{ending:?} {opened:?}");
        }
        assert!(opened_while_deleting("-journal").is_ok());
    }
}
