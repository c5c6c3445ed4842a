//! Removing what retention says is due, and giving room back. Called by the drain between batches and by `calltape
//! prune`, in transactions of their own; decides nothing.
//!
//! Every row of `call` that goes is counted in `run_function.pruned` in the same transaction, so that
//! `stored - pruned` rows are there. `late` is asked every few rows; where it says true the step ends with what it has.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError, Transaction};
use crate::retention::{CallSpan, Room, is_error};

/// Rows read before they are decided on, and rows between two looks at the clock.
const CHUNK: usize = 64;

/// Rows of the other tables removed at once.
const FEW: i64 = 64;

/// What a step has removed so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) rows: u64,
    /// Of the calls, those that failed.
    pub(crate) errors: u64,
    /// The last call looked at.
    pub(crate) reached_id: u64,
    /// There is no more of it.
    pub(crate) finished: bool,
}

/// A call as far as retention cares.
struct Candidate {
    id: i64,
    function: i64,
    thread: i64,
    status: u8,
    ended_ns: i64,
}

/// An interrupted call (6) is as old as its run's end.
const CANDIDATES: &str = "SELECT id, function_id, thread_id, status,
        CASE WHEN status = 6 THEN coalesce((SELECT coalesce(r.ended_ns, r.seen_ns) FROM thread t JOIN run r ON r.id = t.run_id
                                            WHERE t.id = thread_id), started_ns)
             ELSE started_ns + coalesce(duration_ns, 0) END
    FROM call WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3";

/// Runs that ended before ?1 of which no row is left.
const EMPTY_RUNS: &str = "SELECT id FROM run WHERE ended_ns < ?1 AND ending IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM run_function b WHERE b.run_id = run.id AND b.stored > b.pruned) LIMIT ?2";

/// What goes with a run, children first. `cursor` and the like went when it was settled.
const OF_A_RUN: [&str; 8] = [
    "DELETE FROM elsewhere WHERE run_id = ?1",
    "DELETE FROM tally WHERE run_id = ?1",
    "DELETE FROM lost_error WHERE run_id = ?1",
    "DELETE FROM incident WHERE run_id = ?1",
    "DELETE FROM cursor WHERE run_id = ?1",
    "DELETE FROM run_function WHERE run_id = ?1",
    "DELETE FROM thread WHERE run_id = ?1",
    "DELETE FROM run WHERE id = ?1",
];

const OLD_INCIDENTS: &str =
    "DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE ended_ns < ?1 ORDER BY id LIMIT ?2)";

const KINDS_OF_NOTHING: &str = "DELETE FROM error WHERE id IN
    (SELECT id FROM error e WHERE NOT EXISTS (SELECT 1 FROM failure x WHERE x.error_id = e.id) LIMIT ?1)";

const FUNCTIONS_OF_NOTHING: &str = "DELETE FROM function WHERE id IN
    (SELECT id FROM function f WHERE NOT EXISTS (SELECT 1 FROM minute m WHERE m.function_id = f.id)
        AND NOT EXISTS (SELECT 1 FROM call c WHERE c.function_id = f.id)
        AND NOT EXISTS (SELECT 1 FROM error e WHERE e.function_id = f.id)
        AND id NOT IN (SELECT function_id FROM run_function) AND id NOT IN (SELECT function_id FROM lost_error)
     LIMIT ?1)";

