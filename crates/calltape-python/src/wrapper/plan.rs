//! What was decided at decoration, and the function's number in the current run.

use std::cell::Cell;

use calltape_journal::{Counters, bump};
use calltape_record::FunctionDef;
use pyo3::ffi;

use super::parameters::Parameters;
use crate::capture::{OwnPolicy, Policy};
use crate::runtime::NEVER;

/// Calls per `sample_rate` unit: rates are compared as 32-bit fractions.
const RATE_SCALE: f64 = 4_294_967_296.0;

/// A monitored function's settings and its place in the run. What a run changes stands in cells: several threads may
/// be inside calls of the function, and the interpreter lock lets one at a time at them.
pub(super) struct Plan {
    pub(super) definition: FunctionDef,
    pub(super) parameters: Parameters,
    /// A call is kept when a 32-bit random number is below this; above 2^32 - 1 every call is.
    pub(super) keep_below: u64,
    /// Calls a kept one stands for.
    pub(super) weight: f64,
    pub(super) capture_arguments: bool,
    pub(super) capture_result: bool,
    /// What a capture may do: the settings' and the function's own together, once a run is there.
    policy: Cell<&'static Policy>,
    pub(super) own_policy: OwnPolicy,
    /// It is a span's, which belongs to no function.
    pub(super) is_block: bool,
    /// The wrapped callable is a `functools.partial`, whose arguments are recorded with the call's.
    pub(super) is_partial: bool,
    /// The run that `slot` and `counters` belong to.
    pub(super) generation: Cell<u32>,
    pub(super) slot: Cell<u32>,
    /// Owned by the journal of run `generation`, which outlives every use while that run is current.
    pub(super) counters: Cell<*const Counters>,
}

impl Plan {
    /// A plan that keeps every call with its arguments and its result.
    pub(super) fn new(definition: FunctionDef, parameters: Parameters) -> Self {
        Self {
            definition,
            parameters,
            keep_below: RATE_SCALE as u64,
            weight: 1.0,
            capture_arguments: true,
            capture_result: true,
            policy: Cell::new(Policy::none()),
            own_policy: OwnPolicy::default(),
            is_block: false,
            is_partial: false,
            generation: Cell::new(NEVER),
            slot: Cell::new(0),
            counters: Cell::new(std::ptr::null()),
        }
    }

    /// What a capture of this function's values may do.
    #[inline]
    pub(super) fn policy(&self) -> &'static Policy {
        self.policy.get()
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

    /// Sets the sampling of a function: `rate` is 0 to 1.
    pub(super) fn sample(&mut self, rate: f64) {
        self.keep_below = (rate * RATE_SCALE) as u64;
        self.weight = if rate > 0.0 { 1.0 / rate } else { 1.0 };
    }

    /// Frees the plan. Its names are given up here and now: dropped without PyO3 knowing that the interpreter lock is
    /// held, they would be kept until it next does.
    ///
    /// # Safety
    /// The interpreter lock is held.
    pub(super) unsafe fn free(self: Box<Self>) {
        for name in self.parameters.into_names() {
            // SAFETY: the reference is owned, and the lock held.
            unsafe { ffi::Py_DECREF(name.into_ptr()) };
        }
    }

    /// Counts a call whose START is in the journal.
    ///
    /// # Safety
    /// The plan is prepared for the current run, and the interpreter lock is held.
    #[inline]
    pub(super) unsafe fn count_call(&self) {
        // SAFETY: the current run's journal holds the counters.
        unsafe { bump(&(*self.counters.get()).calls) };
    }

    /// Counts a call that sampling leaves out.
    ///
    /// # Safety
    /// As [`Self::count_call`].
    #[inline]
    pub(super) unsafe fn count_sampled_out(&self) {
        // SAFETY: as there.
        unsafe {
            bump(&(*self.counters.get()).calls);
            bump(&(*self.counters.get()).sampled_out);
        }
    }

    /// Counts a call whose START found no room.
    ///
    /// # Safety
    /// As [`Self::count_call`].
    pub(super) unsafe fn count_dropped(&self) {
        // SAFETY: as there.
        unsafe {
            bump(&(*self.counters.get()).calls);
            bump(&(*self.counters.get()).dropped);
        }
    }

    /// Counts that a dropped call raised.
    ///
    /// # Safety
    /// As [`Self::count_call`].
    pub(super) unsafe fn count_dropped_error(&self) {
        // SAFETY: as there.
        unsafe { bump(&(*self.counters.get()).dropped_errors) };
    }

    /// Whether every call is kept.
    #[inline]
    pub(super) fn keeps_all(&self) -> bool {
        self.keep_below > u64::from(u32::MAX)
    }
}
