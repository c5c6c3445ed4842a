//! A journal whose folder is deleted while its process records: the failure was a run opened by its path, of which nothing
//! could be read any more, so that its functions lost their names and its books their figures. What is mapped and open
//! outlives its name.

use calltape_journal::{Journal, Lease, Options, RunIdentity, bump};

fn journal(tape: &std::path::Path) -> Journal {
    let identity = RunIdentity { pid: 4711, program: "shop.py".to_owned(), ..RunIdentity::default() };
    let options = Options {
        limit_bytes: 256 << 10,
        initial_bytes: 16 << 10,
        segment_bytes: 4 << 10,
        chunk_bytes: 16 << 10,
        ..Options::default()
    };
    Journal::create(tape, &identity, &options).expect("a journal")
}

#[test]
fn it_knows_and_its_own_run_has_all_it_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let tape = folder.path().join("calls.db.tape");
    let journal = journal(&tape);
    let place = journal.define(b"shop.place").expect("defined");
    bump(&journal.counters(place).calls);
    assert!(journal.is_in_place());
    std::fs::remove_dir_all(&tape).expect("removed");
    assert!(!journal.is_in_place());
    assert_eq!(journal.define(b"shop.pay").expect("defined"), 2);
    let run = journal.open_run().expect("opens");
    assert_eq!(run.identity().map(|identity| (identity.pid, identity.program)), Some((4711, "shop.py".to_owned())));
    assert_eq!(run.functions(), [b"shop.place".to_vec(), b"shop.pay".to_vec()]);
    assert_eq!(run.counters(place).map(|counters| counters.calls), Some(1));
    assert_eq!(run.damage().count(), 0);
    run.remove().expect("there is nothing to remove");
}

#[test]
fn it_grows_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let tape = folder.path().join("calls.db.tape");
    let journal = journal(&tape);
    std::fs::remove_dir_all(&tape).expect("removed");
    let writers: Vec<_> = (0..8).map(|_| journal.lease(b"thread").expect("a segment")).collect();
    assert!(journal.stats().growths >= 1);
    drop(writers);
}

#[test]
fn a_lease_knows_that_its_file_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Lease::try_acquire(folder.path()).expect("a lease file").expect("free");
    assert!(first.is_in_place());
    std::fs::remove_file(folder.path().join("writer.lock")).expect("removed");
    assert!(!first.is_in_place());
    let second = Lease::try_acquire(folder.path()).expect("a lease file").expect("free");
    assert!(!first.is_in_place() && second.is_in_place());
}
