//! One walk over a value: what it may still spend, and which way of reading a value it takes.
//!
//! Called by everything that captures; what it must never do is said at the head of this room. Small values at the top
//! of a call, by far the most, are written without a count of what they spend: while the walk has written little, they
//! fit whatever they hold.

use std::mem::MaybeUninit;

use calltape_record::value::ValueWriter;
use calltape_redact::may_hold_secret;
use pyo3::ffi::{self, PyObject};

use super::Policy;
use super::level::Shape;
use super::scalar::small_integer;
use super::text::{LEAST_SECRET, ascii};
use super::timing::Timing;

/// The deepest that any policy goes.
pub(super) const MOST_DEPTH: usize = 32;

/// The containers being walked, outermost first: how a cycle is seen. One place more than the deepest policy needs, for
/// `*args`.
pub(super) struct Open([MaybeUninit<*mut PyObject>; MOST_DEPTH + 1]);

/// One walk: where the bytes go and how far it may go.
pub(crate) struct Capture<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) policy: &'static Policy,
    /// While `out` is shorter, small values at the top need no count.
    pub(super) uncounted_until: usize,
    /// Where `out` ended when `call_left` was last told.
    pub(super) counted: usize,
    /// Bytes of JSON that this call may still take.
    pub(super) call_left: usize,
    /// Bytes of JSON that the current value may still take; what closes all that is open is taken off.
    pub(super) left: usize,
    /// Something did not fit, and `"..."` stands in its place.
    pub(super) squeezed: bool,
    /// The value is tried, with no room kept for notes on what is left out.
    pub(super) is_trial: bool,
    /// Levels that are open, and how many of them are no value's: 1 within `*args`.
    pub(super) depth: usize,
    pub(super) bottom: usize,
    pub(super) steps: u32,
    pub(super) timing: Timing,
    pub(super) open: Open,
}

impl Open {
    pub(super) fn contains(&self, owner: *mut PyObject, depth: usize) -> bool {
        // SAFETY: `depth` places were written, by `put` with each depth below.
        self.0[..depth].iter().any(|open| unsafe { open.assume_init() } == owner)
    }

    pub(super) fn put(&mut self, depth: usize, owner: *mut PyObject) {
        self.0[depth].write(owner);
    }
}

impl<'a> Capture<'a> {
    /// A walk that appends to `out`, within the budgets of `policy`.
    #[inline]
    pub(crate) fn new(out: &'a mut Vec<u8>, policy: &'static Policy) -> Self {
        let counted = out.len();
        Self {
            out,
            policy,
            uncounted_until: counted + policy.uncounted,
            counted,
            call_left: policy.max_call_bytes,
            left: 0,
            squeezed: false,
            is_trial: false,
            depth: 0,
            bottom: 0,
            steps: 0,
            timing: Timing::Unread,
            open: Open([MaybeUninit::uninit(); MOST_DEPTH + 1]),
        }
    }

    /// The bytes written so far, for what the caller writes between values.
    #[inline]
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Writes what is no value, as a name between values: it counts for no budget.
    pub(crate) fn besides(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.out.len();
        write(self.out);
        self.counted += self.out.len() - before;
        self.uncounted_until += self.out.len() - before;
    }

    /// Captures one argument or result.
    ///
    /// # Safety
    /// `value` is a live object, and the interpreter lock is held.
    #[inline]
    pub(crate) unsafe fn value(&mut self, value: *mut PyObject) {
        // SAFETY: passed on.
        unsafe {
            if self.out.len() >= self.uncounted_until || !self.small(value) {
                self.counted_value(value);
            }
        }
    }

