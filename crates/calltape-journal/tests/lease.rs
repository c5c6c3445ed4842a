//! The writer lease says who holds it.
#![cfg(not(loom))]

use calltape_journal::{Holder, Lease};

#[test]
fn a_lease_names_its_process_while_it_is_held() {
    let tape = tempfile::tempdir().expect("a folder");
    assert_eq!(Lease::holder(tape.path()).expect("no file"), None);
    let lease = Lease::try_acquire(tape.path()).expect("a lease file").expect("it is free");
    assert!(Lease::try_acquire(tape.path()).expect("a lease file").is_none());
    let this = Holder { pid: Some(std::process::id()) };
    assert_eq!(Lease::holder(tape.path()).expect("a lease file"), Some(this));
    drop(lease);
    assert_eq!(Lease::holder(tape.path()).expect("a lease file"), None, "its name is there still, its lock is not");
}

#[test]
fn a_holder_that_could_not_write_its_name_is_one_all_the_same() {
    let tape = tempfile::tempdir().expect("a folder");
    let _lease = Lease::try_acquire(tape.path()).expect("a lease file").expect("it is free");
    std::fs::write(tape.path().join("writer.lock"), "").expect("emptied");
    assert_eq!(Lease::holder(tape.path()).expect("a lease file"), Some(Holder { pid: None }));
}

#[test]
fn a_lease_file_that_cannot_be_opened_is_not_taken_for_none() {
    let tape = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink("writer.lock", tape.path().join("writer.lock")).expect("a link to itself");
    assert!(Lease::holder(tape.path()).is_err());
    assert!(Lease::try_acquire(tape.path()).is_err());
}
