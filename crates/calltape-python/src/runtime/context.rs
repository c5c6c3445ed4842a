//! The running call, where it must be known outside the thread that runs it.
//!
//! A thread knows its running call by itself ([`Scope`]). What the call starts to run elsewhere or later (a task, a
//! function in a pool's thread) begins with a copy of the context, or none. So the running call is written into a
//! context variable at the moments when a context is copied, and only there: `contextvars.copy_context()` and the making
//! of an asyncio task, whose C functions are replaced by ones that do this and then what they did before. Work handed
//! to a pool carries it along (`carry.rs`). On the way of a call nothing is set, and the variable is read only by calls
//! that have no running call on their thread.

use std::ffi::{c_int, c_void};
use std::mem::transmute;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

use super::{Guarded, Scope, generation, hook, this_thread};

/// The variable, owned for ever; null before [`install`].
static VARIABLE: AtomicPtr<PyObject> = AtomicPtr::new(ptr::null_mut());

/// Whether any context holds the variable.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// What `contextvars.copy_context` did before.
static COPY_CONTEXT: Guarded<Option<ffi::PyCFunction>> = Guarded::new(None);

/// What making an asyncio task did before.
static INIT_TASK: Guarded<Option<ffi::initproc>> = Guarded::new(None);

/// The interpreter that calltape was loaded into.
static HOME: AtomicPtr<ffi::PyInterpreterState> = AtomicPtr::new(ptr::null_mut());

/// Whether the interpreter that runs is the one that calltape was loaded into. A sub-interpreter meets the hooks too, for
/// it shares static definitions, but no object of another interpreter may get into it.
///
/// # Safety
/// An interpreter's lock is held.
unsafe fn is_at_home() -> bool {
    // SAFETY: passed on.
    unsafe { ffi::PyInterpreterState_Get() == HOME.load(Ordering::Relaxed) }
}

/// The scope that a thread without a running call is in.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
pub(crate) unsafe fn inherited() -> Scope {
    if !IN_USE.load(Ordering::Relaxed) {
        return Scope::OUTSIDE;
    }
    // SAFETY: passed on.
    unsafe { read() }
}

/// # Safety
/// The interpreter lock is held.
#[cold]
unsafe fn read() -> Scope {
    let mut value = ptr::null_mut();
    // SAFETY: the variable lives for ever; the value is owned and dropped after it is read.
    unsafe {
        if ffi::PyContextVar_Get(VARIABLE.load(Ordering::Relaxed), ptr::null_mut(), &raw mut value) != 0 {
            ffi::PyErr_Clear();
            return Scope::OUTSIDE;
        }
        if value.is_null() {
            return Scope::OUTSIDE;
        }
        let scope = decode(value);
        ffi::Py_DECREF(value);
        scope
    }
}

/// The scope that a call made now would be in.
///
/// # Safety
/// The interpreter lock is held.
pub(crate) unsafe fn around() -> Scope {
    // SAFETY: the thread's own recording.
    unsafe {
        let scope = (*this_thread()).scope_in(generation());
        if scope.is_outside() { inherited() } else { scope }
    }
}

/// A value of the variable: a bytes object of a scope's words and the generation.
const VALUE_BYTES: usize = 20;

/// # Safety
/// `value` is a live object, the interpreter lock held.
unsafe fn decode(value: *mut PyObject) -> Scope {
    // SAFETY: the type and length are checked before the bytes are read.
    unsafe {
        if ffi::PyBytes_Check(value) == 0 || ffi::PyBytes_Size(value) as usize != VALUE_BYTES {
            return Scope::OUTSIDE;
        }
        let bytes = ffi::PyBytes_AsString(value).cast::<u8>();
        let word = |at: usize| bytes.add(at).cast::<u64>().read_unaligned();
        let of_generation = bytes.add(16).cast::<u32>().read_unaligned();
        let scope = Scope::of_words([word(0), word(8)]);
        if of_generation == generation() || scope == Scope::SUPPRESSED { scope } else { Scope::OUTSIDE }
    }
}

