//! Exceptions: type, message, the chain of causes, and the frames of each, read from storage.
//!
//! Frames are counted from the inside: the innermost [`MAX_FRAMES`] are kept.

use calltape_record::Failure;
use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::Policy;
use super::message::message_of;
use super::text::to_string;
use super::walk::type_name;

/// Frames kept of one exception.
const MAX_FRAMES: usize = 32;
/// Exceptions kept of a chain.
const MAX_CHAIN: usize = 8;
/// Characters kept of a file or function name.
const MAX_NAME: usize = 512;
/// Characters kept of a message where room is short.
const MAX_BARE_MESSAGE: usize = 200;
/// Bytes of a failure's chain after which no further link is written.
const MAX_CHAIN_BYTES: usize = 6 * 1024;

/// The exception a call ended with, taken from the interpreter for the time of the capture and put back unchanged.
pub(crate) struct Raised {
    #[cfg(Py_3_12)]
    value: *mut PyObject,
    #[cfg(not(Py_3_12))]
    parts: [*mut PyObject; 3],
}

impl Raised {
    /// # Safety
    /// The interpreter lock is held and an exception is set.
    pub(crate) unsafe fn take() -> Self {
        #[cfg(Py_3_12)]
        // SAFETY: passed on.
        unsafe {
            Self { value: ffi::PyErr_GetRaisedException() }
        }
        #[cfg(not(Py_3_12))]
        // SAFETY: passed on; normalising makes the exception object that any handler would see.
        unsafe {
            let mut parts = [std::ptr::null_mut(); 3];
            let [kind, value, traceback] = &mut parts;
            ffi::PyErr_Fetch(kind, value, traceback);
            ffi::PyErr_NormalizeException(kind, value, traceback);
            Self { parts }
        }
    }

    /// The exception; null where the interpreter could not make one.
    fn value(&self) -> *mut PyObject {
        #[cfg(Py_3_12)]
        return self.value;
        #[cfg(not(Py_3_12))]
        return self.parts[1];
    }

    /// The value of a `StopIteration`, borrowed; None of any other exception.
    ///
    /// # Safety
    /// The interpreter lock is held.
    pub(crate) unsafe fn stop_value(&self) -> *mut PyObject {
        let value = self.value();
        // SAFETY: the type is checked, so the layout is known; the exception holds its value.
        unsafe {
            let is_stop = !value.is_null()
                && ffi::PyObject_TypeCheck(value, ffi::PyExc_StopIteration.cast::<PyTypeObject>()) != 0;
            let held = if is_stop { (*value.cast::<ffi::PyStopIterationObject>()).value } else { ffi::Py_None() };
            if held.is_null() { ffi::Py_None() } else { held }
        }
    }

    /// # Safety
    /// The interpreter lock is held.
    unsafe fn traceback(&self) -> *mut PyObject {
        #[cfg(Py_3_12)]
        // SAFETY: a borrowed view of the traceback that the exception keeps.
        unsafe {
            (*self.value.cast::<ffi::PyBaseExceptionObject>()).traceback
        }
        #[cfg(not(Py_3_12))]
        return self.parts[2];
    }

    /// # Safety
    /// The interpreter lock is held and no exception is set.
    pub(crate) unsafe fn put_back(self) {
        #[cfg(Py_3_12)]
        // SAFETY: gives back the reference taken by `take`.
        unsafe {
            ffi::PyErr_SetRaisedException(self.value);
        }
        #[cfg(not(Py_3_12))]
        // SAFETY: gives back the references taken by `take`.
        unsafe {
            let [kind, value, traceback] = self.parts;
            ffi::PyErr_Restore(kind, value, traceback);
        }
    }
}

/// Appends what `raised` says to an END record.
///
/// # Safety
/// The interpreter lock is held and `raised` is the call's exception.
pub(crate) unsafe fn write_failure_of(raised: &Raised, out: &mut Vec<u8>, policy: &Policy) {
    let max_repr = policy.max_repr;
    let exception = raised.value();
    if exception.is_null() {
        return;
    }
    // SAFETY: passed on; everything read hangs on the live exception.
    unsafe {
        let mut chain = Vec::with_capacity(512);
        let frames = frames_of(raised.traceback());
        write_chain(exception, &frames, &mut chain, max_repr);
        write_head(exception, frames.last(), &chain, out, max_repr);
    }
}

