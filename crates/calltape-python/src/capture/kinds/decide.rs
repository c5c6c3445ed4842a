//! Deciding how the objects of a type are read: once a type, from what the type and its bases store.

use std::rc::Rc;

use pyo3::ffi::{self, PyTypeObject};

use super::super::own::{self, Showing};
use super::super::walk::type_name;
use super::layout::Layout;
use super::machinery::is_machinery;
use super::storage::{first_in_mro, is_loaded};
use super::{Reader, Reading, builtin, code, plain, table};

/// What was decided of a type.
pub(super) struct Decided {
    pub(super) reading: Reading,
    /// Whether it stays so until the type changes: not while a library is being imported whose types are known.
    pub(super) lasts: bool,
}

/// Names of types that hold a secret whatever they store.
const SECRETS: &[&str] = &[
    "Secret",
    "SecretBytes",
    "SecretField",
    "SecretStr",
    "SecretString",
    "SecretText",
    "SecretToken",
    "SecretValue",
    "_SecretBase",
    "_SecretField",
];

/// Decides how the objects of `kind` are read.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
pub(super) unsafe fn decide(kind: *mut PyTypeObject) -> Decided {
    // SAFETY: passed on.
    unsafe {
        match own::of_type(kind) {
            Showing::By(own) => Decided { reading: Reading::Own(own), lasts: true },
            Showing::Disabled => Decided { reading: Reading::Name, lasts: true },
            Showing::No => by_storage(kind),
        }
    }
}

/// Decides how the objects of `kind` are read where no code of the program's shows them.
///
/// # Safety
/// As [`decide`].
pub(super) unsafe fn by_storage(kind: *mut PyTypeObject) -> Decided {
    let lasting = |reading| Decided { reading, lasts: true };
    // SAFETY: passed on.
    unsafe {
        if is_enum(kind) {
            return lasting(Reading::Known(plain::enum_member, kind));
        }
        if crate::wrapper::is_monitored_type(kind) {
            return lasting(Reading::Known(code::monitored, kind));
        }
        if first_in_mro(kind, |base| is_secret(type_name(base)).then_some(())).is_some() {
            return lasting(Reading::Masked);
        }
        let known = table::look_up(kind);
        if let Some((reader, base)) = known.found {
            return lasting(Reading::Known(reader, base));
        }
        let reading = match of_builtin_base(kind) {
            Some(reader) => Reading::Known(reader, kind),
            None if is_machinery(kind) => Reading::Name,
            None => Layout::of(kind).map_or(Reading::Name, |layout| Reading::Fields(Rc::new(layout))),
        };
        Decided { reading, lasts: !known.may_load }
    }
}

/// Whether a type of this name is for secrets; a parametrised one stands with its parameters.
fn is_secret(name: &str) -> bool {
    let name = name.split('[').next().unwrap_or(name);
    SECRETS.contains(&name)
}

/// Whether `kind` is an enum class: its own type is `enum.EnumType`, or derived from it.
///
/// # Safety
/// As [`decide`].
unsafe fn is_enum(kind: *mut PyTypeObject) -> bool {
    // SAFETY: a type is an object and has a type.
    unsafe {
        let meta = ffi::Py_TYPE(kind.cast());
        let is_enum_type = |base: *mut PyTypeObject| {
            (matches!(type_name(base), "EnumType" | "EnumMeta") && is_loaded(base, c"enum", c"EnumMeta")).then_some(())
        };
        meta != &raw mut ffi::PyType_Type && first_in_mro(meta, is_enum_type).is_some()
    }
}

/// The reader of a subclass of a builtin type, by the flag that the interpreter itself goes by.
///
/// # Safety
/// As [`decide`].
unsafe fn of_builtin_base(kind: *mut PyTypeObject) -> Option<Reader> {
    let flags: [(std::ffi::c_ulong, Reader); 7] = [
        (ffi::Py_TPFLAGS_UNICODE_SUBCLASS, builtin::text),
        (ffi::Py_TPFLAGS_LONG_SUBCLASS, builtin::integer),
        (ffi::Py_TPFLAGS_LIST_SUBCLASS, builtin::list),
        (ffi::Py_TPFLAGS_TUPLE_SUBCLASS, builtin::tuple),
        (ffi::Py_TPFLAGS_DICT_SUBCLASS, builtin::dict),
        (ffi::Py_TPFLAGS_BYTES_SUBCLASS, builtin::bytes),
        (ffi::Py_TPFLAGS_BASE_EXC_SUBCLASS, plain::exception),
    ];
    // SAFETY: a live type's flags may be read at any time.
    let has = |flag| unsafe { ffi::PyType_HasFeature(kind, flag) != 0 };
    let (flag, reader) = flags.into_iter().find(|&(flag, _)| has(flag))?;
    // SAFETY: passed on.
    let is_named_tuple = flag == ffi::Py_TPFLAGS_TUPLE_SUBCLASS && unsafe { super::layout::has_named_items(kind) };
    (!is_named_tuple).then_some(reader)
}
