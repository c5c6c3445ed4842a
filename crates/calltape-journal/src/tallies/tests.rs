//! Tallies are made up to a bound, found again by a stranger, and not believed when their file is another's.

use std::os::unix::fs::FileExt;

use super::*;

fn made(path: &Path) -> Tallies {
    Tallies::new(crate::directory::create_file(path).ok(), 7)
}

#[test]
fn tallies_are_given_until_the_file_is_at_its_bound_and_are_all_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tallies");
    let tallies = made(&path);
    let counters: Vec<Counters> = (0..1100).map(|_| Counters::default()).collect();
    let made = (0..).zip(&counters).filter(|(slot, counters)| {
        let tally = tallies.of(*slot, counters, 7);
        tally.inspect(|tally| tally.add(*slot as u16, 3)).is_some()
    });
    assert_eq!(made.count(), at::MOST_STEPS * at::STEP_ENTRIES - 1);
    assert!(tallies.of(5, &counters[5], 7).is_some_and(|tally| tally.slot() == Some(5)));
    assert!(tallies.of(1099, &counters[1099], 7).is_none());
    let mut found = FoundTallies::default();
    assert!(found.refresh(&path, 7).expect("reads"));
    assert_eq!(found.all().len(), 1023);
    for (slot, tally) in found.all().into_iter().chain(tallies.all()) {
        assert_eq!(Vec::from_iter(tally.buckets()), [(slot as u16, 1)]);
        assert_eq!((tally.calls(), tally.total_ns()), (1, 3));
    }
    assert_eq!(path.metadata().expect("metadata").len(), 16 << 20);
}

#[test]
fn two_threads_that_ask_first_get_one_tally() {
    let folder = tempfile::tempdir().expect("a folder");
    let tallies = made(&folder.path().join("tallies"));
    let counters = Counters::default();
    for _ in 0..2 {
        tallies.make(1, &counters, 7).expect("a tally").add(5, 5);
    }
    assert_eq!(tallies.all().iter().map(|(slot, tally)| (*slot, tally.calls())).collect::<Vec<_>>(), [(1, 2)]);
}

#[test]
fn a_step_is_made_ahead_of_need() {
    let folder = tempfile::tempdir().expect("a folder");
    let tallies = made(&folder.path().join("tallies"));
    let steps = || tallies.steps.iter().filter(|step| step.get().is_some()).count();
    let counters: Vec<Counters> = (0..8).map(|_| Counters::default()).collect();
    for (slot, counters) in (0..).zip(&counters) {
        tallies.maintain(7);
        assert_eq!(steps(), 1);
        tallies.of(slot, counters, 7).expect("a tally");
    }
    tallies.maintain(7);
    assert_eq!(steps(), 2);
}

#[test]
fn a_bucket_beyond_the_last_counts_in_the_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let tallies = made(&folder.path().join("tallies"));
    let tally = tallies.of(1, &Counters::default(), 7).expect("a tally");
    tally.add(u16::MAX, u64::MAX);
    tally.add(0, 2);
    assert_eq!(Vec::from_iter(tally.buckets()), [(0, 1), (1919, 1)]);
    assert_eq!((tally.calls(), tally.total_ns()), (2, 1));
}

#[test]
fn the_tallies_of_another_run_or_a_file_of_anything_else_are_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tallies");
    let mut found = FoundTallies::default();
    assert!(found.refresh(&path, 7).expect("no file is no tallies"));
    drop(made(&path));
    assert!(!found.refresh(&path, 8).expect("reads"));
    for length in [0, 5, 20_000] {
        std::fs::write(&path, vec![b'x'; length]).expect("writes");
        let mut found = FoundTallies::default();
        assert_eq!(found.refresh(&path, 7).expect("reads"), length == 0);
        assert!(found.all().is_empty());
    }
}

#[test]
fn a_header_with_one_wrong_word_is_no_header() {
    let version = u64::from(FORMAT_VERSION) | (1920 << 32);
    let wrong = [
        (at::MAGIC, at::MAGIC_VALUE ^ 1),
        (at::VERSION_AND_BUCKETS, version + 1),
        (at::VERSION_AND_BUCKETS, 1920 << 32),
        (at::VERSION_AND_BUCKETS, version ^ (1 << 32)),
        (at::RUN_ID, 8),
    ];
    for (offset, word) in wrong {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tallies");
        made(&path).of(1, &Counters::default(), 7).expect("a tally").add(0, 1);
        let mut found = FoundTallies::default();
        assert!(found.refresh(&path, 7).expect("reads") && found.all().len() == 1);
        let file = OpenOptions::new().write(true).open(&path).expect("opens");
        file.write_all_at(&word.to_le_bytes(), offset as u64).expect("writes");
        let mut found = FoundTallies::default();
        assert!(!found.refresh(&path, 7).expect("reads"), "{word:#x} at {offset}");
        assert!(found.all().is_empty());
    }
}

#[test]
fn a_cut_file_has_the_tallies_that_stand_there_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tallies");
    let tallies = made(&path);
    for slot in 0..3 {
        tallies.of(slot, &Counters::default(), 7).expect("a tally");
    }
    for (bytes, expected) in [(4 * at::BYTES, 3), (4 * at::BYTES - 8, 2), (at::BYTES, 0)] {
        OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(bytes as u64)).expect("cuts");
        let mut found = FoundTallies::default();
        assert!(found.refresh(&path, 7).expect("reads"));
        assert_eq!(found.all().len(), expected, "{bytes} bytes");
    }
    let under_a_file = path.join("tallies");
    let refused = FoundTallies::default().refresh(&under_a_file, 7).map_err(|error| error.kind());
    assert_eq!(refused, Err(io::ErrorKind::NotADirectory));
}

#[test]
fn a_place_of_a_slot_that_does_not_exist_is_no_tally() {
    let folder = tempfile::tempdir().expect("a folder");
    let tallies = made(&folder.path().join("tallies"));
    let tally = tallies.of(1, &Counters::default(), 7).expect("a tally");
    for (word, expected) in [(0, None), (1, Some(0)), (16_384, Some(16_383)), (16_385, None), (u64::MAX, None)] {
        tally.slot.store(word, Ordering::Relaxed);
        assert_eq!(tally.slot(), expected, "{word}");
    }
}

#[test]
fn a_disk_that_refuses_is_asked_again_after_a_pause() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tallies");
    std::fs::write(&path, "").expect("writes");
    let before = clock::monotonic_ns();
    let mut tallies = Tallies::new(File::open(&path).ok(), 7);
    let counters = Counters::default();
    let until = tallies.with_next(|next| next.no_growth_until);
    assert!(until >= before + GROWTH_PAUSE_NS, "a file that is only read cannot be grown");
    tallies.file = OpenOptions::new().read(true).write(true).open(&path).ok();
    tallies.with_next(|next| next.no_growth_until = u64::MAX);
    assert!(tallies.of(1, &counters, 7).is_none());
    assert_eq!(path.metadata().expect("metadata").len(), 0, "it is not asked meanwhile");
    tallies.with_next(|next| next.no_growth_until = before);
    assert!(tallies.of(1, &counters, 7).is_some());
}
