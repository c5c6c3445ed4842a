//! Start, flush, stop and exit.
//!
//! The end comes in two steps. `quiesce`, from atexit, drains what is there while Python still runs, so that what is
//! left over can be said. `finish`, from the interpreter's last exit hook, takes the calls that were made after it (other
//! exit handlers, finalisers), says that the run ended and removes its journal.

use std::ffi::{c_int, c_void};
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use calltape_engine::settings::{OnFull, Settings, Surroundings};
use calltape_engine::{BreakerStats, Recorder, Stats, StopReport};
use calltape_journal::monotonic_ns;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;

use super::messages::{self, Level};
use super::{EXITING, FORKS, Function, GENERATION, IDLE, LAST_GENERATION, OFF, Running, State};
use super::{identity, running, state, turn_off, without_the_lock};
use crate::capture::Policy;

/// The settings of the last run: a forked child begins its own with them.
///
/// Null before the first. What is replaced is leaked, for a child that is being forked may read it.
pub(super) static KEPT: AtomicPtr<Settings> = AtomicPtr::new(ptr::null_mut());

fn kept() -> Option<&'static Settings> {
    // SAFETY: null or a leaked box. Acquire: its partner is the store in `keep`.
    unsafe { KEPT.load(Ordering::Acquire).as_ref() }
}

fn keep(settings: Settings) {
    if kept().is_none_or(|kept| difference(kept, &settings).is_some()) {
        KEPT.store(Box::into_raw(Box::new(settings)), Ordering::Release);
    }
}

/// How long the last step of the end may take: little is left by then.
const FINISH_TIMEOUT: Duration = Duration::from_millis(500);

/// Starts the run with `arguments` as settings. A run that is there already with the same settings stays.
///
/// # Errors
/// When an argument is wrong, or the journal cannot be made.
pub(crate) fn start(py: Python<'_>, arguments: &[(String, String)]) -> PyResult<()> {
    let settings = Settings::load(arguments, &Surroundings::of_process())
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    if settings.disabled {
        turn_off_by_setting(&settings);
        return Ok(());
    }
    if let Some(running) = running() {
        return match difference(running.recorder.settings(), &settings) {
            None => Ok(()),
            Some((setting, value)) => Err(PyRuntimeError::new_err(format!(
                "calltape already records with {setting}={value}; call calltape.stop() before starting with another"
            ))),
        };
    }
    if settings.db.is_dir() {
        return Err(PyOSError::new_err(format!("{} is a directory; set db to a file's path", settings.db.display())));
    }
    begin(py, settings).map_err(PyOSError::new_err).map(drop)
}

/// After a start for which there was no memory, the next attempt is made a second later.
const START_PAUSE_NS: u64 = 1_000_000_000;

/// Monotonic ns of the next attempt to start; 0 before the first failed.
static NEXT_START: AtomicU64 = AtomicU64::new(0);

/// Starts the run with the settings that environment and file give. Where not even a counter can be had, it is tried
/// again later.
pub(super) fn start_lazily() -> Option<Arc<Running>> {
    if matches!(&*state(), State::Off) || monotonic_ns() < NEXT_START.load(Ordering::Relaxed) {
        return None;
    }
    let settings = match kept() {
        Some(settings) => settings.clone(),
        None => Settings::load(&[], &Surroundings::of_process()).ok()?,
    };
    if settings.disabled {
        turn_off_by_setting(&settings);
        return None;
    }
    // SAFETY: whoever records holds the interpreter lock. `Python::attach` would panic where the interpreter is about to be
    // gone, and the first call may be a finaliser's.
    match unsafe { Python::attach_unchecked(|py| begin(py, settings)) } {
        Ok(running) => Some(running),
        Err(error) => {
            NEXT_START.store(monotonic_ns() + START_PAUSE_NS, Ordering::Relaxed);
            messages::log(Level::Error, &format!("nothing is recorded for now: {error}"));
            None
        }
    }
}

/// The database that this process records to now.
pub(crate) fn recorded_to() -> Option<PathBuf> {
    running().map(|running| running.recorder.settings().db.clone())
}

/// The first setting that differs, with the value in force.
fn difference(in_force: &Settings, wanted: &Settings) -> Option<(&'static str, String)> {
    let pairs = in_force.sources().iter().zip(wanted.sources());
    pairs.filter(|(old, new)| old.value != new.value).map(|(old, _)| (old.setting, old.value.clone())).next()
}

fn turn_off_by_setting(settings: &Settings) {
    turn_off();
    for problem in settings.problems() {
        messages::log(Level::Warning, problem);
    }
}

pub(super) fn begin(py: Python<'_>, settings: Settings) -> Result<Arc<Running>, String> {
    let identity = identity::of_this_process(py);
    let block_ns = match settings.on_full {
        OnFull::Drop => None,
        OnFull::Block => Some(u64::try_from(settings.block_timeout.as_nanos()).unwrap_or(u64::MAX / 2)),
    };
    let policy = Policy::of_settings(&settings).map_err(|error| error.to_string())?;
    let exit_timeout = settings.exit_timeout;
    // The interpreter lock stays held, so no second thread starts a second run meanwhile.
    let recorder = Recorder::start(&settings, &identity).map_err(|error| error.to_string())?;
    let generation = LAST_GENERATION.fetch_add(1, Ordering::Relaxed) + 1;
    let running = Arc::new(Running {
        generation,
        forks: FORKS.load(Ordering::Relaxed),
        journal: Arc::clone(recorder.journal()),
        recorder,
        functions: Mutex::default(),
        more_functions: Function::new(0),
        no_definition_until: AtomicU64::new(0),
        block_ns,
        policy,
        exit_timeout,
    });
    *state() = State::Running(Arc::clone(&running));
    keep(settings);
    GENERATION.store(generation, Ordering::Relaxed);
    messages::log_pending(&running);
    running.recorder.announce_messages(messages::announce);
    if FORKS.load(Ordering::Relaxed) > 0 {
        // SAFETY: may be called at any time. Not at once: this is the middle of a call, where the exception of a signal's
        // handler that runs meanwhile would be lost.
        unsafe { ffi::Py_AddPendingCall(Some(arrange_for_the_end), ptr::null_mut()) };
    }
    Ok(running)
}

