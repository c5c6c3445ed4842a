//! Which rows must be looked at for a filter: a range of ids, and the index with the fewest rows that holds them all.

use calltape_record::{Status, ids};
use rusqlite::Connection;

use super::{Columns, Direction, Feed, Residual, Source};
use crate::query::calls::sql_id;
use crate::query::filter::{CallFilter, TextPattern};
use crate::query::{FunctionPattern, TimeRange};

/// Walks that are merged at most. Beyond it the table is walked and each row's key looked at: so many functions are a
/// good part of the calls, and each walk costs a prepared statement.
const WALKS: usize = 256;

/// How the rows of one filter are found.
pub(in crate::query) struct Plan<'f> {
    source: Source,
    keys: Vec<i64>,
    /// The smallest id that can be of the filter.
    pub(in crate::query) first: i64,
    /// The greatest.
    pub(in crate::query) last: i64,
    /// What the rows must meet.
    pub(in crate::query) residual: Residual<'f>,
}

impl<'f> Plan<'f> {
    /// The plan for `filter`.
    pub(in crate::query) fn new(connection: &Connection, filter: &'f CallFilter) -> rusqlite::Result<Self> {
        let range = within_runs(connection, filter)?.ids(connection)?;
        let functions = function_ids(connection, filter)?;
        let (source, keys) = source(connection, filter, functions.as_deref())?;
        let first = match filter.root_id {
            // A tree's calls begin after its root, and their ids lie off their starts by so much at most.
            Some(root) => range.first.max(sql_id(root).saturating_sub(1 + range.distance_ns / ids::UNIT_NS)),
            None => range.first,
        };
        Ok(Self { source, keys, first, last: range.last, residual: Residual::new(filter, functions) })
    }

    /// Whether the rows are best read whole at once, as nearly all of them will do.
    pub(in crate::query) fn is_loose(&self) -> bool {
        self.residual.is_loose()
    }

    /// Whether the rows are found by their functions or not narrowed at all, so that the rollup speaks for them.
    pub(in crate::query) fn is_by_function(&self) -> bool {
        matches!(self.source, Source::All | Source::Function)
    }

    /// Whether another plan's rows are found along the same walks.
    pub(in crate::query) fn walks_as(&self, other: &Plan<'_>) -> bool {
        self.source == other.source && self.keys == other.keys
    }

    /// The functions whose calls are asked for.
    pub(in crate::query) fn functions(&self, connection: &Connection) -> rusqlite::Result<Vec<i64>> {
        match self.residual.functions() {
            Some(functions) => Ok(functions.to_vec()),
            None => connection.prepare_cached("SELECT id FROM function")?.query_map([], |row| row.get(0))?.collect(),
        }
    }

    /// The walks, with the columns that deciding needs and those of `more`.
    pub(in crate::query) fn feed_to_decide<'c>(
        &self,
        connection: &'c Connection,
        direction: Direction,
        more: Columns,
    ) -> rusqlite::Result<Feed<'c>> {
        Feed::prepare(connection, self.source, &self.keys, direction, self.columns(more))
    }

    /// Walks along the calls of `functions` only, or along the table where those are many.
    pub(in crate::query) fn feed_of<'c>(
        &self,
        connection: &'c Connection,
        functions: &[i64],
        direction: Direction,
    ) -> rusqlite::Result<Feed<'c>> {
        let source = if functions.len() <= WALKS { Source::Function } else { Source::All };
        Feed::prepare(connection, source, functions, direction, self.columns(Columns::ID))
    }

    /// The columns that deciding needs, and those of `more`.
    pub(in crate::query) fn columns(&self, more: Columns) -> Columns {
        self.residual.columns().and(more)
    }

    /// The walks, with the columns that deciding needs; all of them for a loose plan.
    pub(in crate::query) fn feed<'c>(
        &self,
        connection: &'c Connection,
        direction: Direction,
    ) -> rusqlite::Result<Feed<'c>> {
        if !self.is_loose() {
            return self.feed_to_decide(connection, direction, Columns::ID);
        }
        Feed::prepare(connection, self.source, &self.keys, direction, Columns::ALL)
    }
}

/// A run's calls may seem to have begun so long before it or after it, where the clock was set meanwhile.
const CLOCK_SET_NS: i64 = 60_000_000_000;

