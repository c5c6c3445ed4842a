//! What a monitored callable becomes when it is bound, stands in a class body, is copied or printed: what the wrapped one
//! would.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use pyo3::ffi::{self, PyObject};

use super::attributes::{is_one_of, wrapped_of};
use super::object::{Monitored, skip_first};

unsafe extern "C" {
    // Not among PyO3's declarations; part of CPython's unlimited API in all supported versions.
    fn PyMethod_New(function: *mut PyObject, instance: *mut PyObject) -> *mut PyObject;
    fn PyMethod_Function(method: *mut PyObject) -> *mut PyObject;
    fn PyMethod_Self(method: *mut PyObject) -> *mut PyObject;
    static mut PyMethod_Type: ffi::PyTypeObject;
}

/// The slots this file fills.
pub(super) fn slots() -> Vec<ffi::PyType_Slot> {
    let methods: &'static mut [ffi::PyMethodDef] = Box::leak(Box::new([
        method(c"__set_name__", set_name, ffi::METH_VARARGS),
        method(c"__reduce__", reduce, ffi::METH_NOARGS),
        method(c"__reduce_ex__", reduce, ffi::METH_VARARGS),
        ffi::PyMethodDef::zeroed(),
    ]));
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    vec![
        slot(ffi::Py_tp_descr_get, bind as *mut c_void),
        slot(ffi::Py_tp_repr, represent as *mut c_void),
        slot(ffi::Py_tp_methods, methods.as_mut_ptr().cast()),
    ]
}

fn method(name: &'static CStr, function: ffi::PyCFunction, flags: c_int) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: flags,
        ml_doc: ptr::null(),
    }
}

/// Binds as the wrapped callable binds: a function becomes a method; another callable with a rule of its own gives what
/// that gives, which is monitored if it is a method of that very callable; one without a rule stays itself.
unsafe extern "C" fn bind(object: *mut PyObject, instance: *mut PyObject, owner: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol: `instance` and `owner` may be null, the rest is live, the interpreter lock held.
    unsafe {
        let wrapped = wrapped_of(object);
        let kind = ffi::Py_TYPE(wrapped);
        let is_method = ffi::PyType_HasFeature(kind, ffi::Py_TPFLAGS_METHOD_DESCRIPTOR) != 0;
        match (*kind).tp_descr_get {
            Some(rule) if !is_method => {
                let bound = rule(wrapped, instance, owner);
                if bound.is_null() {
                    return bound;
                }
                let same = if bound == wrapped {
                    ffi::Py_INCREF(object);
                    object
                } else if ffi::Py_IS_TYPE(bound, &raw mut PyMethod_Type) != 0 && PyMethod_Function(bound) == wrapped {
                    PyMethod_New(object, PyMethod_Self(bound))
                } else {
                    return bound;
                };
                ffi::Py_DECREF(bound);
                same
            }
            Some(_) if !instance.is_null() && instance != ffi::Py_None() => PyMethod_New(object, instance),
            _ => {
                ffi::Py_INCREF(object);
                object
            }
        }
    }
}

unsafe extern "C" fn represent(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol.
    unsafe { ffi::PyObject_Repr(wrapped_of(object)) }
}

/// `__set_name__(owner, name)`: a class body holds this callable directly, so a method's first argument is the instance.
/// A function of a special name becomes what `type.__new__` makes of a bare one; another callable is told as if bare.
unsafe extern "C" fn set_name(object: *mut PyObject, arguments: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol: a live object of this type and a tuple, the interpreter lock held.
    unsafe {
        if ffi::PyTuple_GET_SIZE(arguments) != 2 {
            let message = c"__set_name__ takes a class and a name";
            ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr());
            return ptr::null_mut();
        }
        let (owner, name) = (ffi::PyTuple_GET_ITEM(arguments, 0), ffi::PyTuple_GET_ITEM(arguments, 1));
        let wrapped = wrapped_of(object);
        let monitored = object.cast::<Monitored>();
        let is_method = ffi::PyType_HasFeature(ffi::Py_TYPE(wrapped), ffi::Py_TPFLAGS_METHOD_DESCRIPTOR) != 0;
        if is_method && !(*(*monitored).plan).is_partial {
            skip_first(monitored);
        }
        let done = if ffi::PyFunction_Check(wrapped) != 0 {
            convert_special(object, owner, name)
        } else {
            tell_name(wrapped, owner, name)
        };
        if done < 0 {
            return ptr::null_mut();
        }
        let none = ffi::Py_None();
        ffi::Py_INCREF(none);
        none
    }
}

