//! A filter as Python gives it, checked by `calltape._filters` but for what only the engine can read: conditions, and
//! times in words.

use calltape_engine::query::{
    CallFilter, Condition, DurationRange, FunctionPattern, Order, Side, TextPattern, TimeRange, parse_duration,
    parse_run, parse_time,
};
use calltape_record::Status;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::failing::made;

/// Which calls: a dict with all of these names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Filter {
    function: Option<String>,
    r#where: Option<String>,
    group: Option<String>,
    status: Vec<String>,
    error_type: Option<String>,
    since_ns: Option<i64>,
    until_ns: Option<i64>,
    slower_than_ns: Option<u64>,
    faster_than_ns: Option<u64>,
    thread: Option<String>,
    task: Option<String>,
    pid: Option<i64>,
    run: Option<u64>,
    parent: Option<u64>,
    root: Option<u64>,
}

impl Filter {
    /// The engine's.
    ///
    /// # Errors
    /// When the condition does not parse, or a status is none.
    pub(super) fn read(self, py: Python<'_>) -> PyResult<CallFilter> {
        let condition = self.r#where.map(|text| condition(py, &text)).transpose()?;
        let status =
            |name: &String| Status::named(name).ok_or_else(|| PyValueError::new_err(format!("no status {name}")));
        Ok(CallFilter {
            functions: self.function.map(FunctionPattern::new),
            group: self.group.map(TextPattern::glob),
            statuses: self.status.iter().map(status).collect::<PyResult<_>>()?,
            error_type: self.error_type.map(TextPattern::glob),
            range: TimeRange { since_ns: self.since_ns, until_ns: self.until_ns },
            duration: DurationRange { at_least_ns: self.slower_than_ns, at_most_ns: self.faster_than_ns },
            thread: self.thread.map(TextPattern::glob),
            task: self.task.map(TextPattern::glob),
            pid: self.pid,
            run_id: self.run,
            parent_id: self.parent,
            root_id: self.root,
            condition,
        })
    }
}

fn condition(py: Python<'_>, text: &str) -> PyResult<Condition> {
    Condition::parse(text).map_err(|error| made(py, "FilterError", (error.to_string(),)))
}

/// The order of a name.
pub(super) fn order(name: &str) -> Order {
    match name {
        "oldest" => Order::OldestFirst,
        "slowest" => Order::SlowestFirst,
        _ => Order::NewestFirst,
    }
}

/// One of two that are compared: a run, or a range.
pub(super) fn side((run, since_ns, until_ns): (Option<u64>, Option<i64>, Option<i64>)) -> Side {
    run.map_or(Side::Range(TimeRange { since_ns, until_ns }), Side::Run)
}

/// The names of the statuses a call can have.
#[pyfunction]
pub(crate) fn statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|status| status.name()).collect()
}

/// Raises where a text is no condition.
#[pyfunction]
pub(crate) fn check_condition(py: Python<'_>, text: &str) -> PyResult<()> {
    condition(py, text).map(drop)
}

/// Unix nanoseconds of a time as people write it, local where it names no offset; None where it is none.
#[pyfunction]
pub(crate) fn read_moment(text: &str) -> Option<i64> {
    parse_time(text, Timestamp::now(), &TimeZone::system())
}

/// Nanoseconds of a span as people write it; None where it is none.
#[pyfunction]
pub(crate) fn read_span(text: &str) -> Option<u64> {
    parse_duration(text)
}

/// A run's id of a text that names it; None where it names none.
#[pyfunction]
pub(crate) fn read_run(text: &str) -> Option<u64> {
    parse_run(text)
}
