//! The slowest calls, exactly, without reading all calls.
//!
//! The rollup keeps each function's slowest call of every minute. The `n` minutes with the slowest ones hold `n` calls
//! of at least the `n`-th's duration T, so the slowest `n` calls are among those of T or more, and these all began in
//! minutes whose slowest took T or more. A filter may refuse some of them: then T is lowered, and in the end every row
//! is looked at.

use std::collections::BTreeSet;

use super::cells::{CellRange, Cells};
use super::page::{Cursor, Page};
use super::scan::{Candidate, Columns, Direction, Names, Plan, Source, fetch_all, sql};
use super::{Call, CallFilter, Order, QueryError, Tape};

/// How much wider each attempt looks than the one before.
const WIDER: usize = 8;

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
        plan.feed_to_decide(names.connection, Direction::Down, Columns::DURATION)?.rows(
            plan.first,
            plan.last,
            |row| slowest.offer(plan, &Candidate::new(row, names)?),
        )?;
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
        let cells = Cells::read(names.connection, &functions, plan, least.unwrap_or(0))?;
        // Those of earlier pages promise nothing for this one.
        let passed = cells.count_above(self.bound.0);
        let mut looked_at = self.limit;
        while passed + looked_at < cells.len() {
            self.least = cells.slowest_of(passed + looked_at - 1);
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
        let sql = sql(Source::Function, Direction::Down, plan.columns(Columns::DURATION));
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

#[cfg(test)]
mod tests;
