//! A value that the interpreter lock guards.

use std::cell::UnsafeCell;

/// Shared by all threads, touched only by the one that holds the interpreter lock.
pub(crate) struct Guarded<T>(UnsafeCell<T>);

// SAFETY: whoever takes the pointer holds the interpreter lock, as `get` demands.
unsafe impl<T> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Where the value stands. It may be used while the interpreter lock is held, and no reference to it may be kept
    /// across a call into the interpreter, which may let another thread have the lock.
    #[inline]
    pub(crate) const fn get(&self) -> *mut T {
        self.0.get()
    }
}
