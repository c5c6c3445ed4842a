//! One side's figures, function by function.

use std::collections::{BTreeMap, HashMap};

use calltape_record::Status;
use rusqlite::Connection;

use super::Side;
use crate::query::calls::{sql_id, unsigned};
use crate::query::minutes::each_cell;
use crate::query::scan::{Candidate, Columns, Direction, Names, Plan, function_ids};
use crate::query::{CallFilter, TimeRange};
use crate::rollup::Latency;

/// A function's calls on one side. Durations within 1.6 %.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Calls that ended, stored or only counted.
    pub calls: u64,
    /// Of these, the ones that raised.
    pub errors: u64,
    /// Durations that are known: rows, of which each stands for its weight in what follows, or all calls by the rollup.
    pub timed: u64,
    /// Of a run, calls whose rows retention has removed. Those that are left are chosen by age and by how they ended, so
    /// that their durations would mislead: none is given then, and `errors` may be too few.
    pub removed: u64,
    /// The durations added up, ns.
    pub total_ns: u64,
    /// Their median, ns.
    pub p50_ns: Option<u64>,
    /// What 95 % of them stay under, ns.
    pub p95_ns: Option<u64>,
    /// What 99 % of them stay under, ns.
    pub p99_ns: Option<u64>,
}

impl Figures {
    /// The share of calls that raised, 0 to 1; `None` without calls.
    pub fn error_rate(&self) -> Option<f64> {
        (self.calls > 0).then(|| self.errors as f64 / self.calls as f64)
    }
}

/// What tells functions apart: an edited function stays the same, though its place changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) function: String,
    pub(super) group: String,
    pub(super) kind: String,
}

#[derive(Debug, Default)]
struct Sums {
    /// By weight, so not whole.
    calls: f64,
    errors: f64,
    timed: u64,
    removed: u64,
    total_ns: f64,
    latency: Latency,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.timed += other.timed;
        self.removed += other.removed;
        self.total_ns += other.total_ns;
        self.latency.merge(&other.latency);
    }

    fn add_row(&mut self, row: &Candidate<'_>, status: Status) -> rusqlite::Result<()> {
        let weight = row.weight()?;
        self.calls += weight;
        self.errors += if status == Status::Error { weight } else { 0.0 };
        if let Some(duration) = row.duration_ns()?.map(unsigned) {
            self.timed += 1;
            self.total_ns += weight * duration as f64;
            self.latency.record_times(duration, weight);
        }
        Ok(())
    }

    fn finish(&self) -> Figures {
        let counted = Figures {
            calls: self.calls.round() as u64,
            errors: self.errors.round() as u64,
            removed: self.removed,
            ..Figures::default()
        };
        if self.removed > 0 {
            return counted;
        }
        Figures {
            timed: self.timed,
            total_ns: self.total_ns as u64,
            p50_ns: self.latency.quantile(0.50),
            p95_ns: self.latency.quantile(0.95),
            p99_ns: self.latency.quantile(0.99),
            ..counted
        }
    }
}

/// The figures of a side.
#[derive(Debug)]
pub(super) struct Gathered(BTreeMap<Key, Sums>);

impl Gathered {
    /// Both sides.
    pub(super) fn of(connection: &Connection, sides: [&Side; 2], filter: &CallFilter) -> rusqlite::Result<[Self; 2]> {
        let mut sums = [HashMap::new(), HashMap::new()];
        let mut by_rows = Vec::new();
        for (place, side) in sides.into_iter().enumerate() {
            match *side {
                Side::Range(range) if filter.is_by_function() => {
                    cells(
                        connection,
                        &CallFilter { range: both(range, filter.range), ..filter.clone() },
                        &mut sums[place],
                    )?;
                }
                Side::Range(range) => {
                    by_rows.push((place, CallFilter { range: both(range, filter.range), ..filter.clone() }));
                }
                Side::Run(run) => by_rows.push((place, CallFilter { run_id: Some(run), ..filter.clone() })),
            }
        }
        rows(connection, &by_rows, &mut sums)?;
        for (side, sums) in sides.into_iter().zip(&mut sums) {
            if let Side::Run(run) = *side
                && filter.is_by_function()
                && filter.range == TimeRange::default()
            {
                books(connection, run, function_ids(connection, filter)?.as_deref(), sums)?;
            }
        }
        let names = Names::new(connection);
        let [a, b] = sums;
        Ok([Self::named(&names, a)?, Self::named(&names, b)?])
    }

