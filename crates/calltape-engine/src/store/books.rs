//! The books: runs, their functions and threads, the absolute figures of each function, and how far each segment is.
//! Called by the drain inside its transaction. Every figure written is absolute, so writing it twice changes nothing.

use calltape_record::{FunctionDef, ThreadEvent};
use rusqlite::{OptionalExtension, Params, params};

use super::{StoreError, Transaction};

/// Who a run is, for the table `run`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunRow {
    pub(crate) id: u64,
    pub(crate) pid: u32,
    pub(crate) host: String,
    pub(crate) program: String,
    pub(crate) python: String,
    pub(crate) started_ns: i64,
}

/// A run that has not ended, and the process that records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenRun {
    pub(crate) id: u64,
    pub(crate) pid: u32,
    pub(crate) host: String,
    /// Unix ns.
    pub(crate) started_ns: i64,
}

/// One function's figures in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BooksRow {
    pub(crate) calls: u64,
    pub(crate) stored: u64,
    pub(crate) sampled_out: u64,
    pub(crate) dropped: u64,
    pub(crate) dropped_errors: u64,
}

/// How far a segment is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CursorRow {
    pub(crate) segment: u32,
    pub(crate) epoch: u32,
    pub(crate) offset: usize,
    /// The thread whose frames stand there.
    pub(crate) thread: Option<i64>,
}

/// A function of a run: its slot, its number and its definition.
pub(crate) type StoredFunction = (u32, (i64, FunctionDef));

