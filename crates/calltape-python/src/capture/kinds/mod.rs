//! What a type is and how an object of it is read: from storage, without asking the object.
//!
//! `walk` comes here with every object that is no exact builtin value. It must never import a module, believe a name or a
//! `__class__`, run what a class defines (but for what [`own`](super::own) allows), raise, or hold a reference to a type
//! of the program's.
//!
//! ```text
//! cache.rs       type -> Reading, by address and version tag
//! decide.rs      the decision, once a type
//! table.rs       types known by identity, and their subclasses
//! loaded.rs      what loaded modules hold
//! machinery.rs   objects of libraries that are only named
//! storage.rs     dict entries, slots, C getters
//! attributes.rs  what stands in an object's __dict__, also where there is no dict yet
//! layout.rs      which attributes objects of a type have; fields declared as not to be shown
//! fields.rs      an object by its attributes
//! builtin.rs     subclasses of builtin types
//! plain.rs       numbers, UUIDs, paths, patterns, enum members, exceptions
//! addresses.rs   internet addresses and networks
//! times.rs       dates, times, time zones
//! code.rs        functions, methods, types, modules, generators
//! system.rs      threads, tasks, locks, files, sockets, memory
//! wrapped.rs     containers, mocks and proxies written in Python
//! arrays.rs      numpy, scipy, torch, PIL
//! tables.rs      pandas, polars, pyarrow
//! web.rs         requests and responses
//! ```

mod addresses;
mod arrays;
mod attributes;
mod builtin;
mod cache;
mod code;
mod decide;
mod fields;
mod layout;
mod loaded;
mod machinery;
mod plain;
mod storage;
mod system;
mod table;
mod tables;
mod times;
mod web;
mod wrapped;

use std::rc::Rc;

use pyo3::ffi::{PyObject, PyTypeObject};

use super::own::Own;
use super::walk::{Capture, type_name};
pub(super) use cache::{forget, tag_of};
use layout::Layout;
pub(super) use plain::validation_error;
pub(crate) use storage::{Held, stored_attribute};
pub(super) use storage::{dict_of_type, first_in_mro, stored_in_type};

/// An object to be read, and the type that its reader knows.
#[derive(Clone, Copy)]
pub(super) struct Object {
    pub(super) value: *mut PyObject,
    pub(super) kind: *mut PyTypeObject,
    /// `kind`, or the base of it that is known.
    pub(super) base: *mut PyTypeObject,
}

/// Reads an object of a known type. It writes exactly one value, runs nothing of the program's and leaves no exception
/// set; a half-built object is no reason to fail.
///
/// # Safety
/// The object is live and held, its types as said, the interpreter lock held.
type Reader = unsafe fn(&mut Capture<'_>, Object);

/// How the objects of a type are read.
#[derive(Clone)]
enum Reading {
    /// Only named.
    Name,
    /// Withheld: the type says that it holds a secret.
    Masked,
    /// By a reader, which knows this base.
    Known(Reader, *mut PyTypeObject),
    /// By the program's own code.
    Own(Own),
    /// By attributes.
    Fields(Rc<Layout>),
}

impl Capture<'_> {
    /// Captures an object that is no exact builtin value.
    ///
    /// # Safety
    /// `value` is live and held and of the type `kind`, the interpreter lock held.
    #[inline]
    pub(super) unsafe fn object(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: passed on; the reading is the type's own.
        unsafe {
            match cache::reading_of(kind) {
                Reading::Own(own) => self.own(value, kind, &own),
                Reading::Name | Reading::Fields(_) if self.policy.runs_repr => self.by_repr(value, kind),
                reading => self.read(value, kind, &reading),
            }
        }
    }

    /// Captures an object from what it stores, also where the program's own code would show it.
    ///
    /// # Safety
    /// As [`Self::object`].
    pub(super) unsafe fn stored_object(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: passed on.
        unsafe {
            let reading = decide::by_storage(kind).reading;
            self.read(value, kind, &reading);
        }
    }

    /// # Safety
    /// As [`Self::object`]; the reading is that of `kind`.
    #[inline]
    unsafe fn read(&mut self, value: *mut PyObject, kind: *mut PyTypeObject, reading: &Reading) {
        // SAFETY: passed on.
        unsafe {
            match reading {
                Reading::Name | Reading::Own(_) => self.marker(type_name(kind)),
                Reading::Masked => self.masked(),
                Reading::Known(reader, base) => reader(self, Object { value, kind, base: *base }),
                Reading::Fields(layout) => self.fields(value, kind, layout),
            }
        }
    }
}
