//! Locks that die with their holder: the owner's on its control file, the drain's on the tape.
//!
//! OFD locks belong to the open file description, so closing another descriptor of the same file in this process
//! does not drop them, and the kernel does when the holder ends. A forked child shares the description: it must
//! call [`forget_after_fork`], or its parent's death would go unseen for as long as the child lives. For the same
//! reason a locked file is never mapped: a mapping holds its description as a descriptor does.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::directory;
use crate::mapping;
use crate::system;

/// Locks a process can hold at once: a journal and a lease take two; tests take more.
const MOST_HELD: usize = 1024;

/// An unused place in [`HELD`].
const VACANT: u64 = u64::MAX;

/// The held descriptors, where a fork handler can find them without a lock or an allocation. An entry is
/// `serial << 32 | descriptor`; the serial keeps a holder from closing a later one's descriptor of the same number.
static HELD: [AtomicU64; MOST_HELD] = [const { AtomicU64::new(VACANT) }; MOST_HELD];

/// The next entry's serial.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A locked file; dropping it unlocks.
#[derive(Debug)]
pub(crate) struct LockedFile {
    place: usize,
    entry: u64,
}

impl LockedFile {
    /// Locks a file. None: another holds it.
    ///
    /// # Errors
    ///
    /// When the file system has no OFD locks, or too many are held.
    pub(crate) fn try_lock(file: File) -> io::Result<Option<LockedFile>> {
        if !system::try_lock(&file)? {
            return Ok(None);
        }
        let descriptor = file.into_raw_fd();
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed) & 0x7fff_ffff;
        let entry = (u64::from(serial) << 32) | descriptor as u32 as u64;
        for (place, held) in HELD.iter().enumerate() {
            if held.compare_exchange(VACANT, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Ok(Some(LockedFile { place, entry }));
            }
        }
        system::close(descriptor);
        Err(io::Error::other("too many journals are open in this process"))
    }
}

impl LockedFile {
    /// Unlocks before the end; a second time does nothing.
    pub(crate) fn unlock(&self) {
        // Only the one who empties the place closes; after a fork the handler has.
        let emptied = HELD[self.place].compare_exchange(self.entry, VACANT, Ordering::AcqRel, Ordering::Relaxed);
        if emptied.is_ok() {
            system::close(self.entry as u32 as RawFd);
        }
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        self.unlock();
    }
}

/// Closes the lock descriptors a forked child has inherited, and touches nothing else. Async-signal-safe: call it
/// from a `pthread_atfork` child handler. The parent keeps its locks.
pub fn forget_after_fork() {
    mapping::forget_spare_after_fork();
    for held in &HELD {
        let entry = held.swap(VACANT, Ordering::AcqRel);
        if entry != VACANT {
            system::close(entry as u32 as RawFd);
        }
    }
}

/// Which file a path stood for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    device: u64,
    inode: u64,
}

impl Named {
    pub(crate) fn of(metadata: &Metadata) -> Named {
        Named { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Whether the path still stands for it; true where that cannot be told.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        match fs::metadata(path) {
            Ok(metadata) => Named::of(&metadata) == *self,
            Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        }
    }
}

/// Who holds a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its process, as that process sees its own number; `None` where it could not say.
    pub pid: Option<u32>,
}

/// The right to drain a tape: one holder over all processes, until it is dropped or its process ends.
#[derive(Debug)]
pub struct Lease {
    _lock: LockedFile,
    path: PathBuf,
    file: Named,
}

impl Lease {
    /// Takes the lease of a tape if it is free.
    ///
    /// # Errors
    ///
    /// When the lock file cannot be opened or locked, for one because the tape directory does not exist.
    pub fn try_acquire(tape_dir: &Path) -> io::Result<Option<Lease>> {
        let path = tape_dir.join(directory::WRITER_LOCK);
        loop {
            let file = directory::open_or_create(&path)?;
            let mine = Named::of(&file.metadata()?);
            let Some(lock) = LockedFile::try_lock(file)? else { return Ok(None) };
            // Someone may have replaced the file between open and lock; a lock on a nameless file protects nothing.
            match fs::metadata(&path) {
                Ok(named) if Named::of(&named) == mine => {
                    // For people only; who cannot write it holds the lease all the same.
                    let _ = fs::write(&path, format!("{}\n", std::process::id()));
                    return Ok(Some(Lease { _lock: lock, path, file: mine }));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the lock file is still at its path. Where it was deleted or moved, another process can take a second lease:
    /// this one is to be given up.
    pub fn is_in_place(&self) -> bool {
        self.file.is_at(&self.path)
    }

    /// Who holds the lease of a tape, this process included; `None` where nobody does.
    ///
    /// # Errors
    ///
    /// When the lock file is there and cannot be read or asked.
    pub fn holder(tape_dir: &Path) -> io::Result<Option<Holder>> {
        let path = tape_dir.join(directory::WRITER_LOCK);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if !system::is_locked_by_another(&file)? {
            return Ok(None);
        }
        let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        Ok(Some(Holder { pid }))
    }
}
