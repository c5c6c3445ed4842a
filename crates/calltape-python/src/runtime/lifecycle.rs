//! Start, flush, stop, exit and fork.
//!
//! The end comes in two steps. `quiesce`, from atexit, drains what is there while Python still runs, so that what is
//! left over can be said. `finish`, from the interpreter's last exit hook, takes the calls that were made after it (other
//! exit handlers, finalisers), says that the run ended and removes its journal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use calltape_engine::settings::{OnFull, Settings, Surroundings};
use calltape_engine::{BreakerStats, Recorder, Stats};
use calltape_journal::monotonic_ns;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;

use super::messages::{self, Level};
use super::{EXITING, FORKS, GENERATION, IDLE, LAST_GENERATION, OFF, Running, State};
use super::{identity, running, state, turn_off, without_the_lock};
use crate::capture::Policy;

/// The settings of the last run: a forked child begins its own with them.
static KEPT: Mutex<Option<Settings>> = Mutex::new(None);

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
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let settings = match kept {
        Some(settings) => settings,
        None => Settings::load(&[], &Surroundings::of_process()).ok()?,
    };
    if settings.disabled {
        turn_off_by_setting(&settings);
        return None;
    }
    match Python::attach(|py| begin(py, settings)) {
        Ok(running) => Some(running),
        Err(error) => {
            NEXT_START.store(monotonic_ns() + START_PAUSE_NS, Ordering::Relaxed);
            messages::log(Level::Error, &format!("nothing is recorded for now: {error}"));
            None
        }
    }
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

fn begin(py: Python<'_>, settings: Settings) -> Result<Arc<Running>, String> {
    install_fork_hook();
    let identity = identity::of_this_process(py);
    let block_ns = match settings.on_full {
        OnFull::Drop => None,
        OnFull::Block => Some(u64::try_from(settings.block_timeout.as_nanos()).unwrap_or(u64::MAX / 2)),
    };
    let policy = Policy::of_settings(&settings).map_err(|error| error.to_string())?;
    let exit_timeout = settings.exit_timeout;
    // The interpreter lock stays held, so no second thread starts a second run meanwhile.
    let recorder = with_signals_blocked(|| Recorder::start(&settings, &identity)).map_err(|error| error.to_string())?;
    let generation = LAST_GENERATION.fetch_add(1, Ordering::Relaxed) + 1;
    let running = Arc::new(Running {
        generation,
        forks: FORKS.load(Ordering::Relaxed),
        journal: Arc::clone(recorder.journal()),
        recorder,
        slots: Mutex::default(),
        no_definition_until: AtomicU64::new(0),
        block_ns,
        policy,
        exit_timeout,
    });
    *state() = State::Running(Arc::clone(&running));
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
    GENERATION.store(generation, Ordering::Relaxed);
    messages::log_pending(&running);
    Ok(running)
}

/// Runs `body` with every signal blocked, for the thread it starts: signals are the program's threads' to take.
fn with_signals_blocked<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: both sets are initialised before they are read, and the mask is the calling thread's own.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        let mut before = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let value = body();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        value
    }
}

/// Waits until everything recorded before the call is in the database.
pub(crate) fn flush(timeout: Duration) -> bool {
    let Some(running) = running() else { return true };
    let flushed = without_the_lock(|| running.recorder.flush(timeout));
    messages::log_pending(&running);
    flushed
}

/// Ends the run. Returns whether everything is in the database; what is not stays in the journal and is logged.
pub(crate) fn stop(timeout: Duration) -> bool {
    let stopped = std::mem::replace(&mut *state(), State::Off);
    let State::Running(running) = stopped else { return true };
    GENERATION.store(OFF, Ordering::Relaxed);
    let report = without_the_lock(|| running.recorder.finish(timeout));
    messages::log_pending(&running);
    report_left(&running, report.drained);
    // A later call begins a new run only through start(): after stop() nothing is recorded.
    report.drained
}

/// Says that calls are left in the journal: for a later start, or for another process that records on the tape now.
fn report_left(running: &Running, drained: bool) {
    if !drained {
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
    let drained = without_the_lock(|| running.recorder.quiesce(running.exit_timeout));
    messages::log_pending(&running);
    report_left(&running, drained);
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

/// A forked child has its parent's memory and none of its threads: it forgets the run, closes nothing of it but the
/// locks, and begins its own with its first recorded call.
fn install_fork_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: the handler is a function of this library, which is never unloaded.
        unsafe { libc::pthread_atfork(None, None, Some(forget_in_child)) };
    });
}

unsafe extern "C" fn forget_in_child() {
    calltape_journal::forget_after_fork();
    FORKS.fetch_add(1, Ordering::Relaxed);
    // The lock is free or held by a thread that does not exist here; a start in progress in the parent forks nobody.
    if let Ok(mut state) = super::STATE.try_lock()
        && matches!(*state, State::Running(_))
    {
        GENERATION.store(IDLE, Ordering::Relaxed);
        std::mem::forget(std::mem::replace(&mut *state, State::Idle));
    }
}
