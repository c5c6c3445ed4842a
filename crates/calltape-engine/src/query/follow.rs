//! Following a tape while it is written: each poll hands out the calls that came since the last, a call when it ends,
//! or once as running and once more when it ends if it lasts for a second: a batch of the drain also stores calls that
//! just happen to run while it is written, and those are not worth two lines.
//!
//! Rows do not arrive in the order of ids: threads take ids ahead, a call gets its id when it begins and its row when
//! it ends, and the drain reads one segment after the other. So each poll looks back over [`LOOK_BACK_NS`] and
//! remembers what it has handed out; a row committed later than that after a younger one is missed, as is what comes
//! faster than [`ROWS_A_POLL`]: a terminal is no export.

use std::collections::{BTreeMap, HashSet};

use calltape_journal::unix_ns;
use calltape_record::{Status, ids};
use rusqlite::{Connection, params};

use super::calls::{row_limit, sql_id};
use super::scan::{Candidate, Direction, Names, Plan, fetch_all};
use super::{Call, CallFilter, QueryError, Tape};

/// How far behind the youngest row a late one is still noticed: past the second after which a call is stored running.
const LOOK_BACK_NS: i64 = 10_000_000_000;

/// A call that runs is handed out from this age on.
const RUNS_LONG_NS: i64 = 1_000_000_000;

/// Rows one poll looks at: more than a person or a pipe wants, few enough to stay under some 20 ms.
const ROWS_A_POLL: usize = 10_000;

/// Running calls that are watched for their end.
const RUNNING_WATCHED: usize = 10_000;

/// Where a follower stands on its tape.
#[derive(Debug)]
pub struct Follower {
    filter: CallFilter,
    /// The youngest id handed out, or where following began.
    newest: i64,
    /// Ids handed out that a poll may see again, and whether as running.
    handed_out: BTreeMap<i64, bool>,
    /// Calls seen running.
    running: HashSet<i64>,
}

/// What one poll found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Followed {
    /// The calls, oldest first.
    pub calls: Vec<Call>,
    /// Whether more came than one poll looks at, so that some are missing.
    pub fell_behind: bool,
}

