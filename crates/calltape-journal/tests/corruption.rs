//! Hostile bytes in every file of a dead run.
//!
//! The risk: a panic, a read past the end (SIGBUS), an altered frame delivered, or damage that is not said. Each
//! seed damages a run in one way and reads it as a drain does.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use calltape_journal::{Journal, JournalError, MAXIMUM_SLOTS, Options, Run, RunIdentity, THREAD_KIND, Writer};

/// xorshift: the seeds are the test cases, so the sequence must be the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }
}

const SEGMENT_BYTES: usize = 1024;

/// A dead run of two chunks with four segments each, sealed and leased, and the frames it holds.
fn dead_run(tape: &Path, random: &mut Random) -> (PathBuf, HashSet<Vec<u8>>) {
    let options = Options {
        limit_bytes: 8 * SEGMENT_BYTES as u64,
        initial_bytes: 8 * SEGMENT_BYTES as u64,
        segment_bytes: SEGMENT_BYTES,
        chunk_bytes: 4 * SEGMENT_BYTES,
        idle: Duration::MAX,
    };
    let journal = Journal::create(tape, &RunIdentity::default(), &options).expect("a journal");
    for name in ["f", "g", "h"] {
        journal.define(name.as_bytes()).expect("defines");
    }
    journal.tally(2).expect("a tally").add(300, 5_000);
    journal.count_lost_error(2, "KeyError", "shop.py", 20, "place");
    let mut writers: Vec<Writer> = (0..2).map(|_| journal.lease(b"thread").expect("a lease")).collect();
    let mut known = HashSet::new();
    for number in 0..50_u32 {
        let mut frame = number.to_le_bytes().to_vec();
        frame.extend((0..random.below(120)).map(|n| (n as u32 ^ number) as u8));
        if writers[random.below(2)].append(2, &frame, 0).is_ok() {
            known.insert(frame);
        }
    }
    (journal.directory().to_path_buf(), known)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).expect("lists").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// One way of damage; gives the bytes that may be wrong.
fn damage(directory: &Path, random: &mut Random) {
    let files = files(directory);
    let path = &files[random.below(files.len())];
    let file = OpenOptions::new().read(true).write(true).open(path).expect("opens");
    let length = file.metadata().expect("metadata").len() as usize;
    let write = |bytes: &[u8], at: usize| file.write_all_at(bytes, at as u64).expect("writes");
    // The first 16 KiB hold everything but counters.
    let near = length.min(16 << 10);
    match random.below(8) {
        0 | 1 => {
            for _ in 0..[1, 8, 64][random.below(3)] {
                write(&[random.below(256) as u8], random.below(near));
            }
        }
        2 => file.set_len(random.below(length + 1) as u64).expect("cuts"),
        3 => file.set_len(random.below(near + 1) as u64).expect("cuts"),
        // The lost errors, where the file has them.
        4 if length > 1 << 20 => write(&vec![random.below(256) as u8; 1024], length - random.below(1025 * 512)),
        4 => file.set_len(0).expect("cuts"),
        5 => {
            let header: Vec<u8> = (0..128).map(|_| random.below(256) as u8).collect();
            write(&header, random.below(near / SEGMENT_BYTES + 1) * SEGMENT_BYTES);
        }
        6 => write(&vec![[0, 0xff, 0x41][random.below(3)]; random.below(2048)], random.below(near) & !7),
        _ => fs::remove_file(path).expect("removes"),
    }
}

/// Reads everything; gives the frames, having checked the books of each segment.
fn read_all(run: &Run) -> Vec<Vec<u8>> {
    let mut delivered = Vec::new();
    for key in run.segments() {
        let mut frame_bytes = 0;
        let end = run.read(key.number, key.epoch, 0, |frame| {
            frame_bytes += Writer::frame_bytes(frame.payload.len()) as u64;
            if frame.kind != THREAD_KIND {
                delivered.push(frame.payload.to_vec());
            }
            ControlFlow::Continue(())
        });
        assert!(end.offset <= SEGMENT_BYTES.max(128 << 10));
        let way = (end.offset - 128.min(end.offset)) as u64;
        assert_eq!(frame_bytes + end.damaged_bytes, way, "each byte is delivered or counted");
        assert_eq!(end.damaged_frames == 0, end.damaged_bytes == 0);
    }
    delivered
}

