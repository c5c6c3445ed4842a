//! The engine's breaker as a tool for programs: `calltape.CircuitBreaker` is this class with its arguments checked.
//!
//! Called from any thread. The machine is locked for moments only, and never while Python runs: not while the function
//! does, the clock, or an exception's own text.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use calltape_engine::breaker::{Breaker as Machine, Fault, Patience, Permit, State};
use calltape_journal::monotonic_ns;
use pyo3::exceptions::{PyException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

/// Characters kept of what the last failure said.
const MOST_OF_A_MESSAGE: usize = 200;

/// Leave to try once, for a try that is awaited.
#[pyclass(frozen, name = "Permit", module = "calltape._native")]
pub(crate) struct Leave {
    permit: Mutex<Option<Permit>>,
    asked_ns: u64,
}

/// A breaker; its time is the clock's.
#[pyclass(frozen, subclass, module = "calltape._native")]
pub(crate) struct Breaker {
    machine: Mutex<Machine>,
    clock: Py<PyAny>,
    /// Makes the exception for a call that is refused, of a message and seconds.
    refusal: Py<PyAny>,
    /// The clock's first reading, seconds.
    origin: f64,
    threshold: u32,
}

#[pymethods]
impl Breaker {
    #[new]
    fn new(
        py: Python<'_>,
        failure_threshold: u32,
        timeout: f64,
        clock: Py<PyAny>,
        refusal: Py<PyAny>,
    ) -> PyResult<Self> {
        let timeout = Duration::try_from_secs_f64(timeout).unwrap_or(Duration::MAX);
        let patience = Patience { threshold: failure_threshold, timeout, busy_grace: Duration::ZERO };
        let origin = reading(clock.bind(py))?;
        let seed = u64::from(std::process::id()) << 32 ^ monotonic_ns();
        let machine = Mutex::new(Machine::new(patience, seed));
        Ok(Self { machine, clock, refusal, origin, threshold: failure_threshold })
    }

    /// Call ``func`` with the arguments that follow, and return what it returns.
    ///
    /// An exception of ``func`` is raised as it is, and counts as a failure if it is an ``Exception``. Where the breaker
    /// is open ``func`` is not called and ``CircuitBreakerOpen`` is raised.
    #[pyo3(signature = (func, /, *args, **kwargs))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        func: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if !func.is_callable() {
            let found = func.get_type().name()?;
            return Err(PyTypeError::new_err(format!("CircuitBreaker.call: func must be callable, not {found}")));
        }
        let (permit, asked_ns) = self.ask(py)?;
        let outcome = func.call(args, kwargs);
        match &outcome {
            Ok(_) => self.succeeded(permit),
            Err(error) => self.raised(py, permit, asked_ns, error),
        }
        outcome
    }

    /// Whether a call now would be refused.
    #[getter]
    fn is_open(&self, py: Python<'_>) -> PyResult<bool> {
        let now = self.now(py)?;
        Ok(self.machine().refused_for(now).is_some())
    }

    /// ``"closed"``, ``"open"``, or ``"half-open"``: one call is tried, or the next will be.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<&'static str> {
        let now = self.now(py)?;
        let machine = self.machine();
        let is_over = machine.state() == State::Open && machine.refused_for(now).is_none();
        Ok(if is_over { State::HalfOpen.name() } else { machine.state().name() })
    }

    /// Failures in a row since the last success.
    #[getter]
    fn failure_count(&self) -> u32 {
        self.machine().failures()
    }

    /// How often it has opened.
    #[getter]
    fn opens(&self) -> u64 {
        self.machine().opens()
    }

    /// The type and the text of the last failure, kept after a success; None before the first.
    #[getter]
    fn last_error(&self) -> Option<String> {
        self.machine().last_error().map(str::to_owned)
    }

    fn _begin(&self, py: Python<'_>) -> PyResult<Leave> {
        let (permit, asked_ns) = self.ask(py)?;
        Ok(Leave { permit: Mutex::new(Some(permit)), asked_ns })
    }

    fn _succeeded(&self, leave: &Leave) {
        if let Some(permit) = leave.take() {
            self.succeeded(permit);
        }
    }

    fn _raised(&self, py: Python<'_>, leave: &Leave, exception: &Bound<'_, PyAny>) {
        if let Some(permit) = leave.take() {
            self.raised(py, permit, leave.asked_ns, &PyErr::from_value(exception.clone()));
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (state, failures) = (self.state(py)?, self.failure_count());
        Ok(format!("<CircuitBreaker {state}, {failures} of {} failures>", self.threshold))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.clock)?;
        visit.call(&self.refusal)
    }
}

impl Leave {
    fn take(&self) -> Option<Permit> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Breaker {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nanoseconds of the breaker's clock since the breaker was made.
    fn now(&self, py: Python<'_>) -> PyResult<u64> {
        // Saturates: a clock that goes back stands still.
        Ok(((reading(self.clock.bind(py))? - self.origin) * 1e9) as u64)
    }

    fn ask(&self, py: Python<'_>) -> PyResult<(Permit, u64)> {
        let now = self.now(py)?;
        let asked = self.machine().ask(now);
        match asked {
            Ok(permit) => Ok((permit, now)),
            Err(left) => Err(self.refused(py, left)?),
        }
    }

    fn refused(&self, py: Python<'_>, left: Duration) -> PyResult<PyErr> {
        let seconds = left.as_secs_f64();
        let (state, last) = {
            let machine = self.machine();
            (machine.state(), machine.last_error().unwrap_or_default().to_owned())
        };
        let why = match state {
            State::HalfOpen => "another call is trying whether it works again".to_owned(),
            _ => match self.failure_count() {
                1 => format!("after a failure, {last}"),
                count => format!("after {count} failures in a row, the last of them {last}"),
            },
        };
        let message = format!("the circuit breaker is {}: {why}; try again in {seconds:.3} s", state.name());
        Ok(PyErr::from_value(self.refusal.bind(py).call1((message, seconds))?))
    }

    fn succeeded(&self, permit: Permit) {
        self.machine().succeeded(permit);
    }

    /// The try ended in an exception: a failure where it is an `Exception`; what ends a program or a task says nothing of
    /// what was called.
    fn raised(&self, py: Python<'_>, permit: Permit, asked_ns: u64, error: &PyErr) {
        if !error.is_instance_of::<PyException>(py) {
            self.machine().given_up(permit);
            return;
        }
        let message = described(error.value(py));
        // A clock that raises must not take the place of the function's own exception.
        let now = self.now(py).unwrap_or(asked_ns);
        self.machine().failed(permit, Fault::Other, &message, now);
    }
}

/// What a clock shows, seconds.
fn reading(clock: &Bound<'_, PyAny>) -> PyResult<f64> {
    let shown = clock.call0()?;
    let seconds: f64 = shown
        .extract()
        .map_err(|_| PyTypeError::new_err(format!("CircuitBreaker: clock must return seconds, not {shown}")))?;
    if !seconds.is_finite() {
        return Err(PyValueError::new_err(format!("CircuitBreaker: clock must return seconds, not {seconds}")));
    }
    Ok(seconds)
}

/// An exception's type and text; the type alone where the text cannot be had.
fn described(exception: &Bound<'_, PyAny>) -> String {
    let kind = exception.get_type().name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    match exception.str().map(|text| text.to_string_lossy().chars().take(MOST_OF_A_MESSAGE).collect::<String>()) {
        Ok(text) if !text.is_empty() => format!("{kind}: {text}"),
        _ => kind,
    }
}
