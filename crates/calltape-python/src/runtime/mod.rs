//! The one recording of this process: when it begins and ends, and what threads and functions take from it.
//!
//! ```text
//! clock.rs      the time, cheaply
//! context.rs    the running call, carried into copied contexts and pool threads
//! guarded.rs    a value that the interpreter lock guards
//! thread.rs     what a thread keeps between its calls
//! lifecycle.rs  start, flush, stop, exit
//! aside.rs      a recording in the place of another one, which rests
//! fork.rs       what happens around a fork
//! hook.rs       a C function in the place of one of the interpreter's
//! renewed.rs    a mutex that a forked child makes anew
//! identity.rs   who this process and this thread are
//! scope.rs      a place in the tree of calls, and what is decided for the tree
//! task.rs       the name of the running task
//! messages.rs   what goes to logging.getLogger("calltape")
//! ```
//!
//! A run has a generation number. Whatever belongs to a run (a function's number, a thread's writer) carries it, and is
//! made anew when it is not the current one; so a stop, a second start or a fork needs to find nobody.

mod aside;
mod clock;
pub(crate) mod context;
pub(crate) mod fork;
mod guarded;
mod hook;
mod identity;
mod lifecycle;
mod messages;
mod renewed;
mod scope;
mod task;
mod thread;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use calltape_engine::Recorder;
use calltape_engine::sampling::Meter;
use calltape_journal::{Counters, Journal, JournalError, Pressure, Writer, bump, monotonic_ns};
use calltape_record::{FunctionDef, latency};
use pyo3::ffi;

use crate::capture::Policy;

pub(crate) use aside::Interlude;
pub(crate) use guarded::Guarded;
pub(crate) use lifecycle::{end, flush, install_exit_hooks, quiesce, recorded_to, start, stats, stop};
pub(crate) use renewed::Renewed;
pub(crate) use scope::Scope;
pub(crate) use task::current_task_name;
pub(crate) use thread::{Appended, END_ROOM, ThreadRecorder, this_thread};

/// The generation of functions and threads that have not met a run.
pub(crate) const NEVER: u32 = 0;
/// The generation before the first run.
const IDLE: u32 = 1;
/// The generation that stands for "nothing is recorded".
pub(crate) const OFF: u32 = u32::MAX;

/// The current run's generation; [`IDLE`] before the first, [`OFF`] after the last.
static GENERATION: AtomicU32 = AtomicU32::new(IDLE);
/// The generation given out last.
static LAST_GENERATION: AtomicU32 = AtomicU32::new(IDLE);
/// Counts forks: a run of another count is the parent's.
static FORKS: AtomicU32 = AtomicU32::new(0);
/// Set when the interpreter has begun to exit.
static EXITING: AtomicBool = AtomicBool::new(false);
/// Faults inside calltape since the program began: panics and broken invariants.
static FAULTS: AtomicU64 = AtomicU64::new(0);
/// Calls passed through because calltape's own work made them.
static REENTRIES: AtomicU64 = AtomicU64::new(0);

/// Values of `current().set` that found no room.
static DROPPED_VALUES: AtomicU64 = AtomicU64::new(0);

/// Times that the program's own code for showing an object failed.
static FAILED_CAPTURES: AtomicU64 = AtomicU64::new(0);

/// The run, or why there is none.
enum State {
    /// Nothing has been recorded yet: the first call starts the run.
    Idle,
    Running(Arc<Running>),
    /// Stopped or impossible to start: calls pass through.
    Off,
}

static STATE: Renewed<State> = Renewed::new(State::Idle);

/// How long a waiting call sleeps before it looks whether the run still lasts.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// After a definition could not be written no other is tried for this long: on a full disk each call would try.
const DEFINITION_PAUSE_NS: u64 = 100_000_000;

/// A run in progress.
pub(crate) struct Running {
    pub(crate) generation: u32,
    forks: u32,
    pub(crate) journal: Arc<Journal>,
    recorder: Recorder,
    /// By encoded definition: a function that is made anew each time keeps its number.
    functions: Mutex<HashMap<Vec<u8>, Function>>,
    /// Of the functions for which there was no number.
    more_functions: Function,
    /// Monotonic ns until which no definition is written.
    no_definition_until: AtomicU64,
    /// How long a call waits for room; `None` to drop at once.
    pub(crate) block_ns: Option<u64>,
    policy: &'static Policy,
    exit_timeout: Duration,
}

/// A function's number in a run, and how often it is called. The meter stays where it is as long as the run.
struct Function {
    slot: u32,
    meter: Box<Guarded<Meter>>,
}

