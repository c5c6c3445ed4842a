//! A row of `call` as a [`Call`]. Everything that shows a call reads its row here.

use calltape_record::Status;
use rusqlite::{Connection, Row};

use super::Names;
use crate::query::Call;
use crate::query::calls::unsigned;

/// Which columns of `call` are read; the others stand as NULL in their places. What stands behind the arguments in a row
/// costs a step over them, and what is not read costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) struct Columns(u16);

impl Columns {
    pub(in crate::query) const ALL: Self = Self((1 << NAMES.len()) - 1);
    pub(in crate::query) const ID: Self = Self::of(place::ID);
    pub(in crate::query) const FUNCTION: Self = Self::of(place::FUNCTION);
    pub(in crate::query) const THREAD: Self = Self::of(place::THREAD);
    pub(in crate::query) const STATUS: Self = Self::of(place::STATUS);
    pub(in crate::query) const STARTED: Self = Self::of(place::STARTED);
    pub(in crate::query) const DURATION: Self = Self::of(place::DURATION);
    pub(in crate::query) const PARENT: Self = Self::of(place::PARENT);
    pub(in crate::query) const ROOT: Self = Self::of(place::ROOT);
    pub(in crate::query) const WEIGHT: Self = Self::of(place::WEIGHT);
    pub(in crate::query) const ACTIVE: Self = Self::of(place::ACTIVE);
    pub(in crate::query) const YIELDS: Self = Self::of(place::YIELDS);
    pub(in crate::query) const TASK: Self = Self::of(place::TASK);
    pub(in crate::query) const ARGS: Self = Self::of(place::ARGS);
    pub(in crate::query) const RESULT: Self = Self::of(place::RESULT);

    const fn of(place: usize) -> Self {
        Self(1 << place)
    }

    /// These and those.
    pub(in crate::query) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These and, if so, those.
    pub(super) const fn and_if(self, condition: bool, others: Self) -> Self {
        if condition { self.and(others) } else { self }
    }

    /// The list of columns of `c`, always in the same places.
    pub(super) fn sql(self) -> String {
        let column = |(place, name): (usize, &&'static str)| if self.0 & (1 << place) > 0 { *name } else { "NULL" };
        NAMES.iter().enumerate().map(column).collect::<Vec<_>>().join(", ")
    }
}

/// The columns, in their places.
const NAMES: [&str; 14] = [
    "c.id",
    "c.function_id",
    "c.thread_id",
    "c.status",
    "c.started_ns",
    "c.duration_ns",
    "c.parent_id",
    "c.root_id",
    "c.weight",
    "c.active_ns",
    "c.yields",
    "c.task",
    "c.args",
    "c.result",
];

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
