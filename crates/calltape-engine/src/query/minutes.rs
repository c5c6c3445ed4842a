//! Figures over time and over durations, for sparklines and histograms. From the rollup where a filter names functions
//! and times only; what else it asks is asked of every call in its range.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use super::calls::unsigned;
use super::scan::{Candidate, Columns, Direction, Names, Plan, function_ids};
use super::{CallFilter, FunctionPattern, QueryError, Tape, TimeRange};
use crate::rollup::Latency;

/// One minute of one or more functions. Durations within 1.6 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinuteFigures {
    /// Unix time in minutes.
    pub minute: i64,
    /// Calls that ended in it, stored or only counted.
    pub calls: u64,
    /// Of these, the ones that raised.
    pub errors: u64,
    /// The durations added up, ns.
    pub total_ns: u64,
    /// Their median, ns.
    pub p50_ns: Option<u64>,
    /// What 95 % of them stay under, ns.
    pub p95_ns: Option<u64>,
    /// What 99 % of them stay under, ns.
    pub p99_ns: Option<u64>,
}

/// How long calls took, by buckets 1/32 wide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The buckets that are not empty, ascending.
    pub buckets: Vec<Bucket>,
    /// Calls in all of them.
    pub count: u64,
    /// The median, ns, within 1.6 %.
    pub p50_ns: Option<u64>,
    /// What 95 % stay under, ns, within 1.6 %.
    pub p95_ns: Option<u64>,
    /// What 99 % stay under, ns, within 1.6 %.
    pub p99_ns: Option<u64>,
    /// Whether it is of whole minutes, and of calls without a row as well; else of the rows alone, each with its weight.
    pub from_rollup: bool,
}

/// Calls of about one duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The shortest, ns.
    pub lower_ns: u64,
    /// The longest, ns.
    pub upper_ns: u64,
    /// How many.
    pub count: u64,
}

impl Histogram {
    fn of(latency: &Latency, from_rollup: bool) -> Self {
        let buckets = latency.buckets().map(|(lower_ns, upper_ns, count)| Bucket { lower_ns, upper_ns, count });
        Self {
            buckets: buckets.collect(),
            count: latency.count(),
            p50_ns: latency.quantile(0.50),
            p95_ns: latency.quantile(0.95),
            p99_ns: latency.quantile(0.99),
            from_rollup,
        }
    }
}

impl Tape {
    /// The figures of each minute in which calls of `functions` ended, the earliest first; a minute without one is left
    /// out. Whole minutes, as the rollup keeps them.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn minutes(
        &self,
        functions: Option<&FunctionPattern>,
        range: TimeRange,
    ) -> Result<Vec<MinuteFigures>, QueryError> {
        self.read(|connection| {
            let functions = functions.map(|pattern| pattern.function_ids(connection)).transpose()?;
            let mut sums: BTreeMap<i64, Sums> = BTreeMap::new();
            each_cell(connection, functions.as_deref(), range, |_, minute, cell| {
                sums.entry(minute).or_default().add(cell);
            })?;
            Ok(sums.into_iter().map(|(minute, sums)| sums.finish(minute)).collect())
        })
    }

    /// How long calls of `filter` took. Read from the rollup, in whole minutes by the calls' ends, where `filter` has
    /// functions, a group and a range only; else from every call it finds.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn latency(&self, filter: &CallFilter) -> Result<Histogram, QueryError> {
        self.read(|connection| {
            let mut latency = Latency::new();
            let from_rollup = filter.is_by_function();
            if from_rollup {
                let functions = function_ids(connection, filter)?;
                each_cell(connection, functions.as_deref(), filter.range, |_, _, cell| latency.merge(&cell.latency))?;
            } else {
                let (plan, names) = (Plan::new(connection, filter)?, Names::new(connection));
                let columns = Columns::DURATION.and(Columns::WEIGHT);
                plan.feed_to_decide(connection, Direction::Up, columns)?.rows(plan.first, plan.last, |row| {
                    let row = Candidate::new(row, &names)?;
                    if let Some(duration) = row.duration_ns()?
                        && plan.residual.is_met(&row)?
                    {
                        latency.record_times(unsigned(duration), row.weight()?);
                    }
                    Ok(true)
                })?;
            }
            Ok(Histogram::of(&latency, from_rollup))
        })
    }
}

/// A row of the rollup.
#[derive(Debug, Default)]
pub(super) struct Cell {
    /// Calls that ended, stored or only counted.
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) total_ns: u64,
    /// Of those that were timed; empty where it cannot be read.
    pub(super) latency: Latency,
}

/// All functions' cells, or one's: a seek for each function, whose key begins with it.
pub(super) const CELLS: &str =
    "SELECT m.function_id, m.minute, m.calls + m.sampled_out + m.dropped, m.errors, m.total_ns,
           m.latency
    FROM function f CROSS JOIN minute m ON m.function_id = f.id AND m.minute BETWEEN ?1 AND ?2";

/// Hands each cell of the functions and minutes to `each`, with its function and minute.
pub(super) fn each_cell(
    connection: &Connection,
    functions: Option<&[i64]>,
    range: TimeRange,
    mut each: impl FnMut(i64, i64, &Cell),
) -> rusqlite::Result<()> {
    let (first, last) = range.minutes();
    let mut read = |row: &Row<'_>| -> rusqlite::Result<()> {
        let figure = |column: usize| row.get::<_, i64>(column).map(unsigned);
        let latency = Latency::decode(row.get_ref(5)?.as_blob().unwrap_or_default()).unwrap_or_default();
        let cell = Cell { calls: figure(2)?, errors: figure(3)?, total_ns: figure(4)?, latency };
        each(row.get(0)?, row.get(1)?, &cell);
        Ok(())
    };
    let Some(functions) = functions else {
        let mut statement = connection.prepare_cached(CELLS)?;
        let mut rows = statement.query([first, last])?;
        while let Some(row) = rows.next()? {
            read(row)?;
        }
        return Ok(());
    };
    let mut statement = connection.prepare_cached(&format!("{CELLS} WHERE f.id = ?3"))?;
    for &function in functions {
        let mut rows = statement.query([first, last, function])?;
        while let Some(row) = rows.next()? {
            read(row)?;
        }
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Sums {
    calls: u64,
    errors: u64,
    total_ns: u64,
    latency: Latency,
}

impl Sums {
    fn add(&mut self, cell: &Cell) {
        self.calls += cell.calls;
        self.errors += cell.errors;
        self.total_ns = self.total_ns.saturating_add(cell.total_ns);
        self.latency.merge(&cell.latency);
    }

    fn finish(self, minute: i64) -> MinuteFigures {
        MinuteFigures {
            minute,
            calls: self.calls,
            errors: self.errors,
            total_ns: self.total_ns,
            p50_ns: self.latency.quantile(0.50),
            p95_ns: self.latency.quantile(0.95),
            p99_ns: self.latency.quantile(0.99),
        }
    }
}

#[cfg(test)]
mod tests;
