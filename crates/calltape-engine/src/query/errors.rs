//! Errors, grouped by where they came from. The counts come from the index on `failure`; only failures near a range's
//! edge look at their call, and only the groups shown read a message. Errors there was no room for are counted by kind
//! elsewhere (`lost.rs`) and stand with those of their kind that have a row.

mod lost;

use std::cmp::Reverse;

use rusqlite::{Connection, Row, params};

use super::calls::unsigned;
use super::range::IdRange;
use super::{Failure, FunctionPattern, QueryError, Tape, TextPattern, TimeRange};
use crate::drain::ANY_MESSAGE;

/// Which errors a question is about.
#[derive(Debug, Clone, Default)]
pub struct ErrorFilter {
    /// Only errors of calls that began at this time or later, Unix ns.
    pub since_ns: Option<i64>,
    /// Only errors of calls that began at this time or before.
    pub until_ns: Option<i64>,
    /// Only errors of these types: by full name or by what follows its last dot.
    pub error_type: Option<TextPattern>,
    /// Only errors that ended calls of these functions.
    pub pattern: Option<FunctionPattern>,
    /// At most so many groups.
    pub limit: Option<usize>,
}

impl ErrorFilter {
    /// Whether errors of this type are asked for.
    fn is_of_type(&self, name: &str) -> bool {
        self.error_type.as_ref().is_none_or(|pattern| pattern.matches_last_part(name))
    }
}

/// Calls of one function that ended in the same type of exception, raised at the same place with messages of one form.
/// Cancelled calls are in none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorGroup {
    /// The exception's type with its module; builtins bare.
    pub error_type: String,
    /// The function whose calls ended in it.
    pub function: String,
    /// The file that raised it; empty where unknown.
    pub file: String,
    /// The line in it.
    pub line: i64,
    /// The function that raised it.
    pub place: String,
    /// What their messages have in common, with placeholders for what differs; [`ANY_MESSAGE`] where they were not told
    /// apart: beyond twenty forms, of those there was no room for, and on a tape of version 1 or 2.
    pub message_form: String,
    /// How many calls, stored or not.
    pub count: u64,
    /// Of these, those there was no room for: they were counted and have no row. Of a kind that was lost within a range
    /// of time, also those before it.
    pub lost: u64,
    /// When the first of them ended, Unix ns.
    pub first_seen_ns: i64,
    /// When the last of them ended, Unix ns.
    pub last_seen_ns: i64,
    /// The last one that has a row.
    pub last: Option<LastError>,
}

/// The last error of a group that has a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// Its call.
    pub call_id: u64,
    /// What it raised, with all it came from.
    pub failure: Failure,
}

impl Tape {
    /// The errors of `filter` in groups, the most frequent first.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn errors(&self, filter: &ErrorFilter) -> Result<Vec<ErrorGroup>, QueryError> {
        self.read(|connection| {
            let range = TimeRange { since_ns: filter.since_ns, until_ns: filter.until_ns }.ids(connection)?;
            let mut groups = Vec::new();
            for error_id in error_ids(connection, filter)? {
                groups.extend(count(connection, error_id, &range)?);
            }
            let mut lost = lost::read(connection, filter)?;
            lost.join(connection, &mut groups)?;
            groups.sort_by_key(|group| (Reverse(group.all()), Reverse(group.last)));
            let limit = filter.limit.unwrap_or(usize::MAX);
            groups.truncate(limit);
            let groups = groups.iter().map(|group| describe(connection, group));
            let mut groups = groups.collect::<rusqlite::Result<Vec<_>>>()?;
            groups.extend(lost.into_groups());
            // Stable: of as many, those with rows come first, the latest of them before the others.
            groups.sort_by_key(|group| Reverse(group.count));
            groups.truncate(limit);
            Ok(groups)
        })
    }
}

/// One row of `error` and its failures within a range.
struct Counted {
    error_id: i64,
    count: i64,
    first: i64,
    last: i64,
    /// Of the same kind, without a row.
    lost: Option<lost::Lost>,
}