/// In a forked child, whose library may have been loaded since the fork: see `calltape._children`. What it raises is a
/// signal handler's, and reaches the program where the handler would have.
extern "C" fn arrange_for_the_end(_nothing: *mut c_void) -> c_int {
    // SAFETY: the interpreter makes pending calls with its lock held, between two instructions of the main thread's.
    let arranged = unsafe {
        Python::attach_unchecked(|py| {
            let arranged = py.import("calltape._children").and_then(|children| children.call_method0("arrange"));
            arranged.map(drop).map_err(|raised| raised.restore(py))
        })
    };
    if arranged.is_ok() { 0 } else { -1 }
}

/// Waits until everything recorded before the call is in the database.
pub(crate) fn flush(timeout: Duration) -> bool {
    let Some(running) = running() else { return true };
    let flushed = without_the_lock(|| running.recorder.flush(timeout));
    messages::log_pending(&running);
    flushed
}

/// Ends the run. Returns whether everything is in the database; what is not stays in the journal, and is logged where no
/// other process stores it. A later call begins a new run only through [`start`].
pub(crate) fn stop(timeout: Duration) -> bool {
    finish(State::Off, OFF, timeout)
}

/// The end of a process that leaves without running its exit hooks. What calls monitored functions all the same begins
/// another run.
pub(crate) fn end() {
    let Some(timeout) = running().map(|running| running.exit_timeout) else { return };
    finish(State::Idle, IDLE, timeout);
}

fn finish(next: State, generation: u32, timeout: Duration) -> bool {
    let was_off = matches!(&*state(), State::Off);
    let finished = std::mem::replace(&mut *state(), if was_off { State::Off } else { next });
    let State::Running(running) = finished else { return true };
    GENERATION.store(generation, Ordering::Relaxed);
    finish_run(&running, timeout)
}

/// Ends a run that is no longer the current one; whether everything is in the database.
pub(super) fn finish_run(running: &Running, timeout: Duration) -> bool {
    let report = without_the_lock(|| running.recorder.finish(timeout));
    messages::log_pending(running);
    report_left(running, report);
    report.drained
}

/// Says that calls are left in the journal with nobody to store them until a later start.
fn report_left(running: &Running, report: StopReport) {
    // Memory is nobody else's to drain.
    if !report.drained && (!report.elsewhere || running.journal.is_in_memory()) {
        let database = running.recorder.settings().db.display().to_string();
        if running.journal.is_in_memory() {
            let text =
                format!("calls are not in {database} yet; their journal is in memory and ends with this process");
            return messages::log(Level::Warning, &text);
        }
        let text = format!(
            "calls are not in {database} yet; they stay in {database}.tape until a process that records on it stores them"
        );
        messages::log(Level::Warning, &text);
    }
}

/// The figures of the run; zeros while there is none.
pub(crate) fn stats() -> Stats {
    let Some(running) = running() else { return no_figures() };
    messages::log_pending(&running);
    without_the_lock(|| running.recorder.stats())
}

fn no_figures() -> Stats {
    let breaker = BreakerStats { state: "closed", opens: 0, failures: 0, last_error: None, next_probe_s: None };
    Stats {
        recorded: 0,
        stored: 0,
        sampled_out: 0,
        dropped: 0,
        dropped_errors: 0,
        in_flight: 0,
        journal_bytes: 0,
        journal_capacity: 0,
        breaker,
        writes: 0,
        lag_s: 0.0,
        damaged: 0,
        drains: false,
        pressure: "none",
        journal: "none",
    }
}

/// The first step of the end, while Python still runs.
pub(crate) fn quiesce() {
    EXITING.store(true, Ordering::Relaxed);
    let Some(running) = running() else { return };
    let report = without_the_lock(|| running.recorder.quiesce(running.exit_timeout));
    messages::log_pending(&running);
    report_left(&running, report);
}

/// Arranges for the end of the process.
pub(crate) fn install_exit_hooks(py: Python<'_>, quiesce: &Bound<'_, PyAny>) -> PyResult<()> {
    py.import("atexit")?.call_method1("register", (quiesce,))?;
    // SAFETY: the hook calls no Python; the interpreter runs it once, at its very end.
    let refused = unsafe { ffi::Py_AtExit(Some(finish_at_exit)) } != 0;
    if refused {
        messages::log(Level::Info, "no exit hook is free: this run's journal is left for the next start");
    }
    Ok(())
}

/// The second step of the end. Python is gone: no Python call, no logging, no panic.
extern "C" fn finish_at_exit() {
    let _ = std::panic::catch_unwind(|| {
        let Some(running) = running() else { return };
        if running.is_of_this_process() {
            running.recorder.finish(FINISH_TIMEOUT);
        }
    });
}
