//! The type behind `calltape.Tape`: one method a question, each one a read of its own on a connection of its own.
//!
//! Arguments come as `calltape._tape` has checked them; answers go back as plain tuples and dicts.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use calltape_engine::query::{
    Cursor, ErrorFilter, FunctionPattern, OverviewColumn, OverviewFilter, QueryError, Tape as EngineTape, TimeRange,
    TreeLimits,
};
use calltape_engine::settings::{Settings, Surroundings};
use calltape_export::ExportError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyTuple};

use super::arrow::{self, Refused};
use super::failing::{not_opened, tape_error, unanswered};
use super::filter::{self, Filter};
use super::pool::Pool;
use super::rows;
use crate::runtime;

/// A tape opened for reading.
#[pyclass(frozen, name = "Tape", module = "calltape._native")]
pub(crate) struct Tape {
    pool: Pool,
    closed: AtomicBool,
}

#[pymethods]
impl Tape {
    /// Opens the tape at `path`; None is the one this process records on, or else the one that the settings name.
    #[new]
    fn new(py: Python<'_>, path: Option<PathBuf>, time_limit: f64) -> PyResult<Self> {
        let path = match path.or_else(runtime::recorded_to) {
            Some(path) => path,
            None => {
                Settings::load(&[], &Surroundings::of_process())
                    .map_err(|error| PyValueError::new_err(error.to_string()))?
                    .db
            }
        };
        let path = std::path::absolute(&path).unwrap_or(path);
        let limit = Duration::try_from_secs_f64(time_limit).unwrap_or(Duration::MAX);
        let tape = Self { pool: Pool::new(path, limit), closed: false.into() };
        // Opened at once, so that what is wrong with it is said here.
        let connection = tape.pool.take(py).map_err(|error| not_opened(py, tape.pool.path(), &error))?;
        tape.pool.give_back(py, connection);
        Ok(tape)
    }

    /// The tape's file.
    #[getter]
    fn path(&self) -> PathBuf {
        self.pool.path().to_owned()
    }

    /// The version of the tape's tables.
    fn version(&self, py: Python<'_>) -> PyResult<i64> {
        self.ask(py, |tape| Ok(tape.version()))
    }

    /// Closes the connections; a question asked afterwards is refused.
    fn close(&self, py: Python<'_>) {
        self.closed.store(true, Ordering::Relaxed);
        self.pool.close(py);
    }

    /// Bytes of database, write-ahead log and journals.
    fn files(&self, py: Python<'_>) -> PyResult<(u64, u64, u64)> {
        let files = self.ask(py, |tape| Ok(tape.files()))?;
        Ok((files.database_bytes, files.wal_bytes, files.journal_bytes))
    }

