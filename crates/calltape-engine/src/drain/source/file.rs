//! Reading a source file for the drain: a regular one, of a bounded size, all at once; whatever else a journal may name
//! (a pipe, a device, a file of another user's) is left alone.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::Duration;

use super::layout::Layout;

/// The largest file that is read; source written by people is a tenth of it.
const MOST_BYTES: u64 = 1 << 20;
/// The longest path.
const MOST_PATH: usize = 4096;
/// A file's times are those of the kernel's last tick: it may have changed so much later than it says.
const TICK: Duration = Duration::from_millis(20);
/// Others may read it.
const PUBLIC: u32 = 0o004;

/// What tells a file from the one of this name that was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    number: u64,
    bytes: u64,
    /// The content changed, Unix ns.
    modified_ns: i64,
    /// The content, the name or the modes changed, Unix ns: a file put in the place of another shows in this alone.
    changed_ns: i64,
}

impl Stamp {
    /// The stamp of a file that may be read; `None` of any other.
    pub(super) fn of(path: &str, only_public: bool) -> Option<Self> {
        let is_path = path.starts_with('/') && path.len() <= MOST_PATH && !path.contains('\0');
        is_path.then(|| fs::metadata(path).ok()).flatten().and_then(|metadata| Self::of_file(&metadata, only_public))
    }

    fn of_file(metadata: &Metadata, only_public: bool) -> Option<Self> {
        let may_read =
            metadata.is_file() && metadata.len() <= MOST_BYTES && (!only_public || metadata.mode() & PUBLIC != 0);
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        may_read.then(|| Self {
            device: metadata.dev(),
            number: metadata.ino(),
            bytes: metadata.len(),
            modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// Whether the file may be another one than at that time, Unix ns.
    pub(super) fn may_have_changed_since(&self, unix_ns: i64) -> bool {
        self.modified_ns.max(self.changed_ns).saturating_add_unsigned(TICK.as_nanos() as u64) > unix_ns
    }
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) stamp: Stamp,
    pub(super) text: Vec<u8>,
    pub(super) layout: Layout,
}

impl Source {
    /// Reads a file; `None` where it is none to be read, or changes meanwhile.
    pub(super) fn read(path: &str, only_public: bool) -> Option<Self> {
        // Opening a device may act on it, so what it is comes first; opening a pipe put there since does not wait.
        Stamp::of(path, only_public)?;
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).ok()?;
        let stamp = Stamp::of_file(&file.metadata().ok()?, only_public)?;
        let text = read_whole(&file, stamp.bytes)?;
        let unchanged = Stamp::of_file(&file.metadata().ok()?, only_public) == Some(stamp);
        unchanged.then(|| Self { stamp, layout: Layout::of(&text), text })
    }

    /// Memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.layout.bytes()
    }
}

/// The file's content if it has just so many bytes.
fn read_whole(file: &File, bytes: u64) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(usize::try_from(bytes).ok()?.saturating_add(1));
    file.take(bytes + 1).read_to_end(&mut text).ok()?;
    (text.len() as u64 == bytes).then_some(text)
}
