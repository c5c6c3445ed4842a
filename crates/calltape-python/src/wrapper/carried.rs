//! A callable handed to a pool's thread together with the call that handed it over: what it calls there has that call as
//! its parent.

use std::ffi::{c_int, c_uint, c_void};
use std::mem::{offset_of, transmute};
use std::ptr;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::recursion;
use super::trampoline::contain;
use crate::runtime::{self, Scope, context};

#[repr(C)]
struct Carried {
    head: PyObject,
    vectorcall: Option<ffi::vectorcallfunc>,
    /// Owned.
    callable: *mut PyObject,
    scope: Scope,
    generation: u32,
}

static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The callable together with the running call; the callable itself where none runs.
pub(crate) fn carry<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = callable.py();
    // SAFETY: the interpreter lock is held; the type's instances are `Carried`, and every field is set before anybody else
    // sees the object.
    unsafe {
        let scope = context::around();
        if scope.is_outside() {
            return Ok(callable.clone());
        }
        let kind = TYPE.get_or_try_init(py, || make_type(py))?.bind(py).as_type_ptr();
        let Some(allocate) = (*kind).tp_alloc else {
            return Err(PyTypeError::new_err("the type of carried callables cannot be allocated"));
        };
        let object = allocate(kind, 0);
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        let carried = object.cast::<Carried>();
        (*carried).vectorcall = Some(transmute::<Vectorcall, ffi::vectorcallfunc>(vectorcall));
        (*carried).callable = callable.clone().into_ptr();
        (*carried).scope = scope;
        (*carried).generation = runtime::generation();
        Ok(Bound::from_owned_ptr(py, object))
    }
}

/// As PyO3 has it, save that it may be unwound through when the interpreter ends a daemon thread.
type Vectorcall =
    unsafe extern "C-unwind" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;

unsafe extern "C-unwind" fn vectorcall(
    object: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: vectorcall protocol: a live object of this type, which the caller holds.
    unsafe {
        let carried = object.cast::<Carried>();
        let outer = contain(None, || begin(&*carried));
        let result = recursion::call((*carried).callable, args, nargsf, names);
        if let Some(outer) = outer {
            (*runtime::this_thread()).scope = outer;
        }
        result
    }
}

/// Takes the thread into the carried scope; the one before, or `None` where nothing was changed.
///
/// # Safety
/// The interpreter lock is held and no exception is set.
unsafe fn begin(carried: &Carried) -> Option<Scope> {
    // SAFETY: the thread's own recording.
    unsafe {
        let thread = runtime::this_thread();
        let is_current = carried.scope == Scope::SUPPRESSED || carried.generation == runtime::generation();
        if (*thread).busy || !is_current || !runtime::is_or_gets_joined(thread) {
            return None;
        }
        Some(std::mem::replace(&mut (*thread).scope, carried.scope))
    }
}

fn make_type(py: Python<'_>) -> PyResult<Py<PyType>> {
    let offset = ffi::PyMemberDef {
        name: c"__vectorcalloffset__".as_ptr(),
        type_code: ffi::Py_T_PYSSIZET,
        offset: offset_of!(Carried, vectorcall) as ffi::Py_ssize_t,
        flags: ffi::Py_READONLY,
        doc: ptr::null(),
    };
    // The interpreter keeps a pointer into this for as long as the type lives.
    let members: &'static mut [ffi::PyMemberDef] = Box::leak(Box::new([offset, ffi::PyMemberDef::default()]));
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let mut slots = [
        slot(ffi::Py_tp_dealloc, deallocate as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
        slot(0, ptr::null_mut()),
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_GC
        | ffi::Py_TPFLAGS_HAVE_VECTORCALL
        | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    let mut spec = ffi::PyType_Spec {
        name: c"calltape._native.Carried".as_ptr(),
        basicsize: size_of::<Carried>() as c_int,
        itemsize: 0,
        flags: flags as c_uint,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec is well formed and its parts outlive the call; the name and members outlive the type.
    let made = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec))? };
    Ok(made.cast_into::<PyType>()?.unbind())
}

unsafe extern "C" fn deallocate(object: *mut PyObject) {
    // SAFETY: called once, for an object that nothing refers to any more.
    unsafe {
        ffi::PyObject_GC_UnTrack(object.cast());
        ffi::Py_XDECREF((*object.cast::<Carried>()).callable);
        let kind = ffi::Py_TYPE(object);
        if let Some(free) = (*kind).tp_free {
            free(object.cast());
        }
        ffi::Py_DECREF(kind.cast());
    }
}

/// What cycles through a carried callable is broken elsewhere: it never changes what it holds.
unsafe extern "C" fn traverse(object: *mut PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: the collector calls this with a live object; the field is null or an owned reference.
    unsafe {
        for reference in [ffi::Py_TYPE(object).cast(), (*object.cast::<Carried>()).callable] {
            if !reference.is_null() {
                let stop = visit(reference, argument);
                if stop != 0 {
                    return stop;
                }
            }
        }
        0
    }
}
