//! The rollup: figures a function and minute, and a function and hour (`hours.rs`), so that an overview reads no calls.
//! They are of all calls, whatever was stored of them. Gathered in memory while a batch is written, merged into the table
//! at its end, inside the same transaction.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

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
#[derive(Debug)]
pub(crate) struct Minutes {
    deltas: Vec<Delta>,
    places: HashMap<(i64, i64), usize>,
    /// Where the last call of a function went, by the function's number: the next goes there as well.
    recent: [Option<((i64, i64), usize)>; RECENT],
    /// The histograms of the latest minute as they are in the table, so that they need not be read again.
    written: HashMap<i64, Latency>,
    written_minute: i64,
    /// The latest hour met; those before it are added up, as far as is known.
    hours_seen: Option<i64>,
}

/// Functions whose place is at hand: more are called often by few programs. A power of two.
const RECENT: usize = 128;

impl Default for Minutes {
    fn default() -> Self {
        Self {
            deltas: Vec::new(),
            places: HashMap::new(),
            recent: [None; RECENT],
            written: HashMap::new(),
            written_minute: i64::MIN,
            hours_seen: None,
        }
    }
}

impl Minutes {
    /// Forgets everything gathered. What is known of the tables stays: whoever drops a transaction drops the whole.
    pub(crate) fn clear(&mut self) {
        self.deltas.clear();
        self.places.clear();
        self.recent = [None; RECENT];
    }

    /// Counts an ended call.
    pub(crate) fn call(&mut self, function: i64, ended_ns: i64, duration_ns: u64, failed: bool) {
        self.at(function, ended_ns).call(duration_ns, failed);
    }

    /// What is gathered for `function` and the minute of `at_ns`.
    pub(crate) fn at(&mut self, function: i64, at_ns: i64) -> &mut Delta {
        let key = (function, at_ns.div_euclid(MINUTE_NS));
        let recent = &mut self.recent[function as usize % RECENT];
        let place = match *recent {
            Some((recent, place)) if recent == key => place,
            _ => *self.places.entry(key).or_insert_with(|| {
                self.deltas.push(Delta::default());
                self.deltas.len() - 1
            }),
        };
        *recent = Some((key, place));
        &mut self.deltas[place]
    }

    /// Adds everything gathered to the tables, and adds up hours that are over.
    pub(crate) fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Some(latest) = self.places.keys().map(|key| key.1).max() else { return Ok(()) };
        self.write_to(transaction.connection(), latest).map_err(StoreError::sqlite("to add to the minutes"))
    }

    fn write_to(&mut self, connection: &Connection, latest: i64) -> rusqlite::Result<()> {
        if latest > self.written_minute {
            self.written.clear();
            self.written_minute = latest;
        }
        let added_up = hours::added_up(connection)?;
        let mut minutes = Adding::to(connection, Grain::Minute)?;
        for (&(function, minute), &place) in &self.places {
            let delta = &mut self.deltas[place];
            let hour = minute.div_euclid(60);
            if added_up.is_some_and(|last| hour <= last) {
                Adding::to(connection, Grain::Hour)?.add((function, hour), delta, None)?;
            }
            let is_latest = minute == self.written_minute;
            let known = if is_latest { self.written.remove(&function) } else { None };
            let written = minutes.add((function, minute), delta, known)?;
            if is_latest {
                self.written.insert(function, written);
            }
        }
        let hour = latest.div_euclid(60);
        if self.hours_seen.is_none_or(|seen| hour > seen) {
            self.hours_seen = hours::add_up(connection, added_up, hour)?.then_some(hour);
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

/// The statements that add to the rows of a grain.
pub(super) struct Adding<'batch> {
    stored: CachedStatement<'batch>,
    upsert: CachedStatement<'batch>,
    bytes: Vec<u8>,
}

impl<'batch> Adding<'batch> {
    /// Prepares them.
    pub(super) fn to(connection: &'batch Connection, grain: Grain) -> rusqlite::Result<Self> {
        let (stored, upsert) = (connection.prepare_cached(grain.stored())?, connection.prepare_cached(grain.upsert())?);
        Ok(Self { stored, upsert, bytes: Vec::new() })
    }

    /// Adds `delta` to the figures of a function and time, whose histogram is `known` or else read: what it is now.
    pub(super) fn add(
        &mut self,
        (function, time): (i64, i64),
        delta: &Delta,
        known: Option<Latency>,
    ) -> rusqlite::Result<Latency> {
        let mut latency = match known {
            Some(known) => known,
            None => self.read(function, time)?,
        };
        latency.merge(&delta.latency);
        latency.encode_into(&mut self.bytes);
        let (low, high) = delta.span_ns.map(|(low, high)| (as_stored(low), as_stored(high))).unzip();
        self.upsert.execute(params![
            function,
            time,
            as_stored(delta.calls),
            as_stored(delta.errors),
            as_stored(delta.sampled_out),
            as_stored(delta.dropped),
            as_stored(delta.total_ns),
            low,
            high,
            self.bytes
        ])?;
        Ok(latency)
    }

    fn read(&mut self, function: i64, time: i64) -> rusqlite::Result<Latency> {
        let stored = self.stored.query_row([function, time], |row| {
            let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
            // A histogram that cannot be read is begun anew: the counts beside it stay right.
            Ok(Latency::decode(bytes).unwrap_or_default())
        });
        Ok(stored.optional()?.unwrap_or_default())
    }
}

/// SQLite's integers are signed; what does not fit is as large as they get.
fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
