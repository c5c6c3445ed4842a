//! What an exception's type is called, and what was added to the exception: its notes.

use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::masking::{MAX_NAME, kept, kept_of, name_of};
use super::stored::entry;
use crate::capture::Policy;
use crate::capture::walk::type_name;

/// Notes kept of one exception.
const MAX_NOTES: usize = 8;
/// Characters kept of one note.
const MAX_NOTE: usize = 500;
/// Bytes of an exception's notes after which no further is kept.
const MAX_NOTES_BYTES: usize = 2 * 1024;

/// A type with its module: `json.decoder.JSONDecodeError`; builtins stand bare.
///
/// # Safety
/// `kind` is a live type object, the interpreter lock held.
pub(super) unsafe fn qualified_type(kind: *mut PyTypeObject, policy: &Policy) -> String {
    // SAFETY: a heap type has the longer struct, with its name, and a dict of its own; both are read, not asked for: a
    // metaclass of the program may answer for either.
    unsafe {
        if (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            let name = std::ffi::CStr::from_ptr((*kind).tp_name).to_string_lossy().into_owned();
            return kept_of(name, false, MAX_NAME, policy).text;
        }
        let module = name_of(entry((*kind).tp_dict, c"__module__"), policy);
        let name = name_of((*kind.cast::<ffi::PyHeapTypeObject>()).ht_qualname, policy);
        match (module.as_str(), name) {
            (_, name) if name.is_empty() => type_name(kind).to_owned(),
            ("" | "builtins", name) => name,
            (module, name) => format!("{module}.{name}"),
        }
    }
}

/// The notes added to an exception, from its own dict: those that are text, and how many more there are.
///
/// # Safety
/// `exception` is a live exception, the interpreter lock held.
pub(super) unsafe fn notes_of(exception: *mut PyObject, policy: &Policy) -> (Vec<String>, usize) {
    // SAFETY: every exception has the fields of the base; a list's size is read again before each item is.
    unsafe {
        let notes = entry((*exception.cast::<ffi::PyBaseExceptionObject>()).dict, c"__notes__");
        if notes.is_null() {
            return (Vec::new(), 0);
        }
        let is_list = ffi::PyList_Check(notes) != 0;
        if !is_list && ffi::PyTuple_Check(notes) == 0 {
            return (Vec::new(), 0);
        }
        let count = || if is_list { ffi::PyList_GET_SIZE(notes) } else { ffi::PyTuple_GET_SIZE(notes) };
        let (mut texts, mut at, mut bytes) = (Vec::new(), 0, 0);
        while at < count() && texts.len() < MAX_NOTES && bytes < MAX_NOTES_BYTES {
            let note = if is_list { ffi::PyList_GET_ITEM(notes, at) } else { ffi::PyTuple_GET_ITEM(notes, at) };
            let text = note_text(note, policy);
            bytes += text.len();
            texts.push(text);
            at += 1;
        }
        (texts, usize::try_from(count() - at).unwrap_or(0))
    }
}

/// # Safety
/// `note` is live, the interpreter lock held.
unsafe fn note_text(note: *mut PyObject, policy: &Policy) -> String {
    // SAFETY: passed on.
    unsafe {
        if ffi::PyUnicode_Check(note) == 0 {
            let name = type_name(ffi::Py_TYPE(note)).to_owned();
            return format!("[{}]", kept_of(name, false, MAX_NAME, policy).text);
        }
        let kept = kept(note, MAX_NOTE, policy);
        if !kept.is_cut {
            return kept.text;
        }
        format!("{}... [{} chars]", kept.text, ffi::PyUnicode_GET_LENGTH(note))
    }
}