    /// Writes a value that surely fits; false where it is none.
    ///
    /// # Safety
    /// As [`Self::value`].
    #[inline]
    unsafe fn small(&mut self, value: *mut PyObject) -> bool {
        // SAFETY: `value` is live, so it has a type; each reader is given a value of the exact type it reads.
        unsafe {
            let kind = ffi::Py_TYPE(value);
            if kind == &raw mut ffi::PyLong_Type {
                let Some(number) = small_integer(value) else { return false };
                ValueWriter::int(self.out, number);
            } else if kind == &raw mut ffi::PyUnicode_Type {
                match ascii(value) {
                    Some(bytes) if bytes.len() < LEAST_SECRET && bytes.len() <= self.policy.short_text => {
                        ValueWriter::text(self.out, bytes);
                    }
                    Some(bytes) if bytes.len() <= self.policy.short_text && !may_hold_secret(bytes) => {
                        ValueWriter::text(self.out, bytes);
                    }
                    _ => return false,
                }
            } else if value == ffi::Py_None() {
                ValueWriter::none(self.out);
            } else if kind == &raw mut ffi::PyBool_Type {
                ValueWriter::bool(self.out, value == ffi::Py_True());
            } else if kind == &raw mut ffi::PyFloat_Type {
                ValueWriter::float(self.out, ffi::PyFloat_AS_DOUBLE(value));
            } else {
                return false;
            }
        }
        true
    }

    /// # Safety
    /// As [`Self::value`].
    #[inline(never)]
    unsafe fn counted_value(&mut self, value: *mut PyObject) {
        // SAFETY: passed on.
        unsafe { self.at_the_top(value, |capture| capture.any(value)) };
    }

    /// Captures a list of arguments (what `*args` took) under one value's budget.
    ///
    /// # Safety
    /// As [`Self::value`], for each of `values`.
    pub(crate) unsafe fn values(&mut self, values: &[*mut PyObject]) {
        let walk = |capture: &mut Self| {
            let Some(mut level) = capture.enter_arguments(values.len(), Shape::Items) else { return };
            // SAFETY: passed on.
            unsafe { capture.items(&mut level, values.len(), |index| values.get(index).copied()) };
            capture.leave(level);
        };
        // SAFETY: these are no value of their own.
        unsafe { self.at_the_top(std::ptr::null_mut(), walk) };
    }

    /// Captures named arguments (what `**kwargs` took) under one value's budget.
    ///
    /// # Safety
    /// As [`Self::value`], for each name and value.
    pub(crate) unsafe fn named_values(&mut self, pairs: &[(*mut PyObject, *mut PyObject)]) {
        let walk = |capture: &mut Self| {
            let Some(mut level) = capture.enter_arguments(pairs.len(), Shape::Pairs) else { return };
            // SAFETY: passed on.
            pairs.iter().all(|&(name, value)| unsafe { capture.pair(&mut level, name, value) });
            capture.leave(level);
        };
        // SAFETY: as above.
        unsafe { self.at_the_top(std::ptr::null_mut(), walk) };
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
                self.none();
            } else if kind == &raw mut ffi::PyBool_Type {
                self.truth(value == ffi::Py_True());
            } else if kind == &raw mut ffi::PyFloat_Type {
                self.float(ffi::PyFloat_AS_DOUBLE(value));
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
            } else if self.is_late() {
                self.marker(type_name(kind));
            } else {
                self.object(value, kind);
            }
        }
    }
}

/// Whether objects of exactly this type are written before any registration is looked for.
pub(super) fn is_always_plain(kind: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: None is live, and its type is compared.
    let none = unsafe { ffi::Py_TYPE(ffi::Py_None()) };
    let all = [
        &raw mut ffi::PyBaseObject_Type,
        &raw mut ffi::PyLong_Type,
        &raw mut ffi::PyBool_Type,
        &raw mut ffi::PyFloat_Type,
        &raw mut ffi::PyUnicode_Type,
        &raw mut ffi::PyBytes_Type,
        &raw mut ffi::PyList_Type,
        &raw mut ffi::PyTuple_Type,
        &raw mut ffi::PyDict_Type,
        &raw mut ffi::PySet_Type,
        &raw mut ffi::PyFrozenSet_Type,
        none,
    ];
    all.contains(&kind)
}

/// Bytes kept of a type's name.
pub(super) const MAX_TYPE_NAME: usize = 200;

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
