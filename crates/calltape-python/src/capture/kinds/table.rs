//! Types known by identity, and their subclasses: which reader takes them.
//!
//! A type is known where it is the very object that the loaded module holds under the name; nothing is imported, and a
//! type that is only called so is none. Names are compared first, to find the few candidates.

use std::ffi::CStr;

use pyo3::ffi::{self, PyTypeObject};

use super::super::walk::type_name;
use super::storage::{dict_of_type, first_in_mro, loaded};
use super::{Reader, plain};

/// What the table says of a type.
pub(super) struct Found {
    /// The reader of the nearest base that is known, and that base.
    pub(super) found: Option<(Reader, *mut PyTypeObject)>,
    /// A base is named as a known type is, and comes from a module that is not there yet.
    pub(super) may_load: bool,
}

/// A known type: its bare name, the module that holds it, under which name, and its reader.
pub(super) type Known = (&'static str, &'static CStr, &'static CStr, Reader);

/// What the table says of a type.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
pub(super) unsafe fn look_up(kind: *mut PyTypeObject) -> Found {
    let mut may_load = false;
    // SAFETY: passed on; the borrowed references are only compared.
    let found = unsafe {
        first_in_mro(kind, |base| {
            if let Some((_, reader)) = builtins().into_iter().find(|&(builtin, _)| builtin == base) {
                return Some((reader, base));
            }
            let name = type_name(base);
            for &(_, module, attribute, reader) in tables().flatten().filter(|known| known.0 == name) {
                let known = loaded(module, attribute);
                if known == base.cast() {
                    return Some((reader, base));
                }
                may_load |= known.is_null() && is_of_package(base, module);
            }
            None
        })
    };
    Found { found, may_load }
}

fn tables() -> impl Iterator<Item = &'static [Known]> {
    [PLAIN, super::times::KNOWN].into_iter()
}

/// Types that the interpreter exports.
fn builtins() -> [(*mut PyTypeObject, Reader); 3] {
    [
        (&raw mut ffi::PyComplex_Type, plain::complex),
        (&raw mut ffi::PyRange_Type, plain::range),
        (&raw mut ffi::PyFloat_Type, plain::float),
    ]
}

const PLAIN: &[Known] = &[
    ("Decimal", c"decimal", c"Decimal", plain::decimal),
    ("UUID", c"uuid", c"UUID", plain::uuid),
    ("PurePath", c"pathlib", c"PurePath", plain::path),
    ("Fraction", c"fractions", c"Fraction", plain::fraction),
    ("Pattern", c"re", c"Pattern", plain::pattern),
];

/// Whether a type says that it comes from the package of `module`.
///
/// # Safety
/// As [`look_up`].
unsafe fn is_of_package(kind: *mut PyTypeObject, module: &CStr) -> bool {
    let package = module.to_str().unwrap_or_default().split('.').next().unwrap_or_default();
    // SAFETY: a type's name is a C string that the type owns; its dict is read.
    let (full, named) = unsafe {
        let full = CStr::from_ptr((*kind).tp_name).to_str().unwrap_or_default();
        (full, dict_of_type(kind).and_then(|dict| dict.entry("__module__")?.text(200)))
    };
    let named = named.as_deref().unwrap_or(full);
    named.split('.').next().is_some_and(|first| first.trim_start_matches('_') == package.trim_start_matches('_'))
}
