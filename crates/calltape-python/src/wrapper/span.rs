//! A block as a call, the running call as an object, and blocks in which nothing is recorded.
//!
//! Inside a recorded body a block changes the thread's scope, which the body takes along when it is suspended. Outside
//! of any, it stands in the context, so that another task on the same thread knows nothing of it.

use std::cell::Cell;
use std::collections::HashMap;
use std::ptr;
use std::rc::Rc;

use calltape_engine::sampling::Decision;
use calltape_journal::monotonic_ns;
use calltape_record::value::ValueWriter;
use calltape_record::{FunctionDef, Status, begin_note};
use calltape_redact::{Extent, Names, masked};
use pyo3::exceptions::{PyGeneratorExit, PyTypeError};
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::arguments::Given;
use super::call::{Call, Entered, enter};
use super::end::{Ending, Outcome, append_end, owe};
use super::missing::{Ended, Id, capture_late_arguments, count_only, end_seldom};
use super::parameters::Parameters;
use super::plan::{Missing, Plan};
use crate::capture::{Capture, Policy};
use crate::runtime::{self, Appended, END_ROOM, Guarded, Scope, ThreadRecorder, context};

/// Where a block's scope was put, and how that is undone.
struct Place {
    scope: Scope,
    /// The thread's scope before, inside a body.
    outer: Scope,
    /// Owned: undoes the context, outside of any body; null else.
    token: Cell<*mut PyObject>,
}

// SAFETY: the token is touched with the interpreter lock held.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    /// Makes `scope` the one that calls are made in; `outer` is the thread's.
    ///
    /// # Safety
    /// The interpreter lock is held, no exception is set, and `thread` is this one.
    unsafe fn enter(thread: *mut ThreadRecorder, scope: Scope, outer: Scope) -> Self {
        // SAFETY: passed on.
        unsafe {
            let token = if outer.is_outside() { context::set(scope) } else { ptr::null_mut() };
            (*thread).scope = if token.is_null() { scope } else { outer };
            Self { scope, outer, token: Cell::new(token) }
        }
    }

    /// Undoes it, as far as it is still in place.
    ///
    /// # Safety
    /// The interpreter lock is held and no exception is set.
    unsafe fn leave(&self) {
        // SAFETY: the thread's own recording; the token is given up once.
        unsafe {
            let thread = runtime::this_thread();
            let token = self.token.replace(ptr::null_mut());
            if !token.is_null() {
                context::unset(token);
            } else if (*thread).scope == self.scope {
                (*thread).scope = self.outer;
            }
        }
    }
}

/// A span that has begun.
#[pyclass(frozen, module = "calltape._native")]
pub(crate) struct OpenSpan {
    plan: Rc<Plan>,
    call: Call,
    state: State,
    ended: Cell<bool>,
}

/// What became of its START.
enum State {
    /// It is in the journal, and the block's calls are the span's.
    Recorded(Place),
    /// There is none. The block's calls are those of what stands around it.
    Missing(Missing, Scope),
}

// SAFETY: a span may end on another thread than it began; all of it is touched with the interpreter lock held.
unsafe impl Send for OpenSpan {}
// SAFETY: as above.
unsafe impl Sync for OpenSpan {}

/// Plans of spans by name and names of values: what is written twice is prepared once.
type Plans = HashMap<(String, Vec<String>), Rc<Plan>>;

static PLANS: Guarded<Option<Plans>> = Guarded::new(None);

/// Plans kept; a program that makes up names of spans has them made anew.
const MOST_PLANS: usize = 1024;

