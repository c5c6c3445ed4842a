//! The variables of the innermost frames, captured like arguments, where a function asks for them.
//!
//! Reading must leave a frame as it was. Up to 3.12 `f_locals` makes a dict that the frame keeps, with a reference to
//! every variable: the variables are read where the interpreter has them instead. From 3.13 on `f_locals` of a function
//! is a view that the frame does not keep.

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject};

use super::frames::Frames;
use super::masking::{kept_of, names};
use super::raised::Raised;
use super::stored::{Held, Name};
use crate::capture::Policy;
use crate::capture::storage::is_sparse_dict;
use crate::capture::walk::{Capture, type_name};

#[cfg(not(Py_3_13))]
#[path = "locals/layout.rs"]
mod variables;
#[cfg(Py_3_13)]
#[path = "locals/view.rs"]
mod variables;

/// Frames of a failure whose variables are kept.
const MAX_FRAMES: usize = 8;
/// Variables kept of one frame.
const MAX_VARIABLES: usize = 64;
/// Bytes kept of one frame's variables.
const MAX_FRAME_BYTES: usize = 4 * 1024;
/// Bytes kept of all of them together.
const MAX_BYTES: usize = 16 * 1024;
/// Characters kept of a variable's name.
const MAX_NAME: usize = 128;

static COROUTINE_CODE: Name = Name::new(c"cr_code");
static GENERATOR_CODE: Name = Name::new(c"gi_code");
static ASYNC_GENERATOR_CODE: Name = Name::new(c"ag_code");

/// What a failure's frames may still take. The innermost ones of the exception that was raised come first; what it came
/// from has what those leave.
pub(super) struct Locals {
    frames: usize,
    bytes: usize,
    /// Frames whose variables are written: the exceptions of a chain have frames in common.
    seen: Held,
}

impl Locals {
    pub(super) fn of_failure() -> Self {
        Self { frames: MAX_FRAMES, bytes: MAX_BYTES, seen: Held::none() }
    }

    /// The variables of the innermost of `frames`, outermost first, each frame's as a captured object; empty for a frame
    /// that has been written or has none.
    ///
    /// # Safety
    /// The frames are live, the interpreter lock held.
    pub(super) unsafe fn of(&mut self, frames: &Frames, policy: &'static Policy) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for frame in frames.kept.iter().rev() {
            if self.frames == 0 || self.bytes == 0 {
                break;
            }
            let object = frame.frame.cast::<PyObject>();
            let mut out = Vec::new();
            if !self.seen.holds(object) {
                self.frames -= 1;
                // SAFETY: passed on.
                unsafe {
                    self.seen.hold(object);
                    write(frame.frame, self.bytes.min(MAX_FRAME_BYTES), &mut out, policy);
                }
                self.bytes = self.bytes.saturating_sub(out.len());
            }
            all.push(out);
        }
        all.reverse();
        all
    }
}

/// Writes a frame's variables as an object of at most `bytes` and a marker; nothing where it has none.
///
/// # Safety
/// `frame` is live, the interpreter lock held.
unsafe fn write(frame: *mut ffi::PyFrameObject, bytes: usize, out: &mut Vec<u8>, policy: &'static Policy) {
    // SAFETY: passed on; the variables are held while they are captured.
    unsafe {
        let variables = variables::of(frame, MAX_VARIABLES);
        if variables.pairs.is_empty() {
            return;
        }
        ValueWriter::object(out);
        let mut written = 0;
        let mut capture = Capture::new(out, policy);
        for &(name, value) in &variables.pairs {
            let before = capture.out().len();
            if before >= bytes {
                break;
            }
            write_variable(name, value, &mut capture, policy);
            written += 1;
            if capture.out().len() > bytes {
                // A function may let one value take more than a whole frame has.
                capture.out().truncate(before);
                write_marker(name, value, capture.out(), policy);
                break;
            }
        }
        if written < variables.count {
            ValueWriter::more(out, variables.count - written);
        }
        ValueWriter::end(out);
    }
}

/// # Safety
/// `name` is a live str and `value` live, the interpreter lock held.
unsafe fn write_variable(name: *mut PyObject, value: *mut PyObject, capture: &mut Capture<'_>, policy: &Policy) {
    // SAFETY: passed on.
    let text = unsafe { crate::capture::to_string(name, MAX_NAME) };
    capture.besides(|out| ValueWriter::text(out, text.as_bytes()));
    if names(policy).is_sensitive(text.as_bytes()) || policy.left_out.contains(&text) {
        ValueWriter::masked(capture.out());
    } else {
        // SAFETY: passed on.
        unsafe { capture.value(value) };
    }
}

