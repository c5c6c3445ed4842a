//! What an exception says, without running the program's code.
//!
//! The text is made here from what the exception stores, as the interpreter's own `str()` would make it for the
//! builtin types. That `str()` itself is not called: it may run the program's code on an argument, look at pending
//! signals, and build in full what is cut afterwards. A `__str__` of the program is never run; its exceptions read as
//! their arguments.

use pyo3::ffi::{self, PyObject};

use super::text::to_string;
use super::walk::type_name;

/// Arguments shown of an exception with several.
const MAX_ARGUMENTS: isize = 8;
/// Characters a message keeps whatever the settings say: with the chain, it must fit a journal segment many times over.
const MAX_MESSAGE: usize = 2048;

/// What an exception says, in at most `limit` characters and a note of what was cut.
///
/// # Safety
/// `exception` is a live exception, the interpreter lock held.
pub(super) unsafe fn message_of(exception: *mut PyObject, limit: usize) -> String {
    let limit = limit.min(MAX_MESSAGE);
    // SAFETY: an exception is an instance of the struct of the builtin type it is a subtype of.
    let (text, whole) = unsafe {
        if is_a(exception, ffi::PyExc_OSError)
            && let Some(text) = os_error(exception, limit)
        {
            (text, None)
        } else if is_a(exception, ffi::PyExc_SyntaxError) {
            (syntax_error(exception, limit), None)
        } else if is_a(exception, ffi::PyExc_UnicodeDecodeError) {
            (unicode_error(exception, "decode byte", limit), None)
        } else if is_a(exception, ffi::PyExc_UnicodeEncodeError) {
            (unicode_error(exception, "encode character", limit), None)
        } else {
            by_arguments(exception, limit)
        }
    };
    cut(text, whole, limit)
}

fn cut(text: String, whole: Option<usize>, limit: usize) -> String {
    let length = whole.unwrap_or_else(|| text.chars().count());
    if length <= limit {
        return text;
    }
    let kept: String = text.chars().take(limit).collect();
    format!("{kept}... [{length} chars]")
}

/// # Safety
/// `exception` is live, `kind` an exception type of the interpreter.
unsafe fn is_a(exception: *mut PyObject, kind: *mut PyObject) -> bool {
    // SAFETY: only the types' bases are read.
    unsafe { ffi::PyType_IsSubtype(ffi::Py_TYPE(exception), kind.cast()) != 0 }
}

/// The arguments: one alone as its text, several as Python shows a tuple. Also the real length where it was cut.
///
/// # Safety
/// As [`message_of`].
unsafe fn by_arguments(exception: *mut PyObject, limit: usize) -> (String, Option<usize>) {
    // SAFETY: `args` of an exception is a tuple or null, and its items live as long as it.
    unsafe {
        let args = (*exception.cast::<ffi::PyBaseExceptionObject>()).args;
        let count = if args.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(args) };
        if count == 0 {
            return (String::new(), None);
        }
        let first = ffi::PyTuple_GET_ITEM(args, 0);
        if is_a(exception, ffi::PyExc_BaseExceptionGroup) && ffi::PyUnicode_Check(first) != 0 && count == 2 {
            let members = match ffi::PyTuple_GET_ITEM(args, 1) {
                list if ffi::PyList_Check(list) != 0 => ffi::PyList_GET_SIZE(list).to_string(),
                tuple if ffi::PyTuple_Check(tuple) != 0 => ffi::PyTuple_GET_SIZE(tuple).to_string(),
                _ => "some".to_owned(),
            };
            let plural = if members == "1" { "" } else { "s" };
            return (format!("{} ({members} sub-exception{plural})", to_string(first, limit)), None);
        }
        if count == 1 && !is_a(exception, ffi::PyExc_KeyError) {
            if ffi::PyUnicode_Check(first) != 0 {
                return (to_string(first, limit), Some(ffi::PyUnicode_GET_LENGTH(first) as usize));
            }
            return (literal(first, limit), None);
        }
        if count == 1 {
            return (literal(first, limit), None);
        }
        let shown: Vec<String> =
            (0..count.min(MAX_ARGUMENTS)).map(|at| literal(ffi::PyTuple_GET_ITEM(args, at), limit)).collect();
        let more = if count > MAX_ARGUMENTS { ", ..." } else { "" };
        (format!("({}{more})", shown.join(", ")), None)
    }
}

