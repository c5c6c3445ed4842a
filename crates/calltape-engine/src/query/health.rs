//! What `calltape doctor` and a dry `calltape prune` ask of a tape: whether the file is sound, whether the rows are those
//! the books count, and how many calls are beyond some limits. These read all of the tape; nothing else may.

use calltape_record::ids;
use rusqlite::Connection;

use super::calls::unsigned;
use super::{QueryError, Tape};
use crate::retention::{Limits, Room};
use crate::store::{SCHEMA_VERSION, first_changed, may_be_of_the_schema};

/// Complaints of a check that are shown.
const MOST_COMPLAINTS: usize = 5;

/// A function of a run whose rows are not those its books count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The function.
    pub function: String,
    /// The run.
    pub run_id: u64,
    /// Rows there should be: stored, and not removed by retention.
    pub booked: i64,
    /// Rows there are.
    pub rows: i64,
}

/// What is beyond some limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Successes that are too old.
    pub successes: u64,
    /// Failed calls that are too old.
    pub errors: u64,
    /// Rows of the rollup that are too old.
    pub minutes: u64,
    /// About how many more calls the size asks for.
    pub by_size: u64,
    /// The room the tape takes.
    pub room: Room,
}

const MISMATCHES: &str = "SELECT f.name, r.run_id, r.booked, r.found FROM
    (SELECT run_id, function_id, sum(booked) AS booked, sum(found) AS found FROM
        (SELECT run_id, function_id, {booked} AS booked, 0 AS found FROM run_function
         UNION ALL
         SELECT t.run_id, c.function_id, 0, c.calls FROM
            (SELECT thread_id, function_id, count(*) AS calls FROM call WHERE status != 5 GROUP BY 1, 2) c
            JOIN thread t ON t.id = c.thread_id)
     GROUP BY 1, 2 HAVING sum(booked) != sum(found)) r
    JOIN function f ON f.id = r.function_id ORDER BY 1, 2 LIMIT 100";

const OLD_CALLS: &str = "SELECT count(*) FILTER (WHERE status NOT IN (1, 5, 6) AND ended < ?2),
        count(*) FILTER (WHERE status IN (1, 6) AND ended < ?3)
    FROM (SELECT status, CASE WHEN status = 6
            THEN coalesce((SELECT coalesce(r.ended_ns, r.seen_ns) FROM thread t JOIN run r ON r.id = t.run_id
                           WHERE t.id = thread_id), started_ns)
            ELSE started_ns + coalesce(duration_ns, 0) END AS ended
          FROM call WHERE id < ?1)";

/// Bytes of the pages of a table and its indexes.
const ROOM_OF: &str = "SELECT sum(pgsize) FROM dbstat
    WHERE aggregate = TRUE AND name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?1)";

const ALL_CALLS: &str =
    "SELECT count(*) FILTER (WHERE status != 5), count(*) FILTER (WHERE status IN (1, 6)) FROM call";

impl Tape {
    /// What SQLite's quick check finds wrong with the file, at most a few lines, and the first of the tape's tables and views
    /// that is not as calltape makes it; none when it is sound.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn quick_check(&self) -> Result<Vec<String>, QueryError> {
        self.read(|connection| {
            let pragma = format!("PRAGMA quick_check({MOST_COMPLAINTS})");
            let ask = || {
                connection.prepare(&pragma)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
            };
            let lines = match ask() {
                // A user's own table may need what only the user's program has, a collation or a function.
                Err(fault) if may_be_of_the_schema(&fault) => Vec::new(),
                lines => lines?,
            };
            let mut complaints: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
            if self.version() == SCHEMA_VERSION {
                complaints.extend(first_changed(connection)?);
            }
            Ok(complaints)
        })
    }

    /// Functions of runs whose rows are not those their books count, at most 100. Counts all rows.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn mismatches(&self) -> Result<Vec<Mismatch>, QueryError> {
        let booked = if self.version() < 3 { "stored" } else { "stored - pruned" };
        let sql = MISMATCHES.replace("{booked}", booked);
        self.read(|connection| {
            connection
                .prepare(&sql)?
                .query_map([], |row| {
                    Ok(Mismatch {
                        function: row.get(0)?,
                        run_id: unsigned(row.get(1)?),
                        booked: row.get(2)?,
                        rows: row.get(3)?,
                    })
                })?
                .collect()
        })
    }

    /// How much is beyond `limits` at `now_ns`, Unix ns. What the size asks for is an estimate by the mean size of a row.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn beyond(&self, limits: &Limits, now_ns: i64) -> Result<Beyond, QueryError> {
        let wal = self.files().wal_bytes;
        self.read(|connection| beyond(connection, limits, now_ns, wal))
    }
}

fn beyond(connection: &Connection, limits: &Limits, now_ns: i64, wal: u64) -> rusqlite::Result<Beyond> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(unsigned);
    let before = |age: Option<std::time::Duration>| {
        age.map_or(i64::MIN, |age| now_ns.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)))
    };
    let (successes_before, errors_before) = (before(limits.age), before(limits.errors()));
    let last_id = i64::try_from(ids::at(successes_before.max(errors_before))).unwrap_or(i64::MAX);
    let (successes, errors) = connection.query_row(OLD_CALLS, [last_id, successes_before, errors_before], |row| {
        Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
    })?;
    // Whole hours, as they are removed.
    let minute = before(limits.minutes).div_euclid(3_600_000_000_000).saturating_mul(60);
    let minutes = connection
        .query_row("SELECT count(*) FROM minute WHERE minute < ?1", [minute], |row| row.get(0).map(unsigned))?;
    let (page, pages, free) =
        (number("PRAGMA page_size")?, number("PRAGMA page_count")?, number("PRAGMA freelist_count")?);
    let room = Room { used: pages.saturating_sub(free) * page, free: free * page, wal };
    let mut beyond = Beyond { successes, errors, minutes, by_size: 0, room };
    if let Some(size) = limits.size {
        beyond.by_size = by_size(connection, &beyond, size)?;
    }
    Ok(beyond)
}

/// About how many more calls go for a tape to take `size`: by the mean room of a call, and of a failure. The WAL does not
/// count, for it is cut.
fn by_size(connection: &Connection, beyond: &Beyond, size: u64) -> rusqlite::Result<u64> {
    let room_of = |table: &str| {
        connection.query_row(ROOM_OF, [table], |row| row.get::<_, Option<f64>>(0)).map(Option::unwrap_or_default)
    };
    let (all, failed) =
        connection.query_row(ALL_CALLS, [], |row| Ok((row.get::<_, i64>(0)? as f64, row.get::<_, i64>(1)? as f64)))?;
    let a_call = (room_of("call")? / all.max(1.0)).max(1.0);
    let a_failure = a_call + room_of("failure")? / failed.max(1.0);
    let (successes_gone, errors_gone) = (beyond.successes as f64, beyond.errors as f64);
    let over = beyond.room.used as f64 - successes_gone * a_call - errors_gone * a_failure - size as f64;
    let successes = (over.max(0.0) / a_call).min((all - failed - successes_gone).max(0.0));
    let errors = ((over - successes * a_call).max(0.0) / a_failure).min((failed - errors_gone).max(0.0));
    Ok((successes + errors).ceil() as u64)
}