impl Transaction<'_> {
    pub(super) fn execute(&self, doing: &'static str, sql: &str, values: impl Params) -> Result<usize, StoreError> {
        let doing = StoreError::sqlite(doing);
        let mut statement = self.connection().prepare_cached(sql).map_err(&doing)?;
        statement.execute(values).map_err(&doing)
    }

    fn number(&self, doing: &'static str, sql: &str, values: impl Params) -> Result<Option<i64>, StoreError> {
        let doing = StoreError::sqlite(doing);
        let mut statement = self.connection().prepare_cached(sql).map_err(&doing)?;
        statement.query_row(values, |row| row.get(0)).optional().map_err(&doing)
    }

    pub(super) fn rows<T>(
        &self,
        doing: &'static str,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let doing = StoreError::sqlite(doing);
        let mut statement = self.connection().prepare_cached(sql).map_err(&doing)?;
        statement.query_map(values, read).and_then(Iterator::collect).map_err(&doing)
    }

    /// Makes sure that the run is known.
    pub(crate) fn put_run(&self, run: &RunRow) -> Result<(), StoreError> {
        let values = params![run.id as i64, run.pid, run.host, run.program, run.python, run.started_ns];
        let sql = "INSERT OR IGNORE INTO run (id, pid, host, program, python, started_ns, seen_ns)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
        self.execute("to store a run", sql, values).map(drop)
    }

    /// Notes the time of a run's latest event.
    pub(crate) fn see_run(&self, run: u64, seen_ns: i64) -> Result<(), StoreError> {
        let sql = "UPDATE run SET seen_ns = ?2 WHERE id = ?1 AND seen_ns < ?2";
        self.execute("to store a run's time", sql, params![run as i64, seen_ns]).map(drop)
    }

    /// Ends a run, with its last event as its end unless `ended_ns` says better. A run that has ended stays as it is.
    pub(crate) fn end_run(&self, run: u64, ended_ns: Option<i64>, ending: &str) -> Result<(), StoreError> {
        let sql = "UPDATE run SET ended_ns = coalesce(?2, seen_ns), ending = ?3 WHERE id = ?1 AND ending IS NULL";
        self.execute("to end a run", sql, params![run as i64, ended_ns, ending]).map(drop)
    }

    /// The runs that have not ended.
    pub(crate) fn open_runs(&self) -> Result<Vec<OpenRun>, StoreError> {
        let sql = "SELECT id, pid, host, started_ns FROM run WHERE ending IS NULL";
        self.rows("to list runs", sql, [], |row| {
            let id = row.get::<_, i64>(0)? as u64;
            Ok(OpenRun { id, pid: row.get(1)?, host: row.get(2)?, started_ns: row.get(3)? })
        })
    }

    /// Marks every running call of a run as interrupted: how many for each function.
    pub(crate) fn interrupt_calls(&self, run: u64) -> Result<Vec<(i64, u64)>, StoreError> {
        // The index's own condition must stand in the query, or SQLite reads the whole table.
        let sql = "UPDATE call INDEXED BY call_unfinished SET status = 6, duration_ns = NULL
                   WHERE status >= 5 AND status = 5 AND thread_id IN (SELECT id FROM thread WHERE run_id = ?1) RETURNING function_id";
        let functions = self.rows("to mark interrupted calls", sql, [run as i64], |row| row.get::<_, i64>(0))?;
        let mut counts: Vec<(i64, u64)> = Vec::new();
        for function in functions {
            match counts.iter_mut().find(|(known, _)| *known == function) {
                Some((_, count)) => *count += 1,
                None => counts.push((function, 1)),
            }
        }
        Ok(counts)
    }

    /// The functions of a run by slot, but for the names it withholds, which are not stored.
    pub(crate) fn functions(&self, run: u64) -> Result<Vec<StoredFunction>, StoreError> {
        let sql = "SELECT slot, id, name, group_name, kind, file, line, parameters
                   FROM run_function JOIN function ON id = function_id WHERE run_id = ?1";
        self.rows("to read a run's functions", sql, [run as i64], |row| {
            let definition = FunctionDef {
                name: row.get(2)?,
                group: row.get(3)?,
                kind: row.get(4)?,
                file: row.get(5)?,
                line: row.get(6)?,
                parameters: serde_json::from_str(&row.get::<_, String>(7)?).unwrap_or_default(),
                sensitive_fields: Vec::new(),
            };
            Ok((row.get(0)?, (row.get(1)?, definition)))
        })
    }

    /// The number of a function, new or known.
    pub(crate) fn function_number(&self, function: &FunctionDef) -> Result<i64, StoreError> {
        let parameters = serde_json::to_string(&function.parameters).unwrap_or_else(|_| "[]".to_owned());
        let FunctionDef { name, group, kind, file, line, .. } = function;
        let values = params![name, group, kind, file, line, parameters];
        let doing = "to store a function";
        let insert = "INSERT OR IGNORE INTO function (name, group_name, kind, file, line, parameters)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.execute(doing, insert, values)?;
        let select = "SELECT id FROM function WHERE name = ?1 AND group_name = ?2 AND kind = ?3 AND file = ?4
                      AND line = ?5 AND parameters = ?6";
        Ok(self.number(doing, select, values)?.unwrap_or_default())
    }

    /// The number of a thread of a run, new or known.
    pub(crate) fn thread_number(&self, run: u64, thread: &ThreadEvent) -> Result<i64, StoreError> {
        let values = params![run as i64, thread.ident as i64, thread.native_id as i64, thread.name];
        let doing = "to store a thread";
        let insert = "INSERT OR IGNORE INTO thread (run_id, ident, native_id, name) VALUES (?1, ?2, ?3, ?4)";
        self.execute(doing, insert, values)?;
        let select = "SELECT id FROM thread WHERE run_id = ?1 AND ident = ?2 AND native_id = ?3 AND name = ?4";
        Ok(self.number(doing, select, values)?.unwrap_or_default())
    }

    /// The threads of a run, with their numbers.
    pub(crate) fn threads(&self, run: u64) -> Result<Vec<(i64, ThreadEvent)>, StoreError> {
        let sql = "SELECT id, ident, native_id, name FROM thread WHERE run_id = ?1";
        self.rows("to read threads", sql, [run as i64], |row| {
            let ident = row.get::<_, i64>(1)? as u64;
            Ok((row.get(0)?, ThreadEvent { ident, native_id: row.get::<_, i64>(2)? as u64, name: row.get(3)? }))
        })
    }

    /// The figures of a run, by slot.
    pub(crate) fn books(&self, run: u64) -> Result<Vec<(u32, BooksRow)>, StoreError> {
        let sql =
            "SELECT slot, calls, stored, sampled_out, dropped, dropped_errors FROM run_function WHERE run_id = ?1";
        self.rows("to read the books", sql, [run as i64], |row| {
            let at = |column| row.get::<_, i64>(column).map(|figure| figure as u64);
            let books = BooksRow {
                calls: at(1)?,
                stored: at(2)?,
                sampled_out: at(3)?,
                dropped: at(4)?,
                dropped_errors: at(5)?,
            };
            Ok((row.get(0)?, books))
        })
    }

    /// Writes one function's figures.
    pub(crate) fn put_books(&self, run: u64, slot: u32, function: i64, books: &BooksRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO run_function
                       (run_id, slot, function_id, calls, stored, sampled_out, dropped, dropped_errors, pruned)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)
                   ON CONFLICT (run_id, slot) DO UPDATE SET calls = excluded.calls, stored = excluded.stored,
                       sampled_out = excluded.sampled_out, dropped = excluded.dropped,
                       dropped_errors = excluded.dropped_errors";
        let values = params![
            run as i64,
            slot,
            function,
            books.calls as i64,
            books.stored as i64,
            books.sampled_out as i64,
            books.dropped as i64,
            books.dropped_errors as i64
        ];
        self.execute("to keep the books", sql, values).map(drop)
    }

    /// Adds calls that became interrupted to what is stored of a function in a run that is gone.
    pub(crate) fn add_stored(&self, run: u64, function: i64, count: u64) -> Result<(), StoreError> {
        let sql = "UPDATE run_function SET stored = stored + ?3 WHERE run_id = ?1 AND slot =
                   (SELECT min(slot) FROM run_function WHERE run_id = ?1 AND function_id = ?2)";
        self.execute("to keep the books", sql, params![run as i64, function, count as i64]).map(drop)
    }

    /// Raises the calls of a run that has ended to what is known of them: a process that dies between storing a call
    /// and counting it has not counted it.
    pub(crate) fn balance_books(&self, run: u64) -> Result<(), StoreError> {
        let sql = "UPDATE run_function SET calls = stored + sampled_out + dropped
                   WHERE run_id = ?1 AND calls < stored + sampled_out + dropped";
        self.execute("to close the books", sql, [run as i64]).map(drop)
    }

    /// How far each segment of a run is.
    pub(crate) fn cursors(&self, run: u64) -> Result<Vec<CursorRow>, StoreError> {
        let sql = "SELECT segment, epoch, offset, thread_id FROM cursor WHERE run_id = ?1";
        self.rows("to read cursors", sql, [run as i64], |row| {
            let offset = row.get::<_, i64>(2)?;
            Ok(CursorRow {
                segment: row.get(0)?,
                epoch: row.get(1)?,
                offset: usize::try_from(offset).unwrap_or(0),
                thread: row.get(3)?,
            })
        })
    }

    /// Notes how far a segment is.
    pub(crate) fn put_cursor(&self, run: u64, cursor: &CursorRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO cursor (run_id, segment, epoch, offset, thread_id) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (run_id, segment) DO UPDATE SET epoch = excluded.epoch, offset = excluded.offset,
                       thread_id = excluded.thread_id";
        let values = params![run as i64, cursor.segment, cursor.epoch, cursor.offset as i64, cursor.thread];
        self.execute("to keep a cursor", sql, values).map(drop)
    }

    /// Forgets the cursors and tallies of a run whose journal is gone.
    pub(crate) fn drop_cursors(&self, run: u64) -> Result<(), StoreError> {
        self.drop_tallies(run)?;
        self.execute("to drop cursors", "DELETE FROM cursor WHERE run_id = ?1", [run as i64]).map(drop)
    }

    /// The runs of which something is kept for as long as their journal is there: cursors, tallies.
    pub(crate) fn runs_with_cursors(&self) -> Result<Vec<u64>, StoreError> {
        let sql = "SELECT run_id FROM cursor UNION SELECT run_id FROM tally";
        self.rows("to list cursors", sql, [], |row| row.get::<_, i64>(0).map(|id| id as u64))
    }

    /// The ENDs of a run that wait for their START.
    pub(crate) fn early_ends(&self, run: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let sql = "SELECT call_id, payload FROM early_end WHERE run_id = ?1";
        self.rows("to read early ends", sql, [run as i64], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))
    }

    /// Forgets the ENDs of a run whose START will never come.
    pub(crate) fn drop_early_ends(&self, run: u64) -> Result<(), StoreError> {
        self.execute("to drop early ends", "DELETE FROM early_end WHERE run_id = ?1", [run as i64]).map(drop)
    }

    /// How far ids lie before and after their calls' starts, at most seen.
    pub(crate) fn id_distance(&self) -> Result<(i64, i64), StoreError> {
        let rows = self.rows("to read the tape's facts", "SELECT id_lead_ns, id_lag_ns FROM tape", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.first().copied().unwrap_or_default())
    }

    /// Widens that distance.
    pub(crate) fn put_id_distance(&self, lead_ns: i64, lag_ns: i64) -> Result<(), StoreError> {
        let sql = "UPDATE tape SET id_lead_ns = max(id_lead_ns, ?1), id_lag_ns = max(id_lag_ns, ?2)";
        self.execute("to store the tape's facts", sql, [lead_ns, lag_ns]).map(drop)
    }

    /// The highest call id there is.
    pub(crate) fn highest_id(&self) -> Result<u64, StoreError> {
        let sql = "SELECT max(coalesce((SELECT max(id) FROM call), 0), coalesce((SELECT max(id) FROM run), 0))";
        Ok(self.number("to read the highest id", sql, [])?.unwrap_or_default() as u64)
    }
}
