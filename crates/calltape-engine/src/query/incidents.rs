//! When recording was less than it should be: incidents, errors counted by kind because there was no room for them, and
//! databases that were set aside. Reads the views `incidents` and `lost_errors`, and names beside the tape.

use std::path::{Path, PathBuf};

use rusqlite::Row;

use super::calls::{row_limit, unsigned};
use super::{QueryError, Tape};

/// Something that kept recording from being complete, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The run it happened to; `None` when it was the tape's.
    pub run_id: Option<u64>,
    /// What it was, in words: see `docs/tape-format.md`.
    pub kind: String,
    /// When it began, Unix ns.
    pub began_ns: i64,
    /// When it ended; `None` while it lasts.
    pub ended_ns: Option<i64>,
    /// How often it began between the two.
    pub times: u64,
    /// What was said of it.
    pub detail: String,
}

/// Errors of one kind that were counted and not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostErrors {
    /// The function whose calls ended in them.
    pub function: String,
    /// Its group.
    pub group: Option<String>,
    /// The exception's type with its module.
    pub error_type: String,
    /// The file that raised it; empty where unknown.
    pub file: String,
    /// The line in it.
    pub line: i64,
    /// The function that raised it.
    pub place: String,
    /// How many calls.
    pub calls: u64,
    /// When the first ended, Unix ns.
    pub first_ns: i64,
    /// When the last ended, Unix ns.
    pub last_ns: i64,
}

const INCIDENTS: &str = "SELECT run_id, kind, began_ns, ended_ns, times, detail FROM incidents
    ORDER BY ended_ns IS NOT NULL, began_ns DESC, id DESC LIMIT ?1";

const LOST_ERRORS: &str =
    "SELECT function, group_name, error_type, file, line, place, sum(calls), min(first_ns), max(last_ns)
    FROM lost_errors GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY sum(calls) DESC, function, error_type LIMIT ?1";

impl Tape {
    /// The last `limit` incidents, those that last first, and how many there are.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn incidents(&self, limit: usize) -> Result<(Vec<Incident>, u64), QueryError> {
        if self.version() < 3 {
            return Ok((Vec::new(), 0));
        }
        self.read(|connection| {
            let count = connection.query_row("SELECT count(*) FROM incidents", [], |row| row.get(0).map(unsigned))?;
            let mut statement = connection.prepare_cached(INCIDENTS)?;
            let incidents = statement.query_map([row_limit(limit)], read_incident)?.collect::<rusqlite::Result<_>>()?;
            Ok((incidents, count))
        })
    }

    /// Errors that were counted and not stored, the most frequent `limit` kinds first.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn lost_errors(&self, limit: usize) -> Result<Vec<LostErrors>, QueryError> {
        if self.version() < 3 {
            return Ok(Vec::new());
        }
        self.read(|connection| {
            connection.prepare_cached(LOST_ERRORS)?.query_map([row_limit(limit)], read_lost)?.collect()
        })
    }

    /// The databases that were set aside because they were damaged, oldest first. Reads the file system.
    pub fn set_aside(&self) -> Vec<PathBuf> {
        set_aside(self.path())
    }
}

/// What was set aside of the tape at `db`.
pub(crate) fn set_aside(db: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (db.parent(), db.file_name()) else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let prefix = format!("{}.quarantine-", name.to_string_lossy());
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_one = |name: &str| name.starts_with(&prefix) && !name.ends_with("-wal") && !name.ends_with("-shm");
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_one))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn read_incident(row: &Row<'_>) -> rusqlite::Result<Incident> {
    Ok(Incident {
        run_id: row.get::<_, Option<i64>>(0)?.map(unsigned),
        kind: row.get(1)?,
        began_ns: row.get(2)?,
        ended_ns: row.get(3)?,
        times: unsigned(row.get(4)?),
        detail: row.get(5)?,
    })
}

fn read_lost(row: &Row<'_>) -> rusqlite::Result<LostErrors> {
    Ok(LostErrors {
        function: row.get(0)?,
        group: row.get(1)?,
        error_type: row.get(2)?,
        file: row.get(3)?,
        line: row.get(4)?,
        place: row.get(5)?,
        calls: unsigned(row.get(6)?),
        first_ns: row.get(7)?,
        last_ns: row.get(8)?,
    })
}
