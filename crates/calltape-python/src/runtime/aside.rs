//! A recording in the place of another one, which rests meanwhile and goes on afterwards: `calltape.testing`.
//!
//! What rests keeps its journal, its lease and its open calls; its background thread stands still, so that a fork finds
//! nothing of it at work. The thread that sets it aside keeps its own place in it, and with it its open calls. Other
//! threads join the new recording with their next call: those of their calls that are open across its beginning or its
//! end are interrupted on the tape they began on.
//!
//! In a forked child nothing is brought back: what rests is the parent's.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use calltape_engine::settings::{Settings, Surroundings};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use super::lifecycle::{KEPT, begin, finish_run};
use super::thread::this_thread;
use super::{
    FORKS, GENERATION, IDLE, OFF, Running, State, ThreadRecorder, generation, messages, state, without_the_lock,
};

/// How long the background thread of what is set aside may take for a batch: then it goes on, in its own time.
const REST: Duration = Duration::from_secs(2);

/// A recording, and what it stands in the place of.
pub(crate) struct Interlude {
    own: Arc<Running>,
    outer: State,
    outer_generation: u32,
    outer_settings: *mut Settings,
    /// The place of the thread that began it, by the kernel's number, in what rests.
    thread: libc::pid_t,
    place: Box<ThreadRecorder>,
    forks: u32,
}

// SAFETY: the place is a thread's own: it is touched on that thread alone, and given up elsewhere. The settings are leaked.
unsafe impl Send for Interlude {}

impl Interlude {
    /// Sets what is recorded now aside, and begins a recording with `arguments` as settings.
    ///
    /// # Errors
    /// When an argument is wrong, or the recording cannot be begun: then the other one goes on.
    pub(crate) fn begin(py: Python<'_>, arguments: &[(String, String)]) -> PyResult<Self> {
        let settings = Settings::load(arguments, &Surroundings::of_process())
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let outer_generation = generation();
        let outer = std::mem::replace(&mut *state(), State::Off);
        GENERATION.store(OFF, Ordering::Relaxed);
        if let State::Running(running) = &outer {
            without_the_lock(|| running.recorder.pause(REST));
            messages::log_pending(running);
        }
        let outer_settings = KEPT.load(Ordering::Acquire);
        // SAFETY: this thread's own; no call of calltape's own is under way in it, for this is the program's.
        let place = Box::new(std::mem::replace(unsafe { &mut *this_thread() }, ThreadRecorder::new(false)));
        let (thread, forks) = (this_threads_number(), FORKS.load(Ordering::Relaxed));
        match begin(py, settings) {
            Ok(own) => Ok(Self { own, outer, outer_generation, outer_settings, thread, place, forks }),
            Err(error) => {
                give_back_place(thread, place);
                go_on(outer, outer_generation, outer_settings);
                Err(PyOSError::new_err(error))
            }
        }
    }

    /// Ends the recording and has the other one go on; whether all of it is in its database. Without a `timeout` nobody
    /// wants it: what is not stored yet is given up.
    pub(crate) fn end(self, timeout: Option<Duration>) -> bool {
        let Self { own, outer, outer_generation, outer_settings, thread, place, forks } = self;
        if forks != FORKS.load(Ordering::Relaxed) {
            std::mem::forget((outer, place));
            go_on(State::Idle, IDLE, ptr::null_mut());
            // A child of this recording ends its own run, which it may have begun.
            std::mem::forget(own);
            return true;
        }
        give_back_place(thread, place);
        go_on(outer, outer_generation, outer_settings);
        match timeout {
            Some(timeout) => finish_run(&own, timeout),
            None => without_the_lock(|| own.recorder.finish(Duration::ZERO)).drained,
        }
    }
}

/// The kernel's number of this thread. The standard library's takes memory for it, and ends the process where there is none.
fn this_threads_number() -> libc::pid_t {
    // SAFETY: asks only.
    unsafe { libc::gettid() }
}

/// Puts a thread's place back where it was; on another thread it is given up.
fn give_back_place(thread: libc::pid_t, place: Box<ThreadRecorder>) {
    if thread == this_threads_number() {
        // SAFETY: as in `Interlude::begin`.
        drop(std::mem::replace(unsafe { &mut *this_thread() }, *place));
    }
}

fn go_on(outer: State, generation: u32, settings: *mut Settings) {
    if let State::Running(running) = &outer {
        running.recorder.resume();
    }
    *state() = outer;
    // What stood there is leaked, as ever.
    KEPT.store(settings, Ordering::Release);
    GENERATION.store(generation, Ordering::Relaxed);
}
