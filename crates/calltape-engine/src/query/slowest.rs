//! The slowest calls, exactly, without reading all calls.
//!
//! The rollup keeps each function's slowest call of every minute. The `n` minutes with the slowest ones hold `n` calls
//! of at least the `n`-th's duration T, so the slowest `n` calls are among those of T or more, and these all began in
//! minutes whose slowest took T or more. A filter may refuse some of them: then T is lowered, and in the end every row
//! is looked at.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::page::{Cursor, Page};
use super::range::{IdDistance, MINUTE_NS, TimeRange};
use super::scan::{Candidate, Direction, Names, Plan, Source, fetch_all, sql};
use super::{Call, CallFilter, Order, QueryError, Tape};

/// How much wider each attempt looks than the one before.
const WIDER: usize = 8;

/// Between the minute a call's end was counted in and what its row says of its end: less than this.
const SLACK_NS: i64 = 1_000_000;

impl Tape {
    /// The slowest `limit` calls of `filter`, the slowest first; those without a duration come last.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn slowest(&self, filter: &CallFilter, limit: usize) -> Result<Vec<Call>, QueryError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let (mut calls, mut after) = (Vec::new(), None);
        loop {
            let page = self.calls(filter, Order::SlowestFirst, after.as_ref(), limit - calls.len())?;
            calls.extend(page.calls);
            after = page.next;
            if after.is_none() || calls.len() >= limit {
                return Ok(calls);
            }
        }
    }
}

/// A duration, -1 for none, and a call's id: the order by durations.
type Key = (i64, i64);

/// A page of calls by duration: the greatest of all that come after the cursor.
pub(super) fn page(plan: &Plan<'_>, names: &Names<'_>, after: Option<Cursor>, limit: usize) -> rusqlite::Result<Page> {
    let mut slowest = Slowest {
        bound: after.map_or((i64::MAX, i64::MAX), |after| (after.duration.unwrap_or(-1), after.id)),
        least: 0,
        limit,
        keys: BTreeSet::new(),
        is_more: false,
    };
    if !plan.is_by_function() || !slowest.look_by_cells(plan, names)? {
        slowest.least = -1;
        slowest.is_more = false;
        plan.feed_to_decide(names.connection, Direction::Down)?
            .rows(plan.first, plan.last, |row| slowest.offer(plan, &Candidate::new(row, names)?))?;
    }
    let last = slowest.keys.first().filter(|_| slowest.is_more);
    let next = last.map(|&(duration, id)| Cursor { id, duration: Some(duration) });
    let ids: Vec<i64> = slowest.keys.iter().rev().map(|key| key.1).collect();
    Ok(Page { calls: fetch_all(names, &ids)?, next })
}

/// The slowest met so far.
struct Slowest {
    /// Only calls below it: those above are on earlier pages.
    bound: Key,
    /// Only calls of this duration or more.
    least: i64,
    limit: usize,
    keys: BTreeSet<Key>,
    /// Whether one was met that is not among `keys`.
    is_more: bool,
}

impl Slowest {
    /// Takes a row if it is one of the slowest.
    fn offer(&mut self, plan: &Plan<'_>, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        let key = (row.duration_ns()?.unwrap_or(-1), row.id);
        if key.0 < self.least || key >= self.bound || self.keys.contains(&key) {
            return Ok(true);
        }
        let is_slow = self.keys.len() < self.limit || self.keys.first().is_some_and(|slowest| key > *slowest);
        if (is_slow || !self.is_more) && plan.residual.is_met(row)? {
            self.is_more |= !is_slow;
            if is_slow {
                self.keys.insert(key);
            }
            if self.keys.len() > self.limit {
                self.keys.pop_first();
                self.is_more = true;
            }
        }
        Ok(true)
    }

    /// Looks where the rollup says; false where that does not decide it.
    fn look_by_cells(&mut self, plan: &Plan<'_>, names: &Names<'_>) -> rusqlite::Result<bool> {
        let least = plan.residual.least_duration();
        let functions = plan.functions(names.connection)?;
        let mut cells = Cells::read(names.connection, &functions, plan, least.unwrap_or(0))?;
        // Those of earlier pages promise nothing for this one.
        let passed = cells.cells.partition_point(|cell| cell.max_ns > self.bound.0);
        let mut looked_at = self.limit;
        while passed + looked_at < cells.cells.len() {
            self.least = cells.cells[passed + looked_at - 1].max_ns;
            self.look(plan, names, &cells.ranges(self.least))?;
            if self.keys.len() >= self.limit {
                self.is_more = true;
                return Ok(true);
            }
            looked_at = looked_at.saturating_mul(WIDER);
        }
        // With a least duration asked for, all that is left is few.
        let Some(least) = least else { return Ok(false) };
        self.least = least;
        self.look(plan, names, &cells.ranges(least))?;
        Ok(true)
    }