/// # Errors
/// When a name of a value is not a str.
fn plan_of(name: &str, names: &[Bound<'_, PyAny>]) -> PyResult<Rc<Plan>> {
    let key = (name.to_owned(), names.iter().map(|name| name.extract()).collect::<PyResult<Vec<String>>>()?);
    // SAFETY: the interpreter lock is held, as the names prove, and the map calls nothing of the interpreter but to free
    // interned names.
    let plans = unsafe { (*PLANS.get()).get_or_insert_with(HashMap::new) };
    if let Some(plan) = plans.get(&key) {
        return Ok(Rc::clone(plan));
    }
    let definition = FunctionDef {
        // A program may put a name together from anything.
        name: masked(name, Extent::Whole, Names::defaults()).into_owned(),
        group: String::new(),
        kind: "span".to_owned(),
        file: String::new(),
        line: 0,
        parameters: key.1.clone(),
        sensitive_fields: Vec::new(),
    };
    let mut plan = Plan::new(definition, Parameters::named(names)?);
    plan.is_block = true;
    let plan = Rc::new(plan);
    if plans.len() >= MOST_PLANS {
        plans.clear();
    }
    plans.insert(key, Rc::clone(&plan));
    Ok(plan)
}

/// Begins a span of this name with these values; `None` where it is not recorded.
///
/// # Errors
/// When a name of a value is not a str.
pub(crate) fn begin_span(name: &str, values: &Bound<'_, PyDict>) -> PyResult<Option<OpenSpan>> {
    let py = values.py();
    let (names, values): (Vec<_>, Vec<_>) = values.iter().unzip();
    let plan = plan_of(name, &names)?;
    let names = PyTuple::new(py, &names)?;
    let values: Vec<*mut PyObject> = values.iter().map(Bound::as_ptr).collect();
    let given = Given { positional: &[], keywords: &values, names: names.as_ptr() };
    // SAFETY: the interpreter lock is held, and the values are held by the dict they came from.
    unsafe {
        if let Some(policy) =
            (*runtime::this_thread()).policy().filter(|_| plan.generation.get() == runtime::generation())
        {
            plan.meet_again(policy);
        }
        let mut call = Call::nowhere();
        let entered = enter(&plan, ptr::null_mut(), given, &mut call);
        let thread = call.thread;
        let state = match entered {
            Entered::Passed => return Ok(None),
            Entered::Missing(missing) => {
                (*thread).scope = call.outer;
                State::Missing(missing, context::around())
            }
            Entered::Recording => {
                // A span may end on another thread: no room is kept for its END on this one.
                (*thread).open -= 1;
                State::Recorded(Place::enter(thread, (*thread).scope, call.outer))
            }
        };
        Ok(Some(OpenSpan { plan, call, state, ended: Cell::new(false) }))
    }
}

#[pymethods]
impl OpenSpan {
    /// The span's id on the tape; None of one that has no record.
    #[getter]
    fn id(&self) -> Option<u64> {
        matches!(self.state, State::Recorded(_)).then_some(self.call.id)
    }

    /// Ends the span, with an exception or without; `values` are those it began with.
    fn end(&self, exception: Option<Bound<'_, PyAny>>, values: &Bound<'_, PyDict>) {
        let py = values.py();
        // SAFETY: the interpreter lock is held; the exception is set for the time of the capture only.
        unsafe {
            if let State::Recorded(place) = &self.state {
                place.leave();
            }
            let thread = runtime::this_thread();
            let generation = self.call.generation;
            let is_undefined = matches!(self.state, State::Missing(Missing::Undefined, _));
            let is_current = generation == runtime::generation() && (is_undefined || self.plan.is_in(generation));
            if self.ended.replace(true) || !is_current {
                return;
            }
            let outcome = match exception {
                None => Outcome::Bare(Status::Ok),
                Some(exception) if exception.is_instance_of::<PyGeneratorExit>() => Outcome::Bare(Status::Closed),
                Some(exception) => {
                    PyErr::from_value(exception).restore(py);
                    Outcome::Raised
                }
            };
            match self.state {
                State::Recorded(_) => self.end_recorded(thread, outcome),
                State::Missing(missing, around) => self.end_missing(thread, missing, around, outcome, values),
            }
            ffi::PyErr_Clear();
        }
    }
}

impl OpenSpan {
    /// # Safety
    /// The thread is this one, the run the current one, the interpreter lock held; an exception is set where the outcome
    /// says so.
    unsafe fn end_recorded(&self, thread: *mut ThreadRecorder, outcome: Outcome) {
        let (slot, policy, id) = (self.plan.slot.get(), self.plan.policy(), self.call.id);
        let weighted = self.call.decision != Decision::UNDECIDED;
        let ended = monotonic_ns();
        let ending = Ending { id, slot, ended, policy, activity: None, weighted, slow: false };
        // SAFETY: passed on.
        unsafe {
            let joined = !(*thread).busy && runtime::is_or_gets_joined(thread);
            if !joined || !append(&mut *thread, &ending, outcome) {
                owe(self.call.generation, &ending, ending.status(outcome));
            }
        }
    }

    /// # Safety
    /// As [`Self::end_recorded`].
    unsafe fn end_missing(
        &self,
        thread: *mut ThreadRecorder,
        missing: Missing,
        around: Scope,
        outcome: Outcome,
        values: &Bound<'_, PyDict>,
    ) {
        let py = values.py();
        let (started, ended) = (self.call.started, monotonic_ns());
        let id = Id::Seen(self.call.id);
        let over = Ended { plan: &self.plan, missing, id, around, started, ended, activity: None };
        // SAFETY: passed on; the values are held by their dict.
        unsafe {
            if (*thread).busy || !runtime::is_or_gets_joined(thread) {
                return count_only(&*thread, &over, outcome);
            }
            end_seldom(thread, &over, outcome, |_, policy, out| {
                let (names, values): (Vec<_>, Vec<_>) = values.iter().unzip();
                let Ok(names) = PyTuple::new(py, &names) else { return };
                let values: Vec<*mut PyObject> = values.iter().map(Bound::as_ptr).collect();
                let given = Given { positional: &[], keywords: &values, names: names.as_ptr() };
                capture_late_arguments(&self.plan, policy, given, ptr::null_mut(), out);
            });
        }
    }
}

/// # Safety
/// As [`append_end`], save that the thread is not busy.
unsafe fn append(thread: &mut ThreadRecorder, ending: &Ending<'_>, outcome: Outcome) -> bool {
    thread.busy = true;
    // SAFETY: passed on.
    let appended = unsafe { append_end(thread, ending, outcome) };
    thread.busy = false;
    matches!(appended, Appended::Yes)
}

/// The call that runs where :func:`current` was called.
///
/// Outside of any call, and in a tree that sampling leaves out, ``id`` is None and ``set`` does nothing.
#[pyclass(frozen, module = "calltape._native", name = "CurrentCall")]
pub(crate) struct CurrentCall {
    /// 0 for none.
    id: u64,
    generation: u32,
}

/// The running call; one without an id outside of any, and in a tree that is left out.
pub(crate) fn current(_py: Python<'_>) -> CurrentCall {
    // SAFETY: the interpreter lock is held.
    let id = unsafe { context::around().running() };
    CurrentCall { id, generation: runtime::generation() }
}

#[pymethods]
impl CurrentCall {
    /// The call's id on the tape; None outside of any call.
    #[getter]
    fn id(&self) -> Option<u64> {
        (self.id != 0).then_some(self.id)
    }

    /// Add a value to the call: ``args ->> '$."(set)".key'`` on the tape. A later value of the same key replaces it.
    ///
    /// The value is captured and masked as an argument is.
    ///
    /// Raises:
    ///     TypeError: ``key`` is no str.
    fn set(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let key = key.cast::<PyString>().map_err(|_| PyTypeError::new_err("set: the key must be a str"))?;
        let key = key.to_string_lossy();
        if self.id == 0 || self.generation != runtime::generation() {
            return Ok(());
        }
        // SAFETY: the interpreter lock is held, and the value is the caller's.
        unsafe {
            let thread = runtime::this_thread();
            if !(*thread).busy && runtime::is_or_gets_joined(thread) {
                (*thread).busy = true;
                note(&mut *thread, self.id, &key, value.as_ptr());
                (*thread).busy = false;
            }
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        if self.id == 0 { "<no call>".to_owned() } else { format!("<call {}>", self.id) }
    }
}

/// # Safety
/// The interpreter lock is held, the thread is this one, joined to the current run and busy; `value` is live.
unsafe fn note(thread: &mut ThreadRecorder, id: u64, key: &str, value: *mut PyObject) {
    let mut scratch = std::mem::take(&mut thread.scratch);
    let policy = thread.fitting(thread.policy().unwrap_or_else(Policy::none).of_blocks());
    begin_note(&mut scratch, id, &masked(key, Extent::Whole, policy.names));
    if policy.names.is_sensitive(key.as_bytes()) {
        ValueWriter::masked(&mut scratch);
    } else {
        // SAFETY: passed on.
        unsafe { Capture::new(&mut scratch, policy).value(value) };
    }
    if matches!(thread.append_note(&scratch, thread.open * END_ROOM), Appended::Full) {
        runtime::note_dropped_value();
    }
    thread.scratch = scratch;
}

/// A block in which nothing is recorded.
#[pyclass(frozen, module = "calltape._native")]
pub(crate) struct Suppression {
    place: Place,
}

/// Records nothing from here on, until the suppression is ended.
pub(crate) fn suppress(_py: Python<'_>) -> Suppression {
    // SAFETY: the interpreter lock is held and no exception is set.
    unsafe {
        let thread = runtime::this_thread();
        let outer = (*thread).scope_in(runtime::generation());
        Suppression { place: Place::enter(thread, Scope::SUPPRESSED, outer) }
    }
}

#[pymethods]
impl Suppression {
    /// Records again.
    fn end(&self) {
        // SAFETY: the interpreter lock is held and no exception is set.
        unsafe { self.place.leave() };
    }
}