impl Function {
    fn new(slot: u32) -> Self {
        Self { slot, meter: Box::new(Guarded::new(Meter::new(monotonic_ns()))) }
    }

    fn parts(&self) -> (u32, *mut Meter) {
        (self.slot, self.meter.get())
    }
}

impl Running {
    /// The number of a function, written to the journal the first time, and its meter; `None` in the pause after that
    /// failed.
    fn function_of(&self, definition: &FunctionDef) -> Option<Result<(u32, *mut Meter), JournalError>> {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let encoded = definition.encode();
        if let Some(known) = functions.get(&encoded) {
            return Some(Ok(known.parts()));
        }
        // Relaxed: under the lock of `functions`.
        if monotonic_ns() < self.no_definition_until.load(Ordering::Relaxed) {
            return None;
        }
        Some(match self.journal.define(&encoded) {
            Ok(0) => Ok(self.more_functions.parts()),
            Ok(slot) if functions.try_reserve(1).is_ok() => {
                Ok(functions.entry(encoded).or_insert(Function::new(slot)).parts())
            }
            // Without room to remember it, the function gets another number next time.
            Ok(slot) => Ok((slot, self.more_functions.parts().1)),
            Err(error) => {
                self.no_definition_until.store(monotonic_ns() + DEFINITION_PAUSE_NS, Ordering::Relaxed);
                Err(error)
            }
        })
    }

    /// A writer for the calling thread; an exception that is set stays. `None` when the journal has no room for another
    /// thread, where it `waits` also not after the time that calls wait.
    ///
    /// # Safety
    /// The interpreter lock is held, and the thread is marked busy.
    #[cold]
    unsafe fn lease(&self, is_error: bool, waits: bool) -> Option<Writer> {
        // SAFETY: passed on; asking for the thread's name leaves no exception of its own.
        let name = unsafe {
            let raised = (!ffi::PyErr_Occurred().is_null()).then(|| crate::capture::Raised::take());
            let event = identity::this_thread_event();
            if let Some(raised) = raised {
                raised.put_back();
            }
            event.encode()
        };
        let lease = || {
            let leased = if is_error { self.journal.lease_for_error(&name) } else { self.journal.lease(&name) };
            // Many threads that record little make no pressure: then nothing need be kept from one more.
            let of_the_reserve = || self.journal.lease_for_error(&name).ok();
            leased.ok().or_else(|| (self.journal.pressure() < Pressure::Dropping).then(of_the_reserve).flatten())
        };
        lease().or_else(|| if waits { self.patiently(lease) } else { None })
    }

    /// Whether the run was started in this process, and not in one it was forked from.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.forks == FORKS.load(Ordering::Relaxed)
    }

    /// Tries again, while the settings allow and the run lasts, each time the journal has room; other Python threads run
    /// meanwhile, and may be quicker. `None` when the time is over.
    #[cold]
    fn patiently<T>(&self, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let deadline = monotonic_ns() + self.block_ns?;
        loop {
            let now = monotonic_ns();
            // At the exit nobody waits: a thread that comes back to an interpreter that is gone is ended on the spot.
            if now >= deadline || EXITING.load(Ordering::Relaxed) {
                return None;
            }
            without_the_lock(|| {
                self.recorder.wake();
                self.journal.wait_for_space(Duration::from_nanos(deadline - now).min(LOOK_AGAIN));
            });
            if self.generation != generation() {
                return None;
            }
            if let Some(done) = attempt() {
                return Some(done);
            }
        }
    }
}

/// A function's place in the current run.
pub(crate) struct Defined {
    pub(crate) generation: u32,
    pub(crate) slot: u32,
    pub(crate) counters: *const Counters,
    pub(crate) meter: *mut Meter,
    pub(crate) policy: &'static Policy,
}

/// The run in which a function's definition could not be written: its calls are those of slot 0.
pub(crate) struct Undefined {
    pub(crate) generation: u32,
    pub(crate) policy: &'static Policy,
}

/// The current run's generation; [`OFF`] when nothing is recorded.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock()
}

fn turn_off() {
    *state() = State::Off;
    GENERATION.store(OFF, Ordering::Relaxed);
}

fn running() -> Option<Arc<Running>> {
    match &*state() {
        State::Running(running) => Some(Arc::clone(running)),
        _ => None,
    }
}

