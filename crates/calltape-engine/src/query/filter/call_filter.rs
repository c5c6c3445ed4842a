//! The fields a question can be narrowed by. Filled by the CLI, the viewer and Python; read by the questions.

use calltape_record::Status;

use super::{Condition, TextPattern};
use crate::query::{FunctionPattern, TimeRange};

/// Which calls a question is about: those that meet every field. The default is every call.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Only calls of these functions.
    pub functions: Option<FunctionPattern>,
    /// Only calls of functions of these groups.
    pub group: Option<TextPattern>,
    /// Only calls that stand so; any where empty.
    pub statuses: Vec<Status>,
    /// Only calls that raised these types: by full name or by what follows its last dot.
    pub error_type: Option<TextPattern>,
    /// Only calls that began in this range.
    pub range: TimeRange,
    /// Only calls that took so long. One without a duration is not among them, unless the range is open.
    pub duration: DurationRange,
    /// Only calls in threads of these names.
    pub thread: Option<TextPattern>,
    /// Only calls whose body ran in tasks of these names.
    pub task: Option<TextPattern>,
    /// Only calls of this process.
    pub pid: Option<i64>,
    /// Only calls of this run.
    pub run_id: Option<u64>,
    /// Only calls that this call made itself.
    pub parent_id: Option<u64>,
    /// Only calls of this call's tree, itself included.
    pub root_id: Option<u64>,
    /// Only calls that meet this as well.
    pub condition: Option<Condition>,
}

impl CallFilter {
    /// Whether it asks for nothing but functions, a group and times, so that the rollup can answer.
    pub fn is_by_function(&self) -> bool {
        // Every field is named, so that a new one is thought of here.
        let Self {
            functions: _,
            group: _,
            range: _,
            statuses,
            error_type,
            duration,
            thread,
            task,
            pid,
            run_id,
            parent_id,
            root_id,
            condition,
        } = self;
        statuses.is_empty()
            && duration.is_open()
            && error_type.is_none()
            && thread.is_none()
            && task.is_none()
            && pid.is_none()
            && run_id.is_none()
            && parent_id.is_none()
            && root_id.is_none()
            && condition.is_none()
    }
}

/// How long calls took, in nanoseconds, both ends included; `None` leaves an end open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DurationRange {
    /// The shortest.
    pub at_least_ns: Option<u64>,
    /// The longest.
    pub at_most_ns: Option<u64>,
}

impl DurationRange {
    /// Whether every call is in it, also one that has no duration.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a call of this duration is in it.
    pub fn contains(&self, duration_ns: Option<u64>) -> bool {
        let within =
            |ns| self.at_least_ns.is_none_or(|least| ns >= least) && self.at_most_ns.is_none_or(|most| ns <= most);
        self.is_open() || duration_ns.is_some_and(within)
    }
}
