//! Types beyond the builtins that capture knows by their storage or by the standard library's own text: enum members,
//! dates, decimals, UUIDs, paths, ranges, complex numbers, exceptions. Everything else is `[TypeName]`.
//!
//! A type is known by identity, never by name alone, and its module is never imported: where the module is not loaded
//! there can be no value of its type. Only C code of exact types is called; what the library writes in Python (paths,
//! UUIDs) is read from its storage.

use std::ffi::CStr;

use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::failure::message_of;
use super::scalar::{ascii, to_string};
use super::walk::{Capture, type_name};

/// How an exact type of the standard library is read.
#[derive(Clone, Copy)]
enum Reading {
    /// By its type's own C `str()`.
    Text,
    /// By its own `isoformat()`, which is C.
    Iso,
    /// By `isoformat()`, which asks the time zone.
    IsoWithZone,
    /// By the number it holds.
    Uuid,
    /// By the parts it holds.
    Path,
    /// By its type's own C `str()`, if it is not too large.
    Decimal,
}

/// Exact types known by identity: name in `tp_name`, module, attribute.
const KNOWN: &[(&CStr, &CStr, &CStr, Reading)] = &[
    (c"decimal.Decimal", c"decimal", c"Decimal", Reading::Decimal),
    (c"UUID", c"uuid", c"UUID", Reading::Uuid),
    (c"PosixPath", c"pathlib", c"PosixPath", Reading::Path),
    (c"PurePosixPath", c"pathlib", c"PurePosixPath", Reading::Path),
    (c"PureWindowsPath", c"pathlib", c"PureWindowsPath", Reading::Path),
    (c"datetime.date", c"datetime", c"date", Reading::Iso),
    (c"datetime.timedelta", c"datetime", c"timedelta", Reading::Text),
    (c"datetime.datetime", c"datetime", c"datetime", Reading::IsoWithZone),
    (c"datetime.time", c"datetime", c"time", Reading::IsoWithZone),
];

/// Bytes of memory beyond which a Decimal is not written out: some thousand digits.
const MAX_DECIMAL_BYTES: isize = 2000;
/// Segments shown of a path that was made of several.
const MAX_PATH_PARTS: isize = 64;

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

/// What an instance holds under `name` in its `__dict__`, as a new reference; nothing of its class is asked.
///
/// # Safety
/// `object` is live, the interpreter lock held.
pub(crate) unsafe fn stored_attribute(object: *mut PyObject, name: &CStr) -> Option<*mut PyObject> {
    // SAFETY: the generic getter finds the dict by the type's layout; the item is borrowed, then held.
    unsafe {
        let dict = ffi::PyObject_GenericGetDict(object, std::ptr::null_mut());
        if dict.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let item = if ffi::PyDict_Check(dict) != 0 {
            ffi::PyDict_GetItemString(dict, name.as_ptr())
        } else {
            std::ptr::null_mut()
        };
        ffi::Py_XINCREF(item);
        ffi::Py_DECREF(dict);
        (!item.is_null()).then_some(item)
    }
}

/// A slot or C member of an exact standard-library type, as a new reference.
///
/// # Safety
/// `object` is live and of a type whose own descriptors are C, the interpreter lock held.
unsafe fn member(object: *mut PyObject, name: &CStr) -> Option<*mut PyObject> {
    // SAFETY: passed on.
    unsafe {
        let value = ffi::PyObject_GetAttrString(object, name.as_ptr());
        if value.is_null() {
            ffi::PyErr_Clear();
        }
        (!value.is_null()).then_some(value)
    }
}

