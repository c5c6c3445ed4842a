//! What was decided at decoration, and the function's number in the current run.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::Ordering;

use calltape_engine::sampling::{Decision, Meter, Sampling};
use calltape_journal::{Counters, Pressure, Tally, bump};
use calltape_record::{FunctionDef, latency};
use pyo3::ffi;

use super::parameters::Parameters;
use crate::capture::{OwnPolicy, Policy};
use crate::runtime::{self, Defined, NEVER, ThreadRecorder};

/// A monitored function's settings and its place in the run. What a run changes stands in cells: several threads may
/// be inside calls of the function, and the interpreter lock lets one at a time at them.
pub(super) struct Plan {
    pub(super) definition: FunctionDef,
    pub(super) parameters: Parameters,
    /// Which calls are kept, where nobody above has decided.
    sampling: Sampling,
    /// That is not simply every call.
    pub(super) is_sampled: bool,
    /// Nanoseconds from which a call is kept whatever was decided; `u64::MAX` for never.
    pub(super) slow_ns: u64,
    pub(super) capture_arguments: bool,
    pub(super) capture_result: bool,
    /// What a capture may do: the settings' and the function's own together, once a run is there.
    policy: Cell<&'static Policy>,
    pub(super) own_policy: OwnPolicy,
    /// It is a span's, which belongs to no function.
    pub(super) is_block: bool,
    /// The wrapped callable is a `functools.partial`, whose arguments are recorded with the call's.
    pub(super) is_partial: bool,
    /// The run that the rest belongs to.
    pub(super) generation: Cell<u32>,
    pub(super) slot: Cell<u32>,
    /// Owned by the journal of run `generation`, which outlives every use while that run is current.
    pub(super) counters: Cell<*const Counters>,
    /// Owned by the run, as long.
    meter: Cell<*mut Meter>,
    /// As the counters; null where there is none.
    tally: Cell<*const Tally>,
}

/// What became of a call without a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Sampling left it out.
    LeftOut,
    /// There was no room for it.
    Dropped,
    /// There was no room for its function's definition: it counts as a dropped call of slot 0, whatever number the function
    /// has when it ends.
    Undefined,
}

impl Missing {
    /// Whether sampling decided it, and with it what becomes of the calls below.
    pub(super) fn is_decided(self) -> bool {
        self == Missing::LeftOut
    }
}

impl Plan {
    /// A plan that keeps every call with its arguments and its result.
    pub(super) fn new(definition: FunctionDef, parameters: Parameters) -> Self {
        Self {
            definition,
            parameters,
            sampling: Sampling::Everything,
            is_sampled: false,
            slow_ns: u64::MAX,
            capture_arguments: true,
            capture_result: true,
            policy: Cell::new(Policy::none()),
            own_policy: OwnPolicy::default(),
            is_block: false,
            is_partial: false,
            generation: Cell::new(NEVER),
            slot: Cell::new(0),
            counters: Cell::new(ptr::null()),
            meter: Cell::new(ptr::null_mut()),
            tally: Cell::new(ptr::null()),
        }
    }