impl Transaction<'_> {
    /// Removes the calls of a span that it takes, with what their failures added.
    pub(crate) fn prune_calls(&self, span: &CallSpan, late: &mut dyn FnMut() -> bool) -> Result<Removed, StoreError> {
        let doing = StoreError::sqlite("to remove old calls");
        let mut delete = self.connection().prepare_cached("DELETE FROM call WHERE id = ?1").map_err(&doing)?;
        let mut fail = self.connection().prepare_cached("DELETE FROM failure WHERE call_id = ?1").map_err(&doing)?;
        let mut removed = Removed { reached_id: span.after_id, ..Removed::default() };
        let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
        while !removed.finished {
            let candidates = self.candidates(removed.reached_id, span.before_id)?;
            removed.finished = candidates.len() < CHUNK;
            for call in candidates {
                removed.reached_id = call.id as u64;
                if span.takes(call.status, call.ended_ns) {
                    delete.execute([call.id]).map_err(&doing)?;
                    if call.status != 0 {
                        fail.execute([call.id]).map_err(&doing)?;
                    }
                    *counts.entry((call.thread, call.function)).or_default() += 1;
                    removed.rows += 1;
                    removed.errors += u64::from(is_error(call.status));
                }
            }
            if late() || (span.down_to > 0 && pages(self.connection())?.0 <= span.down_to) {
                break;
            }
        }
        self.count_pruned(counts)?;
        Ok(removed)
    }

    fn candidates(&self, after: u64, before: u64) -> Result<Vec<Candidate>, StoreError> {
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        self.rows("to look for old calls", CANDIDATES, params![after as i64, before, CHUNK as i64], |row| {
            Ok(Candidate {
                id: row.get(0)?,
                function: row.get(1)?,
                thread: row.get(2)?,
                status: row.get(3)?,
                ended_ns: row.get(4)?,
            })
        })
    }

    /// Adds rows that went to the books of the runs and functions they were of.
    fn count_pruned(&self, counts: HashMap<(i64, i64), u64>) -> Result<(), StoreError> {
        let mut by_run: HashMap<(i64, i64), u64> = HashMap::new();
        for ((thread, function), count) in counts {
            let run =
                self.rows("to find a run", "SELECT run_id FROM thread WHERE id = ?1", [thread], |row| row.get(0))?;
            // A call without its thread is of a tape that was damaged; no books count it.
            if let Some(&run) = run.first() {
                *by_run.entry((run, function)).or_default() += count;
            }
        }
        for ((run, function), count) in by_run {
            self.count_pruned_of(run, function, count)?;
        }
        Ok(())
    }

    /// One function may have several slots in a run: none of them may lose more rows than it stored.
    fn count_pruned_of(&self, run: i64, function: i64, count: u64) -> Result<(), StoreError> {
        let sql = "SELECT slot, stored - pruned FROM run_function WHERE run_id = ?1 AND function_id = ?2 ORDER BY slot";
        let slots: Vec<(i64, i64)> =
            self.rows("to read the books", sql, [run, function], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut left = i64::try_from(count).unwrap_or(i64::MAX);
        for (place, &(slot, rows)) in slots.iter().enumerate() {
            let last = place + 1 == slots.len();
            let here = if last { left } else { left.min(rows.max(0)) };
            left -= here;
            if here > 0 {
                let sql = "UPDATE run_function SET pruned = pruned + ?3 WHERE run_id = ?1 AND slot = ?2";
                self.execute("to count what was removed", sql, [run, slot, here])?;
            }
        }
        Ok(())
    }

    /// Removes the rollup's minutes before `before`, the beginning of an hour, and its hours, function by function.
    pub(crate) fn prune_minutes(&self, before: i64, late: &mut dyn FnMut() -> bool) -> Result<Removed, StoreError> {
        // A walk that ended early may have left hours to functions that have no minutes any more.
        let next = "SELECT min(id) FROM (SELECT min(function_id) AS id FROM minute WHERE function_id > ?1
            UNION ALL SELECT min(function_id) FROM hour WHERE function_id > ?1)";
        let delete = "DELETE FROM minute WHERE function_id = ?1 AND minute < ?2 AND minute IN
            (SELECT minute FROM minute WHERE function_id = ?1 AND minute < ?2 ORDER BY minute LIMIT ?3)";
        let mut removed = Removed::default();
        let mut function = i64::MIN;
        loop {
            let found = self.rows("to look for old minutes", next, [function], |row| row.get::<_, Option<i64>>(0))?;
            let Some(&Some(found)) = found.first() else {
                removed.finished = true;
                return Ok(removed);
            };
            loop {
                let rows = self.execute("to remove old minutes", delete, params![found, before, FEW])?;
                removed.rows += rows as u64;
                if late() {
                    // Begun anew, the walk passes functions without old minutes quickly.
                    return Ok(removed);
                }
                if rows < FEW as usize {
                    let delete = "DELETE FROM hour WHERE function_id = ?1 AND hour < ?2 / 60";
                    self.execute("to remove old hours", delete, [found, before])?;
                    break;
                }
            }
            function = found;
        }
    }

    /// Removes runs that ended before `ended_ns` and have no rows left, with their books, and incidents that did.
    pub(crate) fn prune_runs(&self, ended_ns: i64, late: &mut dyn FnMut() -> bool) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        loop {
            let runs =
                self.rows("to look for old runs", EMPTY_RUNS, params![ended_ns, FEW], |row| row.get::<_, i64>(0))?;
            for run in &runs {
                for sql in OF_A_RUN {
                    self.execute("to remove an old run", sql, [run])?;
                }
                removed.rows += 1;
                if late() {
                    return Ok(removed);
                }
            }
            let incidents = self.execute("to remove old incidents", OLD_INCIDENTS, params![ended_ns, FEW])?;
            removed.rows += incidents as u64;
            if runs.len() < FEW as usize && incidents < FEW as usize {
                removed.finished = true;
                return Ok(removed);
            }
        }
    }

    /// Removes kinds of error without failures and functions that nothing names.
    pub(crate) fn prune_names(&self, late: &mut dyn FnMut() -> bool) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        for sql in [KINDS_OF_NOTHING, FUNCTIONS_OF_NOTHING] {
            loop {
                let rows = self.execute("to remove names of nothing", sql, [FEW])?;
                removed.rows += rows as u64;
                if late() {
                    return Ok(removed);
                }
                if rows < FEW as usize {
                    break;
                }
            }
        }
        removed.finished = true;
        Ok(removed)
    }

    /// Moves pages from the end of the file into free ones and cuts the file, until so many bytes are given back.
    pub(crate) fn vacuum(&self, bytes: u64, late: &mut dyn FnMut() -> bool) -> Result<Removed, StoreError> {
        let doing = StoreError::sqlite("to give room back");
        let pages = bytes.div_ceil(super::open::PAGE_BYTES.unsigned_abs());
        let pragma = format!("PRAGMA incremental_vacuum({pages})");
        let mut statement = self.connection().prepare(&pragma).map_err(&doing)?;
        // A row a page; a file that was not made for it gives none.
        let mut rows = statement.query([]).map_err(&doing)?;
        let mut removed = Removed::default();
        while rows.next().map_err(&doing)?.is_some() {
            removed.rows += 1;
            if late() {
                return Ok(removed);
            }
        }
        removed.finished = true;
        Ok(removed)
    }
}

impl Store {
    /// The room the tape takes.
    pub(crate) fn room(&self) -> Result<Room, StoreError> {
        let (used, free) = pages(&self.connection)?;
        Ok(Room { used, free, wal: self.wal_bytes()? })
    }
}

/// Bytes of pages that hold something, and of free ones.
fn pages(connection: &Connection) -> Result<(u64, u64), StoreError> {
    let number = |pragma: &str| {
        let mut statement = connection.prepare_cached(pragma)?;
        statement.query_row([], |row| row.get::<_, i64>(0)).optional().map(Option::unwrap_or_default)
    };
    let doing = StoreError::sqlite("to look at its size");
    let (all, free) = (number("PRAGMA page_count").map_err(&doing)?, number("PRAGMA freelist_count").map_err(&doing)?);
    let bytes = |pages: i64| (pages * super::open::PAGE_BYTES).unsigned_abs();
    Ok((bytes((all - free).max(0)), bytes(free)))
}

#[cfg(test)]
mod tests;
