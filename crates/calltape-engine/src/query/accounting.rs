//! The books: whether every call is stored or counted, run by run and function by function, and how much room the tape
//! takes. Reads the view `accounting`; a figure nobody can know is `None`, never zero.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, Statement};

use super::calls::{row_limit, sql_id, unsigned};
use super::{QueryError, Tape};

/// One set of books: `calls = stored + sampled_out + dropped + in_flight + unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Calls made, by the callers' own count.
    pub calls: u64,
    /// Calls that ended and have a row.
    pub stored: u64,
    /// Calls that sampling left out.
    pub sampled_out: u64,
    /// Calls there was no room for.
    pub dropped: u64,
    /// Of the dropped, those that raised.
    pub dropped_errors: u64,
    /// Of the stored, those whose row retention has removed.
    pub pruned: u64,
    /// Calls that have not ended, or are not drained yet. Below zero for a moment when rows are ahead of the counters.
    pub in_flight: i64,
    /// Calls nobody can account for; `None` where a run's journal is gone and their number with it.
    pub unknown: Option<i64>,
}

impl Account {
    /// No calls, all accounted for.
    const EMPTY: Self = Self {
        calls: 0,
        stored: 0,
        sampled_out: 0,
        dropped: 0,
        dropped_errors: 0,
        pruned: 0,
        in_flight: 0,
        unknown: Some(0),
    };

    fn plus(&self, other: &Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            stored: self.stored + other.stored,
            sampled_out: self.sampled_out + other.sampled_out,
            dropped: self.dropped + other.dropped,
            dropped_errors: self.dropped_errors + other.dropped_errors,
            pruned: self.pruned + other.pruned,
            in_flight: self.in_flight + other.in_flight,
            unknown: self.unknown.zip(other.unknown).map(|(one, two)| one + two),
        }
    }
}

/// The books of one function over all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionAccount {
    /// The function's name.
    pub function: String,
    /// Its group.
    pub group: Option<String>,
    /// Its books.
    pub account: Account,
}

/// One process's recording, with its books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAccount {
    /// Its id.
    pub id: u64,
    /// The process.
    pub pid: i64,
    /// The machine.
    pub host: String,
    /// The program.
    pub program: String,
    /// The interpreter.
    pub python: String,
    /// When it began, Unix ns.
    pub started_ns: i64,
    /// When it ended, Unix ns.
    pub ended_ns: Option<i64>,
    /// How it ended: running, exit, died or lost.
    pub ending: String,
    /// Its books.
    pub account: Account,
}

/// The room a tape takes on disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Files {
    /// The database.
    pub database_bytes: u64,
    /// SQLite's write-ahead log beside it.
    pub wal_bytes: u64,
    /// The journals beside it, as allocated.
    pub journal_bytes: u64,
}

impl Tape {
    /// The books of each function, the most called first, and of all together.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn accounting(&self) -> Result<(Vec<FunctionAccount>, Account), QueryError> {
        self.read(|connection| {
            let functions = connection
                .prepare_cached(&self.books(FUNCTION_BOOKS))?
                .query_map([], |row| {
                    Ok(FunctionAccount { account: read_account(row)?, function: row.get(8)?, group: row.get(9)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let total = functions.iter().fold(Account::EMPTY, |total, function| total.plus(&function.account));
            Ok((functions, total))
        })
    }

    /// The last `limit` runs, newest first, and how many there are.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn runs(&self, limit: usize) -> Result<(Vec<RunAccount>, u64), QueryError> {
        self.read(|connection| {
            let count = connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0).map(unsigned))?;
            Ok((read_runs(connection, &self.books(RUN_BOOKS), limit)?, count))
        })
    }

    /// The books as this tape has them: of an older one nothing was ever removed.
    fn books(&self, sql: &'static str) -> Cow<'static, str> {
        if self.version() < 3 { sql.replace("sum(pruned)", "0").into() } else { sql.into() }
    }

    /// One run.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn run(&self, id: u64) -> Result<Option<RunAccount>, QueryError> {
        self.read(|connection| {
            let mut account_of = connection.prepare_cached(&self.books(RUN_BOOKS))?;
            let sql = format!("{RUNS} WHERE id = ?1");
            let mut run = connection.prepare_cached(&sql)?;
            run.query_row([sql_id(id)], |row| read_run(row, &mut account_of)).optional()
        })
    }