    /// Joins the functions that are told apart by their places only.
    fn named(names: &Names<'_>, by_id: HashMap<i64, Sums>) -> rusqlite::Result<Self> {
        let mut by_key: BTreeMap<Key, Sums> = BTreeMap::new();
        for (id, sums) in by_id {
            if let Some(name) = names.function(id)? {
                let key = Key { function: name.name.clone(), group: name.group.clone(), kind: name.kind.clone() };
                by_key.entry(key).or_default().add(&sums);
            }
        }
        Ok(Self(by_key))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    /// A function's figures: zero where it was not called.
    pub(super) fn take(&mut self, key: &Key) -> Figures {
        self.0.remove(key).unwrap_or_default().finish()
    }

    /// All functions' figures.
    pub(super) fn total(&self) -> Figures {
        let mut total = Sums::default();
        self.0.values().for_each(|sums| total.add(sums));
        total.finish()
    }
}

/// What lies in both ranges.
fn both(one: TimeRange, two: TimeRange) -> TimeRange {
    let until = [one.until_ns, two.until_ns].into_iter().flatten().min();
    TimeRange { since_ns: one.since_ns.max(two.since_ns), until_ns: until }
}

/// Adds up the rollup of the functions and times of `filter`.
fn cells(connection: &Connection, filter: &CallFilter, by_id: &mut HashMap<i64, Sums>) -> rusqlite::Result<()> {
    let functions = function_ids(connection, filter)?;
    each_cell(connection, functions.as_deref(), filter.range, |function, _, cell| {
        let sums = by_id.entry(function).or_default();
        sums.calls += cell.calls as f64;
        sums.errors += cell.errors as f64;
        sums.timed += cell.latency.count();
        sums.total_ns += cell.total_ns as f64;
        sums.latency.merge(&cell.latency);
    })
}

/// Adds up the calls of each filter that have ended, row by row, in `sums` at its place. Filters whose calls lie in the
/// same time, as those of two processes that ran side by side, share one walk.
fn rows(
    connection: &Connection,
    filters: &[(usize, CallFilter)],
    sums: &mut [HashMap<i64, Sums>; 2],
) -> rusqlite::Result<()> {
    let mut plans = Vec::new();
    for (place, filter) in filters {
        plans.push((*place, Plan::new(connection, filter)?));
    }
    let overlap = matches!(&plans[..], [(_, a), (_, b)] if a.first <= b.last && b.first <= a.last && a.walks_as(b));
    let walks = if overlap { vec![&plans[..]] } else { plans.chunks(1).collect() };
    let names = Names::new(connection);
    for plans in walks {
        let Some((_, plan)) = plans.first() else { continue };
        let first = plans.iter().map(|(_, plan)| plan.first).min().unwrap_or(plan.first);
        let last = plans.iter().map(|(_, plan)| plan.last).max().unwrap_or(plan.last);
        let columns = Columns::STATUS.and(Columns::FUNCTION).and(Columns::DURATION).and(Columns::WEIGHT);
        let columns = plans.iter().fold(columns, |columns, (_, plan)| plan.columns(columns));
        plan.feed_to_decide(connection, Direction::Up, columns)?.rows(first, last, |row| {
            let row = Candidate::new(row, &names)?;
            let status = row.status()?;
            if matches!(status, Status::Running | Status::Interrupted) {
                return Ok(true);
            }
            for (place, plan) in plans {
                if plan.residual.is_met(&row)? {
                    sums[*place].entry(row.function_id()?).or_default().add_row(&row, status)?;
                }
            }
            Ok(true)
        })?;
    }
    Ok(())
}

/// The calls of a run by its own books, exact at any sample rate, and the errors there was no room for. A function whose
/// rows are all gone counts as well.
const BOOKS: &str = "SELECT function_id, sum(stored + sampled_out + dropped), sum(dropped_errors), sum(pruned)
    FROM run_function WHERE run_id = ?1 GROUP BY function_id";

/// The same of a tape of a version from which nothing was removed.
const BOOKS_OF_OLD: &str = "SELECT function_id, sum(stored + sampled_out + dropped), sum(dropped_errors), 0
    FROM run_function WHERE run_id = ?1 GROUP BY function_id";

/// The first version of a tape from which rows are removed.
const PRUNED_SINCE: i64 = 3;

fn books(
    connection: &Connection,
    run: u64,
    functions: Option<&[i64]>,
    by_id: &mut HashMap<i64, Sums>,
) -> rusqlite::Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(if version < PRUNED_SINCE { BOOKS_OF_OLD } else { BOOKS })?;
    let mut books = statement.query([sql_id(run)])?;
    while let Some(row) = books.next()? {
        let (function, calls, dropped_errors): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let removed = unsigned(row.get(3)?);
        let is_asked_for = functions.is_none_or(|functions| functions.binary_search(&function).is_ok());
        if is_asked_for && calls > 0 {
            let sums = by_id.entry(function).or_default();
            sums.calls = unsigned(calls) as f64;
            sums.errors += unsigned(dropped_errors) as f64;
            sums.removed += removed;
        }
    }
    Ok(())
}
