//! Which argument of a call belongs to which parameter, written as the call gives them.
//!
//! The interpreter binds arguments itself when it makes the call, and raises its own error for a wrong one; here they
//! are only matched to names, so whatever fits no parameter is kept under its own heading.

use calltape_record::value::ValueWriter;
use calltape_record::{ARGUMENT_OVERFLOW, ArgumentWriter};
use pyo3::ffi::{self, PyObject};

use super::parameters::{Defaults, Parameter, Parameters, Treatment};
use super::partial::write_partial_arguments;
use super::plan::Plan;
use crate::capture::{Capture, Held, Policy, Raised, Variables};

/// Parameters whose presence is tracked without an allocation.
const TRACKED: usize = 128;

/// The arguments of one call as the vectorcall protocol gives them.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) positional: &'a [*mut PyObject],
    /// Values of `names`, in their order.
    pub(super) keywords: &'a [*mut PyObject],
    /// Null or a tuple of strs.
    pub(super) names: *mut PyObject,
}

impl<'a> Given<'a> {
    /// The arguments that the protocol hands over: so many positional ones, then one value for each name.
    ///
    /// # Safety
    /// As the protocol demands, for as long as this is used.
    #[inline]
    pub(super) unsafe fn by_protocol(args: *const *mut PyObject, nargsf: usize, names: *mut PyObject) -> Self {
        // SAFETY: passed on.
        unsafe {
            let positional = ffi::PyVectorcall_NARGS(nargsf as _) as usize;
            let keywords = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) as usize };
            Self { positional: slice(args, 0, positional), keywords: slice(args, positional, keywords), names }
        }
    }

    /// # Safety
    /// `at` is below the number of keywords, whose names are live.
    #[inline]
    pub(super) unsafe fn name(&self, at: usize) -> *mut PyObject {
        // SAFETY: passed on.
        unsafe { ffi::PyTuple_GET_ITEM(self.names, at as isize) }
    }
}

/// # Safety
/// `args` holds at least `from + count` live objects.
#[inline]
unsafe fn slice<'a>(args: *const *mut PyObject, from: usize, count: usize) -> &'a [*mut PyObject] {
    if count == 0 {
        return &[];
    }
    // SAFETY: passed on.
    unsafe { std::slice::from_raw_parts(args.add(from), count) }
}

/// Captures the arguments of a call after its START's head.
///
/// # Safety
/// The arguments and `function` are live, the interpreter lock held, and the thread busy.
#[inline(always)]
pub(super) unsafe fn capture_arguments(
    plan: &Plan,
    policy: &'static Policy,
    given: Given<'_>,
    function: *mut PyObject,
    out: &mut Vec<u8>,
) {
    if !plan.capture_arguments {
        return;
    }
    let mut capture = Capture::new(out, policy);
    // SAFETY: passed on.
    unsafe {
        if plan.is_partial {
            write_partial_arguments(&mut capture, &plan.parameters, given, function);
        } else {
            write_arguments(&mut capture, &plan.parameters, given, function);
        }
    }
}

/// Writes the arguments of a call to `function`.
///
/// # Safety
/// The arguments are live, the interpreter lock held, and `function` is the Python function of `parameters` where those
/// say that its defaults are read.
#[inline]
pub(super) unsafe fn write_arguments(
    capture: &mut Capture<'_>,
    parameters: &Parameters,
    given: Given<'_>,
    function: *mut PyObject,
) {
    let taken = given.positional.len().min(parameters.positional);
    let skipped = parameters.skipped.min(taken);
    ArgumentWriter::leading(capture.out(), taken - skipped);
    for at in skipped..taken {
        // SAFETY: passed on.
        unsafe { one(capture, &parameters.all[at], given.positional[at]) };
    }
    let complete = taken == parameters.positional && parameters.keyword_only == 0;
    if complete && given.keywords.is_empty() && given.positional.len() == taken {
        return;
    }
    // SAFETY: passed on.
    unsafe { write_rest(capture, parameters, given, function, taken) }
}

/// # Safety
/// As [`write_arguments`].
#[inline]
unsafe fn one(capture: &mut Capture<'_>, parameter: &Parameter, value: *mut PyObject) {
    match parameter.treatment.get() {
        // SAFETY: passed on.
        Treatment::Captured => unsafe { capture.value(value) },
        Treatment::Masked => ValueWriter::masked(capture.out()),
        Treatment::LeftOut => ValueWriter::left_out(capture.out()),
    }
}