/// Sets the variable in the current context; the token that undoes it, owned, or null with no exception set.
///
/// # Safety
/// The interpreter lock is held and no exception is set.
pub(crate) unsafe fn set(scope: Scope) -> *mut PyObject {
    let mut bytes = [0; VALUE_BYTES];
    let [call, root] = scope.words();
    bytes[..8].copy_from_slice(&call.to_ne_bytes());
    bytes[8..16].copy_from_slice(&root.to_ne_bytes());
    bytes[16..].copy_from_slice(&generation().to_ne_bytes());
    let variable = VARIABLE.load(Ordering::Relaxed);
    if variable.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the bytes are copied; the value is held by the context from then on.
    unsafe {
        let value = ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), VALUE_BYTES as isize);
        let token = if value.is_null() { value } else { ffi::PyContextVar_Set(variable, value) };
        ffi::Py_XDECREF(value);
        if token.is_null() {
            ffi::PyErr_Clear();
        } else {
            IN_USE.store(true, Ordering::Relaxed);
        }
        token
    }
}

/// Undoes [`set`], where the context is still the same.
///
/// # Safety
/// `token` is what [`set`] gave, owned and given up here; the interpreter lock is held and no exception is set.
pub(crate) unsafe fn unset(token: *mut PyObject) {
    if token.is_null() {
        return;
    }
    // SAFETY: passed on. In another context the token does not fit, and that context is left as it is.
    unsafe {
        if ffi::PyContextVar_Reset(VARIABLE.load(Ordering::Relaxed), token) != 0 {
            ffi::PyErr_Clear();
        }
        ffi::Py_DECREF(token);
    }
}

/// Refuses to be loaded into a sub-interpreter, whose objects must not meet those of the main one. From 3.12 on the
/// interpreter refuses by itself, in the same words.
///
/// # Errors
/// An ImportError there.
pub(crate) fn refuse_sub_interpreters() -> PyResult<()> {
    // SAFETY: an interpreter's lock is held; both calls only ask.
    if unsafe { ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() } {
        return Ok(());
    }
    Err(PyImportError::new_err("module calltape._native does not support loading in subinterpreters"))
}

/// Makes the variable and puts the hooks in place.
///
/// # Errors
/// When the interpreter has no memory for it.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    if !VARIABLE.load(Ordering::Relaxed).is_null() {
        return Ok(());
    }
    // SAFETY: the interpreter lock is held; the variable is owned for ever.
    unsafe {
        let variable = ffi::PyContextVar_New(c"calltape".as_ptr(), ptr::null_mut());
        if variable.is_null() {
            return Err(PyErr::fetch(py));
        }
        VARIABLE.store(variable, Ordering::Relaxed);
        HOME.store(ffi::PyInterpreterState_Get(), Ordering::Relaxed);
    }
    let function = py.import("_contextvars")?.getattr("copy_context")?;
    // SAFETY: passed on; the module keeps its function, and the interpreter lock is held until the original is noted.
    unsafe { *COPY_CONTEXT.get() = hook::replace(function.as_ptr(), copy_context) };
    Ok(())
}

/// `contextvars.copy_context()`.
unsafe extern "C" fn copy_context(module: *mut PyObject, nothing: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol; the hook is in place only when the original is known.
    unsafe {
        let Some(original) = *COPY_CONTEXT.get() else { return ptr::null_mut() };
        if !is_at_home() {
            return original(module, nothing);
        }
        hook_tasks();
        let token = set_for_a_copy();
        let copied = original(module, nothing);
        unset_after(token);
        copied
    }
}

/// Writes the thread's running call into the context that is about to be copied; null where there is none.
///
/// # Safety
/// The interpreter lock is held and no exception is set.
unsafe fn set_for_a_copy() -> *mut PyObject {
    // SAFETY: the thread's own recording.
    unsafe {
        let scope = (*this_thread()).scope_in(generation());
        if scope.is_outside() { ptr::null_mut() } else { set(scope) }
    }
}

/// Undoes [`set_for_a_copy`]; an exception that is set stays.
///
/// # Safety
/// As [`unset`], save that an exception may be set.
unsafe fn unset_after(token: *mut PyObject) {
    if token.is_null() {
        return;
    }
    // SAFETY: passed on; the exception is taken and put back.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            unset(token);
        } else {
            let raised = crate::capture::Raised::take();
            unset(token);
            raised.put_back();
        }
    }
}