/// Appends only what tells `raised` apart (type, message, place), for a journal with little room.
///
/// # Safety
/// As [`write_failure_of`].
pub(crate) unsafe fn write_bare_failure_of(raised: &Raised, out: &mut Vec<u8>) {
    let exception = raised.value();
    if exception.is_null() {
        return;
    }
    // SAFETY: passed on.
    unsafe {
        let mut chain = Vec::new();
        ValueWriter::list(&mut chain);
        ValueWriter::end(&mut chain);
        write_head(exception, frames_of(raised.traceback()).last(), &chain, out, MAX_BARE_MESSAGE);
    }
}

/// # Safety
/// `exception` is a live exception, the interpreter lock held.
unsafe fn write_head(exception: *mut PyObject, place: Option<&Frame>, chain: &[u8], out: &mut Vec<u8>, limit: usize) {
    // SAFETY: passed on.
    let (error_type, message) = unsafe { (qualified_type(ffi::Py_TYPE(exception)), message_of(exception, limit)) };
    let failure = Failure {
        error_type,
        message,
        file: place.map_or_else(String::new, |frame| frame.file.clone()),
        line: place.map_or(0, |frame| frame.line),
        place: place.map_or_else(String::new, |frame| frame.function.clone()),
        chain,
    };
    calltape_record::write_failure(out, &failure);
}

struct Frame {
    file: String,
    line: u32,
    function: String,
}

/// The innermost frames of a traceback, outermost first.
///
/// # Safety
/// `traceback` is null, None or a live traceback, the interpreter lock held.
unsafe fn frames_of(traceback: *mut PyObject) -> Vec<Frame> {
    let mut ring = [std::ptr::null_mut::<ffi::PyTracebackObject>(); MAX_FRAMES];
    let mut count = 0;
    // SAFETY: tb_next links live tracebacks; the exact type is checked once, and only tracebacks are linked.
    unsafe {
        if traceback.is_null() || ffi::PyTraceBack_Check(traceback) == 0 {
            return Vec::new();
        }
        let mut link = traceback.cast::<ffi::PyTracebackObject>();
        while !link.is_null() {
            ring[count % MAX_FRAMES] = link;
            count += 1;
            link = (*link).tb_next;
        }
        let kept = count.min(MAX_FRAMES);
        (count - kept..count).map(|index| frame_of(ring[index % MAX_FRAMES])).collect()
    }
}

/// # Safety
/// `link` is a live traceback entry, the interpreter lock held.
unsafe fn frame_of(link: *mut ffi::PyTracebackObject) -> Frame {
    // SAFETY: a traceback's frame has a code object; its names are strs that the code owns.
    unsafe {
        let code = ffi::PyFrame_GetCode((*link).tb_frame);
        let line = match (*link).tb_lineno {
            unknown if unknown <= 0 => ffi::PyCode_Addr2Line(code, (*link).tb_lasti),
            known => known,
        };
        let frame = Frame {
            file: attribute_text(code.cast(), c"co_filename"),
            line: u32::try_from(line).unwrap_or(0),
            function: attribute_text(code.cast(), c"co_qualname"),
        };
        ffi::Py_DECREF(code.cast());
        frame
    }
}

/// # Safety
/// `owner` is live and its attribute lookup runs no code of the program, the interpreter lock held.
unsafe fn attribute_text(owner: *mut PyObject, name: &std::ffi::CStr) -> String {
    // SAFETY: passed on; the attribute is an owned reference, dropped here.
    unsafe {
        let value = ffi::PyObject_GetAttrString(owner, name.as_ptr());
        if value.is_null() {
            ffi::PyErr_Clear();
            return String::new();
        }
        let text = if ffi::PyUnicode_Check(value) != 0 { to_string(value, MAX_NAME) } else { String::new() };
        ffi::Py_DECREF(value);
        text
    }
}

/// Writes the exception and what it came from, outermost first, as a captured list.
///
/// # Safety
/// `exception` is a live exception, the interpreter lock held; `frames` are its own.
unsafe fn write_chain(exception: *mut PyObject, frames: &[Frame], out: &mut Vec<u8>, max_repr: usize) {
    ValueWriter::list(out);
    // SAFETY: cause and context are owned references and dropped after use; the chain cannot grow meanwhile.
    unsafe {
        write_link(exception, None, frames, out, max_repr);
        let mut seen = vec![exception];
        let mut current = exception;
        ffi::Py_INCREF(current);
        while let Some((next, relation)) = origin_of(current) {
            ffi::Py_DECREF(current);
            current = next;
            if seen.contains(&next) || seen.len() == MAX_CHAIN || out.len() > MAX_CHAIN_BYTES {
                break;
            }
            seen.push(next);
            let frames = frames_of((*next.cast::<ffi::PyBaseExceptionObject>()).traceback);
            write_link(next, Some(relation), &frames, out, max_repr);
        }
        ffi::Py_DECREF(current);
    }
    ValueWriter::end(out);
}