/// Everything but the leading arguments: surplus ones, keywords, defaults.
///
/// # Safety
/// As [`write_arguments`].
unsafe fn write_rest(
    capture: &mut Capture<'_>,
    parameters: &Parameters,
    given: Given<'_>,
    function: *mut PyObject,
    taken: usize,
) {
    let number = |at: usize| (at - parameters.skipped) as u64;
    // SAFETY: passed on throughout.
    unsafe {
        if given.positional.len() > taken {
            let slot = parameters.var_positional.map_or(ARGUMENT_OVERFLOW, number);
            ArgumentWriter::named(capture.out(), slot, false);
            match parameters.surplus_positional() {
                Treatment::Captured => capture.values(&given.positional[taken..]),
                Treatment::Masked => ValueWriter::masked(capture.out()),
                Treatment::LeftOut => ValueWriter::left_out(capture.out()),
            }
        }
        let mut bound: u128 = 0;
        let mut surplus = Vec::new();
        for (at, &value) in given.keywords.iter().enumerate() {
            let name = given.name(at);
            match parameters.by_keyword(name) {
                Some(found) if found >= parameters.skipped => {
                    bound |= bit(found);
                    ArgumentWriter::named(capture.out(), number(found), false);
                    one(capture, &parameters.all[found], value);
                }
                _ if parameters.leaves_out(name) => {}
                _ => surplus.push((name, value)),
            }
        }
        if !surplus.is_empty() {
            let slot = parameters.var_keyword.map_or(ARGUMENT_OVERFLOW, number);
            ArgumentWriter::named(capture.out(), slot, false);
            match parameters.var_keyword.map(|at| parameters.all[at].treatment.get()) {
                Some(Treatment::Masked) => ValueWriter::masked(capture.out()),
                Some(Treatment::LeftOut) => ValueWriter::left_out(capture.out()),
                _ => capture.named_values(&surplus),
            }
        }
        if matches!(parameters.defaults, Defaults::Function) {
            write_defaults(capture, parameters, function, taken, bound);
        }
    }
}

/// The values that the function itself will fill in.
///
/// # Safety
/// As [`write_arguments`], and `function` is an exact Python function.
unsafe fn write_defaults(
    capture: &mut Capture<'_>,
    parameters: &Parameters,
    function: *mut PyObject,
    taken: usize,
    bound: u128,
) {
    // SAFETY: a function's defaults are null or None, or a tuple and a dict; they are held, as capturing one of them may
    // run code that gives the function others.
    unsafe {
        let defaults = ffi::PyFunction_GetDefaults(function);
        if !defaults.is_null() && ffi::PyTuple_Check(defaults) != 0 {
            let defaults = Held::of(defaults);
            let count = ffi::PyTuple_GET_SIZE(defaults.get()) as usize;
            let first = parameters.positional.saturating_sub(count);
            for at in taken.max(first)..parameters.positional.min(TRACKED) {
                if bound & bit(at) == 0 && at >= parameters.skipped {
                    // Of more defaults than parameters the last ones count.
                    let value = ffi::PyTuple_GET_ITEM(defaults.get(), (at + count - parameters.positional) as isize);
                    default(capture, parameters, at, value);
                }
            }
        }
        let keyword_defaults = ffi::PyFunction_GetKwDefaults(function);
        if keyword_defaults.is_null() || ffi::PyDict_Check(keyword_defaults) == 0 {
            return;
        }
        let keyword_defaults = Held::of(keyword_defaults);
        let end = (parameters.positional + parameters.keyword_only).min(TRACKED);
        for at in parameters.positional..end {
            if bound & bit(at) == 0 {
                let value = ffi::PyDict_GetItemWithError(keyword_defaults.get(), parameters.all[at].name.as_ptr());
                if value.is_null() {
                    ffi::PyErr_Clear();
                } else {
                    default(capture, parameters, at, value);
                }
            }
        }
    }
}

/// # Safety
/// As [`write_arguments`].
unsafe fn default(capture: &mut Capture<'_>, parameters: &Parameters, at: usize, value: *mut PyObject) {
    ArgumentWriter::named(capture.out(), (at - parameters.skipped) as u64, true);
    // SAFETY: held while it is walked.
    unsafe {
        ffi::Py_INCREF(value);
        one(capture, &parameters.all[at], value);
        ffi::Py_DECREF(value);
    }
}

fn bit(at: usize) -> u128 {
    if at < TRACKED { 1 << at } else { 0 }
}

/// Writes the arguments of a call whose body an exception has ended, as its frame holds them now; nothing where the
/// exception has no such frame.
///
/// # Safety
/// `object` is the live object of the body, whose exception is aside in `raised`; the interpreter lock is held.
pub(super) unsafe fn write_arguments_of_body(
    object: *mut PyObject,
    raised: &Raised,
    plan: &Plan,
    policy: &'static Policy,
    out: &mut Vec<u8>,
) {
    if !plan.capture_arguments {
        return;
    }
    let parameters = &plan.parameters;
    // SAFETY: passed on; what the frame holds is held while it is captured.
    unsafe {
        let Some(variables) = Variables::of_body(object, raised, parameters.all.len()) else { return };
        let mut capture = Capture::new(out, policy);
        ArgumentWriter::leading(capture.out(), 0);
        for (at, parameter) in parameters.all.iter().enumerate().skip(parameters.skipped) {
            if parameters.hides_keywords(at) {
                continue;
            }
            if let Some(value) = variables.named(parameter.name.as_ptr()) {
                ArgumentWriter::named(capture.out(), (at - parameters.skipped) as u64, false);
                one(&mut capture, parameter, value);
            }
        }
    }
}
