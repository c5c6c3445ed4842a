//! Types known by identity, and their subclasses: which reader takes them.
//!
//! A type is known where it is the very object that the loaded module holds under the name; nothing is imported, and a
//! type that is only called so is none. Names are compared first, to find the few candidates.

use std::ffi::CStr;

use pyo3::ffi::{self, PyTypeObject};

use super::super::walk::type_name;
use super::storage::{dict_of_type, first_in_mro, is_immutable, loaded};
use super::{Reader, addresses, arrays, builtin, code, plain, system, tables, times, web, wrapped};

unsafe extern "C" {
    // The types of weak proxies.
    static mut _PyWeakref_ProxyType: PyTypeObject;
    static mut _PyWeakref_CallableProxyType: PyTypeObject;
}

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
            for &(_, module, attribute, reader) in families().flatten().filter(|known| known.0 == name) {
                let known = loaded(module, attribute);
                if known == base.cast() && (!is_of_c(name, module) || is_immutable(base)) {
                    return Some((reader, base));
                }
                may_load |= known.is_null() && is_of_package(base, module);
            }
            None
        })
    };
    Found { found, may_load }
}

/// Whether a known type is written in C and read as such: a class of Python's that a program has put in its place, as
/// tests do, has another struct.
fn is_of_c(name: &str, module: &CStr) -> bool {
    const MODULES: &[&CStr] = &[
        c"_asyncio",
        c"_datetime",
        c"_decimal",
        c"_functools",
        c"_io",
        c"_socket",
        c"_thread",
        c"array",
        c"mmap",
        c"numpy",
    ];
    MODULES.contains(&module) || matches!(name, "deque" | "Pattern" | "_lru_cache_wrapper")
}

fn families() -> impl Iterator<Item = &'static [Known]> {
    let all: [&[Known]; 9] = [
        PLAIN,
        builtin::KNOWN,
        times::KNOWN,
        system::KNOWN,
        addresses::KNOWN,
        wrapped::KNOWN,
        arrays::KNOWN,
        tables::KNOWN,
        web::KNOWN,
    ];
    all.into_iter()
}

/// Types that the interpreter exports, for which the common ones come first.
fn builtins() -> [(*mut PyTypeObject, Reader); 34] {
    [
        (&raw mut ffi::PyFloat_Type, plain::float),
        (&raw mut ffi::PyComplex_Type, plain::complex),
        (&raw mut ffi::PyByteArray_Type, builtin::byte_array),
        (&raw mut ffi::PySet_Type, builtin::set),
        (&raw mut ffi::PyFrozenSet_Type, builtin::set),
        (&raw mut super::super::storage::PyODict_Type, builtin::ordered_dict),
        (&raw mut ffi::PyDictProxy_Type, builtin::mapping_proxy),
        (&raw mut ffi::PyDictKeys_Type, builtin::dict_keys),
        (&raw mut ffi::PyDictValues_Type, builtin::dict_values),
        (&raw mut ffi::PyDictItems_Type, builtin::dict_items),
        (&raw mut ffi::PyRange_Type, plain::range),
        (&raw mut ffi::PySlice_Type, code::slice),
        (&raw mut ffi::PyMemoryView_Type, system::memory),
        (&raw mut ffi::PyFunction_Type, code::function),
        (&raw mut code::PyMethod_Type, code::bound_method),
        (&raw mut ffi::PyCFunction_Type, code::c_function),
        (&raw mut ffi::PyMethodDescr_Type, code::c_method),
        (&raw mut ffi::PyClassMethodDescr_Type, code::c_method),
        (&raw mut ffi::PyWrapperDescr_Type, code::c_method),
        (&raw mut ffi::PyType_Type, code::class),
        (&raw mut ffi::PyModule_Type, code::module),
        (&raw mut ffi::PyGen_Type, code::suspended),
        (&raw mut ffi::PyCoro_Type, code::suspended),
        (&raw mut ffi::PyAsyncGen_Type, code::suspended),
        (&raw mut ffi::PyCode_Type, code::code),
        (&raw mut ffi::PyFrame_Type, code::frame),
        (&raw mut ffi::PyContextVar_Type, code::context_variable),
        (&raw mut ffi::_PyWeakref_RefType, code::weak_reference),
        (&raw mut _PyWeakref_ProxyType, code::weak_proxy),
        (&raw mut _PyWeakref_CallableProxyType, code::weak_proxy),
        (&raw mut ffi::PyProperty_Type, code::named),
        (&raw mut ffi::PyStaticMethod_Type, code::named),
        (&raw mut ffi::PyClassMethod_Type, code::named),
        (&raw mut ffi::PyCell_Type, code::named),
    ]
}

const PLAIN: &[Known] = &[
    ("Decimal", c"_decimal", c"Decimal", plain::decimal),
    ("UUID", c"uuid", c"UUID", plain::uuid),
    ("PurePath", c"pathlib", c"PurePath", plain::path),
    ("Fraction", c"fractions", c"Fraction", plain::fraction),
    ("Pattern", c"re", c"Pattern", plain::pattern),
    // Not every version of the interpreter exports it.
    ("method-wrapper", c"types", c"MethodWrapperType", code::slot_method),
    ("partial", c"_functools", c"partial", code::partial),
    ("partialmethod", c"functools", c"partialmethod", code::partial_method),
    ("_lru_cache_wrapper", c"functools", c"_lru_cache_wrapper", code::cached),
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
