//! Which attributes the objects of a type have: slots and where they stand, a `__dict__` or none, the names of a named
//! tuple's items, and the fields that their class declares as not to be shown.
//!
//! Called once a type, by `decide`. Only class dicts are read: a descriptor is believed where it is the interpreter's own
//! and made for a base of the type.

use std::ffi::CStr;

use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::super::storage::is_sparse_dict;
use super::super::walk::type_name;
use super::attributes::has_dict;
use super::storage::{Held, dict_of_type, first_in_mro, getter, is_loaded, loaded, stored_in_type};

/// Names of one kind that are looked at: a class with more is read as far as this.
const MOST_NAMES: usize = 1024;
/// Characters of a name.
pub(super) const MOST_NAME: usize = 200;

/// What stands where in the objects of a type.
pub(super) struct Layout {
    /// The class's bare name, and where it was read: the interpreter puts a new name elsewhere.
    pub(super) name: Box<str>,
    pub(super) name_at: *const std::ffi::c_char,
    /// Names of a tuple's items.
    pub(super) items: Box<[Box<str>]>,
    pub(super) slots: Box<[Slot]>,
    pub(super) has_dict: bool,
    /// Attributes whose class says that they are not shown.
    pub(super) withheld: Box<[Box<str>]>,
    /// An attribute that is a library's own affair.
    pub(super) skipped: &'static str,
    /// Where a model keeps the dict of what was given beyond its fields.
    pub(super) extra: Option<isize>,
}

/// A slot: an object or null, at an offset from the beginning of the object.
pub(super) struct Slot {
    pub(super) name: Box<str>,
    pub(super) offset: isize,
}

impl Slot {
    /// What an object stores in the slot.
    ///
    /// # Safety
    /// `object` is live and of the layout's type, the interpreter lock held.
    pub(super) unsafe fn read(&self, object: *mut PyObject) -> Option<Held> {
        // SAFETY: passed on; what a slot holds is live.
        unsafe {
            let stored = object.byte_offset(self.offset).cast::<*mut PyObject>().read();
            (!stored.is_null()).then(|| Held::of(stored))
        }
    }

    /// # Safety
    /// As [`Self::read`].
    pub(super) unsafe fn is_set(&self, object: *mut PyObject) -> bool {
        // SAFETY: passed on.
        unsafe { !object.byte_offset(self.offset).cast::<*mut PyObject>().read().is_null() }
    }
}

impl Layout {
    /// The layout of a type's objects; `None` where they have no attributes.
    ///
    /// # Safety
    /// `kind` is a live type, the interpreter lock held.
    pub(super) unsafe fn of(kind: *mut PyTypeObject) -> Option<Self> {
        // SAFETY: passed on.
        unsafe {
            let (mut slots, extra) = slots_of(kind);
            let items = items_of(kind);
            let has_dict = has_dict(kind);
            if slots.is_empty() && items.is_empty() && !has_dict && extra.is_none() {
                return None;
            }
            order(&mut slots, kind);
            Some(Self {
                name: type_name(kind).into(),
                name_at: (*kind).tp_name,
                items: items.into(),
                slots: slots.into(),
                has_dict,
                withheld: withheld(kind).into(),
                skipped: skipped(kind),
                extra,
            })
        }
    }

    /// Whether an attribute's class says that it is not shown.
    #[inline]
    pub(super) fn withholds(&self, name: Option<&[u8]>) -> bool {
        !self.withheld.is_empty() && self.withheld.iter().any(|withheld| name == Some(withheld.as_bytes()))
    }
}

/// Whether a name is one of Python's own, as `__weakref__`.
#[inline]
pub(super) fn is_dunder(name: &[u8]) -> bool {
    name.len() > 4 && name.starts_with(b"__") && name.ends_with(b"__")
}

/// The slots that Python classes of a type's bases made, bases first, and a pydantic model's slot for what is extra.
///
/// # Safety
/// As [`Layout::of`].
unsafe fn slots_of(kind: *mut PyTypeObject) -> (Vec<Slot>, Option<isize>) {
    let mut slots: Vec<Slot> = Vec::new();
    let mut extra = None;
    // SAFETY: passed on.
    unsafe {
        first_in_mro::<()>(kind, |base| {
            let names = dict_of_type(base)?.entry("__slots__");
            let mut own = own_slots(kind, base, names.is_some());
            let at = own.iter().position(|slot| &*slot.name == "__pydantic_extra__");
            if let Some(slot) = at.map(|at| own.remove(at))
                && is_loaded(base, c"pydantic.main", c"BaseModel")
            {
                extra = Some(slot.offset);
            }
            own.retain(|slot| !is_dunder(slot.name.as_bytes()));
            own.retain(|slot| !slots.iter().any(|seen| seen.name == slot.name));
            if let Some(names) = names {
                let names = texts(&names);
                own.sort_by_cached_key(|slot| names.iter().position(|name| is_slot_named(&slot.name, name)));
            }
            own.append(&mut slots);
            slots = own;
            None
        });
    }
    (slots, extra)
}

