//! The engine's answers as Python values: each row a tuple in the order of the fields of its dataclass in
//! `calltape._rows`. Called by the other files of this folder only.

use calltape_engine::query::{
    Account, Call, CallDetail, ChainLink, ErrorGroup, Failure, Figures, Frame, FunctionAccount, FunctionDiff,
    Histogram, Incident, MinuteFigures, Overview, Relation, RunAccount, SqlValue, TreeItem, Why,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

type Row<'py> = PyResult<Bound<'py, PyTuple>>;

/// `Call`.
fn call_fields<'py>(py: Python<'py>, call: &Call) -> PyResult<Vec<Bound<'py, PyAny>>> {
    Ok(vec![
        call.id.into_bound_py_any(py)?,
        call.parent_id.into_bound_py_any(py)?,
        call.root_id.into_bound_py_any(py)?,
        call.function.as_str().into_bound_py_any(py)?,
        call.group.as_deref().into_bound_py_any(py)?,
        call.kind.as_str().into_bound_py_any(py)?,
        call.status.name().into_bound_py_any(py)?,
        call.started_ns.into_bound_py_any(py)?,
        call.duration_ns.into_bound_py_any(py)?,
        call.active_ns.into_bound_py_any(py)?,
        call.yields.into_bound_py_any(py)?,
        call.args.as_deref().into_bound_py_any(py)?,
        call.result.as_deref().into_bound_py_any(py)?,
        call.error_type.as_deref().into_bound_py_any(py)?,
        call.error_message.as_deref().into_bound_py_any(py)?,
        call.thread.as_str().into_bound_py_any(py)?,
        call.task.as_deref().into_bound_py_any(py)?,
        call.pid.into_bound_py_any(py)?,
        call.host.as_str().into_bound_py_any(py)?,
        call.run_id.into_bound_py_any(py)?,
        call.weight.into_bound_py_any(py)?,
    ])
}

pub(super) fn call<'py>(py: Python<'py>, call: &Call) -> Row<'py> {
    PyTuple::new(py, call_fields(py, call)?)
}

/// `CallDetail`.
pub(super) fn detail<'py>(py: Python<'py>, detail: &CallDetail) -> Row<'py> {
    let mut fields = call_fields(py, &detail.call)?;
    fields.push(detail.file.as_str().into_bound_py_any(py)?);
    fields.push(detail.line.into_bound_py_any(py)?);
    fields.push(detail.python.as_str().into_bound_py_any(py)?);
    fields.push(detail.program.as_str().into_bound_py_any(py)?);
    fields.push(detail.failure.as_ref().map(|failure| failure_row(py, failure)).transpose()?.into_bound_py_any(py)?);
    PyTuple::new(py, fields)
}

/// `Failure`.
fn failure_row<'py>(py: Python<'py>, failure: &Failure) -> Row<'py> {
    let links = failure.chain().iter().map(|link| link_row(py, link)).collect::<PyResult<Vec<_>>>()?;
    let Failure { error_type, message, file, line, place, traceback } = failure;
    (error_type, message, file, line, place, PyTuple::new(py, links)?, failure.left_out(), traceback).into_pyobject(py)
}

/// `Raised`, one exception of a chain.
fn link_row<'py>(py: Python<'py>, link: &ChainLink) -> Row<'py> {
    let relation = link.relation.map(|relation| match relation {
        Relation::Cause => "cause",
        Relation::Context => "context",
        Relation::Member => "member",
    });
    let frames = link.frames.iter().map(|frame| frame_row(py, frame)).collect::<PyResult<Vec<_>>>()?;
    let notes = PyTuple::new(py, &link.notes)?;
    (&link.error_type, &link.message, relation, link.of, PyTuple::new(py, frames)?, notes).into_pyobject(py)
}

/// `Frame`; what stands for frames that were left out is a text.
fn frame_row<'py>(py: Python<'py>, frame: &Frame) -> PyResult<Bound<'py, PyAny>> {
    match frame {
        Frame::Cut(text) => text.as_str().into_bound_py_any(py),
        Frame::At { file, line, function, source, is_outside, locals } => {
            let values = PyDict::new(py);
            for (name, value) in locals {
                values.set_item(name, value)?;
            }
            (file, line, function, source, is_outside, values).into_bound_py_any(py)
        }
    }
}

/// A line of a tree: what it is, its depth, and what that needs.
pub(super) fn tree_item<'py>(py: Python<'py>, item: &TreeItem) -> Row<'py> {
    match item {
        TreeItem::Call { depth, call: row, marked } => ("call", depth, call(py, row)?, marked).into_pyobject(py),
        TreeItem::Gap { depth, callers } => ("gap", depth, callers, false).into_pyobject(py),
        TreeItem::More { depth, calls, at_least } => ("more", depth, calls, at_least).into_pyobject(py),
    }
}

