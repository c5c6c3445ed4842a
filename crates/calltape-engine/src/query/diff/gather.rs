//! One side's figures, function by function.

use std::collections::{BTreeMap, HashMap};

use calltape_record::Status;
use rusqlite::Connection;

use super::Side;
use crate::query::calls::{sql_id, unsigned};
use crate::query::minutes::each_cell;
use crate::query::scan::{Candidate, Direction, Names, Plan, function_ids};
use crate::query::{CallFilter, TimeRange};
use crate::rollup::Latency;

/// A function's calls on one side. Durations within 1.6 %.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Calls that ended, stored or only counted.
    pub calls: u64,
    /// Of these, the ones that raised.
    pub errors: u64,
    /// Calls whose duration is known.
    pub timed: u64,
    /// Their durations added up, ns.
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
    total_ns: f64,
    latency: Latency,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.total_ns += other.total_ns;
        self.latency.merge(&other.latency);
    }

    fn finish(&self) -> Figures {
        Figures {
            calls: self.calls.round() as u64,
            errors: self.errors.round() as u64,
            timed: self.latency.count(),
            total_ns: self.total_ns as u64,
            p50_ns: self.latency.quantile(0.50),
            p95_ns: self.latency.quantile(0.95),
            p99_ns: self.latency.quantile(0.99),
        }
    }
}

/// The figures of a side.
#[derive(Debug)]
pub(super) struct Gathered(BTreeMap<Key, Sums>);

impl Gathered {
    pub(super) fn of(connection: &Connection, side: &Side, filter: &CallFilter) -> rusqlite::Result<Self> {
        let mut by_id: HashMap<i64, Sums> = HashMap::new();
        match *side {
            Side::Range(range) if filter.is_by_function() => {
                let functions = function_ids(connection, filter)?;
                let range = both(range, filter.range);
                each_cell(connection, functions.as_deref(), range, |function, _, cell| {
                    let sums = by_id.entry(function).or_default();
                    sums.calls += cell.calls as f64;
                    sums.errors += cell.errors as f64;
                    sums.total_ns += cell.total_ns as f64;
                    sums.latency.merge(&cell.latency);
                })?;
            }
            Side::Range(range) => {
                rows(connection, &CallFilter { range: both(range, filter.range), ..filter.clone() }, &mut by_id)?;
            }
            Side::Run(run) => {
                rows(connection, &CallFilter { run_id: Some(run), ..filter.clone() }, &mut by_id)?;
                if filter.is_by_function() && filter.range == TimeRange::default() {
                    books(connection, run, &mut by_id)?;
                }
            }
        }
        let mut by_key: BTreeMap<Key, Sums> = BTreeMap::new();
        let names = Names::new(connection);
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

/// Adds up the calls of `filter` that have ended, row by row.
fn rows(connection: &Connection, filter: &CallFilter, by_id: &mut HashMap<i64, Sums>) -> rusqlite::Result<()> {
    let (plan, names) = (Plan::new(connection, filter)?, Names::new(connection));
    plan.feed_to_decide(connection, Direction::Up)?.rows(plan.first, plan.last, |row| {
        let row = Candidate::new(row, &names)?;
        let status = row.status()?;
        if matches!(status, Status::Running | Status::Interrupted) || !plan.residual.is_met(&row)? {
            return Ok(true);
        }
        let (sums, weight) = (by_id.entry(row.function_id()?).or_default(), row.weight()?);
        sums.calls += weight;
        sums.errors += if status == Status::Error { weight } else { 0.0 };
        if let Some(duration) = row.duration_ns()?.map(unsigned) {
            sums.total_ns += weight * duration as f64;
            sums.latency.record_times(duration, weight);
        }
        Ok(true)
    })
}

/// The calls of a run by its own books, exact at any sample rate, and the errors there was no room for. A function whose
/// rows are all gone counts as well.
const BOOKS: &str = "SELECT function_id, sum(stored + sampled_out + dropped), sum(dropped_errors) FROM run_function
    WHERE run_id = ?1 GROUP BY function_id";

fn books(connection: &Connection, run: u64, by_id: &mut HashMap<i64, Sums>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(BOOKS)?;
    let mut books = statement.query([sql_id(run)])?;
    while let Some(row) = books.next()? {
        let (calls, dropped_errors): (i64, i64) = (row.get(1)?, row.get(2)?);
        if let Some(sums) = by_id.get_mut(&row.get(0)?) {
            sums.calls = unsigned(calls) as f64;
            sums.errors += unsigned(dropped_errors) as f64;
        }
    }
    Ok(())
}
