//! What an object holds, read without asking it: references that give themselves back, and dicts looked through without
//! comparing keys by the program's own `__eq__`.

use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi::{self, PyObject};

use crate::capture::storage::is_sparse_dict;

/// Entries of a dict that are looked at: an exception's or a class's own has its first among them.
const MOST_ENTRIES: usize = 256;

/// References held for a while, given back when dropped.
pub(super) struct Held {
    objects: Vec<*mut PyObject>,
}

impl Held {
    pub(super) const fn none() -> Self {
        Self { objects: Vec::new() }
    }

    /// Holds an object until this is dropped.
    ///
    /// # Safety
    /// `object` is live; the interpreter lock is held, now and when this is dropped.
    pub(super) unsafe fn hold(&mut self, object: *mut PyObject) {
        // SAFETY: passed on.
        unsafe { ffi::Py_INCREF(object) };
        self.objects.push(object);
    }

    pub(super) fn holds(&self, object: *mut PyObject) -> bool {
        self.objects.contains(&object)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for object in self.objects.drain(..) {
            // SAFETY: `hold` took the reference, and its caller promised the lock.
            unsafe { ffi::Py_DECREF(object) };
        }
    }
}

/// What a dict holds under `name`, borrowed; null where it holds nothing, or it is no dict.
///
/// # Safety
/// `dict` is null or live, the interpreter lock held.
pub(super) unsafe fn entry(dict: *mut PyObject, name: &CStr) -> *mut PyObject {
    // SAFETY: PyDict_Next stays inside the table and runs no code; comparing with C text reads the key's storage.
    unsafe {
        if dict.is_null() || ffi::PyDict_Check(dict) == 0 || is_sparse_dict(dict) {
            return std::ptr::null_mut();
        }
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        for _ in 0..MOST_ENTRIES {
            if ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) == 0 {
                break;
            }
            let length = name.count_bytes() as isize;
            if ffi::PyUnicode_Check(key) != 0
                && ffi::PyUnicode_GET_LENGTH(key) == length
                && ffi::PyUnicode_CompareWithASCIIString(key, name.as_ptr()) == 0
            {
                return value;
            }
        }
        std::ptr::null_mut()
    }
}

/// A name that attributes are read by, made once.
pub(super) struct Name {
    text: &'static CStr,
    interned: AtomicPtr<PyObject>,
}

impl Name {
    pub(super) const fn new(text: &'static CStr) -> Self {
        Self { text, interned: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// The attribute of this name, as a new reference; null where there is none.
    ///
    /// # Safety
    /// `owner` is live and of a type of the interpreter's own, the interpreter lock held.
    pub(super) unsafe fn of(&self, owner: *mut PyObject) -> *mut PyObject {
        // SAFETY: the generic lookup of a type of the interpreter runs its C getters alone; the name lives for ever.
        unsafe {
            // Relaxed: the interpreter lock orders it.
            let mut name = self.interned.load(Ordering::Relaxed);
            if name.is_null() {
                name = ffi::PyUnicode_InternFromString(self.text.as_ptr());
                self.interned.store(name, Ordering::Relaxed);
            }
            let value = if name.is_null() { std::ptr::null_mut() } else { ffi::PyObject_GenericGetAttr(owner, name) };
            if value.is_null() {
                ffi::PyErr_Clear();
            }
            value
        }
    }
}