/// Gives a function that is being called its number in the current run, which is started when there is none yet. `None`
/// when nothing is recorded. `sensitive_fields` are what the function changes of the names that the run withholds.
pub(crate) fn define(definition: &FunctionDef, sensitive_fields: &[String]) -> Option<Result<Defined, Undefined>> {
    let running = match running() {
        Some(running) => running,
        None => lifecycle::start_lazily()?,
    };
    let of_run = &running.policy.sensitive_fields;
    let sensitive_fields = of_run.iter().chain(sensitive_fields).cloned().collect();
    let definition = FunctionDef { sensitive_fields, ..definition.clone() };
    let (slot, meter) = match running.function_of(&definition) {
        Some(Ok(known)) => known,
        failed => {
            if let Some(Err(error)) = failed {
                messages::log(messages::Level::Warning, &format!("{} is not recorded: {error}", definition.name));
            }
            return Some(Err(Undefined { generation: running.generation, policy: running.policy }));
        }
    };
    let counters: *const Counters = running.journal.counters(slot);
    Some(Ok(Defined { generation: running.generation, slot, counters, meter, policy: running.policy }))
}

/// Counts the beginning of a call of a function without a number.
#[cold]
pub(crate) fn count_undefined_call() {
    if let Some(running) = running() {
        bump(&running.journal.counters(0).calls);
    }
}

/// Counts and times the end of such a call, in the run in which it began.
#[cold]
pub(crate) fn count_undefined_end(took: u64, is_error: bool) {
    let Some(running) = running() else { return };
    let counters = running.journal.counters(0);
    bump(&counters.dropped);
    if is_error {
        bump(&counters.dropped_errors);
    }
    if let Some(tally) = running.journal.tally(0) {
        tally.add(latency::bucket_of(took), took);
    }
}

/// Joins this thread to the current run; false where there is none. Runs none of the interpreter's code.
///
/// # Safety
/// `thread` is this thread's own, the interpreter lock held.
#[cold]
pub(crate) unsafe fn join(thread: *mut ThreadRecorder) -> bool {
    let Some(running) = running() else { return false };
    running.recorder.rescue();
    // SAFETY: passed on.
    unsafe { (*thread).join(running) };
    true
}

/// Whether this thread is joined to the current run, to which it is joined where it is not.
///
/// # Safety
/// As [`join`].
#[inline]
pub(crate) unsafe fn is_or_gets_joined(thread: *mut ThreadRecorder) -> bool {
    // SAFETY: passed on.
    unsafe { (*thread).generation == generation() || join(thread) }
}

/// Counts a fault of calltape's own, and lets the thread record its next calls.
#[cold]
pub(crate) fn note_fault() {
    FAULTS.fetch_add(1, Ordering::Relaxed);
    thread::be_free_again();
}

/// Counts a call that calltape's own work made.
#[cold]
pub(crate) fn note_reentry() {
    bump(&REENTRIES);
}

/// Counts a value that found no room.
#[cold]
pub(crate) fn note_dropped_value() {
    bump(&DROPPED_VALUES);
}

/// Counts a failure of the program's own code for showing an object.
#[cold]
pub(crate) fn note_failed_capture() {
    FAILED_CAPTURES.fetch_add(1, Ordering::Relaxed);
}

/// Failures of the program's own code for showing objects since the program began.
pub(crate) fn failed_captures() -> u64 {
    FAILED_CAPTURES.load(Ordering::Relaxed)
}

/// In a forked child: the figures were the parent's.
fn forget_figures() {
    for figure in [&FAULTS, &REENTRIES, &DROPPED_VALUES, &FAILED_CAPTURES] {
        figure.store(0, Ordering::Relaxed);
    }
}

/// Leaves a warning for whoever logs next: in the middle of a call nothing is logged.
pub(crate) fn say_later(text: String) {
    messages::later(messages::Level::Warning, text);
}

/// Values without room counted since the program began.
pub(crate) fn dropped_values() -> u64 {
    DROPPED_VALUES.load(Ordering::Relaxed)
}

/// Faults counted since the program began.
pub(crate) fn faults() -> u64 {
    FAULTS.load(Ordering::Relaxed)
}

/// Re-entries counted since the program began.
pub(crate) fn reentries() -> u64 {
    REENTRIES.load(Ordering::Relaxed)
}

/// Runs `body` while other Python threads may run.
pub(crate) fn without_the_lock<T>(body: impl FnOnce() -> T) -> T {
    struct TakenBack(*mut ffi::PyThreadState);
    impl Drop for TakenBack {
        fn drop(&mut self) {
            // SAFETY: gives this thread the lock that it gave up below, also when `body` panics.
            unsafe { ffi::PyEval_RestoreThread(self.0) };
        }
    }
    // SAFETY: called with the interpreter lock held; `body` touches no Python object.
    let _taken_back = TakenBack(unsafe { ffi::PyEval_SaveThread() });
    body()
}
