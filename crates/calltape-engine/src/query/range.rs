//! Time ranges over calls. A call's id is nearly its start time, and the tape keeps how far off at most, so a range of
//! times becomes a range of ids that holds it, and only the calls near its ends need their exact start compared.

use calltape_record::ids;
use rusqlite::Connection;

/// Nanoseconds in a minute, the grain of the rollup.
pub(super) const MINUTE_NS: i64 = 60_000_000_000;

/// When calls began, in Unix nanoseconds, both ends included; `None` leaves an end open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The earliest start.
    pub since_ns: Option<i64>,
    /// The latest start.
    pub until_ns: Option<i64>,
}

/// How far a call's id may lie from its start on one tape, ns.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdDistance {
    /// After it.
    lead: i64,
    /// Before it.
    lag: i64,
}

impl IdDistance {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        connection
            .prepare_cached("SELECT coalesce(max(id_lead_ns), 0), coalesce(max(id_lag_ns), 0) FROM tape")?
            .query_row([], |row| Ok(Self { lead: row.get(0)?, lag: row.get(1)? }))
    }
}

/// A [`TimeRange`] as ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdRange {
    /// No call of the range has a smaller id.
    pub(super) first: i64,
    /// No call of the range has a greater id.
    pub(super) last: i64,
    /// From this id on, every call began at or after `since_ns`.
    pub(super) surely_since: i64,
    /// Up to this id, every call began at or before `until_ns`.
    pub(super) surely_until: i64,
    /// The exact bounds on `started_ns`.
    pub(super) since_ns: i64,
    /// As above.
    pub(super) until_ns: i64,
    /// How far the ids of two calls may lie from each other beyond their starts.
    pub(super) distance_ns: i64,
}

impl TimeRange {
    /// Everything from `since_ns` on; all of the tape for `None`.
    pub fn since(since_ns: Option<i64>) -> Self {
        Self { since_ns, until_ns: None }
    }

    /// Widens the range by how far ids lie from starts on this tape.
    pub(super) fn ids(self, connection: &Connection) -> rusqlite::Result<IdRange> {
        Ok(self.ids_within(IdDistance::of(connection)?))
    }

    /// [`Self::ids`], where the distance is known.
    pub(super) fn ids_within(self, distance: IdDistance) -> IdRange {
        let IdDistance { lead, lag } = distance;
        let id = |unix_ns: i64| i64::try_from(ids::at(unix_ns)).unwrap_or(i64::MAX);
        IdRange {
            first: self.since_ns.map_or(0, |since| id(since.saturating_sub(lag))),
            last: self.until_ns.map_or(i64::MAX, |until| id(until.saturating_add(lead)).saturating_add(1)),
            surely_since: self.since_ns.map_or(0, |since| id(since.saturating_add(lead)).saturating_add(1)),
            surely_until: self.until_ns.map_or(i64::MAX, |until| id(until.saturating_sub(lag)).saturating_sub(1)),
            since_ns: self.since_ns.unwrap_or(i64::MIN),
            until_ns: self.until_ns.unwrap_or(i64::MAX),
            distance_ns: lead.saturating_add(lag),
        }
    }

    /// The Unix minutes that calls of the range began or ended in, first and last.
    pub(super) fn minutes(self) -> (i64, i64) {
        let minute = |ns: i64| ns.div_euclid(MINUTE_NS);
        (self.since_ns.map_or(i64::MIN, minute), self.until_ns.map_or(i64::MAX, minute))
    }
}
