//! What an exception says, without running the program's code.
//!
//! The message is the interpreter's own `str()` where the exception's type uses it on plain arguments, and is made of the
//! arguments otherwise: a `__str__` of the program is never run.

use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::scalar::to_string;
use super::type_name;

/// The longest text or bytes that the interpreter may spell out inside a message.
const MAX_PLAIN: isize = 4096;
/// Arguments shown where the message is made of them.
const MAX_ARGUMENTS: usize = 8;

/// What an exception says, in at most `limit` characters.
///
/// # Safety
/// `exception` is a live exception, the interpreter lock held.
pub(super) unsafe fn message_of(exception: *mut PyObject, limit: usize) -> String {
    // SAFETY: `args` of an exception is a tuple or null; the interpreter's own str runs only on plain arguments.
    unsafe {
        let args = (*exception.cast::<ffi::PyBaseExceptionObject>()).args;
        let plain = args.is_null() || are_plain(exception, args);
        if plain && has_interpreter_text(ffi::Py_TYPE(exception)) {
            let text = ffi::PyObject_Str(exception);
            if !text.is_null() {
                let message = cut_text(text, limit);
                ffi::Py_DECREF(text);
                return message;
            }
            ffi::PyErr_Clear();
        }
        if args.is_null() {
            return String::new();
        }
        let parts: Vec<String> = (0..ffi::PyTuple_GET_SIZE(args))
            .take(MAX_ARGUMENTS)
            .map(|at| argument_text(ffi::PyTuple_GET_ITEM(args, at), limit))
            .collect();
        parts.join(", ")
    }
}

/// Whether the type's `str()` is one of the interpreter's: no class below it defines `__str__`.
///
/// # Safety
/// `kind` is a live exception type.
unsafe fn has_interpreter_text(kind: *mut PyTypeObject) -> bool {
    // SAFETY: the slot of a ready type is read; builtin exception types are statics that outlive everything.
    unsafe {
        let Some(text) = (*kind).tp_str else { return false };
        let mut base = kind;
        while !base.is_null() && (*base).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 {
            base = (*base).tp_base;
        }
        !base.is_null() && (*base).tp_str.is_some_and(|own| std::ptr::fn_addr_eq(own, text))
    }
}

/// Whether every argument is of a type whose text is the interpreter's, and short enough to be made in full.
///
/// # Safety
/// `args` is a live tuple and the arguments of the live `exception`.
unsafe fn are_plain(exception: *mut PyObject, args: *mut PyObject) -> bool {
    // SAFETY: a tuple's items are live as long as it; sizes are read from storage.
    unsafe {
        let count = ffi::PyTuple_GET_SIZE(args);
        // Text that is the only argument is its own str; a decoding error never shows the bytes it failed on.
        let shows_whole =
            count > 1 && ffi::PyType_IsSubtype(ffi::Py_TYPE(exception), ffi::PyExc_UnicodeError.cast()) == 0;
        (0..count).all(|at| {
            let item = ffi::PyTuple_GET_ITEM(args, at);
            let kind = ffi::Py_TYPE(item);
            if kind == &raw mut ffi::PyUnicode_Type {
                !shows_whole || ffi::PyUnicode_GET_LENGTH(item) <= MAX_PLAIN
            } else if kind == &raw mut ffi::PyBytes_Type {
                (count > 1 && !shows_whole) || ffi::Py_SIZE(item) <= MAX_PLAIN
            } else if kind == &raw mut ffi::PyLong_Type {
                let mut overflow = 0;
                ffi::PyLong_AsLongLongAndOverflow(item, &raw mut overflow);
                overflow == 0
            } else {
                item == ffi::Py_None()
                    || kind == &raw mut ffi::PyBool_Type
                    || kind == &raw mut ffi::PyFloat_Type
                    || (kind == &raw mut ffi::PyTuple_Type && are_plain(exception, item))
            }
        })
    }
}

/// # Safety
/// `item` is live, the interpreter lock held.
unsafe fn argument_text(item: *mut PyObject, limit: usize) -> String {
    // SAFETY: passed on; a str subclass is read from its storage.
    unsafe {
        if ffi::PyUnicode_Check(item) != 0 {
            cut_text(item, limit)
        } else {
            format!("[{}]", type_name(ffi::Py_TYPE(item)))
        }
    }
}

/// # Safety
/// `text` is a live str, the interpreter lock held.
unsafe fn cut_text(text: *mut PyObject, limit: usize) -> String {
    // SAFETY: passed on.
    unsafe {
        let length = ffi::PyUnicode_GET_LENGTH(text) as usize;
        let kept = to_string(text, limit);
        if length > limit { format!("{kept}... [{length} chars]") } else { kept }
    }
}
