//! Recovery of a dead run whose chunk file is hostile.
//!
//! The risk: a panic, an endless search or a wrong sum on bytes nobody foresaw. The input is laid over a real chunk
//! file, header included, so that the fuzzer starts from plausible words. Run with
//! `cargo +nightly fuzz run recover -- -max_total_time=60`.

#![no_main]

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::LazyLock;

use calltape_journal::{Journal, Options, Run, RunIdentity, Writer};
use libfuzzer_sys::fuzz_target;

const SEGMENT_BYTES: usize = 1024;
const HEADER_BYTES: usize = 128;

/// The directory of a dead run with four segments, and its chunk file as its owner left it. The tape's directory is
/// kept for as long as the fuzzer runs.
static RUN: LazyLock<(PathBuf, Vec<u8>, tempfile::TempDir)> = LazyLock::new(|| {
    // Memory files where there are any: the disk would be most of the time.
    let tape = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory");
    let bytes = 4 * SEGMENT_BYTES;
    let options = Options {
        limit_bytes: bytes as u64,
        initial_bytes: bytes as u64,
        segment_bytes: SEGMENT_BYTES,
        chunk_bytes: bytes,
        ..Options::default()
    };
    let journal = Journal::create(tape.path(), &RunIdentity::default(), &options).expect("a journal");
    let mut writer = journal.lease(b"thread").expect("a lease");
    for number in 0..30_usize {
        writer.append(2, &vec![number as u8; number * 3], 0).expect("room");
    }
    let directory = journal.directory().to_path_buf();
    let chunk = fs::read(directory.join("000001.seg")).expect("reads");
    (directory, chunk, tape)
});

/// The first two bytes say where the input goes; with the top bit set the file ends after it.
fn lay_over(chunk: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = chunk.to_vec();
    let Some((place, rest)) = data.split_first_chunk::<2>() else { return Vec::new() };
    let place = u16::from_le_bytes(*place);
    let from = usize::from(place & 0x7fff) % bytes.len();
    let end = (from + rest.len()).min(bytes.len());
    bytes[from..end].copy_from_slice(&rest[..end - from]);
    if place & 0x8000 != 0 {
        bytes.truncate(end);
    }
    bytes
}

fuzz_target!(|data: &[u8]| {
    let (directory, chunk, _tape) = &*RUN;
    fs::write(directory.join("000001.seg"), lay_over(chunk, data)).expect("writes");
    let run = Run::open(directory).expect("damage is no error");
    for key in run.segments() {
        let mut frame_bytes = 0;
        let end = run.read(key.number, key.epoch, 0, |frame| {
            frame_bytes += Writer::frame_bytes(frame.payload.len()) as u64;
            assert!(frame.end_offset <= SEGMENT_BYTES);
            ControlFlow::Continue(())
        });
        assert!(end.finished);
        assert_eq!(frame_bytes + end.damaged_bytes, (end.offset - HEADER_BYTES) as u64);
        run.mark_drained(key.number, key.epoch, end.offset);
        run.recycle(key.number, key.epoch);
    }
});