/// Whether a slot was declared as `name`: a private one stands under the class's name as well.
fn is_slot_named(slot: &str, name: &str) -> bool {
    slot == name || (name.starts_with("__") && slot.starts_with('_') && slot.ends_with(name))
}

/// # Safety
/// As [`Layout::of`]; `base` is in the order of `kind`'s bases.
unsafe fn own_slots(kind: *mut PyTypeObject, base: *mut PyTypeObject, declared: bool) -> Vec<Slot> {
    let mut slots = Vec::new();
    // SAFETY: the descriptor's type says that it is a member's, so its definition can be read; it is used only where
    // the objects of `kind` begin with the struct that it was made for.
    unsafe {
        if !declared || (*base).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return slots;
        }
        each_entry(base, |name, value| {
            if ffi::Py_TYPE(value) != &raw mut ffi::PyMemberDescr_Type {
                return;
            }
            let descriptor = value.cast::<ffi::PyMemberDescrObject>();
            let member = (*descriptor).d_member;
            let is_slot = (*member).type_code == ffi::Py_T_OBJECT_EX
                && (*member).offset > 0
                && (*member).offset + (size_of::<usize>() as isize) <= (*kind).tp_basicsize
                && ffi::PyType_IsSubtype(kind, (*descriptor).d_common.d_type) != 0;
            if is_slot {
                slots.push(Slot { name: name.into(), offset: (*member).offset });
            }
        });
    }
    slots
}

/// Calls `look` with the named entries of a type's own dict.
///
/// # Safety
/// As [`Layout::of`].
unsafe fn each_entry(kind: *mut PyTypeObject, mut look: impl FnMut(&str, *mut PyObject)) {
    // SAFETY: PyDict_Next runs no code; what it finds is held.
    unsafe {
        let Some(dict) = dict_of_type(kind) else { return };
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        let mut seen = if is_sparse_dict(dict.get()) { MOST_NAMES } else { 0 };
        while seen < MOST_NAMES && ffi::PyDict_Next(dict.get(), &raw mut position, &raw mut key, &raw mut value) != 0 {
            let (name, value) = (Held::of(key), Held::of(value));
            if let Some(name) = name.text(MOST_NAME) {
                look(&name, value.get());
            }
            seen += 1;
        }
    }
}

/// The strs in a tuple, list or dict of names, or the one str.
fn texts(names: &Held) -> Vec<String> {
    if let Some(name) = names.text(MOST_NAME) {
        return vec![name];
    }
    if names.is_dict() {
        return keys(names);
    }
    let length = names.items().unwrap_or_default().min(MOST_NAMES);
    (0..length).filter_map(|at| names.item(at)?.text(MOST_NAME)).collect()
}

fn keys(dict: &Held) -> Vec<String> {
    let mut names = Vec::new();
    let (mut position, mut key) = (0, std::ptr::null_mut());
    // SAFETY: the dict is held, with the interpreter lock; PyDict_Next runs no code.
    unsafe {
        while names.len() < MOST_NAMES
            && !is_sparse_dict(dict.get())
            && ffi::PyDict_Next(dict.get(), &raw mut position, &raw mut key, std::ptr::null_mut()) != 0
        {
            names.extend(Held::of(key).text(MOST_NAME));
        }
    }
    names
}

/// The names of a named tuple's items: a tuple class that says `_fields`, a tuple of strs.
///
/// # Safety
/// As [`Layout::of`].
unsafe fn items_of(kind: *mut PyTypeObject) -> Vec<Box<str>> {
    // SAFETY: passed on.
    unsafe {
        if ffi::PyType_HasFeature(kind, ffi::Py_TPFLAGS_TUPLE_SUBCLASS) == 0 {
            return Vec::new();
        }
        let fields = stored_in_type(kind, "_fields").filter(Held::is_tuple);
        fields.map(|fields| texts(&fields).into_iter().map(Into::into).collect()).unwrap_or_default()
    }
}

