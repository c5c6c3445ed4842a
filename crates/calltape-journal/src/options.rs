//! What a journal is made with: its limits, and who is recording.

use std::time::Duration;

use crate::error::JournalError;
use crate::layout::segment::{MAXIMUM_BYTES, MINIMUM_BYTES};
use crate::segment::Geometry;

/// Limits of one process's journal. Tests shrink them until wrap-around and exhaustion happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Most bytes of segments, mapped and on disk. 64 MiB: a second of calls at full speed.
    pub limit_bytes: u64,
    /// Bytes kept when idle, and made at the start. 2 MiB: one chunk.
    pub initial_bytes: u64,
    /// Bytes of one segment, what a thread holds at least. 128 KiB: over a thousand calls, so leasing is rare; 512
    /// threads at the limit; and room to end 4,000 calls that are open at once.
    pub segment_bytes: usize,
    /// Bytes of one file, the step of growing and shrinking. 2 MiB.
    pub chunk_bytes: usize,
    /// Without a lease for this long the journal shrinks back to `initial_bytes`. 10 s.
    pub idle: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            limit_bytes: 64 << 20,
            initial_bytes: 2 << 20,
            segment_bytes: 128 << 10,
            chunk_bytes: 2 << 20,
            idle: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// The cut for where there is little disk or little memory: segments of 2 MiB at most, of
    /// 256 KiB at first; with counters and tallies a run begins with 2 MiB.
    pub fn small() -> Options {
        Options {
            limit_bytes: 2 << 20,
            initial_bytes: 256 << 10,
            segment_bytes: 32 << 10,
            chunk_bytes: 256 << 10,
            ..Options::default()
        }
    }

    /// The cut of a journal in memory: 512 KiB at most, in segments of 32 KiB, so that 16 threads can hold one.
    pub fn in_memory() -> Options {
        Options {
            limit_bytes: 512 << 10,
            initial_bytes: 128 << 10,
            segment_bytes: 32 << 10,
            chunk_bytes: 128 << 10,
            ..Options::default()
        }
    }

    /// A journal without segments: calls find no room, and are counted.
    pub fn counting() -> Options {
        Options { limit_bytes: 0, ..Options::in_memory() }
    }

    /// The cut these options give.
    ///
    /// # Errors
    ///
    /// [`JournalError::Options`] when a size is out of range or does not divide.
    pub(crate) fn geometry(&self) -> Result<Geometry, JournalError> {
        if !(MINIMUM_BYTES..=MAXIMUM_BYTES).contains(&self.segment_bytes) || !self.segment_bytes.is_multiple_of(64) {
            return Err(JournalError::Options("segment_bytes must be a multiple of 64 from 256 to 16 MiB"));
        }
        if self.chunk_bytes < self.segment_bytes || !self.chunk_bytes.is_multiple_of(self.segment_bytes) {
            return Err(JournalError::Options("chunk_bytes must be a multiple of segment_bytes"));
        }
        if self.limit_bytes != 0 && self.limit_bytes < self.chunk_bytes as u64 {
            return Err(JournalError::Options("limit_bytes must hold at least one chunk, or none"));
        }
        let geometry =
            Geometry { segment_bytes: self.segment_bytes, chunk_segments: self.chunk_bytes / self.segment_bytes };
        Geometry::from_word(geometry.word()).ok_or(JournalError::Options("a chunk has too many segments"))
    }

    /// Chunks to start with: at least one, unless the limit is none, and at most the limit.
    pub(crate) fn initial_chunks(&self) -> usize {
        let chunk = self.chunk_bytes as u64;
        usize::try_from(self.initial_bytes.div_ceil(chunk)).unwrap_or(usize::MAX).max(1).min(self.most_chunks())
    }

    /// Chunks at the limit.
    pub(crate) fn most_chunks(&self) -> usize {
        usize::try_from(self.limit_bytes / self.chunk_bytes as u64).unwrap_or(usize::MAX)
    }
}

/// Who records: kept in the control file, so that a run can be told apart after its process is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunIdentity {
    /// Process id.
    pub pid: u32,
    /// `/proc/sys/kernel/random/boot_id`: says whether the machine has restarted since.
    pub boot_id: [u8; 16],
    /// Start of the recording, Unix ns.
    pub started_unix_ns: i64,
    /// Host name; cut at 255 bytes.
    pub host: String,
    /// What runs, as in `sys.argv[0]`; cut at 2000 bytes.
    pub program: String,
    /// Interpreter version; cut at 255 bytes.
    pub python: String,
}

/// Most bytes of `host` and of `python`.
const NAME_LIMIT_BYTES: usize = 255;
/// Most bytes of `program`; with the rest it fits the control header.
const PROGRAM_LIMIT_BYTES: usize = 2000;

