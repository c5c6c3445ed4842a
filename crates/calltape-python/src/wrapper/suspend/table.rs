//! What is kept of a suspended call, by the address of its object.
//!
//! An entry stands from the call to the end of the body, or to the object's own end; the object's memory is not given
//! back before. The interpreter lock guards the table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use pyo3::ffi::PyObject;

use crate::capture::Policy;
use crate::runtime::{Guarded, Scope};
use crate::wrapper::plan::{Missing, Plan};

/// A call between its beginning and the end of its body.
pub(super) struct Suspended {
    pub(super) id: u64,
    /// The innermost call of the body: the call itself, or a span it stands in. Of one without a START, the place where it
    /// was made.
    pub(super) scope: Scope,
    /// CLOCK_MONOTONIC ns.
    pub(super) started: u64,
    pub(super) active_ns: u64,
    pub(super) yields: u64,
    /// The function's, where the end of the call asks for it: it has no START, or stands for more calls than itself.
    pub(super) plan: Option<Rc<Plan>>,
    /// Owned: the name of the task that the body began in, or null.
    pub(super) task: *mut PyObject,
    pub(super) generation: u32,
    pub(super) slot: u32,
    pub(super) policy: &'static Policy,
    pub(super) capture_result: bool,
    /// It has no START, for this reason.
    pub(super) missing: Option<Missing>,
    pub(super) begun: bool,
    /// `await` has taken the coroutine as its own iterator.
    pub(super) awaited: bool,
}

/// Mixes an address, whose low bits are always zero, into both ends of the hash: the table uses both.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(usize::from(byte));
        }
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        // 2^64 divided by the golden ratio.
        let product = u128::from(self.0 ^ value as u64) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

/// The entries. The newest stands in front of the others: a call that is awaited or iterated over at once, as most are,
/// is found and taken out again without a look into the map.
struct Table {
    newest: usize,
    front: Option<Suspended>,
    others: HashMap<usize, Suspended, BuildHasherDefault<AddressHasher>>,
}

static TABLE: Guarded<Table> =
    Guarded::new(Table { newest: 0, front: None, others: HashMap::with_hasher(BuildHasherDefault::new()) });

/// Entries below which memory is not given back: 500 KiB.
const KEPT_ENTRIES: usize = 4096;

/// Enters a call; false where there is no memory for it.
///
/// # Safety
/// The interpreter lock is held, and `object` is live.
#[inline]
pub(super) unsafe fn insert(object: *mut PyObject, suspended: Suspended) -> bool {
    // SAFETY: the lock is held, and the table calls nothing of the interpreter.
    let table = unsafe { &mut *TABLE.get() };
    if table.front.is_some() && !table.move_front() {
        return false;
    }
    table.newest = object as usize;
    table.front = Some(suspended);
    true
}

impl Table {
    /// Puts the entry in front with the others; false where there is no memory for it.
    #[inline(never)]
    fn move_front(&mut self) -> bool {
        if self.others.try_reserve(1).is_err() {
            return false;
        }
        if let Some(front) = self.front.take() {
            self.others.insert(self.newest, front);
        }
        true
    }

    #[inline(never)]
    fn take_other(&mut self, key: usize) -> Option<Suspended> {
        let removed = self.others.remove(&key);
        if self.others.capacity() > KEPT_ENTRIES && self.others.len() < self.others.capacity() / 8 {
            self.others.shrink_to(self.others.len() * 2);
        }
        removed
    }
}

/// Does something with an object's entry; `None` where there is none. `with` calls nothing of the interpreter.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
pub(super) unsafe fn update<T>(object: *mut PyObject, with: impl FnOnce(&mut Suspended) -> T) -> Option<T> {
    // SAFETY: as in `insert`.
    let table = unsafe { &mut *TABLE.get() };
    let entry = match &mut table.front {
        Some(front) if table.newest == object as usize => Some(front),
        _ => table.others.get_mut(&(object as usize)),
    };
    entry.map(with)
}

/// Takes an object's entry out.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
pub(super) unsafe fn remove(object: *mut PyObject) -> Option<Suspended> {
    // SAFETY: as in `insert`.
    let table = unsafe { &mut *TABLE.get() };
    if table.newest == object as usize && table.front.is_some() {
        return table.front.take();
    }
    table.take_other(object as usize)
}
