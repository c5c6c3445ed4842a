//! How the interpreter lays out what its C API does not show, for reading only. Every layout here is that of CPython
//! 3.11 to 3.14 with the interpreter lock, or to 3.13 where it says so; `tests/capture/test_containers.py` and
//! `test_budgets.py` fail where one has changed.

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

/// A view of a dict: its keys, values or items.
#[repr(C)]
struct DictView {
    base: PyObject,
    dict: *mut PyObject,
}

/// The dict of a view; null for a view that is being taken down.
///
/// # Safety
/// `view` is a live view of a dict, the interpreter lock held.
pub(super) unsafe fn dict_of_view(view: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on.
    unsafe { (*view.cast::<DictView>()).dict }
}

/// A mapping proxy.
#[repr(C)]
struct MappingProxy {
    base: PyObject,
    mapping: *mut PyObject,
}

/// What a mapping proxy shows; null for one that is being taken down.
///
/// # Safety
/// `proxy` is a live mapping proxy, the interpreter lock held.
pub(super) unsafe fn mapping_of_proxy(proxy: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on.
    unsafe { (*proxy.cast::<MappingProxy>()).mapping }
}

unsafe extern "C" {
    /// `collections.OrderedDict`.
    pub(super) static mut PyODict_Type: ffi::PyTypeObject;
}

/// A key in an ordered dict's order, as up to 3.13.
#[repr(C)]
pub(super) struct Node {
    pub(super) key: *mut PyObject,
    hash: isize,
    pub(super) next: *mut Node,
    previous: *mut Node,
}

/// The beginning of an ordered dict: a dict, and a list of its keys.
#[repr(C)]
struct OrderedDict {
    dict: ffi::PyDictObject,
    first: *mut Node,
}

/// The first key of an ordered dict; null of an empty one, and where the layout is not known.
///
/// # Safety
/// `dict` is a live `OrderedDict` (or subclass), the interpreter lock held.
pub(super) unsafe fn first_node(dict: *mut PyObject) -> *mut Node {
    if cfg!(Py_3_14) {
        return std::ptr::null_mut();
    }
    // SAFETY: passed on.
    unsafe { (*dict.cast::<OrderedDict>()).first }
}
