//! A call of a monitored `functools.partial`: the arguments it holds, recorded as if the caller had given them.

use pyo3::ffi::{self, PyObject};

use super::arguments::{Given, write_arguments};
use super::parameters::Parameters;
use crate::capture::Capture;

/// Writes held and given arguments together; a given keyword replaces a held one.
///
/// # Safety
/// As [`write_arguments`]; `partial` is a live exact `functools.partial`, whose attributes are C members.
pub(super) unsafe fn write_partial_arguments(
    capture: &mut Capture<'_>,
    parameters: &Parameters,
    given: Given<'_>,
    partial: *mut PyObject,
) {
    // SAFETY: the three attributes are held while they are used.
    unsafe {
        let held = [c"args", c"keywords", c"func"].map(|name| ffi::PyObject_GetAttrString(partial, name.as_ptr()));
        let [args, keywords, function] = held;
        if held.iter().all(|part| !part.is_null()) && ffi::PyTuple_Check(args) != 0 && ffi::PyDict_Check(keywords) != 0
        {
            write_together(capture, parameters, given, args, keywords, function);
        }
        held.into_iter().for_each(|part| ffi::Py_XDECREF(part));
        ffi::PyErr_Clear();
    }
}

/// # Safety
/// As [`write_partial_arguments`]; `args` is a tuple and `keywords` a dict, both held.
unsafe fn write_together(
    capture: &mut Capture<'_>,
    parameters: &Parameters,
    given: Given<'_>,
    args: *mut PyObject,
    keywords: *mut PyObject,
    function: *mut PyObject,
) {
    // SAFETY: names and values of the dict are held by the tuple of names and a list until all is written, since an
    // allocation may run a finaliser that changes the dict.
    unsafe {
        let mut positional: Vec<_> =
            (0..ffi::PyTuple_GET_SIZE(args)).map(|at| ffi::PyTuple_GET_ITEM(args, at)).collect();
        positional.extend_from_slice(given.positional);
        let mut named: Vec<(*mut PyObject, *mut PyObject)> =
            given.keywords.iter().enumerate().map(|(at, &value)| (given.name(at), value)).collect();
        let (mut position, mut name, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        while ffi::PyDict_Next(keywords, &raw mut position, &raw mut name, &raw mut value) != 0 {
            let is_given = |&(given, _): &(*mut PyObject, _)| ffi::PyUnicode_Compare(given, name) == 0;
            if ffi::PyUnicode_Check(name) != 0 && !named.iter().any(is_given) {
                named.push((name, value));
            }
        }
        for &(name, value) in &named {
            ffi::Py_INCREF(name);
            ffi::Py_INCREF(value);
        }
        let names = ffi::PyTuple_New(named.len() as isize);
        if !names.is_null() {
            for (at, &(name, _)) in named.iter().enumerate() {
                ffi::Py_INCREF(name);
                ffi::PyTuple_SetItem(names, at as isize, name);
            }
            let values: Vec<_> = named.iter().map(|&(_, value)| value).collect();
            let all = Given { positional: &positional, keywords: &values, names };
            write_arguments(capture, parameters, all, function);
            ffi::Py_DECREF(names);
        }
        for &(name, value) in &named {
            ffi::Py_DECREF(name);
            ffi::Py_DECREF(value);
        }
    }
}
