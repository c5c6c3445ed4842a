//! What an exception says, without running the program's code.
//!
//! The text is made here from what the exception stores, as the interpreter's own `str()` would make it for the
//! builtin types. That `str()` itself is not called: it may run the program's code on an argument, look at pending
//! signals, and build in full what is cut afterwards. A `__str__` of the program is never run; its exceptions read as
//! their arguments. Each part is masked before it is put with the others, and an argument after one that names a secret
//! is withheld: `("password", "***")`.

use std::cell::Cell;

use calltape_record::value::{render_json, unquoted};
use pyo3::ffi::{self, PyObject};

use super::chain::group_of;
use super::masking::{Kept, MAX_NAME, kept, kept_of, window, withholds};
use crate::capture::kinds::validation_error;
use crate::capture::walk::type_name;
use crate::capture::{Capture, Policy};

/// Arguments shown of an exception with several.
const MAX_ARGUMENTS: isize = 8;
/// Characters a message keeps whatever the settings say: with the chain, it must fit a journal segment many times over.
const MAX_MESSAGE: usize = 2048;
/// Exceptions within the arguments of one another whose messages are made.
const MOST_NESTED: u8 = 3;
/// Bytes that most captured values fit in.
const USUAL_BYTES: usize = 128;
/// What stands for a text that is withheld.
const WITHHELD: &str = "***";

/// What an exception says, in at most `limit` characters and a note of what was cut.
///
/// # Safety
/// `exception` is a live exception, the interpreter lock held.
pub(in crate::capture) unsafe fn message_of(exception: *mut PyObject, limit: usize, policy: &'static Policy) -> String {
    let limit = limit.min(MAX_MESSAGE);
    let told = Saying { limit, policy };
    // SAFETY: an exception is an instance of the struct of the builtin type it is a subtype of.
    let (text, whole) = unsafe {
        if is_a(exception, ffi::PyExc_OSError)
            && let Some(text) = told.os_error(exception)
        {
            (text, None)
        } else if is_a(exception, ffi::PyExc_SyntaxError) {
            (told.syntax_error(exception), None)
        } else if is_a(exception, ffi::PyExc_UnicodeDecodeError) {
            (told.unicode_error(exception, "decode byte"), None)
        } else if is_a(exception, ffi::PyExc_UnicodeEncodeError) {
            (told.unicode_error(exception, "encode character"), None)
        } else if let Some(group) = group_of(exception) {
            (told.group((*group).message, (*group).members), None)
        } else {
            told.by_arguments(exception)
        }
    };
    cut(text, whole, limit)
}

/// `whole` is the real length of a text that was cut before.
fn cut(mut text: String, whole: Option<usize>, limit: usize) -> String {
    let length = match whole {
        Some(length) => length,
        None if text.len() <= limit => return text,
        None => text.chars().count(),
    };
    if whole.is_none() && length <= limit {
        return text;
    }
    let end = text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at);
    text.truncate(end);
    text.push_str(&format!("... [{length} chars]"));
    text
}

/// # Safety
/// `exception` is live, `kind` an exception type of the interpreter.
unsafe fn is_a(exception: *mut PyObject, kind: *mut PyObject) -> bool {
    // SAFETY: only the types' bases are read.
    unsafe { ffi::PyType_IsSubtype(ffi::Py_TYPE(exception), kind.cast()) != 0 }
}

/// How texts of a message are kept.
struct Saying {
    /// Characters kept of each part.
    limit: usize,
    policy: &'static Policy,
}

impl Saying {
    /// A str as it is; nothing for what is none.
    ///
    /// # Safety
    /// `object` is null or live, the interpreter lock held.
    unsafe fn text(&self, object: *mut PyObject) -> Option<String> {
        // SAFETY: passed on.
        unsafe {
            let is_text = !object.is_null() && ffi::PyUnicode_Check(object) != 0;
            is_text.then(|| kept(object, self.limit, self.policy).text)
        }
    }

