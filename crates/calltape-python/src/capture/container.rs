//! Lists, tuples, dicts and sets: at most so many items, so deep, and no cycle walked twice.
//!
//! Storage is read directly, so no iterator of the program's runs. Reading an item may allocate, and allocating may run a
//! finaliser that changes the container: sizes are read again before each item, and an item is held while it is walked.

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject};

use super::is_sensitive;
use super::scalar::ascii;
use super::walk::{Capture, MOST_DEPTH, type_name};

impl Capture<'_> {
    /// # Safety
    /// `list` is a live list (or subclass), the interpreter lock held.
    pub(super) unsafe fn list(&mut self, list: *mut PyObject) {
        // SAFETY: a live list's size is read from its storage.
        let length = unsafe { ffi::PyList_GET_SIZE(list) } as usize;
        // SAFETY: passed on; the item is read only below the size the list has at that moment.
        unsafe {
            self.sequence(list, length, |index| {
                if index < ffi::PyList_GET_SIZE(list) as usize {
                    ffi::PyList_GET_ITEM(list, index as isize)
                } else {
                    ffi::Py_None()
                }
            });
        }
    }

    /// # Safety
    /// `tuple` is a live tuple (or subclass), the interpreter lock held.
    pub(super) unsafe fn tuple(&mut self, tuple: *mut PyObject) {
        // SAFETY: a tuple's size and items do not change.
        unsafe {
            let length = ffi::PyTuple_GET_SIZE(tuple) as usize;
            self.sequence(tuple, length, |index| ffi::PyTuple_GET_ITEM(tuple, index as isize));
        }
    }

    /// # Safety
    /// `owner` is live; `item` returns live borrowed objects for indices below `length`.
    unsafe fn sequence(&mut self, owner: *mut PyObject, length: usize, item: impl Fn(usize) -> *mut PyObject) {
        if !self.may_enter(owner, length) {
            return;
        }
        ValueWriter::list(self.out);
        // SAFETY: passed on.
        unsafe { self.items(length, item) };
        ValueWriter::end(self.out);
        self.depth -= 1;
    }

    /// Writes up to `max_items` items while there is room, and how many more there were.
    ///
    /// # Safety
    /// `item` returns live borrowed objects for indices below `length`.
    pub(super) unsafe fn items(&mut self, length: usize, item: impl Fn(usize) -> *mut PyObject) {
        for index in 0..length {
            if index == self.policy.max_items || self.is_spent() {
                ValueWriter::more(self.out, length - index);
                return;
            }
            // SAFETY: the item is held while it is walked, so that it outlives any change of its container.
            unsafe {
                let value = item(index);
                ffi::Py_INCREF(value);
                self.any(value);
                ffi::Py_DECREF(value);
            }
        }
    }

    /// # Safety
    /// `dict` is a live dict (or subclass), the interpreter lock held.
    pub(super) unsafe fn dict(&mut self, dict: *mut PyObject) {
        // SAFETY: the size is read from storage; PyDict_Next runs no code and stays inside the table it finds.
        unsafe {
            let length = ffi::PyDict_Size(dict) as usize;
            if !self.may_enter(dict, length) {
                return;
            }
            ValueWriter::object(self.out);
            let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
            let mut written = 0;
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                if written == self.policy.max_items || self.is_spent() {
                    ValueWriter::more(self.out, length.saturating_sub(written));
                    break;
                }
                ffi::Py_INCREF(key);
                ffi::Py_INCREF(value);
                self.pair(key, value);
                ffi::Py_DECREF(value);
                ffi::Py_DECREF(key);
                written += 1;
            }
            ValueWriter::end(self.out);
        }
        self.depth -= 1;
    }

    /// Writes one key and its value, which is withheld when the key names a secret.
    ///
    /// # Safety
    /// `key` and `value` are live and held, the interpreter lock held.
    pub(super) unsafe fn pair(&mut self, key: *mut PyObject, value: *mut PyObject) {
        // SAFETY: passed on; only the storage of a str or of bytes is read.
        unsafe {
            let name = if ffi::PyUnicode_Check(key) != 0 {
                ascii(key)
            } else if ffi::PyBytes_Check(key) != 0 {
                let length = ffi::Py_SIZE(key) as usize;
                Some(std::slice::from_raw_parts(ffi::PyBytes_AS_STRING(key).cast::<u8>(), length))
            } else {
                None
            };
            let secret = name.is_some_and(is_sensitive);
            self.any(key);
            if secret {
                ValueWriter::masked(self.out);
            } else {
                self.any(value);
            }
        }
    }

    /// # Safety
    /// `set` is a live exact set or frozenset, the interpreter lock held.
    pub(super) unsafe fn set(&mut self, set: *mut PyObject) {
        // SAFETY: the exact type's own iterator runs no code of the program; it fails if the set changes meanwhile.
        unsafe {
            let length = ffi::PySet_Size(set) as usize;
            if !self.may_enter(set, length) {
                return;
            }
            ValueWriter::list(self.out);
            let iterator = ffi::PyObject_GetIter(set);
            let mut written = 0;
            while !iterator.is_null() && written < length {
                if written == self.policy.max_items || self.is_spent() {
                    ValueWriter::more(self.out, length - written);
                    break;
                }
                let item = ffi::PyIter_Next(iterator);
                if item.is_null() {
                    break;
                }
                self.any(item);
                ffi::Py_DECREF(item);
                written += 1;
            }
            ffi::Py_XDECREF(iterator);
            ffi::PyErr_Clear();
            ValueWriter::end(self.out);
        }
        self.depth -= 1;
    }

    /// Decides whether a container is walked, and if so enters it; otherwise it is written as a marker.
    fn may_enter(&mut self, container: *mut PyObject, length: usize) -> bool {
        // SAFETY: the caller's container is live, so its type is.
        let name = unsafe { type_name(ffi::Py_TYPE(container)) };
        if self.open[..self.depth].contains(&container) {
            self.marker(&format!("circular {name}"));
            return false;
        }
        let too_long = self.depth == 0 && length > self.policy.max_items;
        if too_long || self.depth == self.policy.max_depth.min(MOST_DEPTH) {
            self.marker(&format!("{name} with {length} item{}", if length == 1 { "" } else { "s" }));
            return false;
        }
        self.open[self.depth] = container;
        self.depth += 1;
        true
    }
}
