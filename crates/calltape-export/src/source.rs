//! Where the calls come from: pages of a tape, oldest first unless asked otherwise, each read in a transaction of its own.
//!
//! Pages end by size as well as by number, so that calls with large arguments take no more memory than others. The end is
//! set before the first page: the youngest call the tape has then, or an export of a tape that is being written as fast
//! as it is read would never end.

use std::borrow::Borrow;

use calltape_engine::query::{Call, CallFilter, Cursor, Order, Page, QueryError, Tape};
use calltape_record::ids;

/// A call with its traceback.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) call: Call,
    pub(crate) traceback: Option<String>,
}

/// Calls a page has at most: enough that a page's transaction does not weigh, few enough that stopping is prompt.
const MOST_ROWS: usize = 4_096;

/// Calls of the first page, whose size is not known.
const FIRST_ROWS: usize = 256;

/// Calls a page has at least, were it of the largest arguments.
const FEWEST_ROWS: usize = 32;

/// Bytes of recorded text a page aims at.
const PAGE_BYTES: usize = 2 << 20;

/// Reads a tape page by page: its own, or one that is lent.
pub(crate) struct Source<T, F> {
    tape: T,
    filter: F,
    order: Order,
    /// Calls that may still come.
    left: usize,
    /// The ids of the first and the last call read, and of the youngest there is.
    first: Option<u64>,
    latest: u64,
    last: u64,
    next: Next,
    rows: usize,
}

/// Where the next page begins.
enum Next {
    First,
    After(Cursor),
    None,
}

impl<T: Borrow<Tape>, F: Borrow<CallFilter>> Source<T, F> {
    /// The calls of `filter` that `tape` has now, oldest first.
    pub(crate) fn new(tape: T, filter: F) -> Result<Self, QueryError> {
        Self::ordered(tape, filter, Order::OldestFirst, usize::MAX)
    }

    /// The first `most` of them in an order.
    pub(crate) fn ordered(tape: T, filter: F, order: Order, most: usize) -> Result<Self, QueryError> {
        let youngest = tape.borrow().calls(&CallFilter::default(), Order::NewestFirst, None, 1)?;
        let last = youngest.calls.first().map_or(0, |call| call.id);
        Ok(Self { tape, filter, order, left: most, first: None, latest: 0, last, next: Next::First, rows: FIRST_ROWS })
    }

    /// The next calls, perhaps none of those looked at; `None` when there are no more.
    pub(crate) fn next_page(&mut self) -> Result<Option<Vec<Row>>, QueryError> {
        let after = match &self.next {
            Next::First => None,
            Next::After(cursor) => Some(cursor),
            Next::None => return Ok(None),
        };
        if self.left == 0 {
            return Ok(None);
        }
        let most = self.rows.min(self.left);
        let Page { mut calls, next } = self.tape.borrow().calls(self.filter.borrow(), self.order, after, most)?;
        self.next = next.map_or(Next::None, Next::After);
        let found = calls.len();
        calls.retain(|call| call.id <= self.last);
        if calls.len() < found && self.order == Order::OldestFirst {
            self.next = Next::None;
        }
        self.left -= calls.len();
        let rows = self.with_tracebacks(calls)?;
        if let (Some(first), Some(latest)) = (rows.first(), rows.last()) {
            self.first.get_or_insert(first.call.id);
            self.latest = latest.call.id;
            let bytes: usize = rows.iter().map(size).sum();
            self.rows = (PAGE_BYTES / (bytes / rows.len()).max(1)).clamp(FEWEST_ROWS, MOST_ROWS);
        }
        Ok(Some(rows))
    }

    fn with_tracebacks(&self, calls: Vec<Call>) -> Result<Vec<Row>, QueryError> {
        let failed: Vec<u64> = calls.iter().filter(|call| call.error_type.is_some()).map(|call| call.id).collect();
        let mut tracebacks =
            if failed.is_empty() { Vec::new() } else { self.tape.borrow().tracebacks(&failed)? }.into_iter();
        let row = |call: Call| {
            let traceback = call.error_type.as_ref().and_then(|_| tracebacks.next().flatten());
            Row { call, traceback }
        };
        Ok(calls.into_iter().map(row).collect())
    }

    /// What the id of the youngest call stands for, Unix ns.
    pub(crate) fn last_ns(&self) -> i64 {
        ids::unix_ns(self.last)
    }

    /// How much of the ids from the first call to the last is behind: ids are nearly times.
    pub(crate) fn part(&self) -> f64 {
        let Some(first) = self.first else { return 0.0 };
        let whole = self.last.saturating_sub(first);
        if whole == 0 { 1.0 } else { self.latest.saturating_sub(first) as f64 / whole as f64 }
    }
}

/// Bytes of text in a row that differ from call to call.
fn size(row: &Row) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let call = &row.call;
    length(&call.args) + length(&call.result) + length(&call.error_message) + length(&row.traceback) + 200
}
