//! The subtypes, one for each type of the interpreter whose objects drive a recorded body.
//!
//! They are static types: an object of one holds no reference to its type, as the base's objects hold none to theirs.
//! `__class__` answers the base type, and the name is the base's, so that only `type()` tells.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_void};
use std::mem::{MaybeUninit, transmute};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;

use super::{body, steps};

/// A subtype and what it needs of its base.
pub(super) struct Kind {
    subtype: UnsafeCell<MaybeUninit<PyTypeObject>>,
    /// The base's `send`, `throw`, `close` or their like.
    methods: [AtomicPtr<ffi::PyMethodDef>; 3],
}

// SAFETY: a subtype is made once, with the interpreter lock held, and is the interpreter's from then on.
unsafe impl Sync for Kind {}

pub(super) static GENERATOR: Kind = Kind::new();
pub(super) static COROUTINE: Kind = Kind::new();
pub(super) static ASYNC_GENERATOR: Kind = Kind::new();
/// What a coroutine's `__await__()` gives.
pub(super) static AWAITER: Kind = Kind::new();
/// What `__anext__()` and `asend()` give.
pub(super) static ASEND: Kind = Kind::new();
/// What `athrow()` gives.
pub(super) static ATHROW: Kind = Kind::new();
/// What `aclose()` gives: in the interpreter the same type as `athrow()`'s.
pub(super) static ACLOSE: Kind = Kind::new();

impl Kind {
    const fn new() -> Self {
        Self {
            subtype: UnsafeCell::new(MaybeUninit::zeroed()),
            methods: [const { AtomicPtr::new(ptr::null_mut()) }; 3],
        }
    }

    /// The subtype's address, ready or not.
    #[inline]
    pub(super) const fn as_type(&self) -> *mut PyTypeObject {
        self.subtype.get().cast()
    }

    /// One of the base's three methods, which takes one argument or none.
    ///
    /// # Safety
    /// The kind is ready, and the method is called by its protocol.
    #[inline]
    pub(super) unsafe fn method(&self, number: usize) -> Method {
        // SAFETY: passed on; the convention was checked in `make`.
        unsafe {
            let definition = self.methods[number].load(Ordering::Relaxed);
            transmute::<ffi::PyCFunction, Method>((*definition).ml_meth.PyCFunction)
        }
    }

    /// As [`Self::method`], for one that takes several arguments.
    ///
    /// # Safety
    /// As there.
    pub(super) unsafe fn fast_method(&self, number: usize) -> FastMethod {
        // SAFETY: as there.
        unsafe {
            let definition = self.methods[number].load(Ordering::Relaxed);
            transmute::<ffi::PyCFunctionFast, FastMethod>((*definition).ml_meth.PyCFunctionFast)
        }
    }

    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        !self.methods[0].load(Ordering::Relaxed).is_null()
    }
}

/// Switches an object to another type of the same layout.
///
/// # Safety
/// `object` is live and of a subtype or its base, the interpreter lock held.
#[inline]
pub(super) unsafe fn switch(object: *mut PyObject, kind: *mut PyTypeObject) {
    // SAFETY: both types are static, so no reference to them is counted.
    unsafe { (*object).ob_type = kind };
}

/// What a subtype is a subtype of.
///
/// # Safety
/// `subtype` is one that is ready.
#[inline]
pub(super) unsafe fn base_of(subtype: *mut PyTypeObject) -> *mut PyTypeObject {
    // SAFETY: passed on.
    unsafe { (*subtype).tp_base }
}

/// Whether a type is the subtype of one of the three kinds: the object's body waits to be given control.
#[inline]
pub(super) fn is_subtype(kind: *mut PyTypeObject) -> bool {
    [&GENERATOR, &COROUTINE, &ASYNC_GENERATOR].into_iter().any(|known| known.as_type() == kind)
}

/// The interpreter's own type: a subtype's base, any other type itself.
///
/// # Safety
/// `kind` is a live type.
#[inline]
pub(super) unsafe fn interpreters_own(kind: *mut PyTypeObject) -> *mut PyTypeObject {
    // SAFETY: a subtype that an object has is ready.
    if is_subtype(kind) { unsafe { base_of(kind) } } else { kind }
}

/// The subtype for a new object of the interpreter's; null where it is no coroutine, generator or async generator.
///
/// # Safety
/// `object` is live.
#[inline]
pub(super) unsafe fn subtype_for(object: *mut PyObject) -> *mut PyTypeObject {
    // SAFETY: passed on; the types live for ever.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        if kind == &raw mut ffi::PyCoro_Type {
            COROUTINE.as_type()
        } else if kind == &raw mut ffi::PyGen_Type {
            GENERATOR.as_type()
        } else if kind == &raw mut ffi::PyAsyncGen_Type {
            ASYNC_GENERATOR.as_type()
        } else {
            ptr::null_mut()
        }
    }
}

/// Functions of the interpreter as they are called here: the program's code runs inside, and may be unwound through when
/// the interpreter ends a daemon thread, which changes nothing in how they are called.
pub(super) type Method = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;
pub(super) type FastMethod = unsafe extern "C-unwind" fn(*mut PyObject, *const *mut PyObject, isize) -> *mut PyObject;

/// A method that stands for the base's of the same name and calling convention.
pub(super) enum StandIn {
    /// `METH_NOARGS`, `METH_O` or `METH_VARARGS`.
    One(Method),
    /// `METH_FASTCALL`.
    Several(FastMethod),
}