/// A run's or a process's times.
const RUN_TIMES: &str = "SELECT min(started_ns), CASE WHEN count(*) = count(ended_ns) THEN max(ended_ns) END FROM run
    WHERE id = coalesce(?1, id) AND pid = coalesce(?2, pid)";

/// The range asked for, as far as the run and the process asked for lived in it.
fn within_runs(connection: &Connection, filter: &CallFilter) -> rusqlite::Result<TimeRange> {
    let mut range = filter.range;
    if filter.run_id.is_none() && filter.pid.is_none() {
        return Ok(range);
    }
    let (began, ended): (Option<i64>, Option<i64>) = connection
        .prepare_cached(RUN_TIMES)?
        .query_row((filter.run_id.map(sql_id), filter.pid), |row| Ok((row.get(0)?, row.get(1)?)))?;
    // Of a run that is not there, no call is found anyway: the range stays as it is.
    range.since_ns = range.since_ns.max(began.map(|ns| ns.saturating_sub(CLOCK_SET_NS)));
    let ended = ended.map(|ns| ns.saturating_add(CLOCK_SET_NS));
    range.until_ns = [range.until_ns, ended].into_iter().flatten().min();
    Ok(range)
}

/// The functions that the filter's pattern and group name, ascending; `None` where that is all there are.
pub(in crate::query) fn function_ids(
    connection: &Connection,
    filter: &CallFilter,
) -> rusqlite::Result<Option<Vec<i64>>> {
    let mut ids = match (&filter.functions, &filter.group) {
        (None, None) => return Ok(None),
        (pattern, None) => pattern.as_ref().map(|pattern| pattern.function_ids(connection)).transpose()?,
        (pattern, Some(group)) => Some(ids_of_group(connection, pattern.as_ref(), group)?),
    }
    .unwrap_or_default();
    ids.sort_unstable();
    let all: i64 = connection.prepare_cached("SELECT count(*) FROM function")?.query_row([], |row| row.get(0))?;
    // Of a call whose function is lost, nothing is shown.
    Ok(Some(ids).filter(|ids| i64::try_from(ids.len()).is_ok_and(|count| count < all || all == 0)))
}

fn ids_of_group(
    connection: &Connection,
    pattern: Option<&FunctionPattern>,
    group: &TextPattern,
) -> rusqlite::Result<Vec<i64>> {
    let named = pattern.map(|pattern| pattern.function_ids(connection)).transpose()?;
    let mut ids = Vec::new();
    let mut statement = connection.prepare_cached("SELECT id, group_name FROM function WHERE group_name <> ''")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let is_named = named.as_ref().is_none_or(|named| named.contains(&id));
        if is_named && group.matches(row.get_ref(1)?.as_str()?) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The index whose rows are fewest: what one call made, what never ended, what raised one type, what one function did.
fn source(
    connection: &Connection,
    filter: &CallFilter,
    functions: Option<&[i64]>,
) -> rusqlite::Result<(Source, Vec<i64>)> {
    if let Some(parent) = filter.parent_id {
        return Ok((Source::Parent, vec![sql_id(parent)]));
    }
    let is_unfinished = |status: &Status| matches!(status, Status::Running | Status::Interrupted);
    if !filter.statuses.is_empty() && filter.statuses.iter().all(is_unfinished) {
        let mut keys: Vec<i64> = filter.statuses.iter().map(|&status| i64::from(status as u8)).collect();
        keys.sort_unstable();
        keys.dedup();
        return Ok((Source::Unfinished, keys));
    }
    if let Some(pattern) = &filter.error_type {
        let errors = error_ids(connection, pattern, functions)?;
        if errors.len() <= WALKS {
            return Ok((Source::Error, errors));
        }
    }
    match functions {
        Some(functions) if functions.len() <= WALKS => Ok((Source::Function, functions.to_vec())),
        _ => Ok((Source::All, Vec::new())),
    }
}

/// The kinds of error of a type that calls of the functions ended in.
fn error_ids(connection: &Connection, pattern: &TextPattern, functions: Option<&[i64]>) -> rusqlite::Result<Vec<i64>> {
    let mut ids = Vec::new();
    let mut statement = connection.prepare_cached("SELECT id, function_id, type FROM error")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let function: i64 = row.get(1)?;
        let is_named = functions.is_none_or(|functions| functions.binary_search(&function).is_ok());
        if is_named && pattern.matches_last_part(row.get_ref(2)?.as_str()?) {
            ids.push(row.get(0)?);
        }
    }
    Ok(ids)
}
