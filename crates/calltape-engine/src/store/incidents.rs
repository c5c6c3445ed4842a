//! Incidents: when recording was less than it should be, and why. Written by the drain inside a batch's transaction, once
//! each; a spell that begins again soon after it ended widens the row there is, so that a database that comes and goes
//! fills no table.

use rusqlite::params;

use super::{StoreError, Transaction};

/// A spell that begins within this time of the last one's end is the same one, once more: 60 s.
const SAME_SPELL_NS: i64 = 60_000_000_000;

/// One row of the table `incident`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IncidentRow {
    /// The process it happened in; `None` for the tape's own.
    pub(crate) run: Option<u64>,
    pub(crate) kind: &'static str,
    /// Unix ns.
    pub(crate) began_ns: i64,
    /// Unix ns; `None` while it lasts.
    pub(crate) ended_ns: Option<i64>,
    /// How often it began between the two.
    pub(crate) times: u64,
    pub(crate) detail: String,
}

impl Transaction<'_> {
    /// Adds a spell that is over, or widens the last one of its kind where that ended less than a minute before.
    pub(crate) fn add_incident(&self, row: &IncidentRow) -> Result<(), StoreError> {
        let doing = "to store an incident";
        let IncidentRow { run, kind, began_ns, ended_ns, times, detail } = row;
        let (run, times) = (run.map(|run| run as i64), *times as i64);
        let widen = "UPDATE incident SET ended_ns = max(ended_ns, ?3), times = times + ?4, detail = ?5
                     WHERE id = (SELECT max(id) FROM incident WHERE kind = ?1 AND run_id IS ?6) AND ended_ns >= ?2";
        let since = began_ns.saturating_sub(SAME_SPELL_NS);
        if ended_ns.is_some() && self.execute(doing, widen, params![kind, since, ended_ns, times, detail, run])? > 0 {
            return Ok(());
        }
        let insert = "INSERT INTO incident (run_id, kind, began_ns, ended_ns, times, detail)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.execute(doing, insert, params![run, kind, began_ns, ended_ns, times, detail]).map(drop)
    }

    /// Writes a spell of a run's, of which only the last is known and how many there were in all (`times`). It is the last
    /// row of its kind, gone on, or a new one. Writing it twice changes nothing.
    pub(crate) fn put_spell(&self, row: &IncidentRow) -> Result<(), StoreError> {
        let doing = "to store an incident";
        let IncidentRow { run, kind, began_ns, ended_ns, times, detail } = row;
        let (run, times) = (run.map(|run| run as i64), *times as i64);
        let sql = "SELECT id, coalesce(ended_ns, ?3), times, sum(times) OVER () FROM incident
                   WHERE run_id IS ?1 AND kind = ?2 ORDER BY id DESC LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let last: Vec<(i64, i64, i64, i64)> = self.rows(doing, sql, params![run, kind, began_ns], read)?;
        let said = last.first().map_or(0, |last| last.3);
        match last.first() {
            Some(&(id, until_ns, here, _)) if times == said || *began_ns <= until_ns.saturating_add(SAME_SPELL_NS) => {
                let update = "UPDATE incident SET ended_ns = ?2, times = ?3 WHERE id = ?1";
                self.execute(doing, update, params![id, ended_ns, here + times - said]).map(drop)
            }
            _ => {
                let insert = "INSERT INTO incident (run_id, kind, began_ns, ended_ns, times, detail)
                              VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                self.execute(doing, insert, params![run, kind, began_ns, ended_ns, times - said, detail]).map(drop)
            }
        }
    }

    /// Adds to how many records of a run were unreadable; `now_ns` is Unix time.
    pub(crate) fn add_unreadable(&self, run: u64, count: u64, now_ns: i64) -> Result<(), StoreError> {
        let doing = "to store an incident";
        let values = params![run as i64, UNREADABLE, now_ns, count as i64];
        let update = "UPDATE incident SET ended_ns = ?3, times = times + ?4 WHERE run_id = ?1 AND kind = ?2";
        if self.execute(doing, update, values)? == 0 {
            let insert = "INSERT INTO incident (run_id, kind, began_ns, ended_ns, times, detail)
                          VALUES (?1, ?2, ?3, ?3, ?4, 'records and values of the journal that could not be read')";
            self.execute(doing, insert, values)?;
        }
        Ok(())
    }

    /// How many records of a run were unreadable, as far as the tape knows.
    pub(crate) fn unreadable(&self, run: u64) -> Result<u64, StoreError> {
        let sql = "SELECT times FROM incident WHERE run_id = ?1 AND kind = ?2";
        let rows = self.rows("to read incidents", sql, params![run as i64, UNREADABLE], |row| row.get::<_, i64>(0))?;
        Ok(rows.iter().map(|times| times.unsigned_abs()).sum())
    }

    /// Ends the incidents of a run that is over.
    pub(crate) fn end_incidents(&self, run: u64) -> Result<(), StoreError> {
        let sql =
            "UPDATE incident SET ended_ns = max(began_ns, (SELECT coalesce(ended_ns, seen_ns) FROM run WHERE id = ?1))
                   WHERE run_id = ?1 AND ended_ns IS NULL";
        self.execute("to end incidents", sql, [run as i64]).map(drop)
    }
}

/// Frames of a journal, and values in them, that could not be read.
const UNREADABLE: &str = "records unreadable";
