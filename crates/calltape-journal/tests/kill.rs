//! SIGKILL at random moments: what was reported as appended is read once, by a sibling or after the death.
//!
//! The risk: a frame that its caller was told is safe is not in the files, or is delivered twice; or what it counted
//! instead of writing is gone. The child is this
//! test binary again; it reports each number over its standard output after the append has returned.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use calltape_journal::{Journal, Options, Run, RunIdentity, THREAD_KIND, list_runs};

/// Set in the child: the tape to append to.
const TAPE: &str = "CALLTAPE_TEST_KILL_TAPE";
const ROUNDS: u64 = 40;
const THREADS: u32 = 3;

/// 16 KiB over all: segments are sealed, recycled and leased again many times a round.
fn options() -> Options {
    Options {
        limit_bytes: 16 << 10,
        initial_bytes: 8 << 10,
        segment_bytes: 1 << 10,
        chunk_bytes: 4 << 10,
        ..Options::default()
    }
}

#[test]
fn the_child_of_the_kill_test_appends_until_it_is_killed() {
    let Ok(tape) = env::var(TAPE) else { return };
    let journal = Journal::create(Path::new(&tape), &RunIdentity::default(), &options()).expect("a journal");
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let journal = &journal;
            scope.spawn(move || append_and_report(journal, thread));
        }
        loop {
            journal.maintain();
            std::thread::sleep(Duration::from_millis(2));
        }
    });
}

fn append_and_report(journal: &Journal, thread: u32) {
    let mut writer = journal.lease(b"thread").expect("a lease");
    for number in 0_u32.. {
        let mut payload = thread.to_le_bytes().to_vec();
        payload.extend(number.to_le_bytes());
        payload.resize(8 + number as usize % 90, thread as u8);
        while writer.append(2, &payload, 0).is_err() {
            journal.wait_for_space(Duration::from_millis(5));
        }
        journal.tally(thread).expect("a tally").add(number as u16 % 1920, 1);
        journal.count_lost_error(thread, "E", "f", 1, "p");
        // One write a line, so a kill cuts between lines or within the last.
        let line = format!("@{thread} {number}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).expect("a parent");
    }
}

/// A child and the thread that collects what it reports.
struct Recorded {
    child: Child,
    reports: std::thread::JoinHandle<BTreeMap<u32, u32>>,
}

fn start(tape: &Path) -> Recorded {
    let mut child = Command::new(env::current_exe().expect("a binary"))
        .args(["--exact", "the_child_of_the_kill_test_appends_until_it_is_killed", "--nocapture"])
        .env(TAPE, tape)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let output = child.stdout.take().expect("a pipe");
    Recorded { child, reports: std::thread::spawn(move || last_reports(output)) }
}

/// By thread, how many numbers were reported. A last line without its end was not said.
fn last_reports(output: ChildStdout) -> BTreeMap<u32, u32> {
    let mut reported = BTreeMap::new();
    let mut reader = BufReader::new(output);
    let mut line = String::new();
    while reader.read_line(&mut line).expect("reads") > 0 {
        let report = line
            .strip_suffix('\n')
            .and_then(|line| line.split_once('@'))
            .and_then(|(_, report)| report.split_once(' '));
        if let Some((thread, number)) = report {
            reported.insert(thread.parse().expect("a thread"), number.parse::<u32>().expect("a number") + 1);
        }
        line.clear();
    }
    reported
}

/// What a database would hold: the frames stored, and the cursors stored with them.
#[derive(Default)]
struct Stored {
    cursors: BTreeMap<(u32, u32), usize>,
    /// By thread, the next number expected.
    next: BTreeMap<u32, u32>,
}

impl Stored {
    fn drain(&mut self, run: &mut Run) {
        run.refresh().expect("refreshes");
        for key in run.segments() {
            let cursor = self.cursors.entry((key.number, key.epoch)).or_insert(0);
            let next = &mut self.next;
            let end = run.read(key.number, key.epoch, *cursor, |frame| {
                if frame.kind != THREAD_KIND {
                    let word =
                        |at: usize| u32::from_le_bytes(frame.payload[at..at + 4].try_into().expect("four bytes"));
                    let expected = next.entry(word(0)).or_insert(0);
                    assert_eq!(word(4), *expected, "thread {}: lost, doubled or out of order", word(0));
                    *expected += 1;
                }
                ControlFlow::Continue(())
            });
            assert_eq!((end.damaged_bytes, end.damaged_frames), (0, 0));
            *cursor = end.offset;
            run.mark_drained(key.number, key.epoch, end.offset);
            if end.finished {
                run.recycle(key.number, key.epoch);
            }
        }
    }
}

/// What a thread counted: by each word of its tally, and as lost.
fn counted(run: &Run, thread: u32) -> [(&'static str, u64); 4] {
    let tallies = run.tallies();
    let tally = tallies.iter().find(|(slot, _)| *slot == thread).map(|(_, tally)| tally);
    let calls = tally.map_or(0, |tally| tally.calls());
    let total = tally.map_or(0, |tally| tally.total_ns());
    let buckets = tally.map_or(0, |tally| tally.buckets().map(|(_, count)| count).sum());
    let lost = run.lost_errors().expect("known").into_iter().find(|lost| lost.slot == thread);
    [("calls", calls), ("ns", total), ("in buckets", buckets), ("lost", lost.map_or(0, |lost| lost.calls))]
}

fn only_run(tape: &Path) -> PathBuf {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(run) = list_runs(tape).expect("lists").pop() {
            return run;
        }
        assert!(Instant::now() < deadline, "the child makes no run");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn every_reported_frame_survives_sigkill_once() {
    let mut frames = 0;
    for round in 0..ROUNDS {
        let tape = tempfile::tempdir().expect("a directory");
        let mut recorded = start(tape.path());
        let mut run = Run::open(&only_run(tape.path())).expect("opens");
        let mut stored = Stored::default();
        // Spread over the first 100 ms, the same on each machine, at no fixed point of the child's work.
        let end = Instant::now() + Duration::from_micros(round * 7_919 % 100_000);
        while Instant::now() < end {
            // Every other round nobody drains, and the journal fills up.
            if round % 2 == 0 {
                stored.drain(&mut run);
            } else {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        recorded.child.kill().expect("kills");
        recorded.child.wait().expect("waits");
        let reported = recorded.reports.join().expect("no panic");
        assert!(!run.owner_is_alive());
        stored.drain(&mut run);
        assert!(run.segments().is_empty());
        for (thread, count) in reported {
            let read = stored.next.get(&thread).copied().unwrap_or(0);
            assert!((count..=count + 1).contains(&read), "round {round}, thread {thread}: {read} of {count}");
            frames += read;
            for (what, counted) in counted(&run, thread) {
                let range = u64::from(count)..=u64::from(count) + 1;
                assert!(range.contains(&counted), "round {round}, thread {thread}: {counted} of {count} {what}");
            }
        }
        run.remove().expect("removes");
    }
    assert!(frames > 1000, "{frames} frames over {ROUNDS} rounds");
}
