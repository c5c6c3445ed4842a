//! What Python imports: thin functions over `runtime` and `wrapper`. Argument checking with good words is Python's part.

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::{runtime, wrapper};

/// calltape's engine; `calltape` is the module to import.
#[pymodule(gil_used = true)]
#[pyo3(name = "_native")]
mod native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::{
        Interlude, begin_span, carry, cli_main, current, end, flush, is_name_rule, monitored, register, start, stats,
        stop, suppress, wrapped,
    };
    #[pymodule_export]
    use crate::breaker::{Breaker, Leave};
    #[pymodule_export]
    use crate::capture::Serializer;
    #[pymodule_export]
    use crate::reading::{Tape, check_condition, read_moment, read_run, read_span, statuses};
    #[pymodule_export]
    use crate::wrapper::{CurrentCall, OpenSpan, Suppression};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        super::runtime::context::refuse_sub_interpreters()?;
        calltape_engine::set_memory_probe(crate::memory::has);
        crate::memory::quieten_panics();
        super::wrapper::install(py)?;
        super::runtime::context::install(py)?;
        super::runtime::fork::install(py)?;
        let [functions, others] = super::wrapper::types(py)?;
        module.add("Monitored", functions)?;
        module.add("MonitoredCallable", others)?;
        let quiesce = pyo3::wrap_pyfunction!(super::quiesce, module)?;
        super::runtime::install_exit_hooks(py, quiesce.as_any())
    }
}

/// Wraps a callable; `options` as `calltape._monitor` makes them.
#[pyfunction]
fn monitored<'py>(function: &Bound<'py, PyAny>, options: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    wrapper::new_monitored(function, options.extract()?)
}

/// What a monitored callable was made from; None for anything else.
#[pyfunction]
fn wrapped<'py>(function: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    wrapper::wrapped(function)
}

/// Whether an entry of `sensitive_fields` is a name, or a change to the usual ones.
#[pyfunction]
fn is_name_rule(entry: &str) -> bool {
    calltape_redact::Names::with(&[entry]).is_ok()
}

/// Begins a span; None where it is not recorded.
#[pyfunction]
fn begin_span(name: &str, values: &Bound<'_, PyDict>) -> PyResult<Option<wrapper::OpenSpan>> {
    wrapper::begin_span(name, values)
}

/// The running call: its ``id`` on the tape, and ``set`` to add a value to it.
#[pyfunction]
fn current(py: Python<'_>) -> wrapper::CurrentCall {
    wrapper::current(py)
}

/// Records nothing until the suppression is ended.
#[pyfunction]
fn suppress(py: Python<'_>) -> wrapper::Suppression {
    wrapper::suppress(py)
}

/// A callable that runs as part of the running call, also on another thread.
#[pyfunction]
fn carry<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    wrapper::carry(function)
}

/// Has a function of the program's show the objects of a type; None has none do so any more.
#[pyfunction]
fn register(kind: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) -> PyResult<()> {
    crate::capture::register(kind, function)
}

/// Starts the run; settings as names and texts.
#[pyfunction]
fn start(py: Python<'_>, settings: Vec<(String, String)>) -> PyResult<()> {
    runtime::start(py, &settings)
}

/// A recording in the place of another one; see `runtime::Interlude`.
#[pyclass(frozen, module = "calltape._native")]
struct Interlude {
    begun: Mutex<Option<runtime::Interlude>>,
}

#[pymethods]
impl Interlude {
    /// Sets what is recorded now aside, and records with these settings; names and texts.
    #[new]
    fn new(py: Python<'_>, settings: Vec<(String, String)>) -> PyResult<Self> {
        wrapper::pay_owed(py);
        Ok(Self { begun: Mutex::new(Some(runtime::Interlude::begin(py, &settings)?)) })
    }

    /// Ends the recording, and has the other one go on; whether everything is in the database. None gives up what is not.
    fn end(&self, py: Python<'_>, timeout: Option<f64>) -> bool {
        wrapper::pay_owed(py);
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        begun.is_none_or(|begun| begun.end(timeout.map(seconds)))
    }
}

/// Waits until what was recorded is in the database.
#[pyfunction]
fn flush(py: Python<'_>, timeout: f64) -> bool {
    wrapper::pay_owed(py);
    runtime::flush(seconds(timeout))
}

/// Ends the run; whether everything is in the database.
#[pyfunction]
fn stop(py: Python<'_>, timeout: f64) -> bool {
    wrapper::pay_owed(py);
    runtime::stop(seconds(timeout))
}

/// Ends the run of a process that leaves without running its exit hooks.
#[pyfunction]
fn end(py: Python<'_>) {
    wrapper::pay_owed(py);
    runtime::end();
}

#[pyfunction(name = "_quiesce")]
fn quiesce(py: Python<'_>) {
    wrapper::pay_owed(py);
    runtime::quiesce();
}

/// A timeout as given; what is longer than a thread can be told to wait is a year.
fn seconds(timeout: f64) -> Duration {
    const YEAR: f64 = 366.0 * 86_400.0;
    if timeout.is_nan() { Duration::ZERO } else { Duration::from_secs_f64(timeout.clamp(0.0, YEAR)) }
}

/// The figures of the run by name, zeros while there is none; the breaker's stand in a dict of their own.
#[pyfunction]
fn stats(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let stats = runtime::stats();
    let breaker = PyDict::new(py);
    breaker.set_item("state", stats.breaker.state)?;
    breaker.set_item("opens", stats.breaker.opens)?;
    breaker.set_item("failures", stats.breaker.failures)?;
    breaker.set_item("last_error", stats.breaker.last_error)?;
    breaker.set_item("next_probe_s", stats.breaker.next_probe_s)?;
    let figures = PyDict::new(py);
    figures.set_item("recorded", stats.recorded)?;
    figures.set_item("stored", stats.stored)?;
    figures.set_item("sampled_out", stats.sampled_out)?;
    figures.set_item("dropped", stats.dropped)?;
    figures.set_item("dropped_errors", stats.dropped_errors)?;
    figures.set_item("in_flight", stats.in_flight)?;
    figures.set_item("journal_bytes", stats.journal_bytes)?;
    figures.set_item("journal_capacity", stats.journal_capacity)?;
    figures.set_item("breaker", breaker)?;
    figures.set_item("writes", stats.writes)?;
    figures.set_item("lag_s", stats.lag_s)?;
    figures.set_item("drains", stats.drains)?;
    figures.set_item("pressure", stats.pressure)?;
    figures.set_item("journal", stats.journal)?;
    figures.set_item("reentrant", runtime::reentries())?;
    figures.set_item("dropped_values", runtime::dropped_values())?;
    figures.set_item("failed_captures", runtime::failed_captures())?;
    figures.set_item("faults", runtime::faults())?;
    figures.set_item("hurried_forks", runtime::fork::hurried())?;
    Ok(figures)
}

/// Runs the command line; returns the exit code.
#[pyfunction]
fn cli_main(py: Python<'_>, arguments: Vec<OsString>) -> i32 {
    py.detach(|| calltape_cli::run(arguments, || Python::attach(|py| py.check_signals().is_err())))
}