impl Counted {
    fn all(&self) -> u64 {
        unsigned(self.count) + self.lost.as_ref().map_or(0, |lost| lost.calls)
    }
}

/// A walk along one error's part of the index; the bounds on ids hold every failure of the range, and those from `?3` to
/// `?6` are surely inside and need no look at their call.
pub(super) const COUNT: &str = "SELECT count(*), min(call_id), max(call_id) FROM failure AS x
    WHERE error_id = ?1 AND call_id >= ?2
        AND (call_id >= ?3 OR (SELECT started_ns FROM call WHERE id = x.call_id) >= ?4) AND call_id <= ?5
        AND (call_id <= ?6 OR (SELECT started_ns FROM call WHERE id = x.call_id) <= ?7)";

fn count(connection: &Connection, error_id: i64, range: &IdRange) -> rusqlite::Result<Option<Counted>> {
    connection.prepare_cached(COUNT)?.query_row(
        params![
            error_id,
            range.first,
            range.surely_since,
            range.since_ns,
            range.last,
            range.surely_until,
            range.until_ns
        ],
        |row| {
            let count = row.get(0)?;
            if count == 0 {
                return Ok(None);
            }
            Ok(Some(Counted { error_id, count, first: row.get(1)?, last: row.get(2)?, lost: None }))
        },
    )
}

/// The kinds of exception that ended calls in an error; what cancelled calls is none.
fn error_ids(connection: &Connection, filter: &ErrorFilter) -> rusqlite::Result<Vec<i64>> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    // A tape of version 1 holds no cancelled call.
    let errors = if version < 2 { "1" } else { "status = 1" };
    let mut ids = Vec::new();
    let mut add = |row: &Row<'_>| -> rusqlite::Result<()> {
        if filter.is_of_type(row.get_ref(1)?.as_str()?) {
            ids.push(row.get(0)?);
        }
        Ok(())
    };
    let Some(pattern) = &filter.pattern else {
        let mut all = connection.prepare_cached(&format!("SELECT id, type FROM error WHERE {errors}"))?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            add(row)?;
        }
        return Ok(ids);
    };
    let sql = format!("SELECT id, type FROM error WHERE function_id = ?1 AND {errors}");
    let mut of_function = connection.prepare_cached(&sql)?;
    for function in pattern.function_ids(connection)? {
        let mut rows = of_function.query([function])?;
        while let Some(row) = rows.next()? {
            add(row)?;
        }
    }
    Ok(ids)
}

fn describe(connection: &Connection, group: &Counted) -> rusqlite::Result<ErrorGroup> {
    let ended_ns = |call: i64| -> rusqlite::Result<i64> {
        connection
            .prepare_cached("SELECT started_ns + coalesce(duration_ns, 0) FROM call WHERE id = ?1")?
            .query_row([call], |row| row.get(0))
    };
    let failure = Failure::fetch(connection, group.last)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let form = if version < lost::SINCE_VERSION { format!("'{ANY_MESSAGE}'") } else { "e.form".to_owned() };
    connection
        .prepare_cached(&format!(
            "SELECT e.type, f.name, e.file, e.line, e.place, {form} FROM error e JOIN function f ON f.id = e.function_id
             WHERE e.id = ?1",
        ))?
        .query_row([group.error_id], |row| {
            let (first, last) = (ended_ns(group.first)?, ended_ns(group.last)?);
            let lost = group.lost.as_ref();
            Ok(ErrorGroup {
                error_type: row.get(0)?,
                function: row.get(1)?,
                file: row.get(2)?,
                line: row.get(3)?,
                place: row.get(4)?,
                message_form: row.get(5)?,
                count: group.all(),
                lost: lost.map_or(0, |lost| lost.calls),
                first_seen_ns: lost.map_or(first, |lost| first.min(lost.first_ns)),
                last_seen_ns: lost.map_or(last, |lost| last.max(lost.last_ns)),
                last: Some(LastError { call_id: unsigned(group.last), failure }),
            })
        })
}

#[cfg(test)]
mod tests;