    /// A str as it is, another value as Python writes it.
    ///
    /// # Safety
    /// As [`Self::literal`].
    unsafe fn words(&self, object: *mut PyObject) -> String {
        // SAFETY: passed on.
        unsafe { self.text(object).unwrap_or_else(|| self.literal(object)) }
    }

    /// The arguments: one alone as its text, several as Python shows a tuple. Also the real length where it was cut.
    ///
    /// # Safety
    /// As [`message_of`].
    unsafe fn by_arguments(&self, exception: *mut PyObject) -> (String, Option<usize>) {
        // SAFETY: `args` of an exception is a tuple or null, and its items live as long as it.
        unsafe {
            let args = (*exception.cast::<ffi::PyBaseExceptionObject>()).args;
            let count = if args.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(args) };
            if count == 0 {
                return (validation_error(exception).unwrap_or_default(), None);
            }
            let first = ffi::PyTuple_GET_ITEM(args, 0);
            if count == 1 && ffi::PyUnicode_Check(first) != 0 && !is_a(exception, ffi::PyExc_KeyError) {
                let Kept { text, is_cut } = kept(first, self.limit, self.policy);
                return (text, is_cut.then(|| ffi::PyUnicode_GET_LENGTH(first) as usize));
            }
            if count == 1 {
                return (self.literal(first), None);
            }
            (self.tuple(args, count), None)
        }
    }

    /// # Safety
    /// `args` is a live tuple of `count` items, the interpreter lock held.
    unsafe fn tuple(&self, args: *mut PyObject, count: isize) -> String {
        let mut text = String::from("(");
        let mut withheld = false;
        for at in 0..count.min(MAX_ARGUMENTS) {
            // SAFETY: `at` is below the tuple's size.
            let item = unsafe { ffi::PyTuple_GET_ITEM(args, at) };
            text.push_str(if at > 0 { ", " } else { "" });
            if withheld {
                text.push_str(&format!("'{WITHHELD}'"));
            } else {
                // SAFETY: passed on.
                text.push_str(&unsafe { self.literal(item) });
            }
            // SAFETY: passed on.
            withheld = !withheld && unsafe { self.text(item) }.is_some_and(|name| withholds(&name, self.policy));
        }
        text.push_str(if count > MAX_ARGUMENTS { ", ...)" } else { ")" });
        text
    }

    /// `unhandled errors in a TaskGroup (2 sub-exceptions)`.
    ///
    /// # Safety
    /// `message` and `members` are null or live, the interpreter lock held.
    unsafe fn group(&self, message: *mut PyObject, members: *mut PyObject) -> String {
        // SAFETY: passed on; a tuple's size is read from its storage.
        unsafe {
            let text = self.text(message).unwrap_or_default();
            let is_tuple = !members.is_null() && ffi::PyTuple_Check(members) != 0;
            let count = if is_tuple { ffi::PyTuple_GET_SIZE(members) } else { 0 };
            format!("{text} ({count} sub-exception{})", if count == 1 { "" } else { "s" })
        }
    }

    /// `[Errno 2] No such file or directory: '/srv/x'`; `None` where the error has no number.
    ///
    /// # Safety
    /// `exception` is a live OSError, the interpreter lock held.
    unsafe fn os_error(&self, exception: *mut PyObject) -> Option<String> {
        // SAFETY: the fields are null or live objects that the exception owns.
        unsafe {
            let fields = exception.cast::<ffi::PyOSErrorObject>();
            let (number, words) = ((*fields).myerrno, (*fields).strerror);
            if number.is_null() || words.is_null() || number == ffi::Py_None() {
                return None;
            }
            let mut text = format!("[Errno {}] {}", self.literal(number), self.words(words));
            for (between, name) in [(": ", (*fields).filename), (" -> ", (*fields).filename2)] {
                if !name.is_null() && name != ffi::Py_None() {
                    text.push_str(between);
                    text.push_str(&self.literal(name));
                }
            }
            Some(text)
        }
    }

    /// `invalid syntax (module.py, line 3)`; the line itself is not shown.
    ///
    /// # Safety
    /// `exception` is a live SyntaxError, the interpreter lock held.
    unsafe fn syntax_error(&self, exception: *mut PyObject) -> String {
        // SAFETY: as for [`Self::os_error`].
        unsafe {
            let fields = exception.cast::<ffi::PySyntaxErrorObject>();
            let line = (*fields).lineno;
            let message = self.text((*fields).msg).unwrap_or_default();
            let file = self.text((*fields).filename);
            let file = file.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
            let line = (!line.is_null() && ffi::PyLong_CheckExact(line) != 0).then(|| self.literal(line));
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
    unsafe fn unicode_error(&self, exception: *mut PyObject, what: &str) -> String {
        // SAFETY: as for [`Self::os_error`]; the byte is read only inside the bytes object.
        unsafe {
            let fields = exception.cast::<ffi::PyUnicodeErrorObject>();
            let text = |object| self.text(object).unwrap_or_default();
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
    unsafe fn literal(&self, item: *mut PyObject) -> String {
        // SAFETY: each branch reads the storage of a value of the type it was compared with.
        unsafe {
            let kind = ffi::Py_TYPE(item);
            if ffi::PyUnicode_Check(item) != 0 {
                return quoted(&kept(item, self.limit, self.policy));
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
            if kind == &raw mut ffi::PyBytes_Type {
                return self.bytes(item);
            }
            self.captured(item).unwrap_or_else(|| {
                format!("[{}]", kept_of(type_name(kind).to_owned(), false, MAX_NAME, self.policy).text)
            })
        }
    }

    /// What capture makes of a value that is no literal, as JSON; a summary without its quotes. `None` deep in exceptions
    /// that hold one another.
    ///
    /// # Safety
    /// As [`Self::literal`].
    unsafe fn captured(&self, item: *mut PyObject) -> Option<String> {
        let _deeper = Deeper::begin()?;
        let mut tagged = Vec::with_capacity(USUAL_BYTES);
        // SAFETY: passed on.
        unsafe { Capture::new(&mut tagged, self.policy).value(item) };
        let mut json = String::with_capacity(tagged.len() * 2);
        render_json(&tagged, &mut json).ok()?;
        let is_summary = json.starts_with("\"[") && json.ends_with("]\"");
        Some(if is_summary { unquoted(&json).replace("\\\"", "\"").replace("\\\\", "\\") } else { json })
    }

    /// `b'/srv/x'`.
    ///
    /// # Safety
    /// `item` is a live bytes object, the interpreter lock held.
    unsafe fn bytes(&self, item: *mut PyObject) -> String {
        let window = window(self.limit);
        // SAFETY: a live bytes object's storage does not change.
        let bytes = unsafe {
            let length = ffi::Py_SIZE(item) as usize;
            std::slice::from_raw_parts(ffi::PyBytes_AS_STRING(item).cast::<u8>(), length)
        };
        let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(window)]).into_owned();
        let kept = kept_of(beginning, bytes.len() > window, self.limit, self.policy);
        format!("b{}", quoted(&kept))
    }
}

thread_local! {
    /// How many messages are being made of values within one another.
    static DEPTH: Cell<u8> = const { Cell::new(0) };
}

/// One more message within another, until this is dropped.
struct Deeper;

impl Deeper {
    fn begin() -> Option<Self> {
        let depth = DEPTH.get();
        (depth < MOST_NESTED).then(|| {
            DEPTH.set(depth + 1);
            Self
        })
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// A text as Python writes it.
fn quoted(kept: &Kept) -> String {
    let text = &kept.text;
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\'', if quote == '"' { "'" } else { "\\'" });
    let note = if kept.is_cut { "..." } else { "" };
    format!("{quote}{escaped}{note}{quote}")
}
