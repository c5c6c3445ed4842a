//! What is remembered of the tape outside of it, in `<db>.tape` ([`COPIES`]): which file it is, and how it looked when the
//! drain last left it. A file that cannot be read as a tape any more is set aside only when it is the one remembered
//! here; one that was never ours is never moved.
//!
//! It is kept twice, for a disk that damages a tape may damage this as well. Either copy tells: a file has an inode and
//! a time of birth that no damage makes by chance.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::StoreError;
use super::open::beside;

/// Which file it is, and how it looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    inode: u64,
    /// Unix ns; 0 where the file system does not say. Tells a file from another that got its inode.
    born_ns: u128,
    pub(super) bytes: u64,
    modified: (i64, i64),
}

impl Look {
    /// How a file looks now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        let born = found.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            inode: found.ino(),
            born_ns: born.map_or(0, |since| since.as_nanos()),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }

    /// How a file looks now; `None` where there is none. Any other reason not to see it is an error: it may well be there.
    pub(super) fn at_if_there(path: &Path) -> Result<Option<Self>, StoreError> {
        match Self::at(path) {
            Ok(look) => Ok(Some(look)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(StoreError::files(path)(fault)),
        }
    }

    /// Whether both are the same file, changed or not. The device is left out: its number changes when a machine starts.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        (self.inode, self.born_ns) == (other.inode, other.born_ns)
    }

    /// As it is written: always as long, so that it can be written over the last one, which a full disk permits.
    fn line(&self) -> String {
        let Self { inode, born_ns, bytes, modified: (seconds, nanos) } = self;
        format!("{inode:20} {born_ns:39} {bytes:20} {seconds:20} {nanos:20}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let look = Self {
            inode: words.next()?.parse().ok()?,
            born_ns: words.next()?.parse().ok()?,
            bytes: words.next()?.parse().ok()?,
            modified: (words.next()?.parse().ok()?, words.next()?.parse().ok()?),
        };
        words.next().is_none().then_some(look)
    }
}

/// The copies, as files in `<db>.tape`.
const COPIES: [&str; 2] = ["database", "database.copy"];

/// How the file at `db` was left, which looks like `now`: what is remembered of this file, by each copy.
fn remembered(db: &Path, now: &Look) -> impl Iterator<Item = Look> {
    let folder = beside(db, ".tape");
    let copies = COPIES.into_iter().filter_map(move |name| Look::parse(&fs::read_to_string(folder.join(name)).ok()?));
    copies.filter(move |before| before.is_same_file(now))
}

/// Whether the file that looks like `now` is the tape that was last at `db`.
pub(super) fn was_here(db: &Path, now: &Look) -> bool {
    remembered(db, now).next().is_some()
}

/// Whether the file that looks like `now` is the tape that was last at `db` and was changed since, as far as a copy knows.
pub(super) fn has_changed(db: &Path, now: &Look) -> bool {
    remembered(db, now).any(|before| before != *now)
}

/// Remembers the tape at `db` as it looks now. Best effort: without it a damaged tape waits for a person.
pub(super) fn remember(db: &Path, look: &Look) {
    for name in COPIES {
        let path = beside(db, ".tape").join(name);
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        let _ = opened.and_then(|mut file| file.write_all(look.line().as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let most = Look { inode: u64::MAX, born_ns: u128::MAX, bytes: u64::MAX, modified: (i64::MIN, i64::MAX) };
        let look = Look { inode: 1, born_ns: 0, bytes: 4096, modified: (-3, 999_999_999) };
        for look in [most, look] {
            assert_eq!(Look::parse(&look.line()), Some(look));
            assert_eq!(look.line().len(), most.line().len());
        }
    }

    #[test]
    fn anything_else_remembers_nothing() {
        for text in ["", "1 2 3 4", "1 2 3 4 5 6", "1 2 3 4 x", "\0\0\0"] {
            assert_eq!(Look::parse(text), None, "{text:?}");
        }
    }
}