    fn look(&mut self, plan: &Plan<'_>, names: &Names<'_>, ranges: &[CellRange]) -> rusqlite::Result<()> {
        let sql = sql(Source::Function, Direction::Down, plan.residual.columns());
        let mut statement = names.connection.prepare_cached(&sql)?;
        for range in ranges {
            let mut rows = statement.query([range.first, range.last, range.function])?;
            while let Some(row) = rows.next()? {
                self.offer(plan, &Candidate::new(row, names)?)?;
            }
        }
        Ok(())
    }
}

/// One function's minute.
struct Cell {
    function: i64,
    minute: i64,
    max_ns: i64,
}

/// Ids of one function to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CellRange {
    function: i64,
    first: i64,
    last: i64,
}

/// The minutes of the functions asked for, the one with the slowest call first.
struct Cells {
    cells: Vec<Cell>,
    /// What no minute speaks for: calls whose minute was removed before they were, as that of an old error may be.
    uncovered: Vec<CellRange>,
    distance: IdDistance,
    first: i64,
    last: i64,
}

pub(super) const CELLS: &str =
    "SELECT minute, max_ns FROM minute WHERE function_id = ?1 AND minute >= ?2 AND max_ns >= ?3";

pub(super) const FIRST_MINUTE: &str = "SELECT min(minute) FROM minute WHERE function_id = ?1";

impl Cells {
    fn read(connection: &Connection, functions: &[i64], plan: &Plan<'_>, least: i64) -> rusqlite::Result<Self> {
        let distance = IdDistance::of(connection)?;
        let (first, last) = (plan.first, plan.last);
        let mut read = Self { cells: Vec::new(), uncovered: Vec::new(), distance, first, last };
        let (first_minute, _) = plan.residual.range().minutes();
        let mut statement = connection.prepare_cached(CELLS)?;
        let mut first_of = connection.prepare_cached(FIRST_MINUTE)?;
        for &function in functions {
            let covered: Option<i64> = first_of.query_row([function], |row| row.get(0))?;
            let until = covered.map(|minute| minute.saturating_mul(MINUTE_NS));
            read.uncovered.extend(read.range(function, None, until));
            let mut rows = statement.query(params![function, first_minute, least])?;
            while let Some(row) = rows.next()? {
                read.cells.push(Cell { function, minute: row.get(0)?, max_ns: row.get(1)? });
            }
        }
        read.cells.sort_unstable_by_key(|cell| std::cmp::Reverse(cell.max_ns));
        Ok(read)
    }

    /// The ids of a function's calls that began in a span of time, as far as the plan asks for them.
    fn range(&self, function: i64, since_ns: Option<i64>, until_ns: Option<i64>) -> Option<CellRange> {
        let ids = TimeRange { since_ns, until_ns }.ids_within(self.distance);
        let (first, last) = (ids.first.max(self.first), ids.last.min(self.last));
        (first <= last).then_some(CellRange { function, first, last })
    }

    /// Where calls of `least_ns` or more are, in ranges that do not overlap.
    fn ranges(&mut self, least_ns: i64) -> Vec<CellRange> {
        let slow = self.cells.iter().take_while(|cell| cell.max_ns >= least_ns);
        let mut of_function: BTreeMap<i64, Vec<CellRange>> = BTreeMap::new();
        let ranges = slow.filter_map(|cell| {
            let began = cell.minute.saturating_mul(MINUTE_NS);
            let (ended, slack) = (began.saturating_add(MINUTE_NS), SLACK_NS);
            // The minute is that of a call's end.
            let since = began.saturating_sub(cell.max_ns).saturating_sub(slack);
            self.range(cell.function, Some(since), Some(ended.saturating_add(slack)))
        });
        for range in ranges.chain(self.uncovered.iter().copied()) {
            of_function.entry(range.function).or_default().push(range);
        }
        of_function.into_values().flat_map(merge).collect()
    }
}

/// Joins the ranges of one function that touch.
fn merge(mut ranges: Vec<CellRange>) -> Vec<CellRange> {
    ranges.sort_unstable_by_key(|range| range.first);
    let mut merged: Vec<CellRange> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(before) if range.first <= before.last.saturating_add(1) => before.last = before.last.max(range.last),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
