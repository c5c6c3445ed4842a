//! The name of the task that runs on this thread: asyncio's, or trio's where no asyncio loop runs.
//!
//! Read from the libraries' own tables, where they are imported; nothing is imported for it. asyncio's table of running
//! tasks is by loop, and a thread remembers which loop it runs: asking asyncio for it takes a system call on 3.11.

use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;

use calltape_redact::{Extent, Names, masked, may_hold_secret};
use pyo3::ffi::{self, PyObject};

use super::Guarded;

/// What is asked of asyncio, found once it is imported.
struct Asyncio {
    get_running_loop: *mut PyObject,
    /// Dict of loop to task.
    current_tasks: *mut PyObject,
    /// The type of tasks, and the C function behind its `get_name`.
    task: *mut ffi::PyTypeObject,
    get_name: ffi::PyCFunction,
}

thread_local! {
    /// The address of the loop that this thread was last seen running: compared, never followed.
    static LOOP: Cell<usize> = const { Cell::new(0) };
}

/// `None` until asyncio is imported; then what was found of it, if it has what is asked.
static ASYNCIO: Guarded<Option<Option<Asyncio>>> = Guarded::new(None);

/// Bytes of the shortest name that is looked through; `Task-1234567` is shorter.
const LEAST_SECRET: usize = 13;

/// The running task's name as an owned str; null where no task runs. Any fault is no name.
///
/// # Safety
/// The interpreter lock is held, no exception is set, and this thread is marked busy.
#[inline]
pub(crate) unsafe fn current_task_name() -> *mut PyObject {
    // SAFETY: passed on; the pointers are owned for ever.
    unsafe {
        let asyncio = ASYNCIO.get();
        if (*asyncio).is_none() {
            *asyncio = find_asyncio();
        }
        let name = match &*asyncio {
            Some(Some(asyncio)) => name_in(asyncio),
            _ => ptr::null_mut(),
        };
        without_secrets(if name.is_null() { trio_task_name() } else { name })
    }
}

/// The name, or one in its place in which what looks like a secret is masked. Takes and gives an owned reference.
///
/// # Safety
/// As [`current_task_name`]; `name` is null or live.
unsafe fn without_secrets(name: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on; the text lives as long as the str that it is of, which is held until it is replaced.
    unsafe {
        if name.is_null() || ffi::PyUnicode_Check(name) == 0 {
            return name;
        }
        let mut length = 0;
        let start = ffi::PyUnicode_AsUTF8AndSize(name, &raw mut length);
        if start.is_null() {
            ffi::PyErr_Clear();
            return name;
        }
        let utf8 = std::slice::from_raw_parts(start.cast::<u8>(), length as usize);
        // The names that asyncio gives are most names.
        if utf8.len() < LEAST_SECRET || !may_hold_secret(utf8) {
            return name;
        }
        let masked = masked(std::str::from_utf8_unchecked(utf8), Extent::Whole, Names::defaults()).into_owned();
        let replaced = ffi::PyUnicode_FromStringAndSize(masked.as_ptr().cast(), masked.len() as isize);
        ffi::Py_DECREF(name);
        if replaced.is_null() {
            ffi::PyErr_Clear();
        }
        replaced
    }
}

/// A loaded module's attribute, owned; null where either is missing.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn attribute_of(module: &CStr, name: &CStr) -> *mut PyObject {
    // SAFETY: a borrowed module from a dict of strs, whose own dict is read.
    unsafe {
        let module = ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), module.as_ptr());
        if module.is_null() || ffi::PyModule_Check(module) == 0 {
            return ptr::null_mut();
        }
        let found = ffi::PyDict_GetItemString(ffi::PyModule_GetDict(module), name.as_ptr());
        ffi::Py_XINCREF(found);
        found
    }
}

/// # Safety
/// The interpreter lock is held.
unsafe fn find_asyncio() -> Option<Option<Asyncio>> {
    // SAFETY: what is found is kept for ever, and looked for once.
    unsafe {
        let task = attribute_of(c"_asyncio", c"Task");
        if task.is_null() {
            return None;
        }
        let get_name = c_function_of(task, c"get_name");
        let get_running_loop = attribute_of(c"_asyncio", c"_get_running_loop");
        let current_tasks = attribute_of(c"_asyncio", c"_current_tasks");
        if get_running_loop.is_null() || current_tasks.is_null() || ffi::PyDict_Check(current_tasks) == 0 {
            return Some(None);
        }
        let with = |get_name| Asyncio { get_running_loop, current_tasks, task: task.cast(), get_name };
        Some(get_name.map(with))
    }
}