/// Puts slots into the order in which their class lists its fields.
///
/// # Safety
/// As [`Layout::of`].
unsafe fn order(slots: &mut [Slot], kind: *mut PyTypeObject) {
    // SAFETY: passed on.
    let names = unsafe {
        struct_fields(kind)
            .filter(Held::is_tuple)
            .or_else(|| stored_in_type(kind, "__dataclass_fields__").filter(Held::is_dict))
    };
    if let Some(names) = names.filter(|_| slots.len() > 1) {
        let names = texts(&names);
        let place = |slot: &Slot| names.iter().position(|name| **name == *slot.name).unwrap_or(usize::MAX);
        slots.sort_by_cached_key(place);
    }
}

/// The fields of a msgspec class, which its own type, written in C, stores for it.
///
/// # Safety
/// As [`Layout::of`].
unsafe fn struct_fields(kind: *mut PyTypeObject) -> Option<Held> {
    // SAFETY: a type is an object of its type, whose member is read by its own descriptor.
    unsafe {
        let is_struct_meta = |base: *mut PyTypeObject| {
            (type_name(base) == "StructMeta" && is_loaded(base, c"msgspec._core", c"StructMeta")).then_some(base)
        };
        let meta = first_in_mro(ffi::Py_TYPE(kind.cast()), is_struct_meta)?;
        getter(meta, "__struct_fields__", kind.cast())
    }
}

/// The fields that a dataclass, an attrs class or a pydantic model declares with `repr=False`.
///
/// # Safety
/// As [`Layout::of`].
unsafe fn withheld(kind: *mut PyTypeObject) -> Vec<Box<str>> {
    let mut names = Vec::new();
    // SAFETY: passed on; each field is read by the getter of the very class it must be of.
    unsafe {
        for (attribute, module, class) in [
            ("__dataclass_fields__", c"dataclasses", c"Field"),
            ("__pydantic_fields__", c"pydantic.fields", c"FieldInfo"),
        ] {
            let Some(fields) = stored_in_type(kind, attribute).filter(Held::is_dict) else { continue };
            for name in keys(&fields) {
                if fields.entry(&name).is_some_and(|field| is_not_shown(&field, module, class)) {
                    names.push(name.into());
                }
            }
        }
        let attributes = stored_in_type(kind, "__attrs_attrs__").filter(Held::is_tuple);
        let count = attributes.as_ref().and_then(Held::items).unwrap_or_default().min(MOST_NAMES);
        for field in (0..count).filter_map(|at| attributes.as_ref()?.item(at)) {
            if is_not_shown(&field, c"attr", c"Attribute")
                && let Some(name) = getter(field.kind(), "name", field.get()).and_then(|name| name.text(MOST_NAME))
            {
                names.push(name.into());
            }
        }
    }
    names
}

/// Whether a field's description says `repr=False`.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn is_not_shown(field: &Held, module: &CStr, class: &CStr) -> bool {
    // SAFETY: the class is live while its module holds it; the field is of it.
    unsafe {
        let class = loaded(module, class).cast::<PyTypeObject>();
        if class.is_null() || ffi::PyType_Check(class.cast()) == 0 || ffi::PyType_IsSubtype(field.kind(), class) == 0 {
            return false;
        }
        getter(class, "repr", field.get()).is_some_and(|shown| shown.is_none() || shown.int() == Some(0))
    }
}

/// The attribute in which an object-relational library keeps what it knows of a loaded row.
///
/// # Safety
/// As [`Layout::of`].
unsafe fn skipped(kind: *mut PyTypeObject) -> &'static str {
    // SAFETY: passed on.
    unsafe {
        let is_django = |base: *mut PyTypeObject| {
            (type_name(base) == "Model" && is_loaded(base, c"django.db.models.base", c"Model")).then_some(())
        };
        if first_in_mro(kind, is_django).is_some() {
            return "_state";
        }
        let manager = stored_in_type(kind, "_sa_class_manager");
        let is_mapped = manager
            .is_some_and(|manager| is_loaded(manager.kind(), c"sqlalchemy.orm.instrumentation", c"ClassManager"));
        if is_mapped { "_sa_instance_state" } else { "" }
    }
}

/// Whether a tuple class names its items.
///
/// # Safety
/// As [`Layout::of`].
pub(super) unsafe fn has_named_items(kind: *mut PyTypeObject) -> bool {
    // SAFETY: passed on.
    unsafe { !items_of(kind).is_empty() || (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 && is_empty_named(kind) }
}

/// # Safety
/// As [`Layout::of`].
unsafe fn is_empty_named(kind: *mut PyTypeObject) -> bool {
    // SAFETY: passed on.
    unsafe { stored_in_type(kind, "_fields").is_some_and(|fields| fields.is_tuple() && fields.items() == Some(0)) }
}
