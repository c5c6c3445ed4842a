//! What retention is asked and what it answers: limits, the room a tape takes, stretches of calls, steps. Plain values.

use std::time::Duration;

use calltape_record::Status;

use crate::settings::Settings;

/// How long what is kept, and how much; `None` for ever and without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls that did not fail.
    pub age: Option<Duration>,
    /// Calls that failed or were interrupted; at least as long as `age`.
    pub errors: Option<Duration>,
    /// The rollup, and runs of which no row is left, with their books.
    pub minutes: Option<Duration>,
    /// Bytes of database pages in use and of the WAL.
    pub size: Option<u64>,
}

impl Limits {
    /// The settings' limits.
    pub fn of(settings: &Settings) -> Self {
        let time = |time: Duration| Some(time).filter(|time| !time.is_zero());
        Self {
            age: time(settings.retention_age),
            errors: time(settings.retention_errors),
            minutes: time(settings.retention_minutes),
            size: Some(settings.retention_size).filter(|bytes| *bytes > 0),
        }
    }

    /// Errors outlive successes: for ever if these do.
    pub(crate) fn errors(&self) -> Option<Duration> {
        Some(self.errors?.max(self.age?))
    }
}

/// The room a tape takes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Pages that hold something.
    pub used: u64,
    /// Pages of the file that are free.
    pub free: u64,
    /// What the WAL holds.
    pub wal: u64,
}

/// The present by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// For pauses.
    pub monotonic_ns: u64,
    /// For ages.
    pub unix_ns: i64,
}

impl Moment {
    /// So long before, Unix ns.
    pub(super) fn before(self, age: Duration) -> i64 {
        self.unix_ns.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))
    }

    /// The same in Unix minutes, and at the beginning of an hour: what is removed of an hour is all of it.
    pub(super) fn minute_before(self, age: Duration) -> i64 {
        self.before(age).div_euclid(3_600_000_000_000).saturating_mul(60)
    }
}

/// A stretch of calls, and which of them go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSpan {
    /// Only calls with greater ids.
    pub after_id: u64,
    /// Only calls with smaller ids.
    pub before_id: u64,
    /// Successes that ended before go; `None`: none.
    pub successes_before_ns: Option<i64>,
    /// Failed calls that ended before go; `None`: none.
    pub errors_before_ns: Option<i64>,
    /// Enough have gone when pages in use take so many bytes; 0: all of them go.
    pub down_to: u64,
}

impl Default for CallSpan {
    /// All calls, of which none goes.
    fn default() -> Self {
        Self { after_id: 0, before_id: u64::MAX, successes_before_ns: None, errors_before_ns: None, down_to: 0 }
    }
}

impl CallSpan {
    /// Only its calls with greater ids than `after_id`.
    pub(super) fn after(self, after_id: u64) -> Self {
        Self { after_id, ..self }
    }

    /// Whether a call of the span goes that stands at `status` and ended at `ended_ns`.
    pub fn takes(&self, status: u8, ended_ns: i64) -> bool {
        let before = match status {
            _ if status == Status::Running as u8 => None,
            _ if is_error(status) => self.errors_before_ns,
            _ => self.successes_before_ns,
        };
        before.is_some_and(|before| ended_ns < before)
    }
}

/// One small piece of work, done in a transaction of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Remove calls.
    Calls(CallSpan),
    /// Remove minutes before this one, in Unix minutes.
    Minutes(i64),
    /// Remove runs and incidents that ended before, in Unix ns, where no row of them is left.
    Runs(i64),
    /// Remove kinds of error and functions that nothing names.
    Names,
    /// Give so many bytes of free pages back to the file system.
    Vacuum(u64),
    /// Move the WAL into the database and cut it.
    CutWal,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows removed; of a vacuum, pages.
    pub removed: u64,
    /// Of the calls removed, those that failed.
    pub errors: u64,
    /// The last call looked at; 0 for none.
    pub reached_id: u64,
    /// There is no more of it.
    pub finished: bool,
    /// How long it took.
    pub took: Duration,
}

/// Whether a call at `status` is kept as one that failed: interrupted ones say what a process died of.
pub(crate) fn is_error(status: u8) -> bool {
    status == Status::Error as u8 || status == Status::Interrupted as u8
}
