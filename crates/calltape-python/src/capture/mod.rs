//! Walking a Python value under a budget into tagged bytes, on the calling thread, with the interpreter lock held.
//!
//! Who calls it: `wrapper` for arguments, results and failures. What it must never do: run the program's own code (no
//! `__repr__`, `__getattr__`, `__len__`, properties), call into the interpreter where it looks at pending signals
//! (`PyObject_Str`, `PyObject_Repr`, an int's decimal text: a handler's exception would be lost here), build a value in
//! full and cut it afterwards, raise, or change what it looks at. Exact builtin types come first; subclasses of builtins are read from their storage; what is not known
//! is its type's name in brackets.
//!
//! Constraints: one [`Capture`] serves one frame. Its limits are checked before work is done, so a list of ten million
//! items costs what a list of [`MAX_ITEMS`] does. A limit may be passed by one marker (under 100 bytes).

mod container;
mod failure;
mod known;
mod message;
mod names;
mod scalar;

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject};

pub(crate) use failure::{Raised, write_bare_failure_of, write_failure_of};
pub(crate) use known::stored_attribute;
pub(crate) use names::is_sensitive;
pub(crate) use scalar::to_string;

/// Bytes kept of one call's arguments or result: a page, so that 64 MiB of journal hold 12,000 calls at the worst.
pub(crate) const MAX_CALL_BYTES: usize = 4096;
/// Items kept of one container.
const MAX_ITEMS: usize = 64;
/// How deep containers are entered.
const MAX_DEPTH: usize = 6;

/// One walk: where the bytes go and how far it may go.
pub(crate) struct Capture<'a> {
    out: &'a mut Vec<u8>,
    /// `out` may grow to here for the current value.
    value_end: usize,
    /// And to here for the whole call.
    call_end: usize,
    /// Bytes a value may take.
    max_repr: usize,
    /// The containers being walked, outermost first: how a cycle is seen.
    open: [*mut PyObject; MAX_DEPTH],
    depth: usize,
}

impl<'a> Capture<'a> {
    /// A walk that appends to `out`, each value bounded by `max_repr` bytes, all together by [`MAX_CALL_BYTES`].
    #[inline]
    pub(crate) fn new(out: &'a mut Vec<u8>, max_repr: usize) -> Self {
        let call_end = out.len() + MAX_CALL_BYTES;
        Self { out, value_end: 0, call_end, max_repr, open: [std::ptr::null_mut(); MAX_DEPTH], depth: 0 }
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
        self.value_end = (self.out.len() + self.max_repr).min(self.call_end);
        // SAFETY: passed on from the caller.
        unsafe { self.any(value) }
    }

    /// Captures a list of arguments (what `*args` took) under one value's budget.
    ///
    /// # Safety
    /// As [`Self::value`], for each of `values`.
    pub(crate) unsafe fn values(&mut self, values: &[*mut PyObject]) {
        self.value_end = (self.out.len() + self.max_repr).min(self.call_end);
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
        self.value_end = (self.out.len() + self.max_repr).min(self.call_end);
        ValueWriter::object(self.out);
        for (index, &(name, value)) in pairs.iter().enumerate() {
            if index == MAX_ITEMS || self.is_spent() {
                ValueWriter::more(self.out, pairs.len() - index);
                break;
            }
            // SAFETY: passed on from the caller.
            unsafe { self.pair(name, value) };
        }
        ValueWriter::end(self.out);
    }

    fn room(&self) -> usize {
        self.value_end.saturating_sub(self.out.len())
    }

    fn is_spent(&self) -> bool {
        self.out.len() >= self.value_end
    }

    /// Classifies a value: exact common types first, each one comparison; the slow tail out of line.
    ///
    /// # Safety
    /// As [`Self::value`].
    #[inline]
    unsafe fn any(&mut self, value: *mut PyObject) {
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
            } else if known::is_enum(kind) {
                self.enum_member(value, kind);
            } else if has(kind, ffi::Py_TPFLAGS_UNICODE_SUBCLASS) {
                self.text(value);
            } else if has(kind, ffi::Py_TPFLAGS_LONG_SUBCLASS) {
                self.integer(value);
            } else if has(kind, ffi::Py_TPFLAGS_LIST_SUBCLASS) {
                self.list(value);
            } else if has(kind, ffi::Py_TPFLAGS_TUPLE_SUBCLASS) {
                self.tuple(value);
            } else if has(kind, ffi::Py_TPFLAGS_DICT_SUBCLASS) {
                self.dict(value);
            } else if has(kind, ffi::Py_TPFLAGS_BYTES_SUBCLASS) {
                self.bytes(value);
            } else if has(kind, ffi::Py_TPFLAGS_BASE_EXC_SUBCLASS) {
                self.exception(value, kind);
            } else {
                self.known_or_named(value, kind);
            }
        }
    }

    /// Writes `[summary]`.
    fn marker(&mut self, summary: &str) {
        ValueWriter::marker(self.out, summary.as_bytes());
    }
}

/// # Safety
/// `kind` is a live type object.
unsafe fn has(kind: *mut ffi::PyTypeObject, flag: std::ffi::c_ulong) -> bool {
    // SAFETY: a live type's flags may be read at any time.
    unsafe { ffi::PyType_HasFeature(kind, flag) != 0 }
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
