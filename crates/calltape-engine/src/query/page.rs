//! Calls a page at a time, in an order, each call once: `calltape find`, exports, the viewer and Python's iterators read
//! through [`Tape::calls`]. A page goes on after the last row of the one before, not after so many rows, so rows that
//! come or go in between move nothing.

use std::fmt;
use std::str::FromStr;

use super::cells::Cells;
use super::scan::{Candidate, Direction, Feed, Names, Plan, fetch_all};
use super::{Call, CallFilter, QueryError, Tape, slowest};

/// Rows a page looks at: some 50 ms of reading. A page that found nothing among them comes back empty and goes on.
const EXAMINED_A_PAGE: usize = 200_000;

/// Rows looked at before the rollup is asked where slow calls are: reading as many costs about as much as asking.
const EXAMINED_AT_FIRST: usize = 20_000;

/// What comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The greatest id, so nearly the latest start.
    #[default]
    NewestFirst,
    /// The smallest id.
    OldestFirst,
    /// The longest duration, of equals the greatest id; calls without a duration last.
    SlowestFirst,
}

/// Some of the calls that a filter finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The calls, in the order asked for.
    pub calls: Vec<Call>,
    /// Where the next page begins; `None` when there is none. There may be a next one though `calls` are fewer than
    /// asked for, or none at all: a page looks at a bounded number of rows.
    pub next: Option<Cursor>,
}

/// A place between two calls in an order. Its text is short; what it means is the tape's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The last call before it.
    pub(super) id: i64,
    /// That call's duration, -1 for none, in an order by durations.
    pub(super) duration: Option<i64>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.duration {
            None => write!(f, "{}", self.id),
            Some(duration) => write!(f, "{}.{}", self.id, duration.saturating_add(1)),
        }
    }
}

/// When a text is no [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorError;

impl fmt::Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no place to go on from: give what the page before ended with")
    }
}

impl std::error::Error for CursorError {}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let number = |text: &str| text.parse().ok().filter(|number: &i64| *number >= 0).ok_or(CursorError);
        match text.split_once('.') {
            None => Ok(Self { id: number(text)?, duration: None }),
            Some((id, duration)) => Ok(Self { id: number(id)?, duration: Some(number(duration)? - 1) }),
        }
    }
}

impl Tape {
    /// The first `limit` calls of `filter` in `order` that come after `after`, or fewer: see [`Page::next`]. By duration,
    /// a page looks at all that may be among the slowest, however many rows those are.
    ///
    /// # Errors
    /// When `after` is of another order, when the tape cannot be read, or not within the time limit.
    pub fn calls(
        &self,
        filter: &CallFilter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, QueryError> {
        self.calls_within(filter, order, after, limit, EXAMINED_A_PAGE)
    }

    /// [`Self::calls`] with another bound on the rows looked at.
    pub(super) fn calls_within(
        &self,
        filter: &CallFilter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
        examined: usize,
    ) -> Result<Page, QueryError> {
        if after.is_some_and(|after| after.duration.is_some() != (order == Order::SlowestFirst)) {
            return Err(QueryError::OtherOrder);
        }
        let limit = limit.max(1);
        self.read(|connection| {
            let plan = Plan::new(connection, filter)?;
            let names = Names::new(connection);
            let after = after.copied();
            match order {
                Order::NewestFirst => by_id(&plan, &names, Direction::Down, after, limit, examined),
                Order::OldestFirst => by_id(&plan, &names, Direction::Up, after, limit, examined),
                Order::SlowestFirst => slowest::page(&plan, &names, after, limit),
            }
        })
    }
}

/// A page of calls in the order of ids.
fn by_id(
    plan: &Plan<'_>,
    names: &Names<'_>,
    direction: Direction,
    after: Option<Cursor>,
    limit: usize,
    examined: usize,
) -> rusqlite::Result<Page> {
    let (mut first, mut last) = (plan.first, plan.last);
    match (direction, after) {
        (Direction::Down, Some(after)) => last = last.min(after.id.saturating_sub(1)),
        (Direction::Up, Some(after)) => first = first.max(after.id.saturating_add(1)),
        (_, None) => {}
    }
    let mut page = Growing { plan, names, limit, left: examined, calls: Vec::new(), found: Vec::new(), passed: None };
    let least = plan.residual.least_duration().filter(|ns| *ns > 0 && plan.is_by_function());
    // Where slow calls are frequent, they are found before the rollup is read.
    let at_first = if least.is_some() { EXAMINED_AT_FIRST.min(examined) } else { examined };
    page.left = at_first;
    let mut is_over = page.take(&mut plan.feed(names.connection, direction)?, first, last)?;
    if let Some(least) = least
        && !is_over
        && page.is_short()
    {
        page.left = examined - at_first;
        match (direction, page.passed) {
            (Direction::Down, Some(passed)) => last = passed - 1,
            (Direction::Up, Some(passed)) => first = passed + 1,
            (_, None) => {}
        }
        is_over = page.take_slow(least, direction, first, last)?;
    }
    page.finish(is_over)
}

/// A page while it is filled.
struct Growing<'p> {
    plan: &'p Plan<'p>,
    names: &'p Names<'p>,
    limit: usize,
    /// Rows that may still be looked at.
    left: usize,
    /// Calls read whole at once.
    calls: Vec<Call>,
    /// The ids of calls that are yet to be read.
    found: Vec<i64>,
    /// The last row looked at.
    passed: Option<i64>,
}

impl Growing<'_> {
    fn is_short(&self) -> bool {
        self.calls.len().max(self.found.len()) < self.limit
    }

    /// Takes what `feed` has from id `first` to id `last`, as far as there is room; whether that was all.
    fn take(&mut self, feed: &mut Feed<'_>, first: i64, last: i64) -> rusqlite::Result<bool> {
        let is_loose = self.plan.is_loose();
        feed.rows(first, last, |row| {
            // This row is left to the next page.
            if self.left == 0 || !self.is_short() {
                return Ok(false);
            }
            let row = Candidate::new(row, self.names)?;
            self.left -= 1;
            self.passed = Some(row.id);
            if self.plan.residual.is_met(&row)? {
                if is_loose {
                    self.calls.extend(row.call()?);
                } else {
                    self.found.push(row.id);
                }
            }
            Ok(true)
        })
    }

    /// [`Self::take`], of calls of `least` ns or more, where the rollup says some are.
    fn take_slow(&mut self, least: i64, direction: Direction, first: i64, last: i64) -> rusqlite::Result<bool> {
        let connection = self.names.connection;
        let cells = Cells::read(connection, &self.plan.functions(connection)?, self.plan, least)?;
        let (functions, mut ranges) = cells.of_all_functions(least);
        let mut feed = self.plan.feed_of(connection, &functions, direction)?;
        if direction == Direction::Down {
            ranges.reverse();
        }
        for (begin, end) in ranges {
            let (begin, end) = (begin.max(first), end.min(last));
            if begin <= end && !self.take(&mut feed, begin, end)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn finish(self, is_over: bool) -> rusqlite::Result<Page> {
        let next = self.passed.filter(|_| !is_over).map(|id| Cursor { id, duration: None });
        let calls = if self.plan.is_loose() { self.calls } else { fetch_all(self.names, &self.found)? };
        Ok(Page { calls, next })
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
