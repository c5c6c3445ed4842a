//! The overview: each function's calls, errors and latency. Reads `minute` and nothing else of size, so its cost grows
//! with functions and minutes, never with calls.

use std::collections::HashMap;

use rusqlite::{Connection, Row};

use super::{FunctionPattern, QueryError, Tape, TimeRange};
use crate::rollup::Latency;

/// What an overview is of.
#[derive(Debug, Clone, Default)]
pub struct OverviewFilter {
    /// Only calls that ended in the minute of this time (Unix ns) or later: whole minutes, as the rollup keeps them.
    pub since_ns: Option<i64>,
    /// Only calls that ended in the minute of this time or before, likewise.
    pub until_ns: Option<i64>,
    /// Only these functions.
    pub pattern: Option<FunctionPattern>,
    /// What to sort by.
    pub sort: OverviewColumn,
    /// At most so many functions.
    pub limit: Option<usize>,
}

/// A column an overview can be sorted by: figures greatest first, names from a to z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OverviewColumn {
    /// The function's name.
    Name,
    /// Its calls.
    Calls,
    /// Its errors.
    Errors,
    /// Its median.
    P50,
    /// What 95 % of its calls stay under.
    P95,
    /// What 99 % of its calls stay under.
    P99,
    /// The time spent in it.
    #[default]
    Total,
    /// Its fastest call.
    Min,
    /// Its slowest call.
    Max,
}

/// One function over a range of time. Durations are of all its calls that were timed, stored or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Its name.
    pub function: String,
    /// Its group.
    pub group: Option<String>,
    /// Its kind: function, coroutine, generator, async_generator or span.
    pub kind: String,
    /// Calls that ended, stored or only counted.
    pub calls: u64,
    /// Of these, the stored.
    pub stored: u64,
    /// Of these, the ones sampling left out.
    pub sampled_out: u64,
    /// Of these, the ones there was no room for.
    pub dropped: u64,
    /// Calls whose duration is known: all, but for those without a row that an earlier version recorded, or that beyond
    /// a thousand functions a process had no room to time.
    pub timed: u64,
    /// Calls that raised, stored or not.
    pub errors: u64,
    /// The durations added up, ns.
    pub total_ns: u64,
    /// The fastest, ns; where it has no row, too fast by 1/32 at most.
    pub min_ns: Option<u64>,
    /// The slowest, ns; where it has no row, too slow by 1/32 at most.
    pub max_ns: Option<u64>,
    /// Median, ns, within 1.6 %.
    pub p50_ns: Option<u64>,
    /// 95th percentile, ns, within 1.6 %.
    pub p95_ns: Option<u64>,
    /// 99th percentile, ns, within 1.6 %.
    pub p99_ns: Option<u64>,
}

impl Overview {
    /// Whether all calls were timed, so that `total_ns` is a sum and no estimate.
    pub fn is_complete(&self) -> bool {
        self.calls <= self.timed
    }

    /// The time spent in all calls, ns: the sum of those that were timed, scaled up by the others.
    pub fn estimated_total_ns(&self) -> u64 {
        if self.is_complete() || self.timed == 0 {
            return self.total_ns;
        }
        (self.total_ns as f64 * (self.calls as f64 / self.timed as f64)) as u64
    }
}

/// The functions an overview found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OverviewPage {
    /// Sorted and limited.
    pub functions: Vec<Overview>,
    /// How many there are without the limit.
    pub matching: usize,
    /// Minutes whose histogram could not be read; their calls are counted but missing from the percentiles.
    pub damaged_minutes: u64,
}

impl Tape {
    /// The functions called, with their figures.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn overview(&self, filter: &OverviewFilter) -> Result<OverviewPage, QueryError> {
        self.read(|connection| {
            let mut page = OverviewPage::default();
            let mut gathered = HashMap::new();
            gather(connection, filter, &mut gathered, &mut page.damaged_minutes)?;
            page.functions = gathered.into_iter().map(|(key, sums)| sums.finish(key)).collect();
            page.matching = page.functions.len();
            sort(&mut page.functions, filter.sort);
            page.functions.truncate(filter.limit.unwrap_or(usize::MAX));
            Ok(page)
        })
    }
}

/// What tells functions apart in an overview: an edited function keeps its line in it, though its place changed.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    function: String,
    group: String,
    kind: String,
}

#[derive(Debug, Default)]
struct Sums {
    calls: u64,
    timed: u64,
    errors: u64,
    sampled_out: u64,
    dropped: u64,
    total_ns: u64,
    min_ns: Option<u64>,
    max_ns: Option<u64>,
    latency: Latency,
}

/// The join order is fixed: a seek into `minute` for each function, whose key begins with it.
pub(super) const BY_FUNCTION: &str = "SELECT f.name, f.group_name, f.kind, m.calls, m.errors, m.sampled_out, m.dropped,
           m.total_ns, m.min_ns, m.max_ns, m.latency
    FROM function f CROSS JOIN minute m ON m.function_id = f.id AND m.minute BETWEEN ?1 AND ?2";

/// The same of hours.
pub(super) const BY_HOUR: &str = "SELECT f.name, f.group_name, f.kind, m.calls, m.errors, m.sampled_out, m.dropped,
           m.total_ns, m.min_ns, m.max_ns, m.latency
    FROM function f CROSS JOIN hour m ON m.function_id = f.id AND m.hour BETWEEN ?1 AND ?2";