/// Hooks the making of asyncio's tasks once asyncio is imported. Nothing else sees which call makes a task: its C code
/// copies the context by itself.
///
/// # Safety
/// The interpreter lock is held and no exception is set.
unsafe fn hook_tasks() {
    // SAFETY: the module's own dict is read; a type's slot is written once, with the interpreter lock held.
    unsafe {
        if (*INIT_TASK.get()).is_some() {
            return;
        }
        let module = ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), c"_asyncio".as_ptr());
        if module.is_null() || ffi::PyModule_Check(module) == 0 {
            return;
        }
        let task = ffi::PyDict_GetItemString(ffi::PyModule_GetDict(module), c"Task".as_ptr());
        if task.is_null() || ffi::PyType_Check(task) == 0 {
            return;
        }
        let kind = task.cast::<ffi::PyTypeObject>();
        if let Some(original) = (*kind).tp_init {
            *INIT_TASK.get() = Some(original);
            hook_method(kind, original);
            hook_slots(kind, original);
        }
    }
}

/// Puts the hook behind `Task.__init__` as Python code finds it: what a subclass's own `__init__` calls, and where a
/// subclass that is made later takes its slot from.
///
/// # Safety
/// `kind` is a live type with the slot `original`, the interpreter lock held.
unsafe fn hook_method(kind: *mut ffi::PyTypeObject, original: ffi::initproc) {
    // SAFETY: the exact type of the descriptor is checked, so the layout is known.
    unsafe {
        let method = ffi::PyDict_GetItemString((*kind).tp_dict, c"__init__".as_ptr());
        if !method.is_null() && ffi::Py_IS_TYPE(method, &raw mut ffi::PyWrapperDescr_Type) != 0 {
            let method = method.cast::<ffi::PyWrapperDescrObject>();
            if (*method).d_wrapped == original as *mut c_void {
                (*method).d_wrapped = init_task as *mut c_void;
            }
        }
    }
}

/// Puts the hook into the slot of a type and of those subclasses that have taken it over.
///
/// # Safety
/// As [`hook_method`], and no exception is set.
unsafe fn hook_slots(kind: *mut ffi::PyTypeObject, original: ffi::initproc) {
    // SAFETY: the list of subclasses is owned, and holds them while it is gone through. It is asked of `type` itself, since
    // a metaclass of the program may have another answer.
    unsafe {
        if (*kind).tp_init.is_some_and(|init| init as usize == original as usize) {
            (*kind).tp_init = Some(transmute::<InitTask, ffi::initproc>(init_task));
        }
        let of_types = (&raw mut ffi::PyType_Type).cast();
        let subclasses = ffi::PyObject_CallMethod(of_types, c"__subclasses__".as_ptr(), c"O".as_ptr(), kind);
        if subclasses.is_null() || ffi::PyList_Check(subclasses) == 0 {
            ffi::PyErr_Clear();
            ffi::Py_XDECREF(subclasses);
            return;
        }
        for index in 0..ffi::PyList_GET_SIZE(subclasses) {
            hook_slots(ffi::PyList_GET_ITEM(subclasses, index).cast(), original);
        }
        ffi::Py_DECREF(subclasses);
    }
}

/// An initialiser as it is called here: an eager task's code runs inside, and may be unwound through when the interpreter
/// ends a daemon thread.
type InitTask = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> c_int;

/// `asyncio.Task.__init__`. An eager task runs its first stretch in here, as a task of its own name.
unsafe extern "C-unwind" fn init_task(task: *mut PyObject, args: *mut PyObject, kwargs: *mut PyObject) -> c_int {
    // SAFETY: slot protocol; the hook is in place only when the original is known. The thread is asked again afterwards:
    // it may have gone on to another run meanwhile.
    unsafe {
        let Some(original) = *INIT_TASK.get() else { return -1 };
        let original = transmute::<ffi::initproc, InitTask>(original);
        if !is_at_home() || (*this_thread()).busy {
            return original(task, args, kwargs);
        }
        let name = std::mem::replace(&mut (*this_thread()).task, ptr::null_mut());
        let token = set_for_a_copy();
        let made = original(task, args, kwargs);
        unset_after(token);
        (*this_thread()).task = name;
        made
    }
}