impl Capture<'_> {
    /// # Safety
    /// `value` is live and of the enum class `kind`, the interpreter lock held.
    pub(super) unsafe fn enum_member(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: passed on.
        unsafe {
            let Some(name) = stored_attribute(value, c"_name_") else { return self.marker(type_name(kind)) };
            let text =
                if ffi::PyUnicode_Check(name) != 0 { to_string(name, self.policy.max_repr) } else { "?".to_owned() };
            ffi::Py_DECREF(name);
            self.plain(&format!("{}.{text}", type_name(kind)));
        }
    }

    /// # Safety
    /// `value` is a live exception of type `kind`, the interpreter lock held.
    pub(super) unsafe fn exception(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: passed on.
        let message = unsafe { message_of(value, self.room(), self.policy) };
        // SAFETY: the type of a live value is live.
        let name = unsafe { type_name(kind) };
        self.marker(&if message.is_empty() { name.to_owned() } else { format!("{name}: {message}") });
    }

    /// # Safety
    /// `value` is live and of type `kind`, the interpreter lock held.
    pub(super) unsafe fn known_or_named(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: each branch reads a value of the exact type it was compared with.
        unsafe {
            if kind == &raw mut ffi::PyComplex_Type {
                let text = (*kind).tp_repr.map_or(std::ptr::null_mut(), |text| text(value));
                return self.interpreter_text(text, kind);
            }
            if kind == &raw mut ffi::PyRange_Type {
                return self.range(value);
            }
            let full = CStr::from_ptr((*kind).tp_name);
            match KNOWN.iter().find(|(name, ..)| *name == full) {
                Some(&(_, module, attribute, reading)) if is_loaded(kind, module, attribute) => {
                    self.read_known(value, kind, reading);
                }
                _ => self.marker(type_name(kind)),
            }
        }
    }

    /// # Safety
    /// `value` is live and of the exact type `kind`, which is read by `reading`; the interpreter lock is held.
    unsafe fn read_known(&mut self, value: *mut PyObject, kind: *mut PyTypeObject, reading: Reading) {
        // SAFETY: passed on; the slots and methods called are C, and look at no signals.
        unsafe {
            match reading {
                Reading::Uuid => self.uuid(value, kind),
                Reading::Path => self.path(value, kind),
                Reading::IsoWithZone if !has_plain_zone(value) => {
                    self.marker(&format!("{} in a time zone of its own", type_name(kind)));
                }
                Reading::Iso | Reading::IsoWithZone => {
                    let text = ffi::PyObject_CallMethod(value, c"isoformat".as_ptr(), std::ptr::null());
                    self.interpreter_text(text, kind);
                }
                Reading::Decimal if !is_small(value) => self.marker("Decimal of many digits"),
                Reading::Decimal | Reading::Text => {
                    let text = (*kind).tp_str.map_or(std::ptr::null_mut(), |text| text(value));
                    self.interpreter_text(text, kind);
                }
            }
        }
    }

    /// # Safety
    /// `value` is a live exact range, the interpreter lock held.
    unsafe fn range(&mut self, value: *mut PyObject) {
        let mut text = String::from("range(");
        for (at, name) in [c"start", c"stop", c"step"].into_iter().enumerate() {
            // SAFETY: passed on; the members of a range are C.
            let Some(number) = (unsafe { member(value, name) }) else { return self.marker("range") };
            let mut overflow = 0;
            // SAFETY: an owned int is read and dropped.
            let small = unsafe {
                let small = ffi::PyLong_AsLongLongAndOverflow(number, &raw mut overflow);
                ffi::Py_DECREF(number);
                small
            };
            if overflow != 0 {
                return self.marker("range of large ints");
            }
            if at < 2 || small != 1 {
                text.push_str(if at > 0 { ", " } else { "" });
                text.push_str(&small.to_string());
            }
        }
        text.push(')');
        self.plain(&text);
    }

    /// # Safety
    /// `value` is a live exact `uuid.UUID` and `kind` its type, the interpreter lock held.
    unsafe fn uuid(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: `int` is a slot of UUID; its hexadecimal text is made without looking at signals.
        let hexadecimal = unsafe {
            member(value, c"int").and_then(|number| {
                let text = ffi::PyNumber_ToBase(number, 16);
                ffi::Py_DECREF(number);
                let digits = if text.is_null() { None } else { ascii(text).map(<[u8]>::to_vec) };
                ffi::Py_XDECREF(text);
                ffi::PyErr_Clear();
                digits
            })
        };
        let digits = hexadecimal.as_deref().and_then(|text| text.strip_prefix(b"0x")).unwrap_or_default();
        let digits = format!("{:0>32}", String::from_utf8_lossy(digits));
        if hexadecimal.is_none() || digits.len() != 32 {
            // SAFETY: the type of a live value is live.
            return self.marker(unsafe { type_name(kind) });
        }
        let [a, b, c, d, e] = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        self.plain(&format!("{a}-{b}-{c}-{d}-{e}"));
    }

    /// A path by what it was made of: the text it keeps, else its parts as they were given.
    ///
    /// # Safety
    /// `value` is a live exact path of `pathlib` and `kind` its type, the interpreter lock held.
    unsafe fn path(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: the attributes are slots of the class; the references are owned and dropped.
        unsafe {
            if let Some(text) = member(value, c"_str") {
                return self.interpreter_text(text, kind);
            }
            let parts = member(value, c"_raw_paths").or_else(|| member(value, c"_parts"));
            let Some(parts) = parts else { return self.marker(type_name(kind)) };
            let mut text = String::new();
            if ffi::PyList_Check(parts) != 0 {
                for at in 0..ffi::PyList_GET_SIZE(parts).min(MAX_PATH_PARTS) {
                    let part = ffi::PyList_GET_ITEM(parts, at);
                    if ffi::PyUnicode_Check(part) == 0 || text.len() > self.policy.max_repr {
                        break;
                    }
                    let part = to_string(part, self.policy.max_repr);
                    if part.starts_with('/') {
                        text.clear();
                    } else if !text.is_empty() && !text.ends_with('/') {
                        text.push('/');
                    }
                    text.push_str(&part);
                }
            }
            ffi::Py_DECREF(parts);
            self.plain(if text.is_empty() { "." } else { &text });
        }
    }

    /// Writes `text`, a new reference that is dropped here, or the type's name where making it failed.
    ///
    /// # Safety
    /// `text` is null with an error set, or owned; `kind` is live.
    unsafe fn interpreter_text(&mut self, text: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: as above.
        unsafe {
            if text.is_null() {
                ffi::PyErr_Clear();
                return self.marker(type_name(kind));
            }
            if ffi::PyUnicode_Check(text) != 0 {
                self.text(text);
            } else {
                self.marker(type_name(kind));
            }
            ffi::Py_DECREF(text);
        }
    }
}

/// Whether a Decimal is small enough to be written out.
///
/// # Safety
/// `value` is a live exact Decimal, the interpreter lock held.
unsafe fn is_small(value: *mut PyObject) -> bool {
    // SAFETY: `__sizeof__` of the exact type is C.
    unsafe {
        let size = ffi::PyObject_CallMethod(value, c"__sizeof__".as_ptr(), std::ptr::null());
        if size.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        let bytes = ffi::PyLong_AsSsize_t(size);
        ffi::Py_DECREF(size);
        (0..MAX_DECIMAL_BYTES).contains(&bytes)
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
