//! How the objects of a type are read, decided once a type.
//!
//! A direct-mapped table from the type's address to its reading. An entry is valid for one address and one version tag:
//! the interpreter gives each state of each type a tag of its own and takes it away when the type changes, so that
//! neither a changed type nor another one at a freed type's address is taken for the one that was looked at. No
//! reference to a type is held. A type without a tag is looked at each time.

use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::Reading;
use super::decide::{Decided, decide};
use crate::runtime::Guarded;

/// Types kept: 24 KiB. A program's hot types are far fewer.
const PLACES: usize = 512;

struct Entry {
    kind: *mut PyTypeObject,
    /// Never 0 in a filled place.
    tag: u32,
    reading: Reading,
}

static CACHE: Guarded<Vec<Entry>> = Guarded::new(Vec::new());

unsafe extern "C" {
    /// The interpreter's own look-up along a type's bases, which runs no descriptor. It gives the type its version tag.
    fn _PyType_Lookup(kind: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject;
}

/// How an object of `kind` is read.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
#[inline]
pub(super) unsafe fn reading_of(kind: *mut PyTypeObject) -> Reading {
    // SAFETY: the table is touched with the lock held, and no reference into it is kept.
    unsafe {
        let table = &*CACHE.get();
        if let Some(entry) = table.get(place_of(kind))
            && entry.kind == kind
            && entry.tag == tag_of(kind)
            && entry.tag != 0
        {
            return entry.reading.clone();
        }
        decide_and_keep(kind)
    }
}

/// Forgets every decision: what types are read by has changed.
///
/// # Safety
/// The interpreter lock is held.
pub(crate) unsafe fn forget() {
    // SAFETY: passed on; the readings are dropped outside the table, as dropping one may run code.
    let old = unsafe { std::mem::take(&mut *CACHE.get()) };
    drop(old);
}

/// # Safety
/// As [`reading_of`].
#[cold]
unsafe fn decide_and_keep(kind: *mut PyTypeObject) -> Reading {
    // SAFETY: passed on; deciding may allocate, and with it run anything: the table is looked at afresh afterwards.
    unsafe {
        give_tag(kind);
        let tag = tag_of(kind);
        let Decided { reading, lasts } = decide(kind);
        if !lasts || tag == 0 || tag != tag_of(kind) {
            return reading;
        }
        let table = &mut *CACHE.get();
        if table.is_empty() {
            table.resize_with(PLACES, || Entry { kind: std::ptr::null_mut(), tag: 0, reading: Reading::Name });
        }
        let entry = Entry { kind, tag, reading: reading.clone() };
        let old = std::mem::replace(&mut table[place_of(kind)], entry);
        drop(old);
        reading
    }
}

/// Types stand 16 bytes apart at least; heap types often at like distances, hence the second term.
#[inline]
fn place_of(kind: *mut PyTypeObject) -> usize {
    let address = kind.addr();
    (address >> 4 ^ address >> 13) % PLACES
}

/// The version tag of a type as it is now; 0 for none.
///
/// # Safety
/// As [`reading_of`].
#[inline]
pub(crate) unsafe fn tag_of(kind: *mut PyTypeObject) -> u32 {
    // SAFETY: a live type's fields may be read at any time. Up to 3.12 a flag says whether the tag is valid.
    unsafe {
        let valid = cfg!(Py_3_13) || (*kind).tp_flags & ffi::Py_TPFLAGS_VALID_VERSION_TAG != 0;
        if valid { (*kind).tp_version_tag } else { 0 }
    }
}

/// Has the interpreter give a type its tag, as the first look-up of any attribute does.
///
/// # Safety
/// As [`reading_of`].
unsafe fn give_tag(kind: *mut PyTypeObject) {
    // SAFETY: the name is an exact interned str; the answer is borrowed and not used.
    unsafe {
        if tag_of(kind) != 0 || (*kind).tp_mro.is_null() {
            return;
        }
        let name = ffi::PyUnicode_InternFromString(c"__calltape__".as_ptr());
        if !name.is_null() {
            _PyType_Lookup(kind, name);
            ffi::Py_DECREF(name);
        }
        ffi::PyErr_Clear();
    }
}
