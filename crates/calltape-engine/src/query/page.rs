//! Calls a page at a time, in an order, each call once: `calltape find`, exports, the viewer and Python's iterators read
//! through [`Tape::calls`]. A page goes on after the last row of the one before, not after so many rows, so rows that
//! come or go in between move nothing.

use std::fmt;
use std::str::FromStr;

use super::scan::{Candidate, Direction, Names, Plan, fetch_all};
use super::{Call, CallFilter, QueryError, Tape, slowest};

/// Rows a page looks at: some 50 ms of reading. A page that found nothing among them comes back empty and goes on.
const EXAMINED_A_PAGE: usize = 200_000;

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
    mut examined: usize,
) -> rusqlite::Result<Page> {
    let (mut first, mut last) = (plan.first, plan.last);
    match (direction, after) {
        (Direction::Down, Some(after)) => last = last.min(after.id.saturating_sub(1)),
        (Direction::Up, Some(after)) => first = first.max(after.id.saturating_add(1)),
        (_, None) => {}
    }
    let (mut page, mut found, mut passed) = (Page::default(), Vec::new(), None);
    plan.feed(names.connection, direction)?.rows(first, last, |row| {
        let row = Candidate::new(row, names)?;
        // This row is left to the next page.
        if page.calls.len().max(found.len()) >= limit || examined == 0 {
            page.next = passed.map(|id| Cursor { id, duration: None });
            return Ok(false);
        }
        examined -= 1;
        passed = Some(row.id);
        if plan.residual.is_met(&row)? {
            if plan.is_loose() {
                page.calls.extend(row.call()?);
            } else {
                found.push(row.id);
            }
        }
        Ok(true)
    })?;
    if !plan.is_loose() {
        page.calls = fetch_all(names, &found)?;
    }
    Ok(page)
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
