//! What happened to the database, until it can be written into the tape: while the database is away there is nowhere to
//! write it. Kept in memory only, over errors and new tapes; written with the next batch. A batch that is committed shows
//! that what kept the database away is over.

use crate::store::{IncidentRow, StoreError, Transaction};

/// The breaker was open.
pub(super) const UNREACHABLE: &str = "database unreachable";
/// A damaged file was set aside, or one that was moved or deleted, and a new tape begun.
pub(super) const SET_ASIDE: &str = "database set aside";
/// No batch was begun, because a reader kept the WAL above its limit. The error begins with it too.
pub(super) const WAL_HELD: &str = "WAL held by a reader";

/// The journal of a process was deleted under it.
pub(super) const JOURNAL_DELETED: &str = "journal deleted";

/// Incidents kept; beyond, those that are over are forgotten, oldest first.
const MOST: usize = 64;

/// Incidents that are not in the tape.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    waiting: Vec<IncidentRow>,
}

impl Incidents {
    /// Something begins that lasts until a batch is committed; begun again before that, it is the same once more.
    pub(super) fn begins(&mut self, kind: &'static str, detail: &str, now_ns: i64) {
        match self.waiting.iter_mut().find(|row| row.kind == kind && row.ended_ns.is_none()) {
            Some(row) => {
                row.times += 1;
                detail.clone_into(&mut row.detail);
            }
            None => self.keep(kind, detail, now_ns, None),
        }
    }

    /// Something happened, and is over.
    pub(super) fn happened(&mut self, kind: &'static str, detail: &str, now_ns: i64) {
        self.keep(kind, detail, now_ns, Some(now_ns));
    }

    /// Something begins that lasts as long as the run.
    pub(super) fn of_run(&mut self, run: u64, kind: &'static str, detail: &str, now_ns: i64) {
        self.keep(kind, detail, now_ns, None);
        if let Some(row) = self.waiting.last_mut() {
            row.run = Some(run);
        }
    }

    fn keep(&mut self, kind: &'static str, detail: &str, began_ns: i64, ended_ns: Option<i64>) {
        if self.waiting.len() >= MOST {
            let oldest = self.waiting.iter().position(|row| row.ended_ns.is_some()).unwrap_or(0);
            self.waiting.remove(oldest);
        }
        self.waiting.push(IncidentRow { run: None, kind, began_ns, ended_ns, times: 1, detail: detail.to_owned() });
    }

    /// Whether one of this kind is here.
    pub(super) fn has(&self, kind: &str) -> bool {
        self.waiting.iter().any(|row| row.kind == kind)
    }

    /// Whether one of this kind lasts.
    pub(super) fn lasts(&self, kind: &str) -> bool {
        self.waiting.iter().any(|row| row.kind == kind && row.ended_ns.is_none())
    }

    /// Whether there is one to write.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes them all, those of the database that last as over now.
    pub(super) fn write(&self, transaction: &Transaction<'_>, now_ns: i64) -> Result<(), StoreError> {
        self.waiting.iter().try_for_each(|row| {
            let over = row.run.is_none().then(|| now_ns.max(row.began_ns));
            transaction.add_incident(&IncidentRow { ended_ns: row.ended_ns.or(over), ..row.clone() })
        })
    }

    /// What was written is committed.
    pub(super) fn committed(&mut self) {
        self.waiting.clear();
    }
}
