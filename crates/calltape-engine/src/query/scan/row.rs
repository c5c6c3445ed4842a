//! A row of `call` as a [`Call`]. Everything that shows a call reads its row here.

use calltape_record::Status;
use rusqlite::{Connection, Row};

use super::Names;
use crate::query::Call;
use crate::query::calls::unsigned;

/// Which of the columns that may be long are read; the others stand as NULL in their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) struct Columns {
    pub(in crate::query) task: bool,
    pub(in crate::query) args: bool,
    pub(in crate::query) result: bool,
}

impl Columns {
    pub(in crate::query) const ALL: Self = Self { task: true, args: true, result: true };
    pub(in crate::query) const SHORT: Self = Self { task: false, args: false, result: false };

    /// The list of columns of `c`, always in the same places.
    pub(super) fn sql(self) -> String {
        let column = |is_read, name| if is_read { name } else { "NULL" };
        format!(
            "c.id, c.function_id, c.thread_id, c.status, c.started_ns, c.duration_ns, c.parent_id, c.root_id, c.weight,
             c.active_ns, c.yields, {}, {}, {}",
            column(self.task, "c.task"),
            column(self.args, "c.args"),
            column(self.result, "c.result")
        )
    }
}

/// Places in the list of columns.
pub(super) mod place {
    pub(in super::super) const ID: usize = 0;
    pub(in super::super) const FUNCTION: usize = 1;
    pub(in super::super) const THREAD: usize = 2;
    pub(in super::super) const STATUS: usize = 3;
    pub(in super::super) const STARTED: usize = 4;
    pub(in super::super) const DURATION: usize = 5;
    pub(in super::super) const PARENT: usize = 6;
    pub(in super::super) const ROOT: usize = 7;
    pub(in super::super) const WEIGHT: usize = 8;
    pub(in super::super) const ACTIVE: usize = 9;
    pub(in super::super) const YIELDS: usize = 10;
    pub(in super::super) const TASK: usize = 11;
    pub(in super::super) const ARGS: usize = 12;
    pub(in super::super) const RESULT: usize = 13;
}

/// One row by its id, all columns.
pub(in crate::query) const BY_ID: &str =
    "SELECT c.id, c.function_id, c.thread_id, c.status, c.started_ns, c.duration_ns, c.parent_id, c.root_id, c.weight,
            c.active_ns, c.yields, c.task, c.args, c.result
     FROM call c WHERE c.id = ?1";

/// The rows of `ids`, in that order; an id without a row is left out.
pub(in crate::query) fn fetch_all(names: &Names<'_>, ids: &[i64]) -> rusqlite::Result<Vec<Call>> {
    let mut statement = names.connection.prepare_cached(BY_ID)?;
    let mut calls = Vec::with_capacity(ids.len());
    for &id in ids {
        let mut rows = statement.query([id])?;
        if let Some(row) = rows.next()? {
            calls.extend(read_call(row, names)?);
        }
    }
    Ok(calls)
}

/// The row of one call.
pub(in crate::query) fn fetch(connection: &Connection, id: i64) -> rusqlite::Result<Option<Call>> {
    Ok(fetch_all(&Names::new(connection), &[id])?.pop())
}

/// A row of [`Columns::ALL`] as a call; `None` where its function or thread is lost, as the view `calls` has it.
pub(super) fn read_call(row: &Row<'_>, names: &Names<'_>) -> rusqlite::Result<Option<Call>> {
    let optional = |place: usize| row.get::<_, Option<i64>>(place).map(|value| value.map(unsigned));
    let Some(function) = names.function(row.get(place::FUNCTION)?)? else { return Ok(None) };
    let Some(thread) = names.thread(row.get(place::THREAD)?)? else { return Ok(None) };
    let id: i64 = row.get(place::ID)?;
    let status = read_status(row.get(place::STATUS)?);
    let raised = if may_have_raised(status) { names.raised(id)? } else { None };
    let (error_type, error_message) =
        raised.map(|raised| (raised.error_type.as_ref().to_owned(), raised.message)).unzip();
    let duration_ns = optional(place::DURATION)?;
    let own_time = if function.kind == "function" { duration_ns } else { None };
    Ok(Some(Call {
        id: unsigned(id),
        parent_id: optional(place::PARENT)?,
        root_id: optional(place::ROOT)?.unwrap_or(unsigned(id)),
        function: function.name.clone(),
        group: Some(function.group.clone()).filter(|group| !group.is_empty()),
        kind: function.kind.clone(),
        status,
        started_ns: row.get(place::STARTED)?,
        duration_ns,
        active_ns: optional(place::ACTIVE)?.or(own_time),
        yields: optional(place::YIELDS)?,
        args: row.get(place::ARGS)?,
        result: row.get(place::RESULT)?,
        error_type,
        error_message,
        thread: thread.name.clone(),
        task: row.get(place::TASK)?,
        pid: thread.pid,
        host: thread.host.clone(),
        run_id: unsigned(thread.run_id),
        weight: row.get::<_, Option<f64>>(place::WEIGHT)?.unwrap_or(1.0),
    }))
}

/// Whether a call that stands so can have a row in `failure`: the drain writes one for what raised and what was
/// cancelled.
pub(super) fn may_have_raised(status: Status) -> bool {
    matches!(status, Status::Error | Status::Cancelled)
}

/// A stored status, read as the view `calls` reads it: what is unknown never ended.
pub(super) fn read_status(number: i64) -> Status {
    u8::try_from(number).ok().and_then(|number| Status::try_from(number).ok()).unwrap_or(Status::Interrupted)
}
