//! Reading what objects and types store, without asking either: dict entries, slots, C getters.
//!
//! Called by the readers of this room. What it must never do: run a descriptor, a hash or a comparison of the program's,
//! leave an exception set, or hand out a reference that is not held.

use std::ffi::CStr;

use calltape_redact::{Extent, LOOKAHEAD, Names, masked};
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::super::storage::is_sparse_dict;
use super::super::text::{ascii, stored_bytes, to_string};
use super::super::walk::type_name;
use super::attributes::Attributes;
pub(super) use super::loaded::{is_immutable, is_loaded, loaded};

/// Entries of a dict that are looked at for a name: no class and no object of a known library has as many.
const MOST_ENTRIES: usize = 4096;

/// An object that is held while it is read. Made and dropped with the interpreter lock held.
pub(crate) struct Held(*mut PyObject);

impl Held {
    /// Takes over a new reference; `None` for a null, whose exception is cleared.
    ///
    /// # Safety
    /// `object` is a new reference or null, the interpreter lock held.
    pub(crate) unsafe fn taken(object: *mut PyObject) -> Option<Self> {
        if object.is_null() {
            // SAFETY: passed on.
            unsafe { ffi::PyErr_Clear() };
            return None;
        }
        Some(Self(object))
    }

    /// Holds a borrowed object.
    ///
    /// # Safety
    /// `object` is live, the interpreter lock held.
    pub(crate) unsafe fn of(object: *mut PyObject) -> Self {
        // SAFETY: passed on.
        unsafe { ffi::Py_INCREF(object) };
        Self(object)
    }

    #[inline]
    pub(crate) fn get(&self) -> *mut PyObject {
        self.0
    }

    pub(crate) fn kind(&self) -> *mut PyTypeObject {
        // SAFETY: held, so live.
        unsafe { ffi::Py_TYPE(self.0) }
    }

    pub(crate) fn is_none(&self) -> bool {
        // SAFETY: None is the interpreter's and is only compared.
        self.0 == unsafe { ffi::Py_None() }
    }

    pub(crate) fn is_tuple(&self) -> bool {
        // SAFETY: held, so live; the flag of its type is read.
        unsafe { ffi::PyTuple_Check(self.0) != 0 }
    }

    pub(crate) fn is_list(&self) -> bool {
        // SAFETY: as above.
        unsafe { ffi::PyList_Check(self.0) != 0 }
    }

    pub(crate) fn is_dict(&self) -> bool {
        // SAFETY: as above.
        unsafe { ffi::PyDict_Check(self.0) != 0 }
    }

    /// At most `limit` characters of a str. Where it is cut, what looks like a secret is masked first.
    pub(crate) fn text(&self, limit: usize) -> Option<String> {
        // SAFETY: held, so live; only the storage of a str is read.
        unsafe {
            if ffi::PyUnicode_Check(self.0) == 0 {
                return None;
            }
            if ffi::PyUnicode_GET_LENGTH(self.0) as usize <= limit {
                return Some(to_string(self.0, limit));
            }
            Some(cut(&to_string(self.0, limit.saturating_add(LOOKAHEAD)), limit))
        }
    }

    /// At most `limit` bytes, as text, masked like [`Self::text`].
    pub(crate) fn bytes(&self, limit: usize) -> Option<String> {
        // SAFETY: held, so live; the storage of bytes is read.
        unsafe {
            if ffi::PyBytes_Check(self.0) == 0 {
                return None;
            }
            let bytes = stored_bytes(self.0);
            if bytes.len() <= limit {
                return Some(String::from_utf8_lossy(bytes).into_owned());
            }
            let beginning = &bytes[..bytes.len().min(limit.saturating_add(LOOKAHEAD))];
            Some(cut(&String::from_utf8_lossy(beginning), limit))
        }
    }

    /// An int of 64 bits.
    pub(crate) fn int(&self) -> Option<i64> {
        // SAFETY: as above, for an int.
        unsafe {
            if ffi::PyLong_Check(self.0) == 0 {
                return None;
            }
            let mut overflow = 0;
            let number = ffi::PyLong_AsLongLongAndOverflow(self.0, &raw mut overflow);
            (overflow == 0).then_some(number)
        }
    }

    /// The items of a tuple of ints, such as a shape.
    pub(crate) fn ints(&self) -> Option<Vec<i64>> {
        if !self.is_tuple() {
            return None;
        }
        // SAFETY: the items of a tuple that is held are live.
        unsafe {
            let length = ffi::PyTuple_GET_SIZE(self.0).min(64);
            (0..length).map(|at| Self::of(ffi::PyTuple_GET_ITEM(self.0, at)).int()).collect()
        }
    }

