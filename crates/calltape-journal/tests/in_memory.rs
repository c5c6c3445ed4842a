//! The journal where it has no files, and the smaller cuts.
//!
//! The risk: a process that finds no room for its journal records nothing, or another kind of journal than the one that
//! is tested.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use calltape_journal::{Full, Journal, Options, Pressure, Run, RunIdentity, bump};

const KIND: u8 = 9;

fn in_memory(options: &Options) -> Journal {
    let identity = RunIdentity { pid: 42, ..RunIdentity::default() };
    Journal::in_memory(&identity, options).expect("a journal")
}

/// Reads on from where it was, and recycles what is read to its end.
struct Drain {
    run: Run,
    read: HashMap<(u32, u32), usize>,
    payloads: Vec<Vec<u8>>,
}

impl Drain {
    fn pass(&mut self) {
        self.run.refresh().expect("looks");
        for key in self.run.segments() {
            let from = self.read.entry((key.number, key.epoch)).or_default();
            let end = self.run.read(key.number, key.epoch, *from, |frame| {
                if frame.kind == KIND {
                    self.payloads.push(frame.payload.to_vec());
                }
                ControlFlow::Continue(())
            });
            *from = end.offset;
            self.run.mark_drained(key.number, key.epoch, end.offset);
            self.run.recycle(key.number, key.epoch);
        }
    }
}

#[test]
fn what_is_appended_in_memory_is_drained_by_its_own_process() {
    let journal = in_memory(&Options::in_memory());
    let run = journal.open_run().expect("opens");
    assert!(journal.is_in_memory() && run.owner_is_alive());
    assert_eq!(run.identity().map(|identity| identity.pid), Some(42));

    let mut drain = Drain { run, read: HashMap::new(), payloads: Vec::new() };
    let mut writer = journal.lease(b"thread").expect("leases");
    // Many times what it holds: segments are recycled and leased again. An eighth is kept for errors.
    for number in 0..100_000_u64 {
        while writer.append(KIND, &number.to_le_bytes(), 0) == Err(Full) {
            drain.pass();
            journal.wait_for_space(Duration::from_millis(5));
        }
    }
    journal.give_back(writer);
    drain.pass();
    assert!(drain.payloads == (0..100_000_u64).map(|number| number.to_le_bytes().to_vec()).collect::<Vec<_>>());
    assert!(journal.occupancy().bytes_mapped <= 512 << 10, "{:?}", journal.occupancy());
    drain.run.remove().expect("nothing to remove");
}

#[test]
fn definitions_and_counters_are_there_without_a_file() {
    let journal = in_memory(&Options::in_memory());
    let mut run = journal.open_run().expect("opens");
    let first = journal.define(b"first").expect("defines");
    run.refresh_functions().expect("reads");
    let second = journal.define(b"second").expect("defines");
    run.refresh_functions().expect("reads");
    assert_eq!(run.functions(), [b"first".to_vec(), b"second".to_vec()]);
    bump(&journal.counters(second).calls);
    assert_eq!(run.counters(second).map(|values| values.calls), Some(1));
    assert_eq!(run.counters(first).map(|values| values.calls), Some(0));
    assert_eq!(run.slots_in_use(), 3);
    journal.tally(second).expect("a tally").add(7, 100);
    let tallies: Vec<(u32, u64)> = run.tallies().into_iter().map(|(slot, tally)| (slot, tally.total_ns())).collect();
    assert_eq!(tallies, [(second, 100)]);
}

#[test]
fn a_journal_that_only_counts_has_no_room_and_keeps_its_counters() {
    let journal = in_memory(&Options::counting());
    assert_eq!(journal.lease(b"thread").err(), Some(Full));
    journal.maintain();
    assert_eq!(journal.lease(b"thread").err(), Some(Full));
    let slot = journal.define(b"function").expect("defines");
    bump(&journal.counters(slot).dropped);
    journal.close(1);
    let run = journal.open_run().expect("opens");
    assert_eq!((run.segments().len(), run.ending()), (0, Some(1)));
    assert_eq!(run.counters(slot).map(|values| values.dropped), Some(1));
    assert_eq!((journal.occupancy().bytes_mapped, journal.pressure()), (0, Pressure::ErrorsCounted));
    assert!(journal.drained_past(&journal.positions()));
}

#[test]
fn the_small_cut_takes_no_more_than_it_says_and_works_as_the_large_one() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = Journal::create(tape.path(), &RunIdentity::default(), &Options::small()).expect("a journal");
    let bytes = |path: &std::path::Path| -> u64 {
        let files = std::fs::read_dir(path).expect("lists");
        files.map(|file| file.expect("a file").metadata().expect("metadata").len()).sum()
    };
    assert!(bytes(journal.directory()) <= 2100 << 10, "{}", bytes(journal.directory()));
    let mut writer = journal.lease(b"thread").expect("leases");
    while writer.append(KIND, &[7; 500], 0).is_ok() {}
    while writer.append_error(KIND, &[7; 500], 0).is_ok() {}
    assert_eq!(journal.occupancy().bytes_mapped, 2 << 20);
    let run = Run::open(journal.directory()).expect("another process's view");
    let mut frames = 0;
    for key in run.segments() {
        run.read(key.number, key.epoch, 0, |frame| {
            frames += u32::from(frame.kind == KIND);
            ControlFlow::Continue(())
        });
    }
    assert!(frames > 4_000, "{frames}");
}
