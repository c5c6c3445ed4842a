//! A child that has forgotten its parent's locks, and takes its own.
//!
//! The failure: what is left of the parent's lease in the child closes a descriptor by its number when it is dropped,
//! and by then the number is that of the child's own lease, so that two processes drain one tape. Alone in this file:
//! it forgets the locks of all tests of the process.

use calltape_journal::{Lease, forget_after_fork};

#[test]
fn dropping_a_forgotten_lease_leaves_the_next_one_its_lock() {
    let [parents, own] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let forgotten = Lease::try_acquire(parents.path()).expect("a lease file").expect("is free");
    forget_after_fork();
    assert!(Lease::try_acquire(parents.path()).expect("a lease file").is_some(), "the lock is gone");
    let _lease = Lease::try_acquire(own.path()).expect("a lease file").expect("is free");
    drop(forgotten);
    assert!(Lease::try_acquire(own.path()).expect("a lease file").is_none());
}
