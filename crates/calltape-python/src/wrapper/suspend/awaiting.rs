//! What may be awaited or iterated over: the interpreter tells by the exact type, which a recorded object does not have.

use std::ffi::{c_int, c_long};
use std::ptr;

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

use super::table;

/// Flags of a code object: `CO_COROUTINE`, and `CO_ITERABLE_COROUTINE`, which `types.coroutine` sets on a generator's.
const COROUTINE: c_long = 0x80;
const ITERABLE_COROUTINE: c_long = 0x100;

unsafe extern "C" {
    /// Not among PyO3's declarations; part of CPython's unlimited API since 3.11.
    fn PyCode_GetCode(code: *mut ffi::PyCodeObject) -> *mut PyObject;
}

/// `am_await` of a coroutine, as `await` uses it: the coroutine is its own iterator.
pub(super) unsafe extern "C" fn await_coroutine(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol.
    unsafe {
        let begun = table::update(object, |call| {
            call.awaited = true;
            call.begun
        });
        if begun == Some(true) && awaits_something(object) {
            ffi::PyErr_SetString(ffi::PyExc_RuntimeError, c"coroutine is being awaited already".as_ptr());
            return ptr::null_mut();
        }
        ffi::Py_INCREF(object);
        object
    }
}

/// # Safety
/// `object` is a live coroutine, the interpreter lock held.
unsafe fn awaits_something(object: *mut PyObject) -> bool {
    // SAFETY: passed on; the reference is dropped.
    unsafe {
        let awaited = ffi::PyObject_GetAttrString(object, c"cr_await".as_ptr());
        if awaited.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        ffi::Py_DECREF(awaited);
        awaited != ffi::Py_None()
    }
}

/// `am_await` of a generator: one that `types.coroutine` has marked may be awaited.
pub(super) unsafe extern "C" fn await_generator(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol; the code is owned and dropped.
    unsafe {
        let code = ffi::PyObject_GetAttrString(object, c"gi_code".as_ptr());
        if code.is_null() {
            return code;
        }
        let may = flags_of(code) & ITERABLE_COROUTINE != 0;
        ffi::Py_DECREF(code);
        if may {
            ffi::Py_INCREF(object);
            return object;
        }
        ffi::PyErr_SetString(ffi::PyExc_TypeError, c"object generator can't be used in 'await' expression".as_ptr());
        ptr::null_mut()
    }
}

/// `tp_iter` of a coroutine: `yield from` may iterate over it in a coroutine, whoever awaits it already; anything else may
/// not, and is told so in the words that the interpreter has for it where a type has no such slot.
pub(super) unsafe extern "C" fn iterate_coroutine(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol.
    unsafe {
        let (instruction, flags) = running_instruction().unwrap_or_default();
        let refusal = match instruction.as_str() {
            "GET_YIELD_FROM_ITER" if flags & (COROUTINE | ITERABLE_COROUTINE) != 0 => {
                table::update(object, |call| call.awaited = true);
                ffi::Py_INCREF(object);
                return object;
            }
            "GET_YIELD_FROM_ITER" => c"cannot 'yield from' a coroutine object in a non-coroutine generator",
            "LIST_EXTEND" => c"Value after * must be an iterable, not coroutine",
            "UNPACK_SEQUENCE" | "UNPACK_EX" => c"cannot unpack non-iterable coroutine object",
            _ => c"'coroutine' object is not iterable",
        };
        ffi::PyErr_SetString(ffi::PyExc_TypeError, refusal.as_ptr());
        ptr::null_mut()
    }
}

/// The name of the instruction that runs, and the flags of its code.
///
/// # Safety
/// The interpreter lock is held and no exception is set.
unsafe fn running_instruction() -> Option<(String, c_long)> {
    // SAFETY: the frame is the running one, borrowed; its code is owned and dropped.
    unsafe {
        let frame = ffi::PyEval_GetFrame();
        if frame.is_null() {
            return None;
        }
        let code = ffi::PyFrame_GetCode(frame);
        let flags = flags_of(code.cast());
        let number = instruction_at(code, ffi::PyFrame_GetLasti(frame));
        ffi::Py_DECREF(code.cast());
        Some((name_of(number?)?, flags))
    }
}

/// An instruction's name in this interpreter.
fn name_of(instruction: u8) -> Option<String> {
    Python::attach(|py| {
        let names = py.import("opcode").and_then(|module| module.getattr("opname")).ok()?;
        names.get_item(instruction).and_then(|name| name.extract()).ok()
    })
}

/// # Safety
/// `code` is a live code object, the interpreter lock held, no exception set.
unsafe fn flags_of(code: *mut PyObject) -> c_long {
    // SAFETY: passed on; the number is owned and dropped.
    unsafe {
        let flags = ffi::PyObject_GetAttrString(code, c"co_flags".as_ptr());
        let value = if flags.is_null() { 0 } else { ffi::PyLong_AsLong(flags) };
        ffi::Py_XDECREF(flags);
        ffi::PyErr_Clear();
        value
    }
}

/// The number of the instruction at a place in the code, in bytes; `None` where it cannot be read.
///
/// # Safety
/// `code` is live, the interpreter lock held, no exception set.
unsafe fn instruction_at(code: *mut ffi::PyCodeObject, at: c_int) -> Option<u8> {
    // SAFETY: passed on; the text is owned and dropped.
    unsafe {
        let text = PyCode_GetCode(code);
        if text.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let length = ffi::PyBytes_Size(text);
        let inside = at >= 0 && (at as isize) < length;
        let instruction = inside.then(|| *ffi::PyBytes_AsString(text).add(at as usize).cast::<u8>());
        ffi::Py_DECREF(text);
        instruction
    }
}
