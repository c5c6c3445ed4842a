//! What the program reads and writes of a monitored callable: the wrapped one's attributes.
//!
//! A monitored function has a function's descriptors on its type, each of which asks the function, and shares the
//! function's `__dict__`; the rest is the interpreter's own way. Another callable may have any attributes: those set on
//! the monitored object come first, then its own, save for the few in [`OWN`] that make the wrapper work.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::object::Monitored;

/// Attributes of another callable that the wrapper's type answers itself.
const OWN: &[&CStr] = &[
    c"__call__",
    c"__get__",
    c"__reduce__",
    c"__reduce_ex__",
    c"__dict__",
    c"__weakref__",
    c"__eq__",
    c"__ne__",
    c"__hash__",
    c"__getattribute__",
    c"__setattr__",
    c"__delattr__",
    c"__copy__",
    c"__deepcopy__",
];

/// What the wrapper's type has and a function has not.
const PAST_THE_TYPE: &[&CStr] = &[c"__set_name__"];

/// The slots of the type of monitored functions.
///
/// # Errors
/// When the interpreter's function type cannot be read.
pub(super) fn function_slots(py: Python<'_>) -> PyResult<Vec<ffi::PyType_Slot>> {
    Ok(slots(read_function, function_properties(py)?))
}

/// The slots of the type of other monitored callables.
pub(super) fn callable_slots() -> Vec<ffi::PyType_Slot> {
    slots(read_callable, vec![dict_property()])
}

fn slots(read: ffi::getattrofunc, mut properties: Vec<ffi::PyGetSetDef>) -> Vec<ffi::PyType_Slot> {
    properties.push(ffi::PyGetSetDef::default());
    let properties = Box::leak(properties.into_boxed_slice());
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    vec![
        slot(ffi::Py_tp_getattro, read as *mut c_void),
        slot(ffi::Py_tp_setattro, ffi::PyObject_GenericSetAttr as *mut c_void),
        slot(ffi::Py_tp_getset, properties.as_mut_ptr().cast()),
    ]
}

fn dict_property() -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: c"__dict__".as_ptr(),
        get: Some(ffi::PyObject_GenericGetDict),
        set: Some(set_dict),
        doc: ptr::null(),
        closure: ptr::null_mut(),
    }
}

