//! An object by its attributes: `{"__class__":"Order","id":1}`, in the order in which they stand in storage.
//!
//! Called with the layout that was decided for the object's type. Attributes may change while they are read, as any
//! allocation may run a finaliser: each is read from storage anew, and held.

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::super::is_sensitive;
use super::super::scalar::ascii;
use super::super::walk::{Capture, MOST_DEPTH, type_name};
use super::attributes::Attributes;
use super::layout::{Layout, is_dunder, is_skipped};
use super::storage::Held;

/// How far an object has been written.
struct Written<'a> {
    name: &'a str,
    /// Attributes so far; the object is opened with its first.
    count: usize,
}

impl Capture<'_> {
    /// # Safety
    /// `value` is live and held and of the type `kind`, whose layout this is; the interpreter lock is held.
    pub(super) unsafe fn fields(&mut self, value: *mut PyObject, kind: *mut PyTypeObject, layout: &Layout) {
        // SAFETY: the type lives as long as the value is of it; its name is copied before anything else runs.
        unsafe {
            let name = if (*kind).tp_name == layout.name_at { &*layout.name } else { type_name(kind) };
            if !self.enter_object(value, name) {
                return;
            }
            let mut written = Written { name, count: 0 };
            let more = self.write_fields(value, layout, &mut written);
            if written.count == 0 && more == 0 {
                self.depth -= 1;
                return self.marker(written.name);
            }
            self.open_object(&written);
            if more > 0 {
                ValueWriter::more(self.out, more);
            }
            ValueWriter::end(self.out);
        }
        self.depth -= 1;
    }

    /// Writes what fits; returns how many attributes there are more.
    ///
    /// # Safety
    /// As [`Self::fields`].
    unsafe fn write_fields(&mut self, value: *mut PyObject, layout: &Layout, written: &mut Written<'_>) -> usize {
        // SAFETY: a tuple's items do not change; slots stand where the layout says while the object's type is this one,
        // which only a finaliser's `__class__` could change, to a type of the same layout.
        unsafe {
            let fixed = layout.items.len() + layout.slots.len();
            for (at, name) in layout.items.iter().enumerate() {
                if at >= ffi::PyTuple_GET_SIZE(value) as usize {
                    break;
                }
                if self.is_full(written) {
                    return fixed - at;
                }
                let item = Held::of(ffi::PyTuple_GET_ITEM(value, at as isize));
                self.member(written, layout, name, &item);
            }
            for (at, slot) in layout.slots.iter().enumerate() {
                let stored = value.byte_offset(slot.offset).cast::<*mut PyObject>().read();
                if stored.is_null() {
                    continue;
                }
                let stored = Held::of(stored);
                if self.is_full(written) {
                    return layout.slots.len() - at;
                }
                self.member(written, layout, &slot.name, &stored);
            }
            let more = if layout.has_dict { self.write_dict(value, layout, written) } else { 0 };
            if more > 0 {
                return more;
            }
            layout.extra.map_or(0, |offset| self.write_extra(value, offset, written))
        }
    }

    /// # Safety
    /// As [`Self::fields`], for an object with a `__dict__`.
    unsafe fn write_dict(&mut self, value: *mut PyObject, layout: &Layout, written: &mut Written<'_>) -> usize {
        // SAFETY: passed on.
        unsafe {
            let mut attributes = Attributes::of(value);
            while let Some((name, stored)) = attributes.next() {
                let text = if ffi::PyUnicode_Check(name.get()) != 0 { ascii(name.get()) } else { None };
                if text.is_some_and(is_dunder) || is_skipped(layout, name.get()) {
                    continue;
                }
                if self.is_full(written) {
                    return attributes.left() + 1;
                }
                self.open_object(written);
                written.count += 1;
                if layout.withholds(text) {
                    self.any(name.get());
                    ValueWriter::masked(self.out);
                } else {
                    self.pair(name.get(), stored.get());
                }
            }
            0
        }
    }

    /// What a model was given beyond its fields: a dict in a slot.
    ///
    /// # Safety
    /// As [`Self::fields`]; the slot stands at `offset`.
    unsafe fn write_extra(&mut self, value: *mut PyObject, offset: isize, written: &mut Written<'_>) -> usize {
        // SAFETY: passed on; PyDict_Next runs no code and stays inside the table it finds.
        unsafe {
            let stored = value.byte_offset(offset).cast::<*mut PyObject>().read();
            if stored.is_null() || ffi::PyDict_Check(stored) == 0 {
                return 0;
            }
            let extra = Held::of(stored);
            let (mut position, mut key, mut item) = (0, std::ptr::null_mut(), std::ptr::null_mut());
            let mut read = 0;
            while ffi::PyDict_Next(extra.get(), &raw mut position, &raw mut key, &raw mut item) != 0 {
                let (key, item) = (Held::of(key), Held::of(item));
                if self.is_full(written) {
                    return extra.items().unwrap_or_default().saturating_sub(read).max(1);
                }
                self.open_object(written);
                written.count += 1;
                read += 1;
                self.pair(key.get(), item.get());
            }
            0
        }
    }

    /// Writes one attribute under a name of the layout's.
    ///
    /// # Safety
    /// The interpreter lock is held.
    unsafe fn member(&mut self, written: &mut Written<'_>, layout: &Layout, name: &str, value: &Held) {
        self.open_object(written);
        written.count += 1;
        ValueWriter::text(self.out, name.as_bytes());
        if layout.withholds(Some(name.as_bytes())) || is_sensitive(name.as_bytes()) {
            ValueWriter::masked(self.out);
        } else {
            // SAFETY: held, so live.
            unsafe { self.any(value.get()) };
        }
    }

    /// Writes how the object begins, if that was not written yet.
    fn open_object(&mut self, written: &Written<'_>) {
        if written.count == 0 {
            ValueWriter::object(self.out);
            ValueWriter::text(self.out, b"__class__");
            ValueWriter::text(self.out, written.name.as_bytes());
        }
    }

    fn is_full(&self, written: &Written<'_>) -> bool {
        written.count >= self.policy.max_attributes || self.is_spent()
    }

    /// Decides whether an object's attributes are read, and if so enters it; otherwise it is written as a marker.
    fn enter_object(&mut self, value: *mut PyObject, name: &str) -> bool {
        if self.open[..self.depth].contains(&value) {
            self.marker(&format!("circular {name}"));
            return false;
        }
        if self.depth >= self.policy.max_depth.min(MOST_DEPTH) {
            self.marker(name);
            return false;
        }
        self.open[self.depth] = value;
        self.depth += 1;
        true
    }
}
