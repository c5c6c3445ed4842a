//! Whether there is memory for a batch. The drain asks before it begins one, since in the middle it could only wait for
//! memory; the journal holds meanwhile.
//!
//! Who embeds the engine says how to ask: memory is the process's, and so is the way to find out about it.

use std::sync::OnceLock;

/// What a batch takes at most: its rows, SQLite's pages, the text of the largest value.
const BATCH_BYTES: usize = 16 << 20;

/// Says whether this many bytes could be had now.
type Probe = fn(usize) -> bool;

static PROBE: OnceLock<Probe> = OnceLock::new();

/// Sets how to ask; the first setting stays.
pub fn set_memory_probe(probe: Probe) {
    let _ = PROBE.set(probe);
}

/// What a new thread takes, many times over. The C library makes a library's thread-local storage at the thread's first use
/// of it, and ends the process where there is no memory for that.
const THREAD_BYTES: usize = 64 << 10;

/// Whether there is room for a batch. Where nobody can say, there is.
pub(crate) fn for_a_batch() -> bool {
    PROBE.get().is_none_or(|probe| probe(BATCH_BYTES))
}

/// Whether there is room for a thread. Where nobody can say, there is.
pub(crate) fn for_a_thread() -> bool {
    PROBE.get().is_none_or(|probe| probe(THREAD_BYTES))
}
