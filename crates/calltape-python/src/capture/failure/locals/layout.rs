//! Variables where CPython 3.11 and 3.12 have them: in the frame's own array. The layouts are those of the releases,
//! which do not change them any more; later interpreters are asked (`view.rs`).

use std::ffi::{c_char, c_int};

use pyo3::ffi::{self, PyObject};

use super::Variables;

/// Kinds of a variable: a cell made by the function itself, one it was given.
const CELL: u8 = 0x40;
const FREE: u8 = 0x80;
/// The code keeps its variables in the frame's array.
const OPTIMIZED: c_int = 1;
/// `stacktop` of a frame that runs: all of its array is in use.
const RUNNING: c_int = -1;

#[repr(C)]
struct FrameObject {
    base: PyObject,
    back: *mut PyObject,
    data: *mut FrameData,
}

#[cfg(not(Py_3_12))]
#[repr(C)]
struct FrameData {
    function: *mut PyObject,
    globals: *mut PyObject,
    builtins: *mut PyObject,
    locals: *mut PyObject,
    code: *mut Code,
    frame: *mut PyObject,
    previous: *mut FrameData,
    instruction: *mut u16,
    stacktop: c_int,
    is_entry: bool,
    owner: c_char,
    variables: [*mut PyObject; 1],
}

#[cfg(Py_3_12)]
#[repr(C)]
struct FrameData {
    code: *mut Code,
    previous: *mut FrameData,
    function: *mut PyObject,
    globals: *mut PyObject,
    builtins: *mut PyObject,
    locals: *mut PyObject,
    frame: *mut PyObject,
    instruction: *mut u16,
    stacktop: c_int,
    return_offset: u16,
    owner: c_char,
    variables: [*mut PyObject; 1],
}

/// The beginning of a code object, up to what is read here.
#[repr(C)]
struct Code {
    base: ffi::PyVarObject,
    constants: *mut PyObject,
    names: *mut PyObject,
    exception_table: *mut PyObject,
    flags: c_int,
    #[cfg(not(Py_3_12))]
    warmup: std::ffi::c_short,
    #[cfg(not(Py_3_12))]
    line_entry_size: std::ffi::c_short,
    argument_counts: [c_int; 3],
    stack_size: c_int,
    first_line: c_int,
    variable_count: c_int,
    /// 3.11: locals, plain cells, cells, free variables. 3.12: frame size, locals, cells, free variables, and a version.
    #[cfg(not(Py_3_12))]
    counts: [c_int; 4],
    #[cfg(Py_3_12)]
    counts: [c_int; 5],
    variable_names: *mut PyObject,
    variable_kinds: *mut PyObject,
}

/// The variables of a frame that are bound, the first `most` of them.
///
/// # Safety
/// `frame` is live, the interpreter lock held, also when the result is dropped.
pub(super) unsafe fn of(frame: *mut ffi::PyFrameObject, most: usize) -> Variables {
    let mut variables = Variables::none(most);
    // SAFETY: a live frame has its data and its code, laid out as above in the releases this is compiled for; names and
    // kinds are as long as the array, of which a frame that does not run says how much it has.
    unsafe {
        let data = (*frame.cast::<FrameObject>()).data;
        let code = (*data).code;
        if (*code).flags & OPTIMIZED == 0 {
            variables.take_namespace((*data).locals);
            return variables;
        }
        let (names, kinds) = ((*code).variable_names, (*code).variable_kinds);
        if ffi::PyTuple_Check(names) == 0 || ffi::PyBytes_Check(kinds) == 0 {
            return variables;
        }
        let all = [(*code).variable_count as isize, ffi::PyTuple_GET_SIZE(names), ffi::Py_SIZE(kinds)];
        let in_use = if (*data).stacktop == RUNNING { isize::MAX } else { (*data).stacktop as isize };
        let count = all.into_iter().fold(in_use, isize::min);
        let kinds = ffi::PyBytes_AS_STRING(kinds).cast::<u8>();
        let array = (&raw mut (*data).variables).cast::<*mut PyObject>();
        for at in 0..count {
            let mut value = *array.offset(at);
            if *kinds.offset(at) & (CELL | FREE) != 0 && !value.is_null() && ffi::PyCell_Check(value) != 0 {
                value = (*value.cast::<ffi::PyCellObject>()).ob_ref;
            }
            variables.take(ffi::PyTuple_GET_ITEM(names, at), value);
        }
    }
    variables
}
