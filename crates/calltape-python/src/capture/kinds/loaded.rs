//! What loaded modules hold: how types are known without importing anything.
//!
//! Called by the readers of this room. What it must never do: import, run a module's `__getattr__`, or leave an exception
//! set.

use std::ffi::CStr;

use pyo3::ffi::{self, PyObject, PyTypeObject};

/// The object that the loaded module `module` holds as `attribute`, borrowed, or null. Nothing is imported.
///
/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn loaded(module: &CStr, attribute: &CStr) -> *mut PyObject {
    // SAFETY: sys.modules and a module's dict are dicts looked up by exact strings; the references are borrowed.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        let module = ffi::PyDict_GetItemString(modules, module.as_ptr());
        if module.is_null() || ffi::PyModule_Check(module) == 0 {
            return std::ptr::null_mut();
        }
        ffi::PyDict_GetItemString(ffi::PyModule_GetDict(module), attribute.as_ptr())
    }
}

/// Whether `kind` is the object that the loaded module `module` holds as `attribute`.
///
/// # Safety
/// `kind` is a live type object, the interpreter lock held.
pub(super) unsafe fn is_loaded(kind: *mut PyTypeObject, module: &CStr, attribute: &CStr) -> bool {
    // SAFETY: the borrowed reference is only compared.
    unsafe { loaded(module, attribute) == kind.cast() }
}

/// Whether a type is one that no program can change, which no class written in Python is.
///
/// # Safety
/// `kind` is a live type object.
pub(super) unsafe fn is_immutable(kind: *mut PyTypeObject) -> bool {
    // SAFETY: a live type's fields may be read at any time.
    unsafe { (*kind).tp_flags & ffi::Py_TPFLAGS_IMMUTABLETYPE != 0 }
}