    /// What a capture of this function's values may do.
    #[inline]
    pub(super) fn policy(&self) -> &'static Policy {
        self.policy.get()
    }

    /// Takes its place in a run.
    pub(super) fn settle(&self, defined: &Defined) {
        self.generation.set(defined.generation);
        self.slot.set(defined.slot);
        self.counters.set(defined.counters);
        self.meter.set(defined.meter);
        self.tally.set(ptr::null());
        self.meet(defined.policy);
    }

    /// Whether it has its place in the run of a call that ends. Where the program has recorded to another tape meanwhile,
    /// while that run rested, it takes its place there again.
    #[inline]
    pub(super) fn is_in(&self, generation: u32) -> bool {
        self.generation.get() == generation || self.comes_back(generation)
    }

    #[cold]
    #[inline(never)]
    fn comes_back(&self, generation: u32) -> bool {
        if generation != runtime::generation() {
            return false;
        }
        // SAFETY: the interpreter lock is held by whoever ends a call, and the thread's recording is its own; an exception
        // that is set is taken and put back.
        unsafe {
            let thread = runtime::this_thread();
            let was_busy = std::mem::replace(&mut (*thread).busy, true);
            let raised = (!ffi::PyErr_Occurred().is_null()).then(|| crate::capture::Raised::take());
            if let Some(Ok(defined)) = runtime::define(&self.definition, &self.own_policy.sensitive_fields) {
                self.settle(&defined);
            }
            if let Some(raised) = raised {
                raised.put_back();
            }
            (*thread).busy = was_busy;
        }
        self.generation.get() == generation
    }

    /// Takes the policy of a run, changed by the function's own.
    pub(super) fn meet(&self, of_run: &'static Policy) {
        // The function's own entries were tried at its decoration, and the run's at its start.
        let of_run = if self.is_block { of_run.of_blocks() } else { of_run };
        let policy = of_run.with(&self.own_policy).unwrap_or(of_run);
        self.policy.set(policy);
        self.parameters.meet(policy);
    }

    /// Takes the policy of a run once more where functions have added names to it since.
    pub(super) fn meet_again(&self, of_run: &'static Policy) {
        if !std::ptr::eq(self.policy(), of_run.of_blocks()) {
            self.meet(of_run);
        }
    }

    /// Sets the sampling of a function.
    pub(super) fn sample(&mut self, sampling: Sampling) {
        self.sampling = sampling;
        self.is_sampled = sampling != Sampling::Everything;
    }

    /// Decides for a tree that a call of this function begins at `now`. A span decides nothing: it may be one of several
    /// blocks, and which of them ends is told by what runs.
    ///
    /// # Safety
    /// As [`Self::count_call`].
    #[inline]
    pub(super) unsafe fn decide(&self, thread: &mut ThreadRecorder, has_plenty: bool, now: u64) -> Decision {
        match self.sampling {
            Sampling::Share(rate) if has_plenty => rate.draw(thread.random()),
            // SAFETY: passed on.
            _ => unsafe { self.decide_by_meter(thread, now) },
        }
    }

    /// # Safety
    /// As [`Self::decide`].
    #[inline(never)]
    unsafe fn decide_by_meter(&self, thread: &mut ThreadRecorder, now: u64) -> Decision {
        if self.is_block {
            return Decision::UNDECIDED;
        }
        let harder = thread.pressure() >= Pressure::Sampled;
        // SAFETY: as there; deciding calls nothing of the interpreter.
        unsafe {
            let calls = (*self.counters.get()).calls.load(Ordering::Relaxed);
            self.sampling.decide(harder, &mut *self.meter.get(), now, calls, thread.random())
        }
    }

    /// Counts a call: at its beginning, whatever becomes of it.
    ///
    /// # Safety
    /// The plan is prepared for the current run, and the interpreter lock is held.
    #[inline]
    pub(super) unsafe fn count_call(&self) {
        // SAFETY: the current run's journal holds the counters.
        unsafe { bump(&(*self.counters.get()).calls) };
    }

    /// Counts and times a call that ended without a record.
    ///
    /// # Safety
    /// As [`Self::count_call`].
    #[inline]
    pub(super) unsafe fn count_missing(&self, missing: Missing, thread: &ThreadRecorder, took: u64) {
        if missing == Missing::Undefined {
            return runtime::count_undefined_end(took, false);
        }
        if self.tally.get().is_null() {
            self.tally.set(thread.tally(self.generation.get(), self.slot.get()));
        }
        // SAFETY: as there, also of the tally.
        unsafe {
            let counters = &*self.counters.get();
            bump(if missing == Missing::LeftOut { &counters.sampled_out } else { &counters.dropped });
            if let Some(tally) = self.tally.get().as_ref() {
                tally.add(latency::bucket_of(took), took);
            }
        }
    }

    /// Counts that a call which is counted as dropped raised.
    ///
    /// # Safety
    /// As [`Self::count_call`].
    pub(super) unsafe fn count_dropped_error(&self) {
        // SAFETY: as there.
        unsafe { bump(&(*self.counters.get()).dropped_errors) };
    }
}

impl Drop for Plan {
    /// Gives the names up here and now: dropped without PyO3 knowing that the interpreter lock is held, as it is, they would
    /// be kept until it next does.
    fn drop(&mut self) {
        for name in self.parameters.take_names() {
            // SAFETY: the reference is owned; whoever drops a plan holds the lock, as all do who have one.
            unsafe { ffi::Py_DECREF(name.into_ptr()) };
        }
    }
}
