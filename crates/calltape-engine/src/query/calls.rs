//! Calls by id, and the latest of them. Everything that shows a call reads its row through [`fetch`].

use calltape_record::Status;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::range::IdRange;
use super::{Failure, FunctionPattern, QueryError, Tape, TimeRange};

/// Which calls a question is about.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Only calls of these functions.
    pub pattern: Option<FunctionPattern>,
    /// Only calls that began in this range.
    pub range: TimeRange,
}

/// One call: a row of the view `calls`, without its traceback.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its id.
    pub id: u64,
    /// The call that made it.
    pub parent_id: Option<u64>,
    /// The outermost call of its tree; itself when nothing called it.
    pub root_id: u64,
    /// The function's name.
    pub function: String,
    /// The function's group.
    pub group: Option<String>,
    /// The function's kind: function, coroutine, generator, async_generator or span.
    pub kind: String,
    /// How it stands.
    pub status: Status,
    /// When it began, Unix ns.
    pub started_ns: i64,
    /// From call to end, ns; `None` while it runs and when it was interrupted.
    pub duration_ns: Option<u64>,
    /// Time inside the body, ns.
    pub active_ns: Option<u64>,
    /// Items a generator yielded.
    pub yields: Option<u64>,
    /// Its arguments, as JSON text: an object by parameter name, in the function's order; those that stood at their
    /// default are listed under `(defaults)`. `None`: not captured.
    pub args: Option<String>,
    /// Its result, as JSON text. `None`: none yet, or not captured.
    pub result: Option<String>,
    /// The type of what it raised.
    pub error_type: Option<String>,
    /// The message of what it raised.
    pub error_message: Option<String>,
    /// The thread's name.
    pub thread: String,
    /// The task's name.
    pub task: Option<String>,
    /// The process.
    pub pid: i64,
    /// The machine.
    pub host: String,
    /// The process's recording.
    pub run_id: u64,
    /// Calls this one stands for.
    pub weight: f64,
}

/// One call with all the tape knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CallDetail {
    /// The row.
    pub call: Call,
    /// The function's source file; empty where there is none.
    pub file: String,
    /// The function's first line in it; 0 where unknown.
    pub line: i64,
    /// The interpreter that ran it.
    pub python: String,
    /// The program that ran it.
    pub program: String,
    /// What it raised.
    pub failure: Option<Failure>,
}

impl Tape {
    /// The last `limit` calls of `filter`, oldest first.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn latest(&self, filter: &CallFilter, limit: usize) -> Result<Vec<Call>, QueryError> {
        self.read(|connection| {
            let range = filter.range.ids(connection)?;
            let mut ids = match &filter.pattern {
                None => latest_ids(connection, &range, limit)?,
                Some(pattern) => latest_ids_of(connection, pattern, &range, limit)?,
            };
            ids.reverse();
            fetch_all(connection, &ids)
        })
    }

    /// The call `id`; `None` when the tape has none.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn call(&self, id: u64) -> Result<Option<CallDetail>, QueryError> {
        self.read(|connection| {
            let Some(call) = fetch(connection, sql_id(id))? else { return Ok(None) };
            let (file, line, python, program) = connection.query_row(
                "SELECT f.file, f.line, r.python, r.program
                 FROM call c JOIN function f ON f.id = c.function_id JOIN thread t ON t.id = c.thread_id
                 JOIN run r ON r.id = t.run_id WHERE c.id = ?1",
                [sql_id(id)],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            let failure = Failure::fetch(connection, sql_id(id))?;
            Ok(Some(CallDetail { call, file, line, python, program, failure }))
        })
    }
}

/// An id as SQLite has it; ids are 63-bit.
pub(super) fn sql_id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// An id, count or duration as SQLite has it; the drain writes none below zero.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) const LATEST: &str = "SELECT id FROM call
    WHERE id BETWEEN ?1 AND ?2 AND started_ns BETWEEN ?3 AND ?4 ORDER BY id DESC LIMIT ?5";

