//! One walk over a value: what it may still spend, and which way of reading a value it takes.
//!
//! Called by everything that captures; what it must never do is said at the head of this room.

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject};

use super::Policy;

/// The deepest that any policy goes: how many open containers a walk has a place for.
pub(super) const MOST_DEPTH: usize = 32;

/// One walk: where the bytes go and how far it may go.
pub(crate) struct Capture<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// `out` may grow to here for the current value.
    value_end: usize,
    /// And to here for the whole call.
    call_end: usize,
    pub(super) policy: &'static Policy,
    /// The containers being walked, outermost first: how a cycle is seen.
    pub(super) open: [*mut PyObject; MOST_DEPTH],
    pub(super) depth: usize,
}

impl<'a> Capture<'a> {
    /// A walk that appends to `out`, within the budgets of `policy`.
    #[inline]
    pub(crate) fn new(out: &'a mut Vec<u8>, policy: &'static Policy) -> Self {
        let call_end = out.len() + policy.max_call_bytes;
        Self { out, value_end: 0, call_end, policy, open: [std::ptr::null_mut(); MOST_DEPTH], depth: 0 }
    }

    /// The bytes written so far, for what the caller writes between values.
    #[inline]
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Captures one argument or result.
    ///
    /// # Safety
    /// `value` is a live object, and the interpreter lock is held.
    #[inline]
    pub(crate) unsafe fn value(&mut self, value: *mut PyObject) {
        self.value_end = (self.out.len() + self.policy.max_repr).min(self.call_end);
        // SAFETY: passed on from the caller.
        unsafe { self.any(value) }
    }

    /// Captures a list of arguments (what `*args` took) under one value's budget.
    ///
    /// # Safety
    /// As [`Self::value`], for each of `values`.
    pub(crate) unsafe fn values(&mut self, values: &[*mut PyObject]) {
        self.value_end = (self.out.len() + self.policy.max_repr).min(self.call_end);
        ValueWriter::list(self.out);
        // SAFETY: passed on from the caller.
        unsafe { self.items(values.len(), |index| values[index]) };
        ValueWriter::end(self.out);
    }

    /// Captures named arguments (what `**kwargs` took) under one value's budget.
    ///
    /// # Safety
    /// As [`Self::value`], for each name and value.
    pub(crate) unsafe fn named_values(&mut self, pairs: &[(*mut PyObject, *mut PyObject)]) {
        self.value_end = (self.out.len() + self.policy.max_repr).min(self.call_end);
        ValueWriter::object(self.out);
        for (index, &(name, value)) in pairs.iter().enumerate() {
            if index == self.policy.max_items || self.is_spent() {
                ValueWriter::more(self.out, pairs.len() - index);
                break;
            }
            // SAFETY: passed on from the caller.
            unsafe { self.pair(name, value) };
        }
        ValueWriter::end(self.out);
    }

    pub(super) fn room(&self) -> usize {
        self.value_end.saturating_sub(self.out.len())
    }

    pub(super) fn is_spent(&self) -> bool {
        self.out.len() >= self.value_end
    }

    /// Classifies a value: exact common types first, each one comparison; the slow tail out of line.
    ///
    /// # Safety
    /// As [`Self::value`].
    #[inline]
    pub(super) unsafe fn any(&mut self, value: *mut PyObject) {
        // SAFETY: `value` is live, so it has a type; the type objects compared with are statics of the interpreter.
        unsafe {
            let kind = ffi::Py_TYPE(value);
            if kind == &raw mut ffi::PyLong_Type {
                self.integer(value);
            } else if kind == &raw mut ffi::PyUnicode_Type {
                self.text(value);
            } else if value == ffi::Py_None() {
                ValueWriter::none(self.out);
            } else if kind == &raw mut ffi::PyBool_Type {
                ValueWriter::bool(self.out, value == ffi::Py_True());
            } else if kind == &raw mut ffi::PyFloat_Type {
                ValueWriter::float(self.out, ffi::PyFloat_AS_DOUBLE(value));
            } else {
                self.compound(value, kind);
            }
        }
    }

    /// # Safety
    /// As [`Self::value`]; `kind` is the value's type.
    #[inline(never)]
    unsafe fn compound(&mut self, value: *mut PyObject, kind: *mut ffi::PyTypeObject) {
        // SAFETY: each reader is given a value of the type it reads, by the exact type or the subclass flag.
        unsafe {
            if kind == &raw mut ffi::PyList_Type {
                self.list(value);
            } else if kind == &raw mut ffi::PyDict_Type {
                self.dict(value);
            } else if kind == &raw mut ffi::PyTuple_Type {
                self.tuple(value);
            } else if kind == &raw mut ffi::PyBytes_Type {
                self.bytes(value);
            } else if kind == &raw mut ffi::PySet_Type || kind == &raw mut ffi::PyFrozenSet_Type {
                self.set(value);
            } else {
                self.object(value, kind);
            }
        }
    }

    /// Writes `[summary]`.
    pub(super) fn marker(&mut self, summary: &str) {
        ValueWriter::marker(self.out, summary.as_bytes());
    }
}

/// Bytes kept of a type's name.
const MAX_TYPE_NAME: usize = 200;

/// The bare name of a type: `OrderedDict` of `collections.OrderedDict`; a very long one is cut.
///
/// # Safety
/// `kind` is a live type object; the text lives as long as it.
pub(crate) unsafe fn type_name<'a>(kind: *mut ffi::PyTypeObject) -> &'a str {
    // SAFETY: tp_name of a ready type is a C string that the type owns.
    let full = unsafe { std::ffi::CStr::from_ptr((*kind).tp_name) };
    let full = full.to_str().unwrap_or("?");
    let bare = full.rsplit('.').next().unwrap_or(full);
    &bare[..bare.floor_char_boundary(MAX_TYPE_NAME)]
}