/// What narrows both to one function.
pub(super) const OF_ONE: &str = " WHERE f.id = ?3";

/// The first version of a tape that has hours.
const HOURS_SINCE: i64 = 3;

/// What is read: statements with the times they are asked for. Whole hours as far as they are added up, and minutes before
/// and after them.
fn parts(connection: &Connection, first: i64, last: i64) -> rusqlite::Result<Vec<(&'static str, i64, i64)>> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let added_up: Option<i64> = match version {
        HOURS_SINCE.. => connection.query_row("SELECT max(hour) FROM hour", [], |row| row.get(0))?,
        _ => None,
    };
    // The hours that are asked for as a whole. No call ended before 1970.
    let first_hour = (first.max(0) - 1).div_euclid(60) + 1;
    let last_hour = last.saturating_add(1).div_euclid(60) - 1;
    let Some(last_hour) = added_up.map(|added_up| added_up.min(last_hour)).filter(|last| *last >= first_hour) else {
        return Ok(vec![(BY_FUNCTION, first, last)]);
    };
    let before = (BY_FUNCTION, first, first_hour * 60 - 1);
    let after = (BY_FUNCTION, (last_hour + 1) * 60, last);
    Ok(vec![before, (BY_HOUR, first_hour, last_hour), after])
}

fn gather(
    connection: &Connection,
    filter: &OverviewFilter,
    gathered: &mut HashMap<Key, Sums>,
    damaged: &mut u64,
) -> rusqlite::Result<()> {
    let (first, last) = TimeRange { since_ns: filter.since_ns, until_ns: filter.until_ns }.minutes();
    let mut each = |row: &Row<'_>| -> rusqlite::Result<()> {
        let key = Key { function: row.get(0)?, group: row.get(1)?, kind: row.get(2)? };
        *damaged += u64::from(!gathered.entry(key).or_default().add(row)?);
        Ok(())
    };
    let functions = filter.pattern.as_ref().map(|pattern| pattern.function_ids(connection)).transpose()?;
    for (sql, first, last) in parts(connection, first, last)? {
        let Some(functions) = &functions else {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([first, last])?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            continue;
        };
        let mut statement = connection.prepare_cached(&format!("{sql}{OF_ONE}"))?;
        for &function in functions {
            let mut rows = statement.query([first, last, function])?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
        }
    }
    Ok(())
}

impl Sums {
    /// Adds one minute; false when its histogram cannot be read.
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let figure = |column: usize| row.get::<_, Option<i64>>(column).map(|value| value.map(|v| v.max(0) as u64));
        self.calls += figure(3)?.unwrap_or(0);
        self.errors += figure(4)?.unwrap_or(0);
        self.sampled_out += figure(5)?.unwrap_or(0);
        self.dropped += figure(6)?.unwrap_or(0);
        self.total_ns = self.total_ns.saturating_add(figure(7)?.unwrap_or(0));
        self.min_ns = [self.min_ns, figure(8)?].into_iter().flatten().min();
        self.max_ns = self.max_ns.max(figure(9)?);
        let bytes = row.get_ref(10)?.as_blob().unwrap_or_default();
        match Latency::decode(bytes) {
            Ok(minute) => {
                self.timed += minute.count();
                self.latency.merge(&minute);
                Ok(true)
            }
            Err(_) => {
                // Its durations are added up all the same, at least those of the stored calls.
                self.timed += figure(3)?.unwrap_or(0);
                Ok(false)
            }
        }
    }

    fn finish(self, key: Key) -> Overview {
        // A bucket's middle can lie outside the fastest and the slowest call.
        let within = |value: u64| match (self.min_ns, self.max_ns) {
            (Some(min), Some(max)) if min <= max => value.clamp(min, max),
            _ => value,
        };
        let quantile = |part: f64| self.latency.quantile(part).map(within);
        Overview {
            function: key.function,
            group: Some(key.group).filter(|group| !group.is_empty()),
            kind: key.kind,
            calls: self.calls + self.sampled_out + self.dropped,
            stored: self.calls,
            sampled_out: self.sampled_out,
            dropped: self.dropped,
            timed: self.timed,
            errors: self.errors,
            total_ns: self.total_ns,
            min_ns: self.min_ns,
            max_ns: self.max_ns,
            p50_ns: quantile(0.50),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
        }
    }
}

/// Sorts by `column`; equals by name, so that the same tape always reads the same.
fn sort(functions: &mut [Overview], column: OverviewColumn) {
    let figure = |row: &Overview| match column {
        OverviewColumn::Name => None,
        OverviewColumn::Calls => Some(row.calls),
        OverviewColumn::Errors => Some(row.errors),
        OverviewColumn::P50 => row.p50_ns,
        OverviewColumn::P95 => row.p95_ns,
        OverviewColumn::P99 => row.p99_ns,
        OverviewColumn::Total => Some(row.estimated_total_ns()),
        OverviewColumn::Min => row.min_ns,
        OverviewColumn::Max => row.max_ns,
    };
    functions.sort_by(|a, b| {
        figure(b).cmp(&figure(a)).then_with(|| a.function.cmp(&b.function)).then_with(|| a.group.cmp(&b.group))
    });
}

#[cfg(test)]
mod tests;