/// The exception that `exception` was raised from or while handling, as a new reference.
///
/// # Safety
/// `exception` is a live exception, the interpreter lock held.
unsafe fn origin_of(exception: *mut PyObject) -> Option<(*mut PyObject, &'static str)> {
    // SAFETY: the accessors return new references or null without setting an error.
    unsafe {
        let cause = ffi::PyException_GetCause(exception);
        if !cause.is_null() {
            return Some((cause, "cause"));
        }
        // PyO3 declares this C `char` as Rust's, which is four bytes wide: only the first is the interpreter's.
        let suppressed = &raw const (*exception.cast::<ffi::PyBaseExceptionObject>()).suppress_context;
        if suppressed.cast::<u8>().read() != 0 {
            return None;
        }
        let context = ffi::PyException_GetContext(exception);
        (!context.is_null()).then_some((context, "context"))
    }
}

/// # Safety
/// `exception` is a live exception, the interpreter lock held.
unsafe fn write_link(
    exception: *mut PyObject,
    relation: Option<&str>,
    frames: &[Frame],
    out: &mut Vec<u8>,
    max_repr: usize,
) {
    let text = |out: &mut Vec<u8>, value: &str| ValueWriter::text(out, value.as_bytes());
    ValueWriter::object(out);
    text(out, "type");
    // SAFETY: passed on.
    let (kind, message) = unsafe { (qualified_type(ffi::Py_TYPE(exception)), message_of(exception, max_repr)) };
    text(out, &kind);
    text(out, "message");
    text(out, &message);
    text(out, "relation");
    match relation {
        Some(relation) => text(out, relation),
        None => ValueWriter::none(out),
    }
    text(out, "frames");
    ValueWriter::list(out);
    for frame in frames {
        ValueWriter::object(out);
        text(out, "file");
        text(out, &frame.file);
        text(out, "line");
        ValueWriter::int(out, i64::from(frame.line));
        text(out, "function");
        text(out, &frame.function);
        ValueWriter::end(out);
    }
    ValueWriter::end(out);
    ValueWriter::end(out);
}

/// A type with its module: `json.decoder.JSONDecodeError`; builtins stand bare.
///
/// # Safety
/// `kind` is a live type object, the interpreter lock held.
unsafe fn qualified_type(kind: *mut PyTypeObject) -> String {
    // SAFETY: a heap type's `__module__` and `__qualname__` are read through type's own lookup, which a metaclass of the
    // program cannot replace here because the getters are called on `type` itself.
    unsafe {
        if (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return std::ffi::CStr::from_ptr((*kind).tp_name).to_string_lossy().chars().take(MAX_NAME).collect();
        }
        let module = type_text(kind, c"__module__");
        let name = type_text(kind, c"__qualname__");
        match (module.as_str(), name) {
            (_, name) if name.is_empty() => type_name(kind).to_owned(),
            ("" | "builtins", name) => name,
            (module, name) => format!("{module}.{name}"),
        }
    }
}

/// # Safety
/// `kind` is a live type object, the interpreter lock held.
unsafe fn type_text(kind: *mut PyTypeObject, name: &std::ffi::CStr) -> String {
    // SAFETY: type.__getattribute__ is called, not the metaclass's; references are owned and dropped.
    unsafe {
        let key = ffi::PyUnicode_InternFromString(name.as_ptr());
        if key.is_null() {
            ffi::PyErr_Clear();
            return String::new();
        }
        let value = match ffi::PyType_Type.tp_getattro {
            Some(lookup) => lookup(kind.cast(), key),
            None => std::ptr::null_mut(),
        };
        ffi::Py_DECREF(key);
        if value.is_null() {
            ffi::PyErr_Clear();
            return String::new();
        }
        let text = if ffi::PyUnicode_Check(value) != 0 { to_string(value, MAX_NAME) } else { String::new() };
        ffi::Py_DECREF(value);
        text
    }
}