/// `FunctionStats`.
pub(super) fn function<'py>(py: Python<'py>, function: &Overview) -> Row<'py> {
    let fields = [
        function.function.as_str().into_bound_py_any(py)?,
        function.group.as_deref().into_bound_py_any(py)?,
        function.kind.as_str().into_bound_py_any(py)?,
        function.calls.into_bound_py_any(py)?,
        function.stored.into_bound_py_any(py)?,
        function.sampled_out.into_bound_py_any(py)?,
        function.dropped.into_bound_py_any(py)?,
        function.timed.into_bound_py_any(py)?,
        function.errors.into_bound_py_any(py)?,
        function.total_ns.into_bound_py_any(py)?,
        function.estimated_total_ns().into_bound_py_any(py)?,
        function.min_ns.into_bound_py_any(py)?,
        function.max_ns.into_bound_py_any(py)?,
        function.p50_ns.into_bound_py_any(py)?,
        function.p95_ns.into_bound_py_any(py)?,
        function.p99_ns.into_bound_py_any(py)?,
    ];
    PyTuple::new(py, fields)
}

/// `Latency`.
pub(super) fn histogram<'py>(py: Python<'py>, histogram: &Histogram) -> Row<'py> {
    let buckets = histogram.buckets.iter().map(|bucket| (bucket.lower_ns, bucket.upper_ns, bucket.count));
    let buckets = PyTuple::new(py, buckets.collect::<Vec<_>>())?;
    let Histogram { count, p50_ns, p95_ns, p99_ns, from_rollup, .. } = histogram;
    (buckets, count, p50_ns, p95_ns, p99_ns, from_rollup).into_pyobject(py)
}

/// `Minute`.
pub(super) fn minute<'py>(py: Python<'py>, figures: &MinuteFigures) -> Row<'py> {
    let MinuteFigures { minute, calls, errors, total_ns, p50_ns, p95_ns, p99_ns } = figures;
    (minute, calls, errors, total_ns, p50_ns, p95_ns, p99_ns).into_pyobject(py)
}

/// `Figures`.
pub(super) fn figures<'py>(py: Python<'py>, figures: &Figures) -> Row<'py> {
    let Figures { calls, errors, timed, total_ns, p50_ns, p95_ns, p99_ns, .. } = figures;
    (calls, errors, timed, total_ns, p50_ns, p95_ns, p99_ns).into_pyobject(py)
}

/// `FunctionDiff`.
pub(super) fn function_diff<'py>(py: Python<'py>, diff: &FunctionDiff) -> Row<'py> {
    let FunctionDiff { function, group, kind, a, b, stands_out } = diff;
    (function, group, kind, figures(py, a)?, figures(py, b)?, stands_out.map(Why::name)).into_pyobject(py)
}

/// A row of a statement's.
pub(super) fn sql<'py>(py: Python<'py>, row: &[SqlValue]) -> Row<'py> {
    let values = row.iter().map(|value| match value {
        SqlValue::Null => Ok(py.None().into_bound(py)),
        SqlValue::Integer(number) => number.into_bound_py_any(py),
        SqlValue::Real(number) => number.into_bound_py_any(py),
        SqlValue::Text(text) => text.as_str().into_bound_py_any(py),
        SqlValue::Blob(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
    });
    PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)
}

/// `ErrorGroup`.
pub(super) fn error_group<'py>(py: Python<'py>, group: &ErrorGroup) -> Row<'py> {
    let last = group.last.as_ref();
    let failure = last.map(|last| failure_row(py, &last.failure)).transpose()?;
    (
        &group.error_type,
        &group.function,
        &group.file,
        group.line,
        &group.place,
        &group.message_form,
        group.count,
        group.lost,
        group.first_seen_ns,
        group.last_seen_ns,
        last.map(|last| last.call_id),
        failure,
    )
        .into_pyobject(py)
}

/// `Account`.
pub(super) fn account<'py>(py: Python<'py>, account: &Account) -> Row<'py> {
    let Account { calls, stored, sampled_out, dropped, dropped_errors, pruned, in_flight, unknown } = account;
    (calls, stored, sampled_out, dropped, dropped_errors, pruned, in_flight, unknown).into_pyobject(py)
}

/// A function's name, group and `Account`.
pub(super) fn function_account<'py>(py: Python<'py>, function: &FunctionAccount) -> Row<'py> {
    (&function.function, &function.group, account(py, &function.account)?).into_pyobject(py)
}

/// `Run`.
pub(super) fn run<'py>(py: Python<'py>, run: &RunAccount) -> Row<'py> {
    let RunAccount { id, pid, host, program, python, started_ns, ended_ns, ending, account: books } = run;
    (id, pid, host, program, python, started_ns, ended_ns, ending, account(py, books)?).into_pyobject(py)
}

/// `Incident`.
pub(super) fn incident<'py>(py: Python<'py>, incident: &Incident) -> Row<'py> {
    let Incident { run_id, kind, began_ns, ended_ns, times, detail } = incident;
    (run_id, kind, began_ns, ended_ns, times, detail).into_pyobject(py)
}
