//! Hours of the rollup: the minutes of hours that are over, added up, so that an overview of days reads few rows. Called
//! by `minutes.rs` inside a batch's transaction.
//!
//! Every hour up to the greatest in the table is added up, for all functions; a later one is not. What comes late to an
//! hour that is added up is added to both. So a reader takes hours as far as they go and minutes from there on, and needs
//! no other mark. An hour ends when a call ended after it: no clock is asked.

use rusqlite::Connection;

use super::minutes::{Adding, Delta, Grain};
use crate::rollup::Latency;

/// Hours a batch adds up at most: a tape from before there were hours has many, and a batch must not take long.
const MOST_HOURS: usize = 2;

/// The earliest minute of all functions from `?1` on: a seek a function.
const NEXT_MINUTE: &str = "SELECT min(first) FROM
    (SELECT (SELECT min(minute) FROM minute m WHERE m.function_id = f.id AND m.minute >= ?1) AS first FROM function f)";

/// The last hour that is added up.
pub(super) fn added_up(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT max(hour) FROM hour")?.query_row([], |row| row.get(0))
}

/// Adds up hours after `added_up` and before `latest`; false when there are more of them.
pub(super) fn add_up(connection: &Connection, added_up: Option<i64>, latest: i64) -> rusqlite::Result<bool> {
    let mut first = added_up.map_or(i64::MIN, |last| (last + 1) * 60);
    for _ in 0..MOST_HOURS {
        let next: Option<i64> = connection.prepare_cached(NEXT_MINUTE)?.query_row([first], |row| row.get(0))?;
        let Some(hour) = next.map(|minute| minute.div_euclid(60)).filter(|hour| *hour < latest) else {
            return Ok(true);
        };
        let mut hours = Adding::to(connection, Grain::Hour)?;
        let mut functions = connection.prepare_cached("SELECT id FROM function")?;
        for function in functions.query_map([], |row| row.get::<_, i64>(0))? {
            let function = function?;
            if let Some(minutes) = minutes_of(connection, function, hour)? {
                hours.add((function, hour), &minutes, None)?;
            }
        }
        first = (hour + 1) * 60;
    }
    Ok(false)
}

/// The minutes of a function's hour in one; `None` where it has none.
fn minutes_of(connection: &Connection, function: i64, hour: i64) -> rusqlite::Result<Option<Delta>> {
    let mut statement = connection.prepare_cached(
        "SELECT calls, errors, sampled_out, dropped, total_ns, min_ns, max_ns, latency FROM minute
         WHERE function_id = ?1 AND minute BETWEEN ?2 AND ?2 + 59",
    )?;
    let mut rows = statement.query([function, hour * 60])?;
    let mut sum: Option<Delta> = None;
    while let Some(row) = rows.next()? {
        let figure = |column: usize| row.get::<_, i64>(column).map(i64::unsigned_abs);
        let sum = sum.get_or_insert_default();
        sum.calls += figure(0)?;
        sum.errors += figure(1)?;
        sum.sampled_out += figure(2)?;
        sum.dropped += figure(3)?;
        sum.total_ns = sum.total_ns.saturating_add(figure(4)?);
        if let (Some(low), Some(high)) = (row.get::<_, Option<i64>>(5)?, row.get::<_, Option<i64>>(6)?) {
            sum.span(low.unsigned_abs(), high.unsigned_abs());
        }
        // One that cannot be read is missing from the percentiles; the counts are right.
        sum.latency.merge(&Latency::decode(row.get_ref(7)?.as_blob().unwrap_or_default()).unwrap_or_default());
    }
    Ok(sum)
}
