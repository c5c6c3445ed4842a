//! What a row must meet beyond how it was found: every field of a filter, the cheap ones first. Nothing is assumed of
//! the walk that found the row, so that no walk can widen an answer.

use calltape_record::Status;

use super::{Candidate, Columns};
use crate::query::TimeRange;
use crate::query::calls::{sql_id, unsigned};
use crate::query::filter::{CallFilter, Column, Condition, DurationRange, Root, Subject, TextPattern};

/// A filter as a row is asked.
pub(in crate::query) struct Residual<'f> {
    since_ns: i64,
    until_ns: i64,
    statuses: &'f [Status],
    duration: DurationRange,
    /// Ascending; `None`: any.
    functions: Option<Vec<i64>>,
    parent: Option<i64>,
    root: Option<i64>,
    thread: Option<&'f TextPattern>,
    task: Option<&'f TextPattern>,
    pid: Option<i64>,
    run: Option<i64>,
    error_type: Option<&'f TextPattern>,
    condition: Option<&'f Condition>,
}

impl<'f> Residual<'f> {
    /// The filter, with the ids of the functions it names.
    pub(super) fn new(filter: &'f CallFilter, functions: Option<Vec<i64>>) -> Self {
        Self {
            since_ns: filter.range.since_ns.unwrap_or(i64::MIN),
            until_ns: filter.range.until_ns.unwrap_or(i64::MAX),
            statuses: &filter.statuses,
            duration: filter.duration,
            functions,
            parent: filter.parent_id.map(sql_id),
            root: filter.root_id.map(sql_id),
            thread: filter.thread.as_ref(),
            task: filter.task.as_ref(),
            pid: filter.pid,
            run: filter.run_id.map(sql_id),
            error_type: filter.error_type.as_ref(),
            condition: filter.condition.as_ref(),
        }
    }

    /// When the calls began.
    pub(in crate::query) fn range(&self) -> TimeRange {
        let bound = |ns: i64, open: i64| Some(ns).filter(|ns| *ns != open);
        TimeRange { since_ns: bound(self.since_ns, i64::MIN), until_ns: bound(self.until_ns, i64::MAX) }
    }

    /// The shortest duration asked for.
    pub(in crate::query) fn least_duration(&self) -> Option<i64> {
        let most = if self.duration.at_most_ns.is_some() { Some(0) } else { None };
        self.duration.at_least_ns.map(sql_id).or(most)
    }

    /// The functions asked for, ascending; `None`: any.
    pub(super) fn functions(&self) -> Option<&[i64]> {
        self.functions.as_deref()
    }

    /// The columns it asks for.
    pub(super) fn columns(&self) -> Columns {
        let has_range = self.since_ns > i64::MIN || self.until_ns < i64::MAX;
        let has_thread = self.thread.is_some() || self.pid.is_some() || self.run.is_some();
        let mut columns = Columns::ID
            .and_if(has_range, Columns::STARTED)
            .and_if(!self.statuses.is_empty() || self.error_type.is_some(), Columns::STATUS)
            .and_if(!self.duration.is_open(), Columns::DURATION)
            .and_if(self.functions.is_some(), Columns::FUNCTION)
            .and_if(self.parent.is_some(), Columns::PARENT)
            .and_if(self.root.is_some(), Columns::ROOT)
            .and_if(has_thread, Columns::THREAD)
            .and_if(self.task.is_some(), Columns::TASK);
        if let Some(condition) = self.condition {
            condition.expression().each_test(&mut |test| columns = columns.and(needed(&test.subject)));
        }
        columns
    }

    /// Whether most rows a walk finds are expected to meet it: nothing is asked that the walk does not answer.
    pub(super) fn is_loose(&self) -> bool {
        self.statuses.is_empty()
            && self.duration.is_open()
            && self.root.is_none()
            && self.thread.is_none()
            && self.task.is_none()
            && self.pid.is_none()
            && self.run.is_none()
            && self.error_type.is_none()
            && self.condition.is_none()
    }

    /// Whether `row` meets it.
    pub(in crate::query) fn is_met(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        Ok(self.is_of_time(row)?
            && (self.statuses.is_empty() || self.statuses.contains(&row.status()?))
            && (self.duration.is_open() || self.duration.contains(row.duration_ns()?.map(unsigned)))
            && self.is_in_tree(row)?
            && self.is_of_function(row)?
            && self.is_of_thread(row)?
            && self.is_of_task(row)?
            && self.is_of_error(row)?
            && self.meets_condition(row)?)
    }

    fn is_of_time(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        if self.since_ns == i64::MIN && self.until_ns == i64::MAX {
            return Ok(true);
        }
        row.started_ns().map(|started| (self.since_ns..=self.until_ns).contains(&started))
    }

    fn is_in_tree(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        if self.parent.is_some() && row.parent_id()? != self.parent {
            return Ok(false);
        }
        match self.root {
            Some(root) => Ok(row.root_id()? == root),
            None => Ok(true),
        }
    }

    fn is_of_function(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        match &self.functions {
            Some(functions) => Ok(functions.binary_search(&row.function_id()?).is_ok()),
            None => Ok(true),
        }
    }

    fn is_of_thread(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        if self.thread.is_none() && self.pid.is_none() && self.run.is_none() {
            return Ok(true);
        }
        Ok(row.thread()?.is_some_and(|thread| {
            self.pid.is_none_or(|pid| pid == thread.pid)
                && self.run.is_none_or(|run| run == thread.run_id)
                && self.thread.is_none_or(|pattern| pattern.matches(&thread.name))
        }))
    }

    fn is_of_task(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        let Some(pattern) = self.task else { return Ok(true) };
        Ok(row.task()?.is_some_and(|task| pattern.matches(task)))
    }

    fn is_of_error(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        let Some(pattern) = self.error_type else { return Ok(true) };
        Ok(row.raised()?.is_some_and(|raised| pattern.matches_last_part(&raised.error_type)))
    }

    fn meets_condition(&self, row: &Candidate<'_>) -> rusqlite::Result<bool> {
        self.condition.map_or(Ok(true), |condition| condition.expression().is_met(row))
    }
}

/// What a row must hold for a test to be decided.
fn needed(subject: &Subject) -> Columns {
    let column = match subject {
        Subject::Captured { root: Root::Args, .. } => return Columns::ARGS,
        Subject::Captured { root: Root::Result, .. } => return Columns::RESULT,
        Subject::Column(column) => column,
    };
    match column {
        Column::Function | Column::Group | Column::Kind => Columns::FUNCTION,
        Column::Thread | Column::Pid | Column::Host | Column::Run => Columns::THREAD,
        // What raised is looked up where the status allows it.
        Column::Status | Column::ErrorType | Column::ErrorMessage => Columns::STATUS,
        Column::Duration => Columns::DURATION,
        Column::Started => Columns::STARTED,
        Column::Task => Columns::TASK,
        Column::Parent => Columns::PARENT,
        Column::Root => Columns::ROOT,
        Column::Id => Columns::ID,
        Column::Weight => Columns::WEIGHT,
        Column::Yields => Columns::YIELDS,
        // A function's own time is its duration.
        Column::Active => Columns::ACTIVE.and(Columns::DURATION).and(Columns::FUNCTION),
    }
}