impl RunIdentity {
    /// The bytes for the control header.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.pid.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.boot_id);
        bytes.extend_from_slice(&self.started_unix_ns.to_le_bytes());
        let texts =
            [(&self.host, NAME_LIMIT_BYTES), (&self.program, PROGRAM_LIMIT_BYTES), (&self.python, NAME_LIMIT_BYTES)];
        for (text, limit) in texts {
            let kept = cut(text, limit);
            bytes.extend_from_slice(&(kept.len() as u16).to_le_bytes());
            bytes.extend_from_slice(kept.as_bytes());
        }
        bytes
    }

    /// Reads what `to_bytes` wrote; None when the bytes are something else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<RunIdentity> {
        fn text(bytes: &mut &[u8]) -> Option<String> {
            let length = u16::from_le_bytes(take(bytes)?);
            let (text, rest) = bytes.split_at_checked(length.into())?;
            *bytes = rest;
            String::from_utf8(text.to_vec()).ok()
        }
        fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
            let (taken, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            Some(*taken)
        }
        let mut rest = bytes;
        Some(RunIdentity {
            pid: u32::from_le_bytes(take(&mut rest)?),
            boot_id: take(&mut rest)?,
            started_unix_ns: i64::from_le_bytes(take(&mut rest)?),
            host: text(&mut rest)?,
            program: text(&mut rest)?,
            python: text(&mut rest)?,
        })
    }
}

/// The longest part from the start that has at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_comes_back_and_long_names_are_cut_between_characters() {
        let identity = RunIdentity {
            pid: 42,
            boot_id: [7; 16],
            started_unix_ns: 1_760_000_000_000_000_000,
            host: "é".repeat(300),
            program: "app.py".into(),
            python: "3.14.0".into(),
        };
        let read = RunIdentity::from_bytes(&identity.to_bytes()).expect("reads");
        assert_eq!(read, RunIdentity { host: "é".repeat(127), ..identity });
    }

    #[test]
    fn options_that_do_not_divide_are_refused() {
        // Bytes of a segment, of a chunk and at the limit.
        let cut = |segment_bytes, chunk_bytes, limit_bytes| {
            let options = Options { segment_bytes, chunk_bytes, limit_bytes, ..Options::default() };
            match options.geometry() {
                Ok(_) => "",
                Err(JournalError::Options(why)) => why,
                Err(_) => "something else",
            }
        };
        let (segment, chunk, limit) = ("segment_bytes must be", "chunk_bytes must be", "limit_bytes must hold");
        let cases = [
            (256, 256, 256, ""),
            (320, 640, 700, ""),
            (16 << 20, 16 << 20, 16 << 20, ""),
            (1024, 4096, 0, ""),
            (100, 800, 800, segment),
            (192, 384, 384, segment),
            (288, 576, 576, segment),
            (32 << 20, 32 << 20, 32 << 20, segment),
            (1024, 512, 4096, chunk),
            (1024, 0, 4096, chunk),
            (1024, 4096 + 64, 8192, chunk),
            (1024, 4096, 4095, limit),
            (256, 256 << 21, 1 << 40, "a chunk has too many segments"),
        ];
        for (segment_bytes, chunk_bytes, limit_bytes, expected) in cases {
            let why = cut(segment_bytes, chunk_bytes, limit_bytes);
            let fits = why.starts_with(expected) && why.is_empty() == expected.is_empty();
            assert!(fits, "{segment_bytes} bytes a segment, {chunk_bytes} a chunk, {limit_bytes} at most: {why}");
        }
    }

    #[test]
    fn a_journal_begins_with_one_chunk_at_least_and_its_limit_at_most() {
        let chunks = |initial_bytes, limit_bytes| {
            let options =
                Options { initial_bytes, limit_bytes, segment_bytes: 512, chunk_bytes: 1024, ..Options::default() };
            (options.initial_chunks(), options.most_chunks())
        };
        let cases = [
            ((0, 4096), (1, 4)),
            ((1024, 4096), (1, 4)),
            ((1025, 4096), (2, 4)),
            ((9000, 4100), (4, 4)),
            ((9, 0), (0, 0)),
        ];
        for ((initial, limit), expected) in cases {
            assert_eq!(chunks(initial, limit), expected, "{initial} bytes at first, {limit} at most");
        }
    }

    #[test]
    fn bytes_that_are_no_whole_identity_are_none() {
        let bytes = RunIdentity { host: "h".into(), ..RunIdentity::default() }.to_bytes();
        assert!((0..bytes.len()).all(|length| RunIdentity::from_bytes(&bytes[..length]).is_none()));
        let no_text = [&bytes[..30], &[0xff], &bytes[31..]].concat();
        assert!(RunIdentity::from_bytes(&no_text).is_none());
    }

    #[test]
    fn each_cut_has_the_segments_it_promises() {
        // Segments at the start and at the limit, and bytes of one.
        let cut = |options: Options| {
            let geometry = options.geometry().expect("a cut");
            let [initial, most] = [options.initial_chunks(), options.most_chunks()];
            (initial * geometry.chunk_segments, most * geometry.chunk_segments, geometry.segment_bytes)
        };
        assert_eq!(cut(Options::default()), (16, 512, 128 << 10));
        assert_eq!(cut(Options::small()), (8, 64, 32 << 10));
        assert_eq!(cut(Options::in_memory()), (4, 16, 32 << 10));
        assert_eq!(cut(Options::counting()), (0, 0, 32 << 10));
    }
}