impl Follower {
    /// Begins to follow the calls of `filter` on `tape`, and the last `lines` of them, oldest first, which are counted as
    /// handed out. A call is looked at when it comes and again when it ends; one that runs and began just now is handed out
    /// when it ends or has run for a second.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn begin(tape: &Tape, filter: &CallFilter, lines: usize) -> Result<(Vec<Call>, Self), QueryError> {
        let now_ns = unix_ns();
        let mut follower = Self::stand(tape, filter, now_ns)?;
        let shown = follower.show(tape, lines, now_ns)?;
        Ok((shown, follower))
    }

    /// At the tape's end: what comes from here on is handed out.
    fn stand(tape: &Tape, filter: &CallFilter, now_ns: i64) -> Result<Self, QueryError> {
        let filter = filter.clone();
        let mut follower = Self { filter, newest: 0, handed_out: BTreeMap::new(), running: HashSet::new() };
        tape.read(|connection| {
            follower.newest =
                connection.query_row("SELECT coalesce(max(id), 0) FROM call", [], |row| row.get::<_, i64>(0))?;
            let (present, _) = follower.recent(connection)?;
            let young = sql_id(ids::at(now_ns.saturating_sub(RUNS_LONG_NS)));
            follower.handed_out = present.into_iter().filter(|&(id, runs)| !runs || id < young).collect();
            follower.running = follower.still_running(connection)?;
            Ok(follower)
        })
    }

    /// The last calls, as they are now: some may have come or ended since the place was taken, and do not come again.
    fn show(&mut self, tape: &Tape, lines: usize, now_ns: i64) -> Result<Vec<Call>, QueryError> {
        let mut asked = lines;
        let mut calls = loop {
            let calls = tape.latest(&self.filter, asked)?;
            let young = calls.iter().filter(|call| is_young(call, now_ns)).count();
            if calls.len() < asked || lines.saturating_add(young) <= asked {
                break calls;
            }
            asked = lines.saturating_add(young);
        };
        calls.retain(|call| !is_young(call, now_ns));
        calls.drain(..calls.len().saturating_sub(lines));
        for call in &calls {
            let (id, runs) = (sql_id(call.id), call.status == Status::Running);
            self.handed_out.insert(id, runs);
            self.newest = self.newest.max(id);
            if runs {
                self.running.insert(id);
            } else {
                self.running.remove(&id);
            }
        }
        Ok(calls)
    }

    /// The calls that came, or ended, since the last poll.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit; the next poll goes on from the same place.
    pub fn poll(&mut self, tape: &Tape) -> Result<Followed, QueryError> {
        self.poll_at(tape, unix_ns())
    }

    fn poll_at(&mut self, tape: &Tape, now_ns: i64) -> Result<Followed, QueryError> {
        tape.read(|connection| {
            let (present, fell_behind) = self.recent(connection)?;
            let running = self.still_running(connection)?;
            let mut fresh: Vec<i64> = present
                .iter()
                .filter(|(id, runs)| self.handed_out.get(id).is_none_or(|&handed_running| handed_running && !runs))
                .map(|&(id, _)| id)
                .collect();
            // Calls older than the look-back that ended meanwhile.
            fresh.extend(self.running.difference(&running));
            fresh.sort_unstable();
            fresh.dedup();
            let names = Names::new(connection);
            let met = self.met(&names, &fresh)?;
            let mut calls = fetch_all(&names, &fresh)?;
            calls.retain(|call| !is_young(call, now_ns));
            self.advance(&calls, running);
            calls.retain(|call| met.binary_search(&sql_id(call.id)).is_ok());
            Ok(Followed { calls, fell_behind })
        })
    }

    /// Those of `ids`, which ascend, that meet the filter.
    fn met(&self, names: &Names<'_>, ids: &[i64]) -> rusqlite::Result<Vec<i64>> {
        let plan = Plan::new(names.connection, &self.filter)?;
        let mut feed = plan.feed(names.connection, Direction::Up)?;
        let mut met = Vec::new();
        for &id in ids.iter().filter(|&&id| (plan.first..=plan.last).contains(&id)) {
            feed.rows(id, id, |row| {
                if plan.residual.is_met(&Candidate::new(row, names)?)? {
                    met.push(id);
                }
                Ok(true)
            })?;
        }
        Ok(met)
    }

    fn advance(&mut self, calls: &[Call], running: HashSet<i64>) {
        for call in calls {
            self.handed_out.insert(sql_id(call.id), call.status == Status::Running);
            self.newest = self.newest.max(sql_id(call.id));
        }
        self.running = running;
        let from = look_back(self.newest);
        self.handed_out = self.handed_out.split_off(&from);
    }

    /// The rows within the look-back, with whether they run, and whether there were more than a poll looks at.
    fn recent(&self, connection: &Connection) -> rusqlite::Result<(Vec<(i64, bool)>, bool)> {
        let from = look_back(self.newest);
        let mut found: Vec<(i64, bool)> = Vec::new();
        let read = |row: &rusqlite::Row<'_>| {
            let status: i64 = row.get(1)?;
            Ok((row.get(0)?, status == i64::from(Status::Running as u8)))
        };
        match &self.filter.functions {
            None => {
                let mut statement = connection.prepare_cached(RECENT)?;
                for row in statement.query_map(params![from, row_limit(ROWS_A_POLL)], read)? {
                    found.push(row?);
                }
            }
            Some(pattern) => {
                let mut statement = connection.prepare_cached(RECENT_OF_FUNCTION)?;
                for function in pattern.function_ids(connection)? {
                    for row in statement.query_map(params![from, row_limit(ROWS_A_POLL), function], read)? {
                        found.push(row?);
                    }
                }
            }
        }
        let full = found.len() >= ROWS_A_POLL;
        let oldest = found.iter().map(|&(id, _)| id).min();
        let fell_behind = full && oldest.is_some_and(|oldest| oldest > self.newest);
        Ok((found, fell_behind))
    }

    fn still_running(&self, connection: &Connection) -> rusqlite::Result<HashSet<i64>> {
        let mut running = HashSet::new();
        let functions = match &self.filter.functions {
            None => None,
            Some(pattern) => Some(pattern.function_ids(connection)?),
        };
        let mut statement = connection.prepare_cached(RUNNING)?;
        let rows = statement.query_map(params![Status::Running as u8, row_limit(RUNNING_WATCHED)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        for row in rows {
            let (id, function) = row?;
            if functions.as_ref().is_none_or(|of| of.binary_search(&function).is_ok()) {
                running.insert(id);
            }
        }
        Ok(running)
    }
}

/// Whether a call runs and began only just. One that began later than now is of another clock: who knows.
fn is_young(call: &Call, now_ns: i64) -> bool {
    call.status == Status::Running && (0..RUNS_LONG_NS).contains(&now_ns.saturating_sub(call.started_ns))
}

/// The smallest id a poll looks at when `newest` was the youngest.
fn look_back(newest: i64) -> i64 {
    newest.saturating_sub(LOOK_BACK_NS / ids::UNIT_NS)
}

pub(super) const RECENT: &str = "SELECT id, status FROM call WHERE id >= ?1 ORDER BY id DESC LIMIT ?2";

pub(super) const RECENT_OF_FUNCTION: &str =
    "SELECT id, status FROM call WHERE function_id = ?3 AND id >= ?1 ORDER BY id DESC LIMIT ?2";

/// Literal in part, or the partial index could not serve it.
pub(super) const RUNNING: &str =
    "SELECT id, function_id FROM call WHERE status >= 5 AND status = ?1 ORDER BY id DESC LIMIT ?2";

#[cfg(test)]
mod tests;
