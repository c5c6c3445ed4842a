//! The rollup: figures a function and minute, and a function and hour (`hours.rs`), so that an overview reads no calls. They are of all calls, whatever was
//! stored of them.
//! Gathered in memory while a batch is written, merged into the table at its end, inside the same transaction.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, Transaction, hours};
use crate::rollup::Latency;

/// Nanoseconds in a minute.
const MINUTE_NS: i64 = 60_000_000_000;

/// What a batch adds to one function's minute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delta {
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    pub(crate) sampled_out: u64,
    pub(crate) dropped: u64,
    pub(super) total_ns: u64,
    pub(super) span_ns: Option<(u64, u64)>,
    pub(super) latency: Latency,
}

impl Delta {
    fn call(&mut self, duration_ns: u64, failed: bool) {
        self.calls += 1;
        self.errors += u64::from(failed);
        self.total_ns = self.total_ns.saturating_add(duration_ns);
        self.span(duration_ns, duration_ns);
        self.latency.record(duration_ns);
    }

    /// Adds how long calls without a row took, which are counted elsewhere. Their shortest and longest are known by their
    /// buckets: too short, and too long, by 1/32 at most.
    pub(crate) fn without_row(&mut self, latency: &Latency, total_ns: u64) {
        self.total_ns = self.total_ns.saturating_add(total_ns);
        if let Some((low, high)) = latency.span() {
            let only = if latency.count() == 1 { total_ns.clamp(low, high) } else { low };
            self.span(only, if latency.count() == 1 { only } else { high });
        }
        self.latency.merge(latency);
    }

    pub(super) fn span(&mut self, low: u64, high: u64) {
        let (lowest, highest) = self.span_ns.unwrap_or((low, high));
        self.span_ns = Some((lowest.min(low), highest.max(high)));
    }
}

/// What a batch adds to all minutes.
#[derive(Debug, Default)]
pub(crate) struct Minutes {
    deltas: Vec<Delta>,
    places: HashMap<(i64, i64), usize>,
    /// Where the last call went; the next is often of the same function.
    recent: Option<((i64, i64), usize)>,
    /// The latest hour met; those before it are added up, as far as is known.
    hours_seen: Option<i64>,
}

impl Minutes {
    /// Forgets everything gathered.
    pub(crate) fn clear(&mut self) {
        self.deltas.clear();
        self.places.clear();
        self.recent = None;
    }

    /// Counts an ended call.
    pub(crate) fn call(&mut self, function: i64, ended_ns: i64, duration_ns: u64, failed: bool) {
        self.at(function, ended_ns).call(duration_ns, failed);
    }

    /// What is gathered for `function` and the minute of `at_ns`.
    pub(crate) fn at(&mut self, function: i64, at_ns: i64) -> &mut Delta {
        let key = (function, at_ns.div_euclid(MINUTE_NS));
        let place = match self.recent {
            Some((recent, place)) if recent == key => place,
            _ => *self.places.entry(key).or_insert_with(|| {
                self.deltas.push(Delta::default());
                self.deltas.len() - 1
            }),
        };
        self.recent = Some((key, place));
        &mut self.deltas[place]
    }

    /// Adds everything gathered to the tables, and adds up hours that are over.
    pub(crate) fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let connection = transaction.connection();
        let doing = StoreError::sqlite("to add to the minutes");
        let added_up = hours::added_up(connection).map_err(&doing)?;
        let mut latest = None;
        for (&(function, minute), &place) in &self.places {
            let delta = &mut self.deltas[place];
            let hour = minute.div_euclid(60);
            if added_up.is_some_and(|last| hour <= last) {
                add(connection, Grain::Hour, (function, hour), &mut delta.clone()).map_err(&doing)?;
            }
            add(connection, Grain::Minute, (function, minute), delta).map_err(&doing)?;
            latest = latest.max(Some(hour));
        }
        if let Some(latest) = latest.filter(|latest| self.hours_seen.is_none_or(|seen| *latest > seen)) {
            let is_done = hours::add_up(connection, added_up, latest).map_err(&doing)?;
            self.hours_seen = is_done.then_some(latest);
        }
        Ok(())
    }
}

/// The statement of both tables.
macro_rules! upsert {
    ($table:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (function_id, ",
            $table,
            ", calls, errors, sampled_out, dropped, total_ns, min_ns, max_ns, latency)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            ON CONFLICT (function_id, ",
            $table,
            ") DO UPDATE SET
                calls = calls + excluded.calls, errors = errors + excluded.errors,
                sampled_out = sampled_out + excluded.sampled_out, dropped = dropped + excluded.dropped,
                total_ns = total_ns + excluded.total_ns,
                min_ns = min(coalesce(min_ns, excluded.min_ns), coalesce(excluded.min_ns, min_ns)),
                max_ns = max(coalesce(max_ns, excluded.max_ns), coalesce(excluded.max_ns, max_ns)),
                latency = excluded.latency"
        )
    };
}

/// How long the time is that a row of the rollup is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    Minute,
    Hour,
}

impl Grain {
    /// The histogram of a function and time.
    fn stored(self) -> &'static str {
        match self {
            Self::Minute => "SELECT latency FROM minute WHERE function_id = ?1 AND minute = ?2",
            Self::Hour => "SELECT latency FROM hour WHERE function_id = ?1 AND hour = ?2",
        }
    }

    /// Adds to the figures of a function and time, and puts the histogram in the place of the one there.
    fn upsert(self) -> &'static str {
        match self {
            Self::Minute => upsert!("minute"),
            Self::Hour => upsert!("hour"),
        }
    }
}

/// Adds `delta` to the figures of a function and time. Its histogram is afterwards that of all.
pub(super) fn add(
    connection: &Connection,
    grain: Grain,
    (function, time): (i64, i64),
    delta: &mut Delta,
) -> rusqlite::Result<()> {
    let stored = connection.prepare_cached(grain.stored())?.query_row([function, time], |row| {
        let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
        // A histogram that cannot be read is begun anew: the counts beside it stay right.
        Ok(Latency::decode(bytes).unwrap_or_default())
    });
    if let Some(stored) = stored.optional()? {
        delta.latency.merge(&stored);
    }
    let (low, high) = delta.span_ns.map(|(low, high)| (as_stored(low), as_stored(high))).unzip();
    connection.prepare_cached(grain.upsert())?.execute(params![
        function,
        time,
        as_stored(delta.calls),
        as_stored(delta.errors),
        as_stored(delta.sampled_out),
        as_stored(delta.dropped),
        as_stored(delta.total_ns),
        low,
        high,
        delta.latency.encode()
    ])?;
    Ok(())
}

/// SQLite's integers are signed; what does not fit is as large as they get.
fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