    /// A page of calls, and the place where the next one begins.
    fn calls<'py>(
        &self,
        py: Python<'py>,
        chosen: Filter,
        order: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<Bound<'py, PyTuple>>, Option<String>)> {
        let (filter, order) = (chosen.read(py)?, filter::order(order));
        let after = after.map(str::parse::<Cursor>).transpose();
        let after = after.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let page = self.ask(py, |tape| tape.calls(&filter, order, after.as_ref(), limit))?;
        let calls = page.calls.iter().map(|call| rows::call(py, call)).collect::<PyResult<_>>()?;
        Ok((calls, page.next.map(|next| next.to_string())))
    }

    /// Calls as a stream of Arrow's, in the capsule that its protocol asks for.
    fn arrow_stream<'py>(
        &self,
        py: Python<'py>,
        chosen: Filter,
        order: &str,
        limit: Option<usize>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        self.refuse_if_closed(py)?;
        let (filter, order) = (chosen.read(py)?, filter::order(order));
        let (path, time_limit) = (self.pool.path(), self.pool.time_limit());
        let begun = py.detach(|| arrow::stream(path, time_limit, filter, order, limit.unwrap_or(usize::MAX)));
        let stream = begun.map_err(|refused| match refused {
            Refused::Open(error) => not_opened(py, path, &error),
            Refused::Export(ExportError::Query(error)) => unanswered(py, path, &error),
            Refused::Export(error) => tape_error(py, &error.to_string(), "try again in a moment", path),
        })?;
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The slowest calls, the slowest first.
    fn slowest<'py>(&self, py: Python<'py>, chosen: Filter, limit: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let filter = chosen.read(py)?;
        let calls = self.ask(py, |tape| tape.slowest(&filter, limit))?;
        calls.iter().map(|call| rows::call(py, call)).collect()
    }

    /// The calls that run, the oldest first.
    fn running<'py>(&self, py: Python<'py>, chosen: Filter, limit: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let filter = chosen.read(py)?;
        let calls = self.ask(py, |tape| tape.running(&filter, limit))?;
        calls.iter().map(|call| rows::call(py, call)).collect()
    }

    /// How long calls took.
    fn latency<'py>(&self, py: Python<'py>, chosen: Filter) -> PyResult<Bound<'py, PyTuple>> {
        let filter = chosen.read(py)?;
        rows::histogram(py, &self.ask(py, |tape| tape.latency(&filter))?)
    }

    /// The figures of each minute.
    fn minutes<'py>(
        &self,
        py: Python<'py>,
        pattern: Option<String>,
        since_ns: Option<i64>,
        until_ns: Option<i64>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let (pattern, range) = (pattern.map(FunctionPattern::new), TimeRange { since_ns, until_ns });
        let minutes = self.ask(py, |tape| tape.minutes(pattern.as_ref(), range))?;
        minutes.iter().map(|minute| rows::minute(py, minute)).collect()
    }

    /// Two sides, each the id of a run or the two ends of a range: function by function, and each side in all.
    #[expect(clippy::type_complexity, reason = "rows, and two sums")]
    fn diff<'py>(
        &self,
        py: Python<'py>,
        a: (Option<u64>, Option<i64>, Option<i64>),
        b: (Option<u64>, Option<i64>, Option<i64>),
        chosen: Filter,
    ) -> PyResult<(Vec<Bound<'py, PyTuple>>, Bound<'py, PyTuple>, Bound<'py, PyTuple>)> {
        let filter = chosen.read(py)?;
        let (a, b) = (filter::side(a), filter::side(b));
        let diff = self.ask(py, |tape| tape.diff(&a, &b, &filter))?;
        let functions = diff.functions.iter().map(|function| rows::function_diff(py, function));
        Ok((functions.collect::<PyResult<_>>()?, rows::figures(py, &diff.a)?, rows::figures(py, &diff.b)?))
    }

    /// What of a filter cannot match anything.
    fn notices(&self, py: Python<'_>, chosen: Filter) -> PyResult<Vec<String>> {
        let filter = chosen.read(py)?;
        self.ask(py, |tape| tape.notices(&filter))
    }

    /// A statement's columns and rows, and whether there were more.
    fn sql<'py>(
        &self,
        py: Python<'py>,
        statement: &str,
        limit: usize,
    ) -> PyResult<(Vec<String>, Vec<Bound<'py, PyTuple>>, bool)> {
        let answer = self.ask(py, |tape| tape.sql(statement, limit))?;
        let rows = answer.rows.iter().map(|row| rows::sql(py, row)).collect::<PyResult<_>>()?;
        Ok((answer.columns, rows, answer.cut))
    }

    /// The call `id` with all the tape knows of it, or None.
    fn call<'py>(&self, py: Python<'py>, call_id: u64) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let found = self.ask(py, |tape| tape.call(call_id))?;
        found.map(|detail| rows::detail(py, &detail)).transpose()
    }

    /// The tree around the call `id`: its lines and the id of a caller that the tape does not hold; or None.
    fn tree<'py>(
        &self,
        py: Python<'py>,
        call_id: u64,
        most: usize,
        callers: usize,
        children: usize,
        depth: usize,
    ) -> PyResult<Option<(Bound<'py, PyList>, Option<u64>)>> {
        let limits = TreeLimits { rows: most, callers, children, depth };
        let Some(tree) = self.ask(py, |tape| tape.tree(call_id, &limits))? else { return Ok(None) };
        let items = tree.items.iter().map(|item| rows::tree_item(py, item)).collect::<PyResult<Vec<_>>>()?;
        Ok(Some((PyList::new(py, items)?, tree.missing_caller)))
    }

    /// The functions' figures, and how many functions there are without the limit.
    fn functions<'py>(
        &self,
        py: Python<'py>,
        pattern: Option<String>,
        since_ns: Option<i64>,
        sort: &str,
        limit: Option<usize>,
    ) -> PyResult<(Vec<Bound<'py, PyTuple>>, usize)> {
        let filter = OverviewFilter {
            since_ns,
            pattern: pattern.map(FunctionPattern::new),
            sort: column(sort)?,
            limit,
            ..OverviewFilter::default()
        };
        let page = self.ask(py, |tape| tape.overview(&filter))?;
        let functions = page.functions.iter().map(|function| rows::function(py, function));
        Ok((functions.collect::<PyResult<_>>()?, page.matching))
    }

    /// The errors in groups, the most frequent first.
    fn errors<'py>(
        &self,
        py: Python<'py>,
        pattern: Option<String>,
        since_ns: Option<i64>,
        limit: Option<usize>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let pattern = pattern.map(FunctionPattern::new);
        let filter = ErrorFilter { since_ns, pattern, limit, ..ErrorFilter::default() };
        let groups = self.ask(py, |tape| tape.errors(&filter))?;
        groups.iter().map(|group| rows::error_group(py, group)).collect()
    }

    /// The books of each function, and of all.
    fn accounting<'py>(&self, py: Python<'py>) -> PyResult<(Vec<Bound<'py, PyTuple>>, Bound<'py, PyTuple>)> {
        let (functions, total) = self.ask(py, EngineTape::accounting)?;
        let functions = functions.iter().map(|function| rows::function_account(py, function));
        Ok((functions.collect::<PyResult<_>>()?, rows::account(py, &total)?))
    }

    /// The last runs, newest first.
    fn runs<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let (runs, _) = self.ask(py, |tape| tape.runs(limit))?;
        runs.iter().map(|run| rows::run(py, run)).collect()
    }

    /// Whether the tape has this run.
    fn has_run(&self, py: Python<'_>, run: u64) -> PyResult<bool> {
        Ok(self.ask(py, |tape| tape.run(run))?.is_some())
    }

    /// The last incidents, those that last first.
    fn incidents<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let (incidents, _) = self.ask(py, |tape| tape.incidents(limit))?;
        incidents.iter().map(|incident| rows::incident(py, incident)).collect()
    }
}