/// `[Errno 2] No such file or directory: '/srv/x'`; `None` where the error has no number.
///
/// # Safety
/// `exception` is a live OSError, the interpreter lock held.
unsafe fn os_error(exception: *mut PyObject, limit: usize) -> Option<String> {
    // SAFETY: the fields are null or live objects that the exception owns.
    unsafe {
        let fields = exception.cast::<ffi::PyOSErrorObject>();
        let (number, words) = ((*fields).myerrno, (*fields).strerror);
        if number.is_null() || words.is_null() || number == ffi::Py_None() {
            return None;
        }
        let words = if ffi::PyUnicode_Check(words) != 0 { to_string(words, limit) } else { literal(words, limit) };
        let mut text = format!("[Errno {}] {words}", literal(number, limit));
        for (between, name) in [(": ", (*fields).filename), (" -> ", (*fields).filename2)] {
            if !name.is_null() && name != ffi::Py_None() {
                text.push_str(between);
                text.push_str(&literal(name, limit));
            }
        }
        Some(text)
    }
}

/// `invalid syntax (module.py, line 3)`.
///
/// # Safety
/// `exception` is a live SyntaxError, the interpreter lock held.
unsafe fn syntax_error(exception: *mut PyObject, limit: usize) -> String {
    // SAFETY: as for [`os_error`].
    unsafe {
        let fields = exception.cast::<ffi::PySyntaxErrorObject>();
        let (words, file, line) = ((*fields).msg, (*fields).filename, (*fields).lineno);
        let text = |object: *mut PyObject| {
            (!object.is_null() && ffi::PyUnicode_Check(object) != 0).then(|| to_string(object, limit))
        };
        let message = text(words).unwrap_or_default();
        let file = text(file).map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
        let line = (!line.is_null() && ffi::PyLong_CheckExact(line) != 0).then(|| literal(line, limit));
        match (file, line) {
            (Some(file), Some(line)) => format!("{message} ({file}, line {line})"),
            (Some(file), None) => format!("{message} ({file})"),
            (None, Some(line)) => format!("{message} (line {line})"),
            (None, None) => message,
        }
    }
}

/// `'utf-8' codec can't decode byte 0xff in position 3: invalid start byte`; the object itself is not shown.
///
/// # Safety
/// `exception` is a live UnicodeDecodeError or UnicodeEncodeError, the interpreter lock held.
unsafe fn unicode_error(exception: *mut PyObject, what: &str, limit: usize) -> String {
    // SAFETY: as for [`os_error`]; the byte is read only inside the bytes object.
    unsafe {
        let fields = exception.cast::<ffi::PyUnicodeErrorObject>();
        let text = |object: *mut PyObject| {
            if object.is_null() || ffi::PyUnicode_Check(object) == 0 { String::new() } else { to_string(object, limit) }
        };
        let (codec, reason) = (text((*fields).encoding), text((*fields).reason));
        let (object, start, end) = ((*fields).object, (*fields).start, (*fields).end);
        if end != start + 1 {
            return format!("'{codec}' codec can't {what}s in position {start}-{}: {reason}", end - 1);
        }
        let is_inside =
            !object.is_null() && ffi::PyBytes_Check(object) != 0 && (0..ffi::Py_SIZE(object)).contains(&start);
        let byte = if is_inside {
            format!(" 0x{:02x}", *ffi::PyBytes_AS_STRING(object).cast::<u8>().add(start as usize))
        } else {
            String::new()
        };
        format!("'{codec}' codec can't {what}{byte} in position {start}: {reason}")
    }
}

/// A plain value as Python writes it; anything else as its type in brackets.
///
/// # Safety
/// `item` is live, the interpreter lock held.
unsafe fn literal(item: *mut PyObject, limit: usize) -> String {
    // SAFETY: each branch reads the storage of a value of the type it was compared with.
    unsafe {
        let kind = ffi::Py_TYPE(item);
        if ffi::PyUnicode_Check(item) != 0 {
            let text = to_string(item, limit);
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let escaped =
                text.replace('\\', "\\\\").replace('\n', "\\n").replace('\'', if quote == '"' { "'" } else { "\\'" });
            let note = if ffi::PyUnicode_GET_LENGTH(item) as usize > limit { "..." } else { "" };
            return format!("{quote}{escaped}{note}{quote}");
        }
        if item == ffi::Py_None() {
            return "None".to_owned();
        }
        if kind == &raw mut ffi::PyBool_Type {
            return if item == ffi::Py_True() { "True".to_owned() } else { "False".to_owned() };
        }
        if kind == &raw mut ffi::PyLong_Type {
            let mut overflow = 0;
            let number = ffi::PyLong_AsLongLongAndOverflow(item, &raw mut overflow);
            return if overflow == 0 { number.to_string() } else { "[int]".to_owned() };
        }
        if kind == &raw mut ffi::PyFloat_Type {
            return format!("{:?}", ffi::PyFloat_AS_DOUBLE(item));
        }
        format!("[{}]", type_name(kind))
    }
}