/// The methods of a subtype: name, function, calling convention.
pub(super) type Methods = [(&'static CStr, StandIn, std::ffi::c_int); 3];

/// Makes a subtype ready; `fill` gives it its slots before that.
///
/// # Safety
/// The interpreter lock is held; `base` is a static type, and what `fill` sets keeps the protocol of each slot.
pub(super) unsafe fn make(
    py: Python<'_>,
    kind: &'static Kind,
    base: *mut PyTypeObject,
    methods: &Methods,
    fill: impl FnOnce(&mut PyTypeObject),
) -> PyResult<()> {
    if kind.is_ready() {
        return Ok(());
    }
    let mut table = Vec::new();
    for (name, stand_in, flags) in methods {
        // SAFETY: a ready type's attribute of the type that is asked for.
        let definition = unsafe { definition_of(py, base, name)? };
        // SAFETY: the base's table is static.
        let of_the_base = unsafe { *definition };
        if of_the_base.ml_flags != *flags {
            return Err(PyTypeError::new_err("this interpreter's generators are not as calltape knows them"));
        }
        let function = match *stand_in {
            StandIn::One(method) => {
                // SAFETY: the convention is the base's.
                ffi::PyMethodDefPointer { PyCFunction: unsafe { transmute::<Method, ffi::PyCFunction>(method) } }
            }
            StandIn::Several(method) => ffi::PyMethodDefPointer {
                // SAFETY: as above.
                PyCFunctionFast: unsafe { transmute::<FastMethod, ffi::PyCFunctionFast>(method) },
            },
        };
        table.push((ffi::PyMethodDef { ml_meth: function, ..of_the_base }, definition));
    }
    let (table, definitions): (Vec<_>, Vec<_>) = table.into_iter().unzip();
    // SAFETY: the subtype is zeroed memory that nobody else knows yet; all that it points to lives for ever.
    unsafe {
        let subtype = kind.as_type();
        (*subtype).ob_base.ob_base = ffi::PyObject_HEAD_INIT;
        (*subtype).tp_name = (*base).tp_name;
        (*subtype).tp_doc = (*base).tp_doc;
        (*subtype).tp_base = base;
        (*subtype).tp_flags =
            ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
        (*subtype).tp_traverse = (*base).tp_traverse;
        (*subtype).tp_clear = (*base).tp_clear;
        (*subtype).tp_getset = properties();
        fill(&mut *subtype);
        if ffi::PyType_Ready(subtype) != 0 {
            return Err(PyErr::fetch(py));
        }
        for definition in Box::leak(table.into_boxed_slice()) {
            // Of the base: a profiler binds the method again after the call, when the object may be of the base type.
            let method = Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(base, definition))?;
            if ffi::PyDict_SetItemString((*subtype).tp_dict, definition.ml_name, method.as_ptr()) != 0 {
                return Err(PyErr::fetch(py));
            }
        }
        ffi::PyType_Modified(subtype);
    }
    for (place, definition) in kind.methods.iter().zip(definitions) {
        place.store(definition, Ordering::Relaxed);
    }
    Ok(())
}

/// How a type's method is defined.
///
/// # Safety
/// `kind` is a ready static type, the interpreter lock held.
unsafe fn definition_of(py: Python<'_>, kind: *mut PyTypeObject, name: &CStr) -> PyResult<*mut ffi::PyMethodDef> {
    // SAFETY: passed on; the exact type of the descriptor is checked, so its layout is known.
    unsafe {
        let method = Bound::from_owned_ptr_or_err(py, ffi::PyObject_GetAttrString(kind.cast(), name.as_ptr()))?;
        if ffi::Py_TYPE(method.as_ptr()) != &raw mut ffi::PyMethodDescr_Type {
            return Err(PyTypeError::new_err("this interpreter's generators are not as calltape knows them"));
        }
        Ok((*method.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method)
    }
}

fn properties() -> *mut ffi::PyGetSetDef {
    let class = ffi::PyGetSetDef {
        name: c"__class__".as_ptr(),
        get: Some(class_of),
        set: Some(set_class),
        doc: ptr::null(),
        closure: ptr::null_mut(),
    };
    Box::leak(Box::new([class, ffi::PyGetSetDef::default()])).as_mut_ptr()
}

unsafe extern "C" fn class_of(object: *mut PyObject, _closure: *mut c_void) -> *mut PyObject {
    // SAFETY: getter protocol; found through the type of a live object of a subtype.
    unsafe {
        let base = (*ffi::Py_TYPE(object)).tp_base.cast::<PyObject>();
        ffi::Py_INCREF(base);
        base
    }
}

/// `__class__ = ...`, as any object answers it.
unsafe extern "C" fn set_class(object: *mut PyObject, value: *mut PyObject, _closure: *mut c_void) -> std::ffi::c_int {
    // SAFETY: setter protocol; the descriptor is borrowed from the type of all objects, which lives for ever.
    unsafe {
        let of_objects = (&raw mut ffi::PyBaseObject_Type).cast();
        let descriptor = ffi::PyObject_GetAttrString(of_objects, c"__dict__".as_ptr());
        let found = if descriptor.is_null() {
            descriptor
        } else {
            ffi::PyMapping_GetItemString(descriptor, c"__class__".as_ptr())
        };
        ffi::Py_XDECREF(descriptor);
        if found.is_null() {
            return -1;
        }
        let done = (*ffi::Py_TYPE(found)).tp_descr_set.map_or(-1, |set| set(found, object, value));
        ffi::Py_DECREF(found);
        done
    }
}

/// Makes the subtypes of the three kinds ready. Those of the objects that drive them follow with the first such object.
///
/// # Errors
/// When the interpreter refuses one.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    // SAFETY: the interpreter lock is held; the bases are the interpreter's static types.
    unsafe {
        body::make_generator(py, &raw mut ffi::PyGen_Type)?;
        body::make_coroutine(py, &raw mut ffi::PyCoro_Type)?;
        steps::make_async_generator(py, &raw mut ffi::PyAsyncGen_Type)
    }
}