pub(super) const LATEST_OF_FUNCTION: &str = "SELECT id FROM call
    WHERE function_id = ?6 AND id BETWEEN ?1 AND ?2 AND started_ns BETWEEN ?3 AND ?4 ORDER BY id DESC LIMIT ?5";

fn latest_ids(connection: &Connection, range: &IdRange, limit: usize) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached(LATEST)?
        .query_map(params![range.first, range.last, range.since_ns, range.until_ns, row_limit(limit)], |row| {
            row.get(0)
        })?
        .collect()
}

/// The newest of each function's newest: a seek a function, so a rare function is found as fast as a busy one.
fn latest_ids_of(
    connection: &Connection,
    pattern: &FunctionPattern,
    range: &IdRange,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let mut newest: Vec<i64> = Vec::new();
    let mut statement = connection.prepare_cached(LATEST_OF_FUNCTION)?;
    for function in pattern.function_ids(connection)? {
        let found = statement.query_map(
            params![range.first, range.last, range.since_ns, range.until_ns, row_limit(limit), function],
            |row| row.get::<_, i64>(0),
        )?;
        for id in found {
            newest.push(id?);
        }
        newest.sort_unstable_by(|a, b| b.cmp(a));
        newest.truncate(limit);
    }
    Ok(newest)
}

pub(super) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The rows of `ids`, in that order; an id without a row is left out.
pub(super) fn fetch_all(connection: &Connection, ids: &[i64]) -> rusqlite::Result<Vec<Call>> {
    let mut calls = Vec::with_capacity(ids.len());
    for &id in ids {
        calls.extend(fetch(connection, id)?);
    }
    Ok(calls)
}

/// The row of one call.
pub(super) fn fetch(connection: &Connection, id: i64) -> rusqlite::Result<Option<Call>> {
    connection.prepare_cached(BY_ID)?.query_row([id], read_call).optional()
}

pub(super) const BY_ID: &str = "SELECT c.id, c.parent_id, coalesce(c.root_id, c.id), f.name, f.group_name, f.kind,
           c.status, c.started_ns, c.duration_ns,
           coalesce(c.active_ns, CASE WHEN f.kind = 'function' THEN c.duration_ns END), c.yields,
           c.args, c.result, e.type, x.message, t.name, c.task, r.pid, r.host, t.run_id, coalesce(c.weight, 1.0)
    FROM call c
    JOIN function f ON f.id = c.function_id
    JOIN thread t ON t.id = c.thread_id
    JOIN run r ON r.id = t.run_id
    LEFT JOIN failure x ON x.call_id = c.id
    LEFT JOIN error e ON e.id = x.error_id
    WHERE c.id = ?1";

fn read_call(row: &Row<'_>) -> rusqlite::Result<Call> {
    let optional = |column: usize| row.get::<_, Option<i64>>(column).map(|value| value.map(unsigned));
    let group: String = row.get(4)?;
    let status: i64 = row.get(6)?;
    Ok(Call {
        id: unsigned(row.get(0)?),
        parent_id: optional(1)?,
        root_id: unsigned(row.get(2)?),
        function: row.get(3)?,
        group: Some(group).filter(|group| !group.is_empty()),
        kind: row.get(5)?,
        status: read_status(status),
        started_ns: row.get(7)?,
        duration_ns: optional(8)?,
        active_ns: optional(9)?,
        yields: optional(10)?,
        args: row.get(11)?,
        result: row.get(12)?,
        error_type: row.get(13)?,
        error_message: row.get(14)?,
        thread: row.get(15)?,
        task: row.get(16)?,
        pid: row.get(17)?,
        host: row.get(18)?,
        run_id: unsigned(row.get(19)?),
        weight: row.get(20)?,
    })
}

/// A stored status, read as the view `calls` reads it: what is unknown never ended.
fn read_status(number: i64) -> Status {
    u8::try_from(number).ok().and_then(|number| Status::try_from(number).ok()).unwrap_or(Status::Interrupted)
}

#[cfg(test)]
mod tests;
