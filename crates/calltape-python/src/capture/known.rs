//! Types beyond the builtins that capture knows by their storage or by the standard library's own text: enum members,
//! dates, decimals, UUIDs, paths, ranges, complex numbers, exceptions. Everything else is `[TypeName]`.
//!
//! A type is known by identity, never by name alone, and its module is never imported: where the module is not loaded
//! there can be no value of its type. Standard-library text conversion is used only for exact types, whose code is the
//! interpreter's and not the program's.

use std::ffi::CStr;

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::message::message_of;
use super::scalar::to_string;
use super::{Capture, type_name};

/// Exact types whose `str()` is the interpreter's: name in `tp_name`, module, attribute.
const BY_TEXT: &[(&CStr, &CStr, &CStr)] = &[
    (c"decimal.Decimal", c"decimal", c"Decimal"),
    (c"UUID", c"uuid", c"UUID"),
    (c"PosixPath", c"pathlib", c"PosixPath"),
    (c"PurePosixPath", c"pathlib", c"PurePosixPath"),
    (c"PureWindowsPath", c"pathlib", c"PureWindowsPath"),
    (c"datetime.date", c"datetime", c"date"),
    (c"datetime.timedelta", c"datetime", c"timedelta"),
    (c"datetime.datetime", c"datetime", c"datetime"),
    (c"datetime.time", c"datetime", c"time"),
];

/// Whether `kind` is an enum class: its own type is `enum.EnumType`.
///
/// # Safety
/// `kind` is a live type object, the interpreter lock held.
pub(super) unsafe fn is_enum(kind: *mut PyTypeObject) -> bool {
    // SAFETY: a type is an object and has a type; its name is a C string.
    unsafe {
        let meta = ffi::Py_TYPE(kind.cast());
        if meta == &raw mut ffi::PyType_Type {
            return false;
        }
        matches!(type_name(meta), "EnumType" | "EnumMeta") && is_loaded(meta, c"enum", c"EnumMeta")
    }
}

/// Whether `kind` is the object that the loaded module `module` holds as `attribute`.
///
/// # Safety
/// `kind` is a live type object, the interpreter lock held.
unsafe fn is_loaded(kind: *mut PyTypeObject, module: &CStr, attribute: &CStr) -> bool {
    // SAFETY: sys.modules and a module's dict are dicts looked up by exact strings; borrowed references are only compared.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        let module = ffi::PyDict_GetItemString(modules, module.as_ptr());
        if module.is_null() || ffi::PyModule_Check(module) == 0 {
            return false;
        }
        ffi::PyDict_GetItemString(ffi::PyModule_GetDict(module), attribute.as_ptr()) == kind.cast()
    }
}

impl Capture<'_> {
    /// # Safety
    /// `value` is live and of the enum class `kind`, the interpreter lock held.
    pub(super) unsafe fn enum_member(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: object's own attribute lookup is used, so no `__getattr__` of the program runs.
        unsafe {
            let key = ffi::PyUnicode_InternFromString(c"_name_".as_ptr());
            let name = if key.is_null() { key } else { ffi::PyObject_GenericGetAttr(value, key) };
            ffi::Py_XDECREF(key);
            if name.is_null() {
                ffi::PyErr_Clear();
                self.marker(type_name(kind));
                return;
            }
            let text = if ffi::PyUnicode_Check(name) != 0 { to_string(name, self.max_repr) } else { "?".to_owned() };
            ffi::Py_DECREF(name);
            self.plain(&format!("{}.{text}", type_name(kind)));
        }
    }

    /// # Safety
    /// `value` is a live exception of type `kind`, the interpreter lock held.
    pub(super) unsafe fn exception(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: passed on.
        let message = unsafe { message_of(value, self.room()) };
        // SAFETY: the type of a live value is live.
        let name = unsafe { type_name(kind) };
        self.marker(&if message.is_empty() { name.to_owned() } else { format!("{name}: {message}") });
    }

    /// # Safety
    /// `value` is live and of type `kind`, the interpreter lock held.
    pub(super) unsafe fn known_or_named(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: each branch reads a value of the exact type it was compared with.
        unsafe {
            if kind == &raw mut ffi::PyComplex_Type || kind == &raw mut ffi::PyRange_Type {
                // A range is made of ints and a complex of floats: their repr runs the interpreter's code only.
                self.interpreter_text(ffi::PyObject_Repr(value), kind);
                return;
            }
            let full = CStr::from_ptr((*kind).tp_name);
            let known = BY_TEXT.iter().find(|(name, _, _)| *name == full);
            match known {
                Some((_, module, attribute)) if is_loaded(kind, module, attribute) => self.library_text(value, kind),
                _ => self.marker(type_name(kind)),
            }
        }
    }

    /// # Safety
    /// `value` is live and of one of the types [`BY_TEXT`], the interpreter lock held.
    unsafe fn library_text(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: passed on; a time zone of the program's own would run its code and is left out.
        unsafe {
            if matches!(type_name(kind), "datetime" | "time") && !has_plain_zone(value) {
                self.marker(&format!("{} in a time zone of its own", type_name(kind)));
                return;
            }
            if type_name(kind) == "datetime" || type_name(kind) == "time" {
                let text = ffi::PyObject_CallMethod(value, c"isoformat".as_ptr(), std::ptr::null());
                self.interpreter_text(text, kind);
            } else {
                self.interpreter_text(ffi::PyObject_Str(value), kind);
            }
        }
    }

    /// Writes `text`, a new reference that is dropped here, or the type's name where making it failed.
    ///
    /// # Safety
    /// `text` is null with an error set, or an owned str; `kind` is live.
    unsafe fn interpreter_text(&mut self, text: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: as above.
        unsafe {
            if text.is_null() {
                ffi::PyErr_Clear();
                self.marker(type_name(kind));
                return;
            }
            if ffi::PyUnicode_Check(text) != 0 {
                self.text(text);
            } else {
                ValueWriter::none(self.out);
            }
            ffi::Py_DECREF(text);
        }
    }
}

/// Whether a datetime or time has no time zone, or one whose code is the interpreter's.
///
/// # Safety
/// `value` is a live exact datetime or time, the interpreter lock held.
unsafe fn has_plain_zone(value: *mut PyObject) -> bool {
    // SAFETY: `tzinfo` of the exact types is a C getter.
    unsafe {
        let zone = ffi::PyObject_GetAttrString(value, c"tzinfo".as_ptr());
        if zone.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        let kind = ffi::Py_TYPE(zone);
        let plain = zone == ffi::Py_None()
            || is_loaded(kind, c"datetime", c"timezone")
            || is_loaded(kind, c"zoneinfo", c"ZoneInfo");
        ffi::Py_DECREF(zone);
        plain
    }
}
