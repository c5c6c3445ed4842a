//! The rollup: figures a function and minute, so that an overview reads no calls. They are of all calls, whatever was
//! stored of them.
//! Gathered in memory while a batch is written, merged into the table at its end, inside the same transaction.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::{StoreError, Transaction};
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
    total_ns: u64,
    span_ns: Option<(u64, u64)>,
    latency: Latency,
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

    fn span(&mut self, low: u64, high: u64) {
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

    /// Adds everything gathered to the table.
    pub(crate) fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("to add to the minutes");
        let connection = transaction.connection();
        let mut select = connection
            .prepare_cached("SELECT latency FROM minute WHERE function_id = ?1 AND minute = ?2")
            .map_err(&doing)?;
        let mut upsert = connection.prepare_cached(UPSERT).map_err(&doing)?;
        let mut bytes = Vec::new();
        for (&(function, minute), &place) in &self.places {
            let delta = &mut self.deltas[place];
            let stored = select
                .query_row([function, minute], |row| {
                    let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
                    // A histogram that cannot be read is begun anew: the counts beside it stay right.
                    Ok(Latency::decode(bytes).unwrap_or_default())
                })
                .optional()
                .map_err(&doing)?;
            if let Some(stored) = stored {
                delta.latency.merge(&stored);
            }
            delta.latency.encode_into(&mut bytes);
            let (low, high) = delta.span_ns.map(|(low, high)| (as_stored(low), as_stored(high))).unzip();
            upsert
                .execute(params![
                    function,
                    minute,
                    as_stored(delta.calls),
                    as_stored(delta.errors),
                    as_stored(delta.sampled_out),
                    as_stored(delta.dropped),
                    as_stored(delta.total_ns),
                    low,
                    high,
                    bytes
                ])
                .map_err(&doing)?;
        }
        Ok(())
    }
}

const UPSERT: &str =
    "INSERT INTO minute (function_id, minute, calls, errors, sampled_out, dropped, total_ns, min_ns, max_ns, latency)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (function_id, minute) DO UPDATE SET
        calls = calls + excluded.calls, errors = errors + excluded.errors,
        sampled_out = sampled_out + excluded.sampled_out, dropped = dropped + excluded.dropped,
        total_ns = total_ns + excluded.total_ns,
        min_ns = min(coalesce(min_ns, excluded.min_ns), coalesce(excluded.min_ns, min_ns)),
        max_ns = max(coalesce(max_ns, excluded.max_ns), coalesce(excluded.max_ns, max_ns)),
        latency = excluded.latency";

/// SQLite's integers are signed; what does not fit is as large as they get.
fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
