//! Runs an export into memory.

use calltape_engine::query::{CallFilter, Tape};
use calltape_export::{Exported, Format, export};

use crate::sample_tape::SampleTape;

/// All calls of a tape in a format, and what the export says of itself.
pub(crate) fn exported(sample: &SampleTape, format: Format) -> (Vec<u8>, Exported) {
    let tape = Tape::open(&sample.path()).unwrap();
    let mut out = Vec::new();
    let done = export(&tape, &CallFilter::default(), format, &mut out, &|_| true).unwrap();
    assert_eq!(done.bytes, out.len() as u64);
    (out, done)
}

/// The same as text.
pub(crate) fn text(sample: &SampleTape, format: Format) -> String {
    String::from_utf8(exported(sample, format).0).unwrap()
}