impl Tape {
    fn refuse_if_closed(&self, py: Python<'_>) -> PyResult<()> {
        if !self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let found = format!("{}: the tape was closed", self.pool.path().display());
        Err(tape_error(py, &found, "open it again, or ask inside the with block", self.pool.path()))
    }

    /// Puts a question, with the interpreter lock given up.
    fn ask<T: Send>(
        &self,
        py: Python<'_>,
        question: impl FnOnce(&EngineTape) -> Result<T, QueryError> + Send,
    ) -> PyResult<T> {
        self.refuse_if_closed(py)?;
        let path = self.pool.path();
        let connection = self.pool.take(py).map_err(|error| not_opened(py, path, &error))?;
        let (connection, answer) = py.detach(move || {
            let answer = question(&connection.tape);
            (connection, answer)
        });
        let raised = connection.take_raised();
        self.pool.give_back(py, connection);
        match (raised, answer) {
            // What a signal's handler raised is the program's, also where the answer had come out already.
            (Some(raised), _) => Err(raised),
            (None, answer) => answer.map_err(|error| unanswered(py, path, &error)),
        }
    }
}

/// The column that functions are sorted by.
fn column(name: &str) -> PyResult<OverviewColumn> {
    Ok(match name {
        "name" => OverviewColumn::Name,
        "calls" => OverviewColumn::Calls,
        "errors" => OverviewColumn::Errors,
        "p50" => OverviewColumn::P50,
        "p95" => OverviewColumn::P95,
        "p99" => OverviewColumn::P99,
        "total" => OverviewColumn::Total,
        "min" => OverviewColumn::Min,
        "max" => OverviewColumn::Max,
        other => return Err(PyValueError::new_err(format!("no column {other}"))),
    })
}
