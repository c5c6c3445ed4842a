//! Lists, tuples, dicts and sets: at most so many items, so deep, and no cycle walked twice.
//!
//! Storage is read directly, so no iterator of the program's runs. Reading an item may allocate, and allocating may run a
//! finaliser that changes the container: sizes and tables are read again before each item, and an item is held while it
//! is walked. A table that is nearly empty for what it once held is not searched through.

use calltape_record::value::{ValueWriter, Width};
use pyo3::ffi::{self, PyObject};

use super::level::{Level, Shape};
use super::scalar::small_integer;
use super::storage::{self, MOST_EMPTY_SLOTS};
use super::text::{ascii, stored_bytes};
use super::walk::Capture;

/// Bytes of JSON that a pair takes at least: `"...":"..."`.
const LEAST_PAIR: usize = Width::DOTS + 1 + Width::DOTS;

impl Capture<'_> {
    /// # Safety
    /// `list` is a live list (or subclass), the interpreter lock held.
    pub(super) unsafe fn list(&mut self, list: *mut PyObject) {
        // SAFETY: a live list's size is read from its storage; an item is read only below the size of that moment.
        unsafe {
            self.sequence(list, ffi::PyList_GET_SIZE(list) as usize, |index| {
                let exists = index < ffi::PyList_GET_SIZE(list) as usize;
                exists.then(|| ffi::PyList_GET_ITEM(list, index as isize))
            });
        }
    }

    /// # Safety
    /// `tuple` is a live tuple (or subclass), the interpreter lock held.
    pub(super) unsafe fn tuple(&mut self, tuple: *mut PyObject) {
        // SAFETY: a tuple's size does not change, nor do its items once it is seen by others than its maker.
        unsafe {
            let length = ffi::PyTuple_GET_SIZE(tuple) as usize;
            self.sequence(tuple, length, |index| {
                let item = ffi::PyTuple_GET_ITEM(tuple, index as isize);
                (!item.is_null()).then_some(item)
            });
        }
    }

    /// # Safety
    /// `owner` is live; `item` returns live borrowed objects, or none where the sequence has become shorter.
    pub(super) unsafe fn sequence(
        &mut self,
        owner: *mut PyObject,
        length: usize,
        item: impl Fn(usize) -> Option<*mut PyObject>,
    ) {
        // SAFETY: passed on.
        unsafe {
            let Some(mut level) = self.enter(owner, length, Shape::Items) else { return };
            self.items(&mut level, length, item);
            self.leave(level);
        }
    }

    /// Writes items while there is room. Of two the second is withheld where the first is the name of a secret, as in a
    /// header that is given as a pair, and of any the one after an option that is, as in a command's `--password`.
    ///
    /// # Safety
    /// As [`Self::sequence`].
    pub(super) unsafe fn items(
        &mut self,
        level: &mut Level,
        length: usize,
        item: impl Fn(usize) -> Option<*mut PyObject>,
    ) {
        let mut withholds = false;
        for index in 0..length {
            // SAFETY: an item is held while it is walked, so that it outlives any change of its container.
            unsafe {
                let Some(value) = item(index) else { return };
                ffi::Py_INCREF(value);
                let is_name = (length == 2 && index == 0 && self.is_sensitive(value)) || self.is_option(value);
                let fits = if withholds { self.masked_item(level) } else { self.item(level, value) };
                withholds = is_name;
                ffi::Py_DECREF(value);
                if !fits {
                    return;
                }
            }
        }
    }

    /// Writes the next item of a container; false where no further one is written.
    ///
    /// # Safety
    /// `value` is live and held, the interpreter lock held.
    #[inline]
    pub(super) unsafe fn item(&mut self, level: &mut Level, value: *mut PyObject) -> bool {
        let Some(before) = self.begin_item(level, Width::DOTS) else { return false };
        // SAFETY: passed on.
        unsafe { self.any(value) };
        self.end_item(level, before)
    }

    /// Writes `"***"` as the next item.
    pub(super) fn masked_item(&mut self, level: &mut Level) -> bool {
        let Some(before) = self.begin_item(level, Width::DOTS) else { return false };
        self.masked();
        self.end_item(level, before)
    }

    /// # Safety
    /// `dict` is a live dict (or subclass), the interpreter lock held.
    pub(super) unsafe fn dict(&mut self, dict: *mut PyObject) {
        // SAFETY: passed on.
        unsafe { self.pairs_of(dict, dict) }
    }

    /// The pairs of a dict's storage, as those of `owner`.
    ///
    /// # Safety
    /// `owner` is live, `dict` a live dict (or subclass) that is held, the interpreter lock held.
    pub(super) unsafe fn pairs_of(&mut self, owner: *mut PyObject, dict: *mut PyObject) {
        // SAFETY: the size is read from storage.
        unsafe {
            let length = ffi::PyDict_Size(dict) as usize;
            if storage::is_sparse_dict(dict) {
                return self.summary(owner, length, Shape::Pairs);
            }
            let Some(mut level) = self.enter(owner, length, Shape::Pairs) else { return };
            self.pairs(&mut level, dict);
            self.leave(level);
        }
    }

    /// # Safety
    /// `dict` is a live dict (or subclass) that is held, the interpreter lock held.
    pub(super) unsafe fn pairs(&mut self, level: &mut Level, dict: *mut PyObject) {
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: PyDict_Next runs no code and stays inside the table it finds; key and value are held while walked.
        unsafe {
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                ffi::Py_INCREF(key);
                ffi::Py_INCREF(value);
                let fits = self.pair(level, key, value);
                ffi::Py_DECREF(value);
                ffi::Py_DECREF(key);
                if !fits {
                    return;
                }
            }
        }
    }

    /// Writes one key and its value, which is withheld when the key names a secret; false where no further one is
    /// written.
    ///
    /// # Safety
    /// `key` and `value` are live and held, the interpreter lock held.
    #[inline]
    pub(super) unsafe fn pair(&mut self, level: &mut Level, key: *mut PyObject, value: *mut PyObject) -> bool {
        let Some(before) = self.begin_item(level, LEAST_PAIR) else { return false };
        let lent = self.lend();
        // SAFETY: passed on.
        unsafe {
            let is_secret = self.key(key);
            self.left += lent;
            match self.squeezed {
                true => {}
                false if is_secret => self.masked(),
                false => self.any(value),
            }
        }
        self.end_item(level, before)
    }

    /// Writes a value under a name that is Rust's; false where no further one is written.
    ///
    /// # Safety
    /// `value` is live and held, the interpreter lock held.
    pub(super) unsafe fn field(&mut self, level: &mut Level, name: &str, value: *mut PyObject) -> bool {
        let is_secret = self.policy.names.is_sensitive(name.as_bytes());
        let write = |capture: &mut Self| {
            // SAFETY: passed on.
            if is_secret { capture.masked() } else { unsafe { capture.any(value) } }
        };
        self.named_entry(level, name, write)
    }

    /// Writes under a name what `write` makes of it, one value; false where no further one is written.
    pub(super) fn named_entry(&mut self, level: &mut Level, name: &str, write: impl FnOnce(&mut Self)) -> bool {
        let Some(before) = self.begin_item(level, LEAST_PAIR) else { return false };
        self.name_and_value(name, write);
        self.end_item(level, before)
    }

    /// Writes an entry that is none of the fields that are counted: `"__class__":"Order"`.
    pub(super) fn extra_entry(&mut self, level: &mut Level, name: &str, write: impl FnOnce(&mut Self)) -> bool {
        let Some(before) = self.begin_extra(level, LEAST_PAIR) else { return false };
        self.name_and_value(name, write);
        self.end_extra(level, before)
    }

    fn name_and_value(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let lent = self.lend();
        self.plain(name);
        self.left += lent;
        if !self.squeezed {
            write(self);
        }
    }

    /// Spends a colon, and lends the better half of what there is from the key to its value.
    #[inline]
    fn lend(&mut self) -> usize {
        if self.is_trial {
            self.left = self.left.saturating_sub(1);
            return 0;
        }
        let lent = (self.left / 2).max(Width::DOTS);
        self.left -= lent + 1;
        lent
    }

    /// Writes a key. Returns whether it names a secret.
    ///
    /// # Safety
    /// `key` is live and held, the interpreter lock held.
    #[inline]
    unsafe fn key(&mut self, key: *mut PyObject) -> bool {
        // SAFETY: passed on.
        unsafe {
            if ffi::Py_TYPE(key) == &raw mut ffi::PyUnicode_Type {
                let is_secret = self.is_sensitive_text(key);
                self.text(key);
                return is_secret;
            }
            if ffi::Py_TYPE(key) == &raw mut ffi::PyLong_Type
                && let Some(number) = small_integer(key)
            {
                if self.may_write(Width::QUOTES + Width::int(number)) {
                    ValueWriter::int(self.out, number);
                }
                return false;
            }
            self.other_key(key)
        }
    }

    /// A key that JSON has no form for is its own text, quoted once more: how long that is shows only then.
    ///
    /// # Safety
    /// As [`Self::key`].
    #[inline(never)]
    unsafe fn other_key(&mut self, key: *mut PyObject) -> bool {
        let before = self.mark();
        if !self.is_trial {
            self.left = (before.left / 2).saturating_sub(Width::QUOTES);
            if self.left < Width::DOTS {
                self.squeeze();
                return false;
            }
        }
        // SAFETY: passed on.
        let is_secret = unsafe {
            self.any(key);
            self.is_sensitive(key)
        };
        // SAFETY: as above.
        let is_number = unsafe { ffi::PyFloat_Check(key) != 0 || ffi::PyComplex_Check(key) != 0 };
        // An enum member, or a tuple that ends in a name: what was written tells. Tags are no letters.
        let is_secret = is_secret || !is_number && self.policy.names.is_sensitive(&self.out[before.written..]);
        let width = Width::key(&self.out[before.written..]).unwrap_or(before.left);
        self.left = before.left.saturating_sub(width);
        is_secret
    }

    /// Whether an object is text or bytes that name a secret.
    ///
    /// # Safety
    /// As [`Self::key`].
    #[inline]
    pub(super) unsafe fn is_sensitive(&self, name: *mut PyObject) -> bool {
        // SAFETY: passed on; the storage of a str or of bytes is read.
        unsafe {
            if ffi::PyUnicode_Check(name) != 0 {
                return self.is_sensitive_text(name);
            }
            ffi::PyBytes_Check(name) != 0 && self.policy.names.is_sensitive(stored_bytes(name))
        }
    }

    /// Whether an object is text as `--password`, the name of what comes after it.
    ///
    /// # Safety
    /// As [`Self::key`].
    #[inline]
    unsafe fn is_option(&self, name: *mut PyObject) -> bool {
        // SAFETY: passed on; the storage of a str is read.
        unsafe {
            ffi::PyUnicode_Check(name) != 0
                && ascii(name).is_some_and(|text| text.starts_with(b"-") && self.policy.names.is_sensitive(text))
        }
    }

    /// # Safety
    /// `set` is a live set or frozenset (or subclass), the interpreter lock held.
    pub(super) unsafe fn set(&mut self, set: *mut PyObject) {
        let table = set.cast::<ffi::PySetObject>();
        // SAFETY: table and mask are read anew for each slot, and belong together; an entry that is free or was deleted
        // has no key or the hash -1, which no item has. An item is held while it is walked.
        unsafe {
            let length = (*table).used as usize;
            let Some(mut level) = self.enter(set, length, Shape::Items) else { return };
            let (mut slot, mut empty) = (0, 0);
            while slot <= (*table).mask && level.written < length {
                let entry = &*(*table).table.offset(slot);
                slot += 1;
                if entry.key.is_null() || entry.hash == -1 {
                    empty += 1;
                    if empty > MOST_EMPTY_SLOTS {
                        level.stop();
                        break;
                    }
                    continue;
                }
                let item = entry.key;
                ffi::Py_INCREF(item);
                let fits = self.item(&mut level, item);
                ffi::Py_DECREF(item);
                if !fits {
                    break;
                }
            }
            self.leave(level);
        }
    }
}