/// The C function behind a type's method without arguments.
///
/// # Safety
/// `kind` is live, the interpreter lock held, no exception set.
unsafe fn c_function_of(kind: *mut PyObject, name: &CStr) -> Option<ffi::PyCFunction> {
    // SAFETY: the exact type of the descriptor is checked, so its layout is known; the type keeps it.
    unsafe {
        let method = ffi::PyObject_GetAttrString(kind, name.as_ptr());
        if method.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let is_method = ffi::Py_TYPE(method) == &raw mut ffi::PyMethodDescr_Type;
        let definition = is_method.then(|| *(*method.cast::<ffi::PyMethodDescrObject>()).d_method);
        ffi::Py_DECREF(method);
        definition
            .filter(|definition| definition.ml_flags == ffi::METH_NOARGS)
            .map(|definition| definition.ml_meth.PyCFunction)
    }
}

/// # Safety
/// As [`current_task_name`].
#[inline]
unsafe fn name_in(asyncio: &Asyncio) -> *mut PyObject {
    // SAFETY: the task is held while it is asked, and is of the type whose function asks. Its own `get_name` is C; a
    // subclass's is not asked, since it is the program's code.
    unsafe {
        if ffi::PyDict_Size(asyncio.current_tasks) == 0 {
            return ptr::null_mut();
        }
        let mut task = task_of(asyncio, LOOP.get());
        if task.is_null() {
            let running = running_loop(asyncio);
            if running == 0 {
                return ptr::null_mut();
            }
            LOOP.set(running);
            task = task_of(asyncio, running);
        }
        if task.is_null() || ffi::PyObject_TypeCheck(task, asyncio.task) == 0 {
            return ptr::null_mut();
        }
        ffi::Py_INCREF(task);
        let name = (asyncio.get_name)(task, ptr::null_mut());
        ffi::Py_DECREF(task);
        str_or_null(name)
    }
}

/// The task that a loop runs, borrowed; null for none.
///
/// # Safety
/// As [`current_task_name`]; the table is a dict.
#[inline]
unsafe fn task_of(asyncio: &Asyncio, running: usize) -> *mut PyObject {
    let (mut position, mut key, mut task) = (0, ptr::null_mut(), ptr::null_mut());
    // SAFETY: passed on; addresses are compared, and no code runs between two looks at the dict.
    unsafe {
        while ffi::PyDict_Next(asyncio.current_tasks, &raw mut position, &raw mut key, &raw mut task) != 0 {
            if key as usize == running {
                return task;
            }
        }
    }
    ptr::null_mut()
}

/// The address of the loop that this thread runs; 0 for none.
///
/// # Safety
/// As [`current_task_name`].
#[cold]
unsafe fn running_loop(asyncio: &Asyncio) -> usize {
    // SAFETY: passed on; whoever runs the loop holds it.
    unsafe {
        let running = ffi::PyObject_CallNoArgs(asyncio.get_running_loop);
        if running.is_null() {
            ffi::PyErr_Clear();
            return 0;
        }
        ffi::Py_DECREF(running);
        if running == ffi::Py_None() { 0 } else { running as usize }
    }
}

/// # Safety
/// As [`current_task_name`].
#[inline]
unsafe fn trio_task_name() -> *mut PyObject {
    // SAFETY: owned references are dropped. `task` stands in a thread-local object's storage, `name` in a slot.
    unsafe {
        let context = attribute_of(c"trio._core._run", c"GLOBAL_RUN_CONTEXT");
        if context.is_null() {
            return context;
        }
        let task = ffi::PyObject_GetAttrString(context, c"task".as_ptr());
        ffi::Py_DECREF(context);
        let name = if task.is_null() { task } else { ffi::PyObject_GetAttrString(task, c"name".as_ptr()) };
        ffi::Py_XDECREF(task);
        str_or_null(name)
    }
}

/// # Safety
/// `name` is owned or null, the interpreter lock held.
unsafe fn str_or_null(name: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on.
    unsafe {
        if !name.is_null() && ffi::PyUnicode_Check(name) != 0 {
            return name;
        }
        ffi::Py_XDECREF(name);
        if !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
        }
        ptr::null_mut()
    }
}
