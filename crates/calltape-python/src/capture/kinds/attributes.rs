//! The attributes that an object stores in its `__dict__`, one after the other, in the order they were first set.
//!
//! An object of a plain class has no dict of its own until somebody asks for it: its values stand in an array, their
//! names in its class. Making the dict would cost the program memory for every object that is ever captured, so the
//! array is read as it stands. Its layout is the interpreter's and differs from version to version; on those that are
//! not known here the dict is made.

use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::super::storage::is_sparse_dict;
use super::storage::Held;

/// A place between an object's attributes. The object may change between two of them: nothing is kept but how many were
/// read, and the dict where there is one.
pub(super) struct Attributes {
    object: *mut PyObject,
    read: usize,
    dict: Option<Held>,
    position: ffi::Py_ssize_t,
    ended: bool,
}

impl Attributes {
    /// The beginning of an object's attributes.
    ///
    /// # Safety
    /// `object` is live as long as this, the interpreter lock held.
    pub(super) unsafe fn of(object: *mut PyObject) -> Self {
        Self { object, read: 0, dict: None, position: 0, ended: false }
    }

    /// How many attributes are left, as far as the object's storage tells.
    ///
    /// # Safety
    /// As [`Self::of`].
    pub(super) unsafe fn left(&mut self) -> usize {
        // SAFETY: passed on.
        unsafe {
            if self.dict.is_none() && !self.ended {
                if let Some(values) = Values::of(self.object) {
                    return values.used.saturating_sub(self.read);
                }
                self.take_dict();
            }
        }
        let all = self.dict.as_ref().and_then(Held::items).unwrap_or_default();
        all.saturating_sub(self.read)
    }

    /// The next name and value. A name is nearly always a str, but may be anything.
    ///
    /// # Safety
    /// As [`Self::of`].
    pub(super) unsafe fn next(&mut self) -> Option<(Held, Held)> {
        // SAFETY: passed on.
        unsafe {
            if self.ended {
                return None;
            }
            if self.dict.is_none() {
                if let Some(values) = Values::of(self.object) {
                    return self.next_of(&values);
                }
                self.take_dict();
            }
            self.next_in_dict()
        }
    }

    /// # Safety
    /// As [`Self::of`]; the values are the object's, as they are now.
    unsafe fn next_of(&mut self, values: &Values) -> Option<(Held, Held)> {
        // SAFETY: passed on.
        unsafe {
            while self.read < values.used {
                let found = values.at(self.read);
                self.read += 1;
                if found.is_some() {
                    return found;
                }
            }
        }
        self.ended = true;
        None
    }

    /// Goes on in the object's dict, behind what was read already.
    ///
    /// # Safety
    /// As [`Self::of`].
    unsafe fn take_dict(&mut self) {
        // SAFETY: the generic getter finds the dict by the type's layout, and makes it where there is none.
        unsafe {
            let dict = if has_dict(ffi::Py_TYPE(self.object)) {
                Held::taken(ffi::PyObject_GenericGetDict(self.object, std::ptr::null_mut()))
            } else {
                None
            };
            // One that is nearly empty for what it once held is not searched through.
            self.dict = dict.filter(|dict| dict.is_dict() && !is_sparse_dict(dict.get()));
            self.ended = self.dict.is_none();
            for _ in 0..std::mem::take(&mut self.read) {
                if self.next_in_dict().is_none() {
                    return;
                }
            }
        }
    }

    /// # Safety
    /// As [`Self::of`].
    unsafe fn next_in_dict(&mut self) -> Option<(Held, Held)> {
        let dict = self.dict.as_ref()?;
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: PyDict_Next runs no code and stays inside the table it finds.
        unsafe {
            if ffi::PyDict_Next(dict.get(), &raw mut self.position, &raw mut key, &raw mut value) == 0 {
                self.ended = true;
                return None;
            }
            self.read += 1;
            Some((Held::of(key), Held::of(value)))
        }
    }
}

/// `Py_TPFLAGS_MANAGED_DICT`: the dict or the values are found before the object.
const MANAGED_DICT: std::ffi::c_ulong = 1 << 4;
/// `Py_TPFLAGS_INLINE_VALUES` of 3.13: the values stand behind the object.
#[cfg(Py_3_13)]
const INLINE_VALUES: std::ffi::c_ulong = 1 << 2;

/// Whether the objects of a type have a `__dict__`.
///
/// # Safety
/// `kind` is a live type.
pub(super) unsafe fn has_dict(kind: *mut PyTypeObject) -> bool {
    // SAFETY: a live type's fields may be read at any time.
    unsafe { (*kind).tp_dictoffset != 0 || (*kind).tp_flags & MANAGED_DICT != 0 }
}

/// An object's attributes while they are in no dict.
struct Values {
    values: *const *mut PyObject,
    /// Numbers of the attributes in the order they were set: one byte each, upwards from 3.13, downwards before.
    order: *const u8,
    used: usize,
    /// The names, in the class: entries of a name and an unused value.
    names: *const [*mut PyObject; 2],
    known: usize,
}

