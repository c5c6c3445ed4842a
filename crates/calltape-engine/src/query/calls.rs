//! Calls by id, and the latest of them. Pages of calls are next door, in `page.rs`.

use calltape_record::Status;

use super::scan::fetch;
use super::{CallFilter, Failure, Order, QueryError, Tape};

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
        let (mut calls, mut after) = (Vec::new(), None);
        while calls.len() < limit {
            let page = self.calls(filter, Order::NewestFirst, after.as_ref(), limit - calls.len())?;
            calls.extend(page.calls);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        calls.reverse();
        Ok(calls)
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

pub(super) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
