//! What is kept of a suspended call, by the address of its object.
//!
//! An entry stands from the call to the end of the body, or to the object's own end; the object's memory is not given
//! back before. The interpreter lock guards the table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use calltape_journal::Counters;
use pyo3::ffi::PyObject;

use crate::runtime::{Guarded, Scope};

/// A call between its START and its END.
pub(super) struct Suspended {
    pub(super) id: u64,
    /// The innermost call of the body: the call itself, or a span it stands in.
    pub(super) scope: Scope,
    pub(super) active_ns: u64,
    pub(super) yields: u64,
    /// The function's, in the journal of run `generation`.
    pub(super) counters: *const Counters,
    /// Owned: the name of the task that the body began in, or null.
    pub(super) task: *mut PyObject,
    pub(super) generation: u32,
    pub(super) slot: u32,
    pub(super) max_repr: usize,
    pub(super) capture_result: bool,
    /// Its START found no room: it is counted, and that it raised is.
    pub(super) dropped: bool,
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

type Table = HashMap<usize, Suspended, BuildHasherDefault<AddressHasher>>;

static TABLE: Guarded<Table> = Guarded::new(HashMap::with_hasher(BuildHasherDefault::new()));

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
    if table.try_reserve(1).is_err() {
        return false;
    }
    table.insert(object as usize, suspended);
    true
}

/// Does something with an object's entry; `None` where there is none. `with` calls nothing of the interpreter.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
pub(super) unsafe fn update<T>(object: *mut PyObject, with: impl FnOnce(&mut Suspended) -> T) -> Option<T> {
    // SAFETY: as in `insert`.
    unsafe { (*TABLE.get()).get_mut(&(object as usize)).map(with) }
}

/// Takes an object's entry out.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
pub(super) unsafe fn remove(object: *mut PyObject) -> Option<Suspended> {
    // SAFETY: as in `insert`.
    let table = unsafe { &mut *TABLE.get() };
    let removed = table.remove(&(object as usize));
    if table.capacity() > KEPT_ENTRIES && table.len() < table.capacity() / 8 {
        table.shrink_to(table.len() * 2);
    }
    removed
}
