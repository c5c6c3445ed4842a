//! Where slow calls are: the functions and minutes whose slowest call the rollup says was slow, as ranges of ids. Used to
//! find the slowest calls, and those slower than something, without reading the others.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::range::{IdDistance, MINUTE_NS, TimeRange};
use super::scan::Plan;

/// Between the minute a call's end was counted in and what its row says of its end: less than this.
const SLACK_NS: i64 = 1_000_000;

/// One function's minute.
struct Cell {
    function: i64,
    minute: i64,
    max_ns: i64,
}

/// Ids of one function to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellRange {
    pub(super) function: i64,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// The minutes of the functions asked for, the one with the slowest call first.
pub(super) struct Cells {
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
    pub(super) fn read(
        connection: &Connection,
        functions: &[i64],
        plan: &Plan<'_>,
        least: i64,
    ) -> rusqlite::Result<Self> {
        let distance = IdDistance::of(connection)?;
        let (first, last) = (plan.first, plan.last);
        let mut read = Self { cells: Vec::new(), uncovered: Vec::new(), distance, first, last };
        let (first_minute, _) = plan.residual.range().minutes();
        let mut statement = connection.prepare_cached(CELLS)?;
        let mut first_of = connection.prepare_cached(FIRST_MINUTE)?;
        for &function in functions {
            let covered: Option<i64> = first_of.query_row([function], |row| row.get(0))?;
            let until = covered.map(|minute| minute.saturating_mul(MINUTE_NS));
            if let Some(range) = read.range(function, None, until) {
                read.uncovered.extend(filled(connection, range)?);
            }
            let mut rows = statement.query(params![function, first_minute, least])?;
            while let Some(row) = rows.next()? {
                read.cells.push(Cell { function, minute: row.get(0)?, max_ns: row.get(1)? });
            }
        }
        read.cells.sort_unstable_by_key(|cell| std::cmp::Reverse(cell.max_ns));
        Ok(read)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// How many have a call slower than that.
    pub(super) fn count_above(&self, ns: i64) -> usize {
        self.cells.partition_point(|cell| cell.max_ns > ns)
    }

    /// The duration of the slowest call of the cell at `place`.
    pub(super) fn slowest_of(&self, place: usize) -> i64 {
        self.cells[place].max_ns
    }

    /// The ids of a function's calls that began in a span of time, as far as the plan asks for them.
    fn range(&self, function: i64, since_ns: Option<i64>, until_ns: Option<i64>) -> Option<CellRange> {
        let ids = TimeRange { since_ns, until_ns }.ids_within(self.distance);
        let (first, last) = (ids.first.max(self.first), ids.last.min(self.last));
        (first <= last).then_some(CellRange { function, first, last })
    }

    /// Where calls of `least_ns` or more are, in ranges that do not overlap.
    pub(super) fn ranges(&self, least_ns: i64) -> Vec<CellRange> {
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

impl Cells {
    /// The functions with calls of `least_ns` or more, and the ranges all of these are in, ascending.
    pub(super) fn of_all_functions(&self, least_ns: i64) -> (Vec<i64>, Vec<(i64, i64)>) {
        let ranges = self.ranges(least_ns);
        let mut functions: Vec<i64> = ranges.iter().map(|range| range.function).collect();
        functions.dedup();
        let all = merge(ranges.into_iter().map(|range| CellRange { function: 0, ..range }).collect());
        (functions, all.into_iter().map(|range| (range.first, range.last)).collect())
    }
}

pub(super) const FIRST_CALL: &str =
    "SELECT id FROM call WHERE function_id = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id LIMIT 1";

pub(super) const LAST_CALL: &str =
    "SELECT id FROM call WHERE function_id = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id DESC LIMIT 1";

/// The part of a range from its first call to its last; `None` where it has none.
fn filled(connection: &Connection, range: CellRange) -> rusqlite::Result<Option<CellRange>> {
    let CellRange { function, first, last } = range;
    let seek = |sql| connection.prepare_cached(sql)?.query_row([function, first, last], |row| row.get(0)).optional();
    let (first, last) = (seek(FIRST_CALL)?, seek(LAST_CALL)?);
    Ok(first.zip(last).map(|(first, last)| CellRange { function, first, last }))
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