/// Replaces a class's attribute by a staticmethod or classmethod of `object`, where a bare function of that name is
/// replaced. Done by `type` itself, past a metaclass's `__setattr__`, as there.
///
/// # Safety
/// Live objects, the interpreter lock held.
unsafe fn convert_special(object: *mut PyObject, owner: *mut PyObject, name: *mut PyObject) -> c_int {
    // SAFETY: passed on; the dict of a class outlives the class's own use of it.
    unsafe {
        let is_static = is_one_of(name, &[c"__new__"]);
        if !is_static && !is_one_of(name, &[c"__init_subclass__", c"__class_getitem__"])
            || ffi::PyType_Check(owner) == 0
            || ffi::PyType_HasFeature(owner.cast(), ffi::Py_TPFLAGS_HEAPTYPE) == 0
            || ffi::PyDict_GetItemWithError((*owner.cast::<ffi::PyTypeObject>()).tp_dict, name) != object
        {
            return 0;
        }
        let made = if is_static { ffi::PyStaticMethod_New(object) } else { ffi::PyClassMethod_New(object) };
        if made.is_null() {
            return -1;
        }
        let done = match ffi::PyType_Type.tp_setattro {
            Some(set) => set(owner, name, made),
            None => 0,
        };
        ffi::Py_DECREF(made);
        done
    }
}

/// Calls the `__set_name__` of the wrapped callable's own type, if there is one.
///
/// # Safety
/// Live objects, the interpreter lock held.
unsafe fn tell_name(wrapped: *mut PyObject, owner: *mut PyObject, name: *mut PyObject) -> c_int {
    // SAFETY: the rule is held while it runs, the rest by the caller.
    unsafe {
        let rule = ffi::PyObject_GetAttrString(ffi::Py_TYPE(wrapped).cast(), c"__set_name__".as_ptr());
        if rule.is_null() {
            if ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) == 0 {
                return -1;
            }
            ffi::PyErr_Clear();
            return 0;
        }
        let told = ffi::PyObject_CallFunctionObjArgs(rule, wrapped, owner, name, ptr::null_mut::<PyObject>());
        ffi::Py_DECREF(rule);
        if told.is_null() {
            return -1;
        }
        ffi::Py_DECREF(told);
        0
    }
}

/// A monitored function is pickled and copied by name, as functions are; another callable as `monitor(callable)`.
unsafe extern "C" fn reduce(object: *mut PyObject, _arguments: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol; owned references are dropped or handed over.
    unsafe {
        let wrapped = wrapped_of(object);
        if ffi::PyFunction_Check(wrapped) != 0 {
            return ffi::PyObject_GetAttrString(object, c"__qualname__".as_ptr());
        }
        let module = ffi::PyImport_ImportModule(c"calltape".as_ptr());
        if module.is_null() {
            return module;
        }
        let monitor = ffi::PyObject_GetAttrString(module, c"monitor".as_ptr());
        ffi::Py_DECREF(module);
        if monitor.is_null() {
            return monitor;
        }
        let arguments = ffi::PyTuple_Pack(1, wrapped);
        if arguments.is_null() {
            ffi::Py_DECREF(monitor);
            return arguments;
        }
        let reduced = ffi::PyTuple_Pack(2, monitor, arguments);
        ffi::Py_DECREF(monitor);
        ffi::Py_DECREF(arguments);
        reduced
    }
}
