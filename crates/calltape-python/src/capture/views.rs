//! Containers on containers (views of a dict, proxies, ordered dicts), and those that hand out their items one by one
//! (deques, arrays). Called by `kinds` for the types that the interpreter exports or the table knows, and for their
//! subclasses: always by what the builtin base stores, or by its own C code, never by what a subclass defines.

use calltape_record::value::Width;
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::level::{Level, Shape};
use super::storage::{self, MOST_EMPTY_SLOTS};
use super::walk::{Capture, type_name};

/// What is shown of a view.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Keys,
    Values,
    Items,
}

/// Entries of an ordered dict's table in which the values of the first keys are looked for.
const MOST_LOOKED_THROUGH: usize = 256;

/// Proxies of proxies that are looked through.
const MOST_PROXIES: usize = 16;

impl Capture<'_> {
    /// Keys, values or items of a dict, as a list. A value is withheld where its key names a secret.
    ///
    /// # Safety
    /// `view` is a live view of a dict, the interpreter lock held.
    pub(super) unsafe fn dict_view(&mut self, view: *mut PyObject, shown: View) {
        // SAFETY: a view holds its dict, which is held while it is walked; PyDict_Next stays inside the table it finds.
        unsafe {
            let dict = storage::dict_of_view(view);
            if dict.is_null() {
                return self.summary(view, 0, Shape::Items);
            }
            let length = ffi::PyDict_Size(dict) as usize;
            if storage::is_sparse_dict(dict) {
                return self.summary(view, length, Shape::Items);
            }
            let Some(mut level) = self.enter(view, length, Shape::Items) else { return };
            ffi::Py_INCREF(dict);
            let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                ffi::Py_INCREF(key);
                ffi::Py_INCREF(value);
                let fits = match shown {
                    View::Keys => self.item(&mut level, key),
                    View::Values => self.item_under(&mut level, key, value),
                    View::Items => self.pair_as_item(&mut level, key, value),
                };
                ffi::Py_DECREF(value);
                ffi::Py_DECREF(key);
                if !fits {
                    break;
                }
            }
            ffi::Py_DECREF(dict);
            self.leave(level);
        }
    }

    /// Writes a value as the next item, withheld where `key` names a secret.
    ///
    /// # Safety
    /// `key` and `value` are live and held, the interpreter lock held.
    unsafe fn item_under(&mut self, level: &mut Level, key: *mut PyObject, value: *mut PyObject) -> bool {
        // SAFETY: passed on.
        unsafe { if self.is_sensitive(key) { self.masked_item(level) } else { self.item(level, value) } }
    }

    /// Writes `[key, value]` as the next item.
    ///
    /// # Safety
    /// As [`Self::item_under`].
    unsafe fn pair_as_item(&mut self, level: &mut Level, key: *mut PyObject, value: *mut PyObject) -> bool {
        let Some(before) = self.begin_item(level, Width::DOTS) else { return false };
        match self.enter_nameless(2, Shape::Items) {
            Some(mut inner) => {
                // SAFETY: passed on.
                let _ = unsafe { self.item(&mut inner, key) && self.item_under(&mut inner, key, value) };
                self.leave(inner);
            }
            None => self.marker("tuple with 2 items"),
        }
        self.end_item(level, before)
    }

    /// What a mapping proxy shows.
    ///
    /// # Safety
    /// `proxy` is a live `mappingproxy`, the interpreter lock held.
    pub(super) unsafe fn mapping_proxy(&mut self, proxy: *mut PyObject) {
        // SAFETY: a proxy holds its mapping as long as it lives; the mapping is held while it is walked.
        unsafe {
            let mut mapping = storage::mapping_of_proxy(proxy);
            for _ in 0..MOST_PROXIES {
                if !mapping.is_null() && ffi::Py_TYPE(mapping) == &raw mut ffi::PyDictProxy_Type {
                    mapping = storage::mapping_of_proxy(mapping);
                }
            }
            if mapping.is_null() || ffi::Py_TYPE(mapping) == &raw mut ffi::PyDictProxy_Type {
                return self.marker(type_name(ffi::Py_TYPE(proxy)));
            }
            ffi::Py_INCREF(mapping);
            if ffi::PyObject_TypeCheck(mapping, &raw mut storage::PyODict_Type) != 0 {
                self.ordered_pairs_of(proxy, mapping);
            } else if ffi::PyDict_Check(mapping) != 0 {
                self.pairs_of(proxy, mapping);
            } else {
                self.any(mapping);
            }
            ffi::Py_DECREF(mapping);
        }
    }

    /// An ordered dict in its own order, which is not its table's once a key has been moved.
    ///
    /// # Safety
    /// `dict` is a live `OrderedDict` (or subclass), the interpreter lock held.
    pub(super) unsafe fn ordered_dict(&mut self, dict: *mut PyObject) {
        // SAFETY: passed on.
        unsafe { self.ordered_pairs_of(dict, dict) }
    }

    /// # Safety
    /// `owner` is live, `dict` a live `OrderedDict` (or subclass) that is held, the interpreter lock held.
    unsafe fn ordered_pairs_of(&mut self, owner: *mut PyObject, dict: *mut PyObject) {
        // SAFETY: the pairs are held from here on, whatever happens to the dict.
        unsafe {
            let length = ffi::PyDict_Size(dict) as usize;
            let is_summary = (self.is_at_the_top() && length > self.policy.max_items) || storage::is_sparse_dict(dict);
            let moved = if is_summary { None } else { moved_pairs(dict, self.policy.max_items) };
            let Some(pairs) = moved else { return self.pairs_of(owner, dict) };
            if let Some(mut level) = self.enter(owner, length, Shape::Pairs) {
                if pairs.iter().all(|&(key, value)| self.pair(&mut level, key, value)) && pairs.len() < length {
                    level.stop();
                }
                self.leave(level);
            }
            for (key, value) in pairs {
                ffi::Py_DECREF(key);
                ffi::Py_DECREF(value);
            }
        }
    }

    /// # Safety
    /// `deque` is a live `collections.deque` or of a subclass of it, `base` that type, the interpreter lock held.
    pub(super) unsafe fn deque(&mut self, deque: *mut PyObject, base: *mut PyTypeObject) {
        // SAFETY: a deque counts its items where every variable-sized object does; its own C iterator runs no other code,
        // and ends with an error where the deque has changed.
        unsafe {
            let length = ffi::Py_SIZE(deque) as usize;
            let Some(mut level) = self.enter(deque, length, Shape::Items) else { return };
            let iterator = (*base).tp_iter.map_or(std::ptr::null_mut(), |iterate| iterate(deque));
            if !iterator.is_null() {
                let next = (*ffi::Py_TYPE(iterator)).tp_iternext;
                while let Some(next) = next {
                    let item = next(iterator);
                    if item.is_null() {
                        break;
                    }
                    let fits = self.item(&mut level, item);
                    ffi::Py_DECREF(item);
                    if !fits {
                        break;
                    }
                }
                ffi::Py_DECREF(iterator);
            }
            ffi::PyErr_Clear();
            self.leave(level);
        }
    }

    /// # Safety
    /// `array` is a live `array.array` or of a subclass of it, `base` that type, the interpreter lock held.
    pub(super) unsafe fn array(&mut self, array: *mut PyObject, base: *mut PyTypeObject) {
        // SAFETY: an array counts its items where every variable-sized object does; its own C code makes an item, or an
        // error where the array has become shorter.
        unsafe {
            let length = ffi::Py_SIZE(array) as usize;
            let Some(mut level) = self.enter(array, length, Shape::Items) else { return };
            let sequence = (*base).tp_as_sequence;
            let make_item = if sequence.is_null() { None } else { (*sequence).sq_item };
            for index in 0..length {
                let item = make_item.map_or(std::ptr::null_mut(), |make| make(array, index as isize));
                if item.is_null() {
                    break;
                }
                let fits = self.item(&mut level, item);
                ffi::Py_DECREF(item);
                if !fits {
                    break;
                }
            }
            ffi::PyErr_Clear();
            self.leave(level);
        }
    }
}

