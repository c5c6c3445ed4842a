//! A mutex that a forked child makes anew: the thread that held it at the fork does not exist there.

use std::cell::UnsafeCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A static value behind a lock.
pub(crate) struct Renewed<T>(UnsafeCell<Mutex<T>>);

// SAFETY: as for a mutex; `renew` demands that no other thread is there.
unsafe impl<T: Send> Sync for Renewed<T> {}

impl<T> Renewed<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(Mutex::new(value)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        // SAFETY: the mutex is replaced only while no other thread is there, and then no guard of it is in use.
        unsafe { &*self.0.get() }.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts another value there, unlocked; the old one, which may be half changed, is leaked.
    ///
    /// # Safety
    /// The calling thread is the only one of its process and has no guard of this.
    pub(crate) unsafe fn renew(&self, value: T) {
        // SAFETY: passed on; nothing of the old value is read or dropped.
        unsafe { self.0.get().write(Mutex::new(value)) }
    }

    /// As [`Self::renew`], only where a thread held it at the fork.
    ///
    /// # Safety
    /// As [`Self::renew`].
    pub(crate) unsafe fn renew_if_held(&self, value: T) {
        // SAFETY: passed on; the guard is dropped at once.
        unsafe {
            if (*self.0.get()).try_lock().is_err() {
                self.renew(value);
            }
        }
    }
}