    /// How many items an exact list or tuple, or a dict, or a subclass of one stores.
    pub(crate) fn items(&self) -> Option<usize> {
        // SAFETY: as above; sizes are read from storage.
        unsafe {
            let length = if ffi::PyList_Check(self.0) != 0 {
                ffi::PyList_GET_SIZE(self.0)
            } else if ffi::PyTuple_Check(self.0) != 0 {
                ffi::PyTuple_GET_SIZE(self.0)
            } else if ffi::PyDict_Check(self.0) != 0 {
                ffi::PyDict_Size(self.0)
            } else {
                return None;
            };
            usize::try_from(length).ok()
        }
    }

    /// The item of a list or tuple at a place.
    pub(crate) fn item(&self, at: usize) -> Option<Self> {
        // SAFETY: as above; the place is below the size.
        unsafe {
            if ffi::PyDict_Check(self.0) != 0 || at >= self.items()? {
                return None;
            }
            let item = if ffi::PyList_Check(self.0) != 0 {
                ffi::PyList_GET_ITEM(self.0, at as isize)
            } else {
                ffi::PyTuple_GET_ITEM(self.0, at as isize)
            };
            (!item.is_null()).then(|| Self::of(item))
        }
    }

    /// Whether two keys are the same object, or strs that say the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        // SAFETY: held, so live; comparing two exact strs runs no other code.
        unsafe {
            self.0 == other.0
                || (ffi::PyUnicode_CheckExact(self.0) != 0
                    && ffi::PyUnicode_CheckExact(other.0) != 0
                    && ffi::PyUnicode_Compare(self.0, other.0) == 0)
        }
    }

    /// The values of a dict, at most `limit` of them.
    pub(crate) fn values(&self, limit: usize) -> Vec<Self> {
        self.pairs(limit).into_iter().map(|(_, value)| value).collect()
    }

    /// The keys and values of a dict, at most `limit` of them.
    pub(crate) fn pairs(&self, limit: usize) -> Vec<(Self, Self)> {
        let mut pairs = Vec::new();
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: as above; PyDict_Next runs no code.
        unsafe {
            if ffi::PyDict_Check(self.0) == 0 || is_sparse_dict(self.0) {
                return pairs;
            }
            while pairs.len() < limit && ffi::PyDict_Next(self.0, &raw mut position, &raw mut key, &raw mut value) != 0
            {
                pairs.push((Self::of(key), Self::of(value)));
            }
        }
        pairs
    }

    /// What a dict holds under a name.
    pub(crate) fn entry(&self, name: &str) -> Option<Self> {
        // SAFETY: as above.
        unsafe {
            let found = if ffi::PyDict_Check(self.0) != 0 { find(self.0, name) } else { std::ptr::null_mut() };
            (!found.is_null()).then(|| Self::of(found))
        }
    }
}

/// `limit` characters of the beginning of a text. No secret is left as a half that nobody takes for one.
#[cold]
fn cut(beginning: &str, limit: usize) -> String {
    masked(beginning, Extent::Beginning, Names::defaults()).chars().take(limit).collect()
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: the reference is this one's own, and the interpreter lock is held as its maker promised.
        unsafe { ffi::Py_DECREF(self.0) };
    }
}

/// What a dict holds under `name`, borrowed, or null. Its entries are compared one by one: a key of the program's own
/// making is never asked for its hash or compared.
///
/// # Safety
/// `dict` is a live dict, the interpreter lock held.
pub(super) unsafe fn find(dict: *mut PyObject, name: &str) -> *mut PyObject {
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    let mut seen = 0;
    // SAFETY: PyDict_Next runs no code; a str's storage is read.
    unsafe {
        if is_sparse_dict(dict) {
            return std::ptr::null_mut();
        }
        while seen < MOST_ENTRIES && ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
            if is_named(key, name) {
                return value;
            }
            seen += 1;
        }
    }
    std::ptr::null_mut()
}

/// Whether `key` is a str that says `name`, which is ASCII.
///
/// # Safety
/// `key` is live, the interpreter lock held.
#[inline]
pub(super) unsafe fn is_named(key: *mut PyObject, name: &str) -> bool {
    // SAFETY: only the storage of a str is read.
    unsafe { ffi::PyUnicode_Check(key) != 0 && ascii(key) == Some(name.as_bytes()) }
}

/// The dict of a type: its own, without its bases'; `None` where it has none.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
pub(crate) unsafe fn dict_of_type(kind: *mut PyTypeObject) -> Option<Held> {
    #[cfg(Py_3_12)]
    // SAFETY: returns a new reference; the static builtin types keep their dicts in the interpreter.
    unsafe {
        Held::taken(ffi::PyType_GetDict(kind))
    }
    #[cfg(not(Py_3_12))]
    // SAFETY: a ready type has a dict.
    unsafe {
        let dict = (*kind).tp_dict;
        (!dict.is_null()).then(|| Held::of(dict))
    }
}

