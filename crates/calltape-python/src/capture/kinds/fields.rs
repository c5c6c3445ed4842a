//! An object by its attributes: `{"__class__":"Order","id":1}`, in the order in which they stand in storage.
//!
//! Called with the layout that was decided for the object's type. Attributes may change while they are read, as any
//! allocation may run a finaliser: each is read from storage anew, and held.

use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::super::level::{Level, Shape};
use super::super::storage::is_sparse_dict;
use super::super::text::ascii;
use super::super::walk::{Capture, type_name};
use super::attributes::Attributes;
use super::layout::{Layout, MOST_NAME, is_dunder};
use super::storage::Held;

/// Attributes that are looked at to tell how many are shown.
const MOST_LOOKED_AT: usize = 64;

impl Capture<'_> {
    /// # Safety
    /// `value` is live and held and of the type `kind`, whose layout this is; the interpreter lock is held.
    pub(super) unsafe fn fields(&mut self, value: *mut PyObject, kind: *mut PyTypeObject, layout: &Layout) {
        // SAFETY: the type lives as long as the value is of it; its name is written before anything else runs.
        unsafe {
            let name = if (*kind).tp_name == layout.name_at { &*layout.name } else { type_name(kind) };
            let length = count(value, layout);
            if length == 0 {
                return self.marker(name);
            }
            let Some(mut level) = self.enter(value, length, Shape::Fields) else { return };
            if self.extra_entry(&mut level, "__class__", |capture| capture.plain(name)) {
                let _ = self.write_fixed(&mut level, value, layout)
                    && (!layout.has_dict || self.write_dict(&mut level, value, layout))
                    && layout.extra.is_none_or(|offset| self.write_extra(&mut level, value, offset));
            }
            self.leave(level);
        }
    }

    /// Writes a tuple's items and an object's slots; false where no further attribute is written.
    ///
    /// # Safety
    /// As [`Self::fields`].
    unsafe fn write_fixed(&mut self, level: &mut Level, value: *mut PyObject, layout: &Layout) -> bool {
        // SAFETY: a tuple's items do not change; slots stand where the layout says while the object's type is this one,
        // which only a finaliser's `__class__` could change, to a type of the same layout.
        unsafe {
            for (at, name) in layout.items.iter().enumerate() {
                if at >= ffi::PyTuple_GET_SIZE(value) as usize {
                    break;
                }
                let item = ffi::PyTuple_GET_ITEM(value, at as isize);
                if !item.is_null() && !self.member(level, layout, name, &Held::of(item)) {
                    return false;
                }
            }
            for slot in &layout.slots {
                if let Some(stored) = slot.read(value)
                    && !self.member(level, layout, &slot.name, &stored)
                {
                    return false;
                }
            }
            true
        }
    }

    /// # Safety
    /// As [`Self::fields`], for an object with a `__dict__`.
    unsafe fn write_dict(&mut self, level: &mut Level, value: *mut PyObject, layout: &Layout) -> bool {
        // SAFETY: passed on.
        unsafe {
            let mut attributes = Attributes::of(value);
            while let Some((name, stored)) = attributes.next() {
                if is_hidden(layout, &name) {
                    continue;
                }
                let fits = match withheld_name(layout, &name) {
                    Some(name) => self.named_entry(level, name, Self::masked),
                    None => self.pair(level, name.get(), stored.get()),
                };
                if !fits {
                    return false;
                }
            }
            true
        }
    }

    /// What a model was given beyond its fields: a dict in a slot.
    ///
    /// # Safety
    /// As [`Self::fields`]; the slot stands at `offset`.
    unsafe fn write_extra(&mut self, level: &mut Level, value: *mut PyObject, offset: isize) -> bool {
        // SAFETY: passed on.
        unsafe {
            if let Some(extra) = extra_of(value, offset) {
                self.pairs(level, extra.get());
            }
        }
        true
    }

    /// Writes one attribute under a name of the layout's.
    ///
    /// # Safety
    /// The interpreter lock is held.
    unsafe fn member(&mut self, level: &mut Level, layout: &Layout, name: &str, value: &Held) -> bool {
        if layout.withholds(Some(name.as_bytes())) {
            return self.named_entry(level, name, Self::masked);
        }
        // SAFETY: held, so live.
        unsafe { self.field(level, name, value.get()) }
    }
}

/// How many attributes of an object are shown, if all fit.
///
/// # Safety
/// As [`Capture::fields`].
unsafe fn count(value: *mut PyObject, layout: &Layout) -> usize {
    // SAFETY: passed on.
    unsafe {
        let mut count = layout.items.len() + layout.slots.iter().filter(|slot| slot.is_set(value)).count();
        if layout.has_dict {
            let mut attributes = Attributes::of(value);
            let all = attributes.left();
            let hidden = (0..all.min(MOST_LOOKED_AT))
                .map_while(|_| attributes.next())
                .filter(|(name, _)| is_hidden(layout, name))
                .count();
            count += all - hidden;
        }
        if let Some(offset) = layout.extra {
            count += extra_of(value, offset).and_then(|extra| extra.items()).unwrap_or_default();
        }
        count
    }
}

/// # Safety
/// As [`Capture::fields`]; a slot stands at `offset`.
unsafe fn extra_of(value: *mut PyObject, offset: isize) -> Option<Held> {
    // SAFETY: passed on; what a slot holds is live.
    unsafe {
        let stored = value.byte_offset(offset).cast::<*mut PyObject>().read();
        (!stored.is_null()).then(|| Held::of(stored)).filter(|extra| extra.is_dict() && !is_sparse_dict(extra.get()))
    }
}

/// Whether an attribute is none of the program's: one of Python's own, or a library's.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
unsafe fn is_hidden(layout: &Layout, name: &Held) -> bool {
    // SAFETY: held, so live; the storage of a str is read.
    unsafe {
        let text = if ffi::PyUnicode_Check(name.get()) != 0 { ascii(name.get()) } else { None };
        text.is_some_and(|text| is_dunder(text) || text == layout.skipped.as_bytes() && !text.is_empty())
    }
}

/// The name of an attribute that its class says is not shown.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
unsafe fn withheld_name<'a>(layout: &'a Layout, name: &Held) -> Option<&'a str> {
    if layout.withheld.is_empty() {
        return None;
    }
    let text = name.text(MOST_NAME)?;
    layout.withheld.iter().map(|withheld| &**withheld).find(|withheld| *withheld == text)
}