#[test]
fn whatever_happens_to_the_files_no_altered_frame_is_delivered() {
    let mut lost_rounds = 0;
    for seed in 1..=600_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let tape = tempfile::tempdir().expect("a directory");
        let (directory, known) = dead_run(tape.path(), &mut random);
        for _ in 0..=random.below(3) {
            if !files(&directory).is_empty() {
                damage(&directory, &mut random);
            }
        }
        let mut run = match Run::open(&directory) {
            Ok(run) => run,
            // A damaged version word may look like a later format.
            Err(JournalError::NewerFormat { .. }) => continue,
            Err(error) => panic!("seed {seed}: {error}"),
        };
        let delivered = read_all(&run);
        let distinct: HashSet<&Vec<u8>> = delivered.iter().collect();
        assert_eq!(distinct.len(), delivered.len(), "seed {seed}: a frame twice");
        assert!(delivered.iter().all(|frame| known.contains(frame)), "seed {seed}: an altered frame");
        lost_rounds += usize::from(delivered.len() < known.len());
        run.refresh().expect("refreshes");
        for slot in 0..run.slots_in_use() {
            let _ = run.counters(slot);
        }
        look_at_counts(&run, seed);
        for definition in run.functions() {
            assert!([&b"f"[..], b"g", b"h", b""].contains(&definition.as_slice()), "seed {seed}");
        }
        for key in run.segments() {
            run.mark_drained(key.number, key.epoch, usize::MAX);
            run.recycle(key.number, key.epoch);
        }
        run.remove().expect("removes");
    }
    assert!(lost_rounds > 100, "the damage does damage: {lost_rounds}");
}

/// Counts have no checksum: they may be wrong, but no text of theirs is longer than its place, and no slot is beyond the
/// last.
fn look_at_counts(run: &Run, seed: u64) {
    for (slot, tally) in run.tallies() {
        assert!(slot < MAXIMUM_SLOTS && tally.buckets().count() <= 1920, "seed {seed}");
    }
    for lost in run.lost_errors().unwrap_or_default() {
        let longest = [&lost.error_type, &lost.file, &lost.place].map(|text| text.chars().count());
        assert!(lost.slot < MAXIMUM_SLOTS && lost.number <= 1024, "seed {seed}");
        assert!(longest[0] <= 128 && longest[1] <= 208 && longest[2] <= 128, "seed {seed}: {lost:?}");
    }
    let _ = run.pressure_spells();
}

#[test]
fn a_flipped_bit_costs_one_frame_and_says_so() {
    let mut random = Random(7);
    let tape = tempfile::tempdir().expect("a directory");
    let (directory, known) = dead_run(tape.path(), &mut random);
    let chunk = OpenOptions::new().read(true).write(true).open(directory.join("000001.seg")).expect("opens");
    // Inside the first frame's payload, the thread's name.
    chunk.write_all_at(b"X", 128 + 8).expect("writes");
    let run = Run::open(&directory).expect("opens");
    let key = run.segments()[0];
    let end = run.read(key.number, key.epoch, 0, |_| ControlFlow::Continue(()));
    assert_eq!((end.damaged_frames, end.damaged_bytes), (1, 16));
    assert_eq!(read_all(&run).len(), known.len(), "all calls are there");
}

#[test]
fn what_a_killed_writer_had_begun_is_no_damage_and_no_frame() {
    let mut random = Random(7);
    let tape = tempfile::tempdir().expect("a directory");
    let (directory, known) = dead_run(tape.path(), &mut random);
    let run = Run::open(&directory).expect("opens");
    let last = *run.segments().last().expect("a segment");
    let end = run.read(last.number, last.epoch, 0, |_| ControlFlow::Continue(()));
    let place = last.number as u64 % 4 * SEGMENT_BYTES as u64 + end.offset as u64 + 8;
    let path = directory.join(format!("{:06}.seg", last.number / 4 + 1));
    let chunk = OpenOptions::new().write(true).open(path).expect("opens");
    chunk.write_all_at(b"half a pay", place).expect("writes");
    assert_eq!(run.read(last.number, last.epoch, 0, |_| ControlFlow::Continue(())), end);
    assert_eq!(read_all(&run).len(), known.len());
}
