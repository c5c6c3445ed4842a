//! How the interpreter lays out what its C API does not show, for reading only. Every layout here is that of CPython
//! 3.11 to 3.14 with the interpreter lock; `tests/capture/test_budgets.py` and `test_containers.py` fail where one has
//! changed.

use pyo3::ffi::{self, PyObject};

/// Empty slots of a table that are passed over in search of items: some microseconds.
pub(super) const MOST_EMPTY_SLOTS: isize = 4096;

/// The beginning of a dict's table of keys.
#[repr(C)]
struct DictKeys {
    references: isize,
    log2_size: u8,
    log2_index_bytes: u8,
    kind: u8,
    version: u32,
    usable: isize,
    /// Entries in use, those of deleted keys included.
    entries: isize,
}

/// Whether a dict has so many deleted entries that finding the others takes long.
///
/// # Safety
/// `dict` is a live dict (or subclass), the interpreter lock held.
#[inline]
pub(super) unsafe fn is_sparse_dict(dict: *mut PyObject) -> bool {
    let dict = dict.cast::<ffi::PyDictObject>();
    // SAFETY: every dict has a table of keys, also an empty one.
    unsafe { (*(*dict).ma_keys.cast::<DictKeys>()).entries - (*dict).ma_used > MOST_EMPTY_SLOTS }
}