/// A property for each descriptor of the interpreter's function type, whichever this version has.
fn function_properties(py: Python<'_>) -> PyResult<Vec<ffi::PyGetSetDef>> {
    let types = py.import("types")?;
    let descriptors = (types.getattr("GetSetDescriptorType")?, types.getattr("MemberDescriptorType")?);
    let mut properties = vec![dict_property(), forwarding(py, "__class__")];
    let of_functions = types.getattr("FunctionType")?.getattr("__dict__")?;
    for entry in of_functions.call_method0("items")?.try_iter()? {
        let (name, value): (String, Bound<'_, PyAny>) = entry?.extract()?;
        if name != "__dict__" && value.is_instance(descriptors.clone().into_pyobject(py)?.as_any())? {
            properties.push(forwarding(py, &name));
        }
    }
    Ok(properties)
}

/// A property that asks the wrapped function. Its names live for ever.
fn forwarding(py: Python<'_>, name: &str) -> ffi::PyGetSetDef {
    let text = CString::new(name).unwrap_or_default().into_raw();
    ffi::PyGetSetDef {
        name: text.cast::<c_char>(),
        get: Some(get_forwarded),
        set: Some(set_forwarded),
        doc: ptr::null(),
        closure: PyString::intern(py, name).into_ptr().cast(),
    }
}

unsafe extern "C" fn get_forwarded(object: *mut PyObject, name: *mut c_void) -> *mut PyObject {
    // SAFETY: getter protocol: a live object of this type; the closure is the interned name.
    unsafe { ffi::PyObject_GetAttr(wrapped_of(object), name.cast()) }
}

unsafe extern "C" fn set_forwarded(object: *mut PyObject, value: *mut PyObject, name: *mut c_void) -> c_int {
    // SAFETY: setter protocol: as above, `value` null to delete.
    unsafe { ffi::PyObject_SetAttr(wrapped_of(object), name.cast(), value) }
}

/// # Safety
/// `name` is a live str.
pub(super) unsafe fn is_one_of(name: *mut PyObject, list: &[&CStr]) -> bool {
    // SAFETY: comparing a str with ASCII runs no other code.
    unsafe {
        ffi::PyUnicode_Check(name) != 0
            && list.iter().any(|entry| ffi::PyUnicode_CompareWithASCIIString(name, entry.as_ptr()) == 0)
    }
}

/// The wrapped callable.
///
/// # Safety
/// `object` is a live monitored function, the interpreter lock held.
pub(crate) unsafe fn wrapped_of(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on.
    unsafe { (*object.cast::<Monitored>()).wrapped }
}

unsafe extern "C" fn read_function(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol: live objects, the interpreter lock held.
    unsafe {
        if is_one_of(name, &[c"__wrapped__"]) {
            return read_wrapped(object, name);
        }
        if is_one_of(name, PAST_THE_TYPE) {
            return ffi::PyObject_GetAttr(wrapped_of(object), name);
        }
        ffi::PyObject_GenericGetAttr(object, name)
    }
}

/// `__wrapped__`: the function, unless the program has set it to something else since; a function that itself wraps
/// another had one of its own before.
///
/// # Safety
/// As a read slot.
unsafe fn read_wrapped(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on; the attribute is held before the dict may change.
    unsafe {
        let monitored = object.cast::<Monitored>();
        let dict = (*monitored).dict;
        let set = if dict.is_null() { ptr::null_mut() } else { ffi::PyDict_GetItemWithError(dict, name) };
        if set.is_null() && !ffi::PyErr_Occurred().is_null() {
            return ptr::null_mut();
        }
        let answer = if set.is_null() || set == (*monitored).wrapped_before { wrapped_of(object) } else { set };
        ffi::Py_INCREF(answer);
        answer
    }
}

unsafe extern "C" fn read_callable(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol: live objects, the interpreter lock held.
    unsafe {
        let wrapped = wrapped_of(object);
        if is_one_of(name, OWN) && (binds(wrapped) || !is_one_of(name, &[c"__get__"])) {
            return ffi::PyObject_GenericGetAttr(object, name);
        }
        if is_one_of(name, &[c"__wrapped__"]) {
            return read_wrapped(object, name);
        }
        let dict = (*object.cast::<Monitored>()).dict;
        if !dict.is_null() {
            // Held: comparing the name with a key may run code that sets another dict.
            ffi::Py_INCREF(dict);
            let found = ffi::PyDict_GetItemWithError(dict, name);
            ffi::Py_XINCREF(found);
            ffi::Py_DECREF(dict);
            if !found.is_null() {
                return found;
            }
            if !ffi::PyErr_Occurred().is_null() {
                return ptr::null_mut();
            }
        }
        ffi::PyObject_GetAttr(wrapped, name)
    }
}

/// Whether a callable is a descriptor: an `enum`, for one, takes an attribute that is none for a member.
///
/// # Safety
/// `wrapped` is live, the interpreter lock held.
unsafe fn binds(wrapped: *mut PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { (*ffi::Py_TYPE(wrapped)).tp_descr_get.is_some() }
}

/// `__dict__ = ...`: a function and its wrapper keep sharing one dict.
unsafe extern "C" fn set_dict(object: *mut PyObject, value: *mut PyObject, closure: *mut c_void) -> c_int {
    // SAFETY: setter protocol: live objects (`value` null to delete), the interpreter lock held.
    unsafe {
        let wrapped = wrapped_of(object);
        if ffi::PyFunction_Check(wrapped) != 0
            && !value.is_null()
            && ffi::PyObject_SetAttrString(wrapped, c"__dict__".as_ptr(), value) < 0
        {
            return -1;
        }
        ffi::PyObject_GenericSetDict(object, value, closure)
    }
}