impl Values {
    /// The attributes of an object that has no dict; `None` where it has one, or where the layout is not known.
    ///
    /// # Safety
    /// `object` is live, the interpreter lock held. What is returned holds until any other code runs.
    unsafe fn of(object: *mut PyObject) -> Option<Self> {
        // SAFETY: the flag says that a class of Python's own making lays its objects out in this way.
        unsafe {
            let kind = ffi::Py_TYPE(object);
            if (*kind).tp_flags & MANAGED_DICT == 0 || (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
                return None;
            }
            let (values, order, used) = Self::place(object, kind)?;
            let (names, known) = Self::names(kind)?;
            Some(Self { values, order, used, names, known })
        }
    }

    /// 3.11: four words before the object stands the address of the values, null once there is a dict. In the bytes
    /// before the values: how many there are, then their order, downwards.
    ///
    /// # Safety
    /// As [`Self::of`], for an object whose type has the flag.
    #[cfg(not(Py_3_12))]
    unsafe fn place(
        object: *mut PyObject,
        _kind: *mut PyTypeObject,
    ) -> Option<(*const *mut PyObject, *const u8, usize)> {
        // SAFETY: passed on.
        unsafe {
            let values = object.cast::<*const u8>().sub(4).read();
            if values.is_null() {
                return None;
            }
            Some((values.cast(), values.sub(3), usize::from(values.sub(2).read())))
        }
    }

    /// 3.12: three words before the object stands the dict, or the address of the values less one. In the bytes before
    /// the values: how many there are, then their order, downwards.
    ///
    /// # Safety
    /// As [`Self::of`], for an object whose type has the flag.
    #[cfg(all(Py_3_12, not(Py_3_13)))]
    unsafe fn place(
        object: *mut PyObject,
        _kind: *mut PyTypeObject,
    ) -> Option<(*const *mut PyObject, *const u8, usize)> {
        // SAFETY: passed on.
        unsafe {
            let either = object.cast::<*const u8>().sub(3).read();
            if either.addr() & 1 == 0 {
                return None;
            }
            let values = either.add(1);
            Some((values.cast(), values.sub(3), usize::from(values.sub(2).read())))
        }
    }

    /// 3.13: behind the object stand four bytes (capacity, used, embedded, valid), the values, and their order, upwards.
    /// They are valid also beside a dict, until the dict outgrows them.
    ///
    /// # Safety
    /// As [`Self::of`], for an object whose type has the flag.
    #[cfg(all(Py_3_13, not(Py_3_14)))]
    unsafe fn place(
        object: *mut PyObject,
        kind: *mut PyTypeObject,
    ) -> Option<(*const *mut PyObject, *const u8, usize)> {
        // SAFETY: passed on.
        unsafe {
            if (*kind).tp_flags & INLINE_VALUES == 0 {
                return None;
            }
            let head = object.cast::<u8>().add((*kind).tp_basicsize as usize);
            let [capacity, used, _embedded, valid] = head.cast::<[u8; 4]>().read();
            if valid == 0 {
                return None;
            }
            let values = head.add(8).cast::<*mut PyObject>();
            Some((values, values.add(usize::from(capacity)).cast(), usize::from(used)))
        }
    }

    /// # Safety
    /// None.
    #[cfg(Py_3_14)]
    unsafe fn place(
        _object: *mut PyObject,
        _kind: *mut PyTypeObject,
    ) -> Option<(*const *mut PyObject, *const u8, usize)> {
        None
    }

    /// The names that the objects of a class share: behind a head of 32 bytes and an index, whose size the head tells.
    ///
    /// # Safety
    /// `kind` is a live heap type, the interpreter lock held.
    unsafe fn names(kind: *mut PyTypeObject) -> Option<(*const [*mut PyObject; 2], usize)> {
        /// `dk_log2_index_bytes`, `dk_kind`, `dk_nentries` and `dk_indices` of `PyDictKeysObject`.
        const INDEX_BYTES: usize = 9;
        const KIND: usize = 10;
        const ENTRIES: usize = 24;
        const INDEX: usize = 32;
        // SAFETY: passed on; the head's fields are the same from 3.11 to 3.13.
        unsafe {
            let keys = (*kind.cast::<ffi::PyHeapTypeObject>()).ht_cached_keys.cast::<u8>();
            if keys.is_null() || keys.add(KIND).read() == 0 {
                return None;
            }
            let index = 1usize.checked_shl(u32::from(keys.add(INDEX_BYTES).read()))?;
            let known = keys.add(ENTRIES).cast::<isize>().read();
            Some((keys.add(INDEX + index).cast(), usize::try_from(known).ok()?))
        }
    }

    /// The attribute that was set as number `at`.
    ///
    /// # Safety
    /// `at` is below `used`, and nothing ran since this was made.
    unsafe fn at(&self, at: usize) -> Option<(Held, Held)> {
        // SAFETY: passed on; a number stands for a name and a value alike.
        unsafe {
            let order = if cfg!(Py_3_13) { self.order.add(at) } else { self.order.sub(at) };
            let number = usize::from(order.read());
            if number >= self.known {
                return None;
            }
            let ([name, _], value) = (self.names.add(number).read(), self.values.add(number).read());
            (!name.is_null() && !value.is_null()).then(|| (Held::of(name), Held::of(value)))
        }
    }
}
