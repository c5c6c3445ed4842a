//! What the system can do to a journal: forks, and files that may not grow.
//!
//! The risk: a child that keeps its parent's locks makes a dead parent look alive; a full disk raises SIGBUS or a
//! panic in the recorded program.

#![expect(unsafe_code, reason = "fork and setrlimit")]

use std::env;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use calltape_journal::{
    Full, Journal, JournalError, Lease, Options, Pressure, Run, RunIdentity, bump, forget_after_fork, list_runs,
};

/// Set in the child that limits its own files: the tape to append to.
const TAPE: &str = "CALLTAPE_TEST_LIMITS_TAPE";

/// Set in the child that limits its own memory.
const NO_MEMORY: &str = "CALLTAPE_TEST_LIMITS_NO_MEMORY";

fn journal(tape: &Path) -> Result<Journal, JournalError> {
    Journal::create(tape, &RunIdentity::default(), &Options::default())
}

/// A forked child, ended and reaped when dropped.
struct Forked(libc::pid_t);

impl Drop for Forked {
    fn drop(&mut self) {
        // SAFETY: the process is this test's own child and is reaped only here.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, std::ptr::null_mut(), 0);
        }
    }
}

/// Forks a child that forgets its parent's locks, says so, and waits to be killed.
fn fork_and_forget() -> Forked {
    let (mut ready, mut child_ready) = std::io::pipe().expect("a pipe");
    // SAFETY: the child calls only async-signal-safe functions: close, write and pause.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        forget_after_fork();
        let _ = child_ready.write(b"!");
        loop {
            // SAFETY: waits for the parent's SIGKILL.
            unsafe { libc::pause() };
        }
    }
    let forked = Forked(child);
    ready.read_exact(&mut [0]).expect("the child says so");
    forked
}

/// Waits for what is true at the latest when a process that another test is just starting has reached its exec: until
/// then it shares every descriptor.
fn soon(mut condition: impl FnMut() -> bool) -> bool {
    (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        condition()
    })
}

#[test]
fn a_forked_child_that_forgets_does_not_keep_its_parents_locks() {
    let tape = tempfile::tempdir().expect("a directory");
    let lease = Lease::try_acquire(tape.path()).expect("works");
    let journal = journal(tape.path()).expect("a journal");
    let run = Run::open(journal.directory()).expect("opens");
    let _child = fork_and_forget();
    assert!(run.owner_is_alive(), "the parent keeps its own");
    assert!(Lease::try_acquire(tape.path()).expect("works").is_none());
    drop((lease, journal));
    assert!(soon(|| !run.owner_is_alive()), "the child holds nothing");
    assert!(soon(|| Lease::try_acquire(tape.path()).expect("works").is_some()));
}

#[test]
fn a_journal_that_may_not_grow_is_full_and_no_worse() {
    let tape = tempfile::tempdir().expect("a directory");
    let status = Command::new(env::current_exe().expect("a binary"))
        .args(["--exact", "the_child_of_the_limit_test_runs_out_of_file_space"])
        .env(TAPE, tape.path())
        .output()
        .expect("runs");
    assert!(status.status.success(), "{status:?}");
}

#[test]
fn the_child_of_the_limit_test_runs_out_of_file_space() {
    let Ok(tape) = env::var(TAPE) else { return };
    let tape = Path::new(&tape);
    let journal = journal(tape).expect("a journal");
    limit_files(1 << 19);
    let mut writer = journal.lease(b"thread").expect("a lease");
    let stored = (0..100_000).take_while(|_| writer.append(2, &[7; 1000], 0).is_ok()).count();
    assert!((1750..1850).contains(&stored), "{stored}: seven eighths of the first chunk are used up");
    assert_eq!(writer.append(2, &[7; 1000], 0), Err(Full));
    assert_eq!(journal.pressure(), Pressure::Dropping, "what there is counts as the limit");
    let stored = (0..100_000).take_while(|_| writer.append_error(2, &[7; 1000], 0).is_ok()).count();
    assert!((250..270).contains(&stored), "{stored}: and the last eighth is for errors");
    assert_eq!(journal.pressure(), Pressure::ErrorsCounted);
    assert!(journal.tally(1).is_some(), "made before there was need");
    journal.maintain();
    assert!(journal.stats().failed_growths >= 1);
    assert_eq!(journal.stats().growths, 0);
    assert!(!journal.wait_for_space(Duration::from_millis(5)));
    let another = self::journal(&tape.join("another"));
    let error = another.err().expect("no room for the control file");
    assert!(matches!(error, JournalError::NoSpace { .. }), "{error}");
    assert!(error.is_transient());
    assert_eq!(std::fs::read_dir(tape.join("another")).expect("lists").count(), 1, "only the id counter is left");
    assert_eq!(list_runs(tape).expect("lists").len(), 1);
}

/// From here on this process makes no file longer than `bytes`; the system answers EFBIG.
fn limit_files(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: ignores the signal that comes with EFBIG and sets a limit of this process, which is the test's own.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
    }
}

#[test]
fn a_process_without_any_memory_left_still_counts_its_calls() {
    let child = Command::new(env::current_exe().expect("a binary"))
        .args(["--exact", "the_child_of_the_memory_test_gets_no_more_of_it"])
        .env(NO_MEMORY, "1")
        .output()
        .expect("runs");
    assert!(child.status.success(), "{child:?}");
}

#[test]
fn the_child_of_the_memory_test_gets_no_more_of_it() {
    if env::var(NO_MEMORY).is_err() {
        return;
    }
    let counting = || Journal::in_memory(&RunIdentity::default(), &Options::counting());
    // Nothing is asserted without memory: a panic needs some. So often that the heap would be used up by what is not
    // given back to it.
    let seen = without_memory(|| {
        [(); 100].map(|()| {
            let journal = counting()?;
            bump(&journal.counters(3).calls);
            let calls = journal.open_run()?.counters(3).map(|values| values.calls);
            Ok::<_, JournalError>((calls, counting().err()))
        })
    });
    for journal in seen {
        let (calls, refused) = journal.expect("the spare memory is free");
        assert_eq!(calls, Some(1));
        let refused = refused.expect("there is spare memory for one");
        assert!(refused.is_transient() && refused.to_string().starts_with("no memory"), "{refused}");
    }
}

/// Runs `body` while the system gives this process no more memory.
fn without_memory<T>(body: impl FnOnce() -> T) -> T {
    let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // Not 0: as the soft limit alone that means none.
    let least = 4096;
    // SAFETY: reads and sets a limit of this process, which is the test's own; `before` is exclusive.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_DATA, &mut before), 0);
        assert_eq!(libc::setrlimit(libc::RLIMIT_DATA, &libc::rlimit { rlim_cur: least, ..before }), 0);
    }
    let value = body();
    // SAFETY: as before.
    unsafe { libc::setrlimit(libc::RLIMIT_DATA, &before) };
    value
}