/// # Safety
/// As [`write_variable`].
unsafe fn write_marker(name: *mut PyObject, value: *mut PyObject, out: &mut Vec<u8>, policy: &Policy) {
    // SAFETY: passed on.
    let (name, kind) = unsafe { (crate::capture::to_string(name, MAX_NAME), type_name(ffi::Py_TYPE(value))) };
    ValueWriter::text(out, name.as_bytes());
    ValueWriter::marker(out, kept_of(kind.to_owned(), false, MAX_NAME, policy).text.as_bytes());
}

/// Variables of a frame, held.
pub(crate) struct Variables {
    /// Names, which are strs, and values.
    pairs: Vec<(*mut PyObject, *mut PyObject)>,
    /// All that are bound, those beyond the first included.
    count: usize,
    most: usize,
    held: Held,
}

impl Variables {
    /// The first `most` variables of the frame in which an exception left a body; `None` where its traceback does not begin
    /// there.
    ///
    /// # Safety
    /// `object` is a live coroutine, generator or async generator; the interpreter lock is held, also when the result is
    /// dropped.
    pub(crate) unsafe fn of_body(object: *mut PyObject, raised: &Raised, most: usize) -> Option<Self> {
        // SAFETY: passed on. The traceback begins with the frame that the exception left last, and holds it; codes are owned
        // and dropped, and compared only.
        unsafe {
            let traceback = raised.traceback();
            if traceback.is_null() || ffi::PyTraceBack_Check(traceback) == 0 {
                return None;
            }
            let frame = (*traceback.cast::<ffi::PyTracebackObject>()).tb_frame;
            let code = ffi::PyFrame_GetCode(frame).cast::<PyObject>();
            let of_object = [&COROUTINE_CODE, &GENERATOR_CODE, &ASYNC_GENERATOR_CODE].map(|name| name.of(object));
            let is_same = of_object.contains(&code);
            of_object.into_iter().for_each(|code| ffi::Py_XDECREF(code));
            ffi::Py_DECREF(code);
            is_same.then(|| variables::of(frame, most))
        }
    }

    /// The value of a variable, held as long as this.
    ///
    /// # Safety
    /// `name` is a live str, the interpreter lock held.
    pub(crate) unsafe fn named(&self, name: *mut PyObject) -> Option<*mut PyObject> {
        // SAFETY: comparing strs runs no other code.
        let is_same = |&&(known, _): &&(*mut PyObject, _)| unsafe { ffi::PyUnicode_Compare(known, name) == 0 };
        self.pairs.iter().find(is_same).map(|&(_, value)| value)
    }

    const fn none(most: usize) -> Self {
        Self { pairs: Vec::new(), count: 0, most, held: Held::none() }
    }

    /// # Safety
    /// `name` is live, `value` null or live, the interpreter lock held, also when this is dropped.
    unsafe fn take(&mut self, name: *mut PyObject, value: *mut PyObject) {
        // SAFETY: passed on.
        unsafe {
            if value.is_null() || ffi::PyUnicode_Check(name) == 0 {
                return;
            }
            self.count += 1;
            if self.pairs.len() < self.most {
                self.held.hold(name);
                self.held.hold(value);
                self.pairs.push((name, value));
            }
        }
    }

    /// Takes what a module's or a class's body has made, but not what every module has.
    ///
    /// # Safety
    /// `namespace` is null or live, the interpreter lock held.
    unsafe fn take_namespace(&mut self, namespace: *mut PyObject) {
        // SAFETY: an exact dict is stepped through without running code; what it holds is live.
        unsafe {
            if namespace.is_null() || ffi::PyDict_CheckExact(namespace) == 0 || is_sparse_dict(namespace) {
                return;
            }
            let (mut position, mut name, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
            let mut looked_at = 0;
            while looked_at < MAX_NAMESPACE
                && ffi::PyDict_Next(namespace, &raw mut position, &raw mut name, &raw mut value) != 0
            {
                looked_at += 1;
                if ffi::PyUnicode_Check(name) != 0 && !crate::capture::to_string(name, 2).starts_with("__") {
                    self.take(name, value);
                }
            }
        }
    }
}

/// Entries of a module's or class's namespace that are looked at.
const MAX_NAMESPACE: usize = 1_000;