/// The first pairs of an ordered dict in its order, each held; `None` where that is the order of the table, or where it
/// would take long to find them. Only addresses are compared.
///
/// # Safety
/// `dict` is a live `OrderedDict` (or subclass), the interpreter lock held.
unsafe fn moved_pairs(dict: *mut PyObject, most: usize) -> Option<Vec<(*mut PyObject, *mut PyObject)>> {
    let mut pairs: Vec<(*mut PyObject, *mut PyObject)> = Vec::new();
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: nodes and table belong to the dict, and nothing runs while they are looked at.
    unsafe {
        let mut node = storage::first_node(dict);
        let mut is_in_order = true;
        while !node.is_null() && pairs.len() < most.min(MOST_LOOKED_THROUGH) {
            let has_next = ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0;
            is_in_order &= has_next && (*node).key == key;
            pairs.push(((*node).key, std::ptr::null_mut()));
            node = (*node).next;
        }
        if is_in_order {
            return None;
        }
        position = 0;
        let (mut looked_at, mut found) = (0, 0);
        while found < pairs.len()
            && looked_at < MOST_LOOKED_THROUGH
            && ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0
        {
            looked_at += 1;
            // One key stands twice in a dict where its hash has changed in between.
            if let Some(pair) = pairs.iter_mut().find(|pair| pair.0 == key && pair.1.is_null()) {
                pair.1 = value;
                found += 1;
            }
        }
        if found < pairs.len() {
            return None;
        }
        for &(key, value) in &pairs {
            ffi::Py_INCREF(key);
            ffi::Py_INCREF(value);
        }
    }
    Some(pairs)
}

const _: () = assert!(MOST_LOOKED_THROUGH <= MOST_EMPTY_SLOTS as usize, "the same patience as with other tables");
