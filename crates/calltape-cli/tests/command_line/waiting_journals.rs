//! Every command says when a dead process has left calls beside the tape that it cannot show.

use std::sync::Arc;

use calltape_engine::drain::tape_directory;
use calltape_journal::{Journal, Options, RunIdentity};
use calltape_testkit::identity;

use crate::sample_tape::{CallRow, SampleTape};
use crate::session::{calltape, surroundings};

fn journal_of(sample: &SampleTape, pid: u32) -> Arc<Journal> {
    let options = Options { initial_bytes: 1 << 20, ..Options::default() };
    let identity = RunIdentity { pid, ..identity() };
    Arc::new(Journal::create(&tape_directory(&sample.path()), &identity, &options).unwrap())
}

#[test]
fn the_dead_are_named_in_one_line_and_the_living_are_not() {
    let sample = SampleTape::create();
    sample.call(CallRow::new(sample.function("shop.place"), 0));
    let around = surroundings(sample.folder.path());
    let living = journal_of(&sample, 100);
    assert_eq!(calltape("tail", &around).err, "");
    drop(journal_of(&sample, 101));
    let remark = "calltape: the journal of a dead process waits beside the tape (pid 101): its last calls show once a \
                  program records here again, or after `calltape recover`\n";
    for command in ["top", "tail", "tail -f", "tail --json", "errors", "stats", "show 1"] {
        let ran = calltape(command, &around);
        assert!(ran.err.starts_with(remark), "{command}: {ran:?}");
        assert!(!ran.out.contains("dead process waits"), "{command}: {ran:?}");
    }
    (102..120).for_each(|pid| drop(journal_of(&sample, pid)));
    let ran = calltape("top", &around);
    assert!(ran.err.contains("calltape: journals of dead processes wait beside the tape (pids "), "{ran:?}");
    assert_eq!(ran.err.lines().filter(|line| line.contains("pids")).count(), 1, "{ran:?}");
    drop(living);
}