/// Calls `look` with each type of an object's type's method resolution order, as stored, until it answers.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
pub(crate) unsafe fn first_in_mro<T>(
    kind: *mut PyTypeObject,
    mut look: impl FnMut(*mut PyTypeObject) -> Option<T>,
) -> Option<T> {
    // SAFETY: the order is a tuple of types, or null before the type is ready; it is held while it is walked.
    unsafe {
        let order = (*kind).tp_mro;
        if order.is_null() || ffi::PyTuple_Check(order) == 0 {
            return look(kind);
        }
        let order = Held::of(order);
        for at in 0..ffi::PyTuple_GET_SIZE(order.get()) {
            let base = ffi::PyTuple_GET_ITEM(order.get(), at);
            if ffi::PyType_Check(base) != 0
                && let Some(found) = look(base.cast())
            {
                return Some(found);
            }
        }
        None
    }
}

/// What a type or the nearest of its bases stores under `name`: the raw entry, whose descriptor is not run.
///
/// # Safety
/// As [`first_in_mro`].
pub(crate) unsafe fn stored_in_type(kind: *mut PyTypeObject, name: &str) -> Option<Held> {
    // SAFETY: passed on.
    unsafe { first_in_mro(kind, |base| dict_of_type(base)?.entry(name)) }
}

/// What an object holds under `name` in its `__dict__`; nothing of its class is asked.
///
/// # Safety
/// `object` is live, the interpreter lock held.
pub(super) unsafe fn stored(object: *mut PyObject, name: &str) -> Option<Held> {
    // SAFETY: passed on; the cursor stays within the object's storage.
    unsafe {
        let mut attributes = Attributes::of(object);
        while let Some((key, value)) = attributes.next() {
            if is_named(key.get(), name) {
                return Some(value);
            }
        }
        None
    }
}

/// As [`stored`], for who reads an object of the interpreter's from outside this room: a new reference.
///
/// # Safety
/// As [`stored`].
pub(crate) unsafe fn stored_attribute(object: *mut PyObject, name: &CStr) -> Option<*mut PyObject> {
    // SAFETY: passed on; the reference is given to the caller.
    unsafe {
        let found = stored(object, name.to_str().ok()?)?;
        ffi::Py_INCREF(found.get());
        Some(found.get())
    }
}

/// What a known type stores under `name`. Its library's keys are all strs, so the dict may be asked.
///
/// # Safety
/// `base` is a live type that is known by identity, the interpreter lock held.
unsafe fn descriptor(base: *mut PyTypeObject, name: &str) -> Option<Held> {
    // SAFETY: the str is made for the look-up and dropped; what is found is held before anything else runs.
    unsafe {
        let dict = dict_of_type(base)?;
        let key = Held::taken(ffi::PyUnicode_FromStringAndSize(name.as_ptr().cast(), name.len() as isize))?;
        let found = ffi::PyDict_GetItemWithError(dict.get(), key.get());
        if found.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(Held::of(found))
    }
}

/// What the C getter or slot `name` of the known type `base` answers for an object of it.
///
/// # Safety
/// `object` is live and of `base` or a subclass; the getter runs nothing of the program's; the interpreter lock is held.
pub(super) unsafe fn getter(base: *mut PyTypeObject, name: &str, object: *mut PyObject) -> Option<Held> {
    // SAFETY: the descriptor is one of C's own two kinds and belongs to the base, so it reads the object's own struct.
    unsafe {
        let descriptor = descriptor(base, name)?;
        let kind = descriptor.kind();
        if kind != &raw mut ffi::PyGetSetDescr_Type && kind != &raw mut ffi::PyMemberDescr_Type {
            return None;
        }
        let get = (*kind).tp_descr_get?;
        Held::taken(get(descriptor.get(), object, base.cast()))
    }
}

/// What the C or Cython method `name` of the known type `base` answers for an object of it, without further arguments.
///
/// # Safety
/// As [`getter`].
pub(super) unsafe fn method(base: *mut PyTypeObject, name: &str, object: *mut PyObject) -> Option<Held> {
    // SAFETY: as above.
    unsafe {
        let descriptor = descriptor(base, name)?;
        let kind = descriptor.kind();
        if kind != &raw mut ffi::PyMethodDescr_Type && type_name(kind) != "cython_function_or_method" {
            return None;
        }
        Held::taken(ffi::PyObject_CallOneArg(descriptor.get(), object))
    }
}

/// The text that a type's own C slot makes of an object: `str()` where `by_str`, else `repr()`.
///
/// # Safety
/// As [`getter`], for the slot.
pub(super) unsafe fn slot_text(base: *mut PyTypeObject, by_str: bool, object: *mut PyObject) -> Option<Held> {
    // SAFETY: passed on.
    unsafe {
        let slot = if by_str { (*base).tp_str } else { (*base).tp_repr }?;
        let text = Held::taken(slot(object))?;
        (ffi::PyUnicode_Check(text.get()) != 0).then_some(text)
    }
}