    /// How many calls of a run were interrupted, of those whose row is there.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn interrupted_calls(&self, run: u64) -> Result<u64, QueryError> {
        self.read(|connection| {
            // The index's own condition must stand in the query, or SQLite reads the whole table.
            let sql = "SELECT count(*) FROM call INDEXED BY call_unfinished
                       WHERE status >= 5 AND status = 6 AND thread_id IN (SELECT id FROM thread WHERE run_id = ?1)";
            connection.prepare_cached(sql)?.query_row([sql_id(run)], |row| row.get(0).map(unsigned))
        })
    }

    /// The room the tape takes. Reads the file system, not the database.
    pub fn files(&self) -> Files {
        Files {
            database_bytes: fs::metadata(self.path()).map_or(0, |file| file.len()),
            wal_bytes: fs::metadata(beside(self.path(), "-wal")).map_or(0, |file| file.len()),
            journal_bytes: allocated_below(&beside(self.path(), ".tape")),
        }
    }
}

/// One run's books. One lost run makes the sum of the unknown unknown.
pub(super) const RUN_BOOKS: &str = "SELECT coalesce(sum(calls), 0), coalesce(sum(stored), 0),
        coalesce(sum(sampled_out), 0), coalesce(sum(dropped), 0), coalesce(sum(dropped_errors), 0),
        coalesce(sum(pruned), 0), coalesce(sum(in_flight), 0), CASE WHEN count(unknown) = count(*) THEN coalesce(sum(unknown), 0) END
    FROM accounting WHERE run_id = ?1";

/// The books of each function over all runs, in the columns of [`RUN_BOOKS`].
const FUNCTION_BOOKS: &str =
    "SELECT sum(calls), sum(stored), sum(sampled_out), sum(dropped), sum(dropped_errors), sum(pruned),
        sum(in_flight), CASE WHEN count(unknown) = count(*) THEN sum(unknown) END, function, group_name
    FROM accounting GROUP BY function, group_name ORDER BY sum(calls) DESC, function";

fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        calls: unsigned(row.get(0)?),
        stored: unsigned(row.get(1)?),
        sampled_out: unsigned(row.get(2)?),
        dropped: unsigned(row.get(3)?),
        dropped_errors: unsigned(row.get(4)?),
        pruned: unsigned(row.get(5)?),
        in_flight: row.get(6)?,
        unknown: row.get(7)?,
    })
}

fn read_runs(connection: &Connection, books: &str, limit: usize) -> rusqlite::Result<Vec<RunAccount>> {
    let mut account_of = connection.prepare_cached(books)?;
    connection
        .prepare_cached(&format!("{RUNS} ORDER BY id DESC LIMIT ?1"))?
        .query_map([row_limit(limit)], |row| read_run(row, &mut account_of))?
        .collect()
}

const RUNS: &str = "SELECT id, pid, host, program, python, started_ns, ended_ns, ending FROM runs";

fn read_run(row: &Row<'_>, account_of: &mut Statement<'_>) -> rusqlite::Result<RunAccount> {
    let id: i64 = row.get(0)?;
    Ok(RunAccount {
        id: unsigned(id),
        pid: row.get(1)?,
        host: row.get(2)?,
        program: row.get(3)?,
        python: row.get(4)?,
        started_ns: row.get(5)?,
        ended_ns: row.get(6)?,
        ending: row.get(7)?,
        account: account_of.query_row([id], read_account)?,
    })
}

/// The path of what stands beside the database under the same name.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Bytes of the files in `folder` and one level below: a journal folder holds a folder a run.
fn allocated_below(folder: &Path) -> u64 {
    let sizes = |folder: &Path, found: &mut Vec<PathBuf>| -> u64 {
        let Ok(entries) = fs::read_dir(folder) else { return 0 };
        let mut bytes = 0;
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(file) if file.is_dir() => found.push(entry.path()),
                Ok(file) => bytes += file.len(),
                // A segment that was given back meanwhile.
                Err(_) => {}
            }
        }
        bytes
    };
    let mut runs = Vec::new();
    let own = sizes(folder, &mut runs);
    own + runs.iter().map(|run| sizes(run, &mut Vec::new())).sum::<u64>()
}

#[cfg(test)]
mod tests;
