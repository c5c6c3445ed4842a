//! Which argument of a call belongs to which parameter, written as the call gives them.
//!
//! The interpreter binds arguments itself when it makes the call, and raises its own error for a wrong one; here they
//! are only matched to names, so whatever fits no parameter is kept under its own heading.

use calltape_record::value::ValueWriter;
use calltape_record::{ARGUMENT_OVERFLOW, ArgumentWriter};
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::parameters::{Defaults, Parameters};
use crate::capture::Capture;

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

impl Given<'_> {
    /// # Safety
    /// `at` is below the number of keywords, whose names are live.
    #[inline]
    unsafe fn name(&self, at: usize) -> *mut PyObject {
        // SAFETY: passed on.
        unsafe { ffi::PyTuple_GET_ITEM(self.names, at as isize) }
    }
}

/// Writes the arguments of a call to `function` after a START's head.
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
        unsafe { one(capture, parameters.all[at].masked, given.positional[at]) };
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
unsafe fn one(capture: &mut Capture<'_>, masked: bool, value: *mut PyObject) {
    if masked {
        ValueWriter::masked(capture.out());
    } else {
        // SAFETY: passed on.
        unsafe { capture.value(value) };
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
            capture.values(&given.positional[taken..]);
        }
        let mut bound: u128 = 0;
        let mut surplus = Vec::new();
        for (at, &value) in given.keywords.iter().enumerate() {
            let name = given.name(at);
            match parameters.by_keyword(name) {
                Some(found) if found >= parameters.skipped => {
                    bound |= bit(found);
                    ArgumentWriter::named(capture.out(), number(found), false);
                    one(capture, parameters.all[found].masked, value);
                }
                _ => surplus.push((name, value)),
            }
        }
        if !surplus.is_empty() {
            let slot = parameters.var_keyword.map_or(ARGUMENT_OVERFLOW, number);
            ArgumentWriter::named(capture.out(), slot, false);
            capture.named_values(&surplus);
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
    // SAFETY: a function's defaults are null or None, or a tuple and a dict that live as long as they are set; nothing
    // between reading and using them runs the program's code.
    unsafe {
        let defaults = ffi::PyFunction_GetDefaults(function);
        if !defaults.is_null() && ffi::PyTuple_Check(defaults) != 0 {
            let count = ffi::PyTuple_GET_SIZE(defaults) as usize;
            let first = parameters.positional.saturating_sub(count);
            for at in taken.max(first)..parameters.positional.min(TRACKED) {
                if bound & bit(at) == 0 && at >= parameters.skipped {
                    let value = ffi::PyTuple_GET_ITEM(defaults, (at - first) as isize);
                    default(capture, parameters, at, value);
                }
            }
        }
        let keyword_defaults = ffi::PyFunction_GetKwDefaults(function);
        if keyword_defaults.is_null() || ffi::PyDict_Check(keyword_defaults) == 0 {
            return;
        }
        let end = (parameters.positional + parameters.keyword_only).min(TRACKED);
        for at in parameters.positional..end {
            if bound & bit(at) == 0 {
                let value = ffi::PyDict_GetItemWithError(keyword_defaults, parameters.all[at].name.as_ptr());
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
        one(capture, parameters.all[at].masked, value);
        ffi::Py_DECREF(value);
    }
}

fn bit(at: usize) -> u128 {
    if at < TRACKED { 1 << at } else { 0 }
}

/// The arguments that a `functools.partial` holds, recorded as if the caller had given them.
pub(super) struct Frozen {
    positional: Py<PyTuple>,
    keywords: Py<PyDict>,
    /// What the partial calls, for its defaults.
    function: Py<PyAny>,
}

impl Frozen {
    /// The frozen arguments of `partial`, an exact `functools.partial`.
    pub(super) fn of(partial: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            positional: partial.getattr("args")?.extract()?,
            keywords: partial.getattr("keywords")?.extract()?,
            function: partial.getattr("func")?.unbind(),
        })
    }

    /// Writes frozen and given arguments together; a given keyword replaces a frozen one.
    ///
    /// # Safety
    /// As [`write_arguments`].
    pub(super) unsafe fn write_arguments(&self, capture: &mut Capture<'_>, parameters: &Parameters, given: Given<'_>) {
        // SAFETY: the partial's tuple and dict are live; PyDict_Next runs no code; borrowed objects are only used before
        // anything could change the dict.
        unsafe {
            let frozen = self.positional.as_ptr();
            let mut positional: Vec<_> =
                (0..ffi::PyTuple_GET_SIZE(frozen)).map(|at| ffi::PyTuple_GET_ITEM(frozen, at)).collect();
            positional.extend_from_slice(given.positional);
            let mut keywords: Vec<(*mut PyObject, *mut PyObject)> =
                given.keywords.iter().enumerate().map(|(at, &value)| (given.name(at), value)).collect();
            let (mut position, mut name, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
            while ffi::PyDict_Next(self.keywords.as_ptr(), &raw mut position, &raw mut name, &raw mut value) != 0 {
                if !keywords.iter().any(|&(given, _)| ffi::PyUnicode_Compare(given, name) == 0) {
                    keywords.push((name, value));
                }
            }
            let names = ffi::PyTuple_New(keywords.len() as isize);
            if names.is_null() {
                ffi::PyErr_Clear();
                return;
            }
            for (at, &(name, _)) in keywords.iter().enumerate() {
                ffi::Py_INCREF(name);
                ffi::PyTuple_SetItem(names, at as isize, name);
            }
            let values: Vec<_> = keywords.iter().map(|&(_, value)| value).collect();
            let all = Given { positional: &positional, keywords: &values, names };
            write_arguments(capture, parameters, all, self.function.as_ptr());
            ffi::Py_DECREF(names);
        }
    }
}
