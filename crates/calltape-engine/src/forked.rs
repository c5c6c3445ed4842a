//! What a forked child must not take over from its parent.
//!
//! Called by the python crate's fork handlers, by the store and the query before they open a database, by each read, and
//! by the recorder. It never touches a database itself.
//!
//! A child has a copy of all of SQLite's memory. In it SQLite keeps one entry for each open file, found by device and
//! inode, and takes a lock of the file once for all connections of a process. With the parent's entry in its memory a
//! child would open the same database and hold no lock on it, because the entry says that its process has them: another
//! program that opens and closes the database then takes itself for the last one, and deletes the WAL that the child
//! writes to. So in a child SQLite is told another device than in its parent: it finds no entry and makes its own.
//!
//! Locks inside SQLite that were held at the fork stay held for ever. The parent brings its thread to rest before a fork,
//! and has its readers make way: they come out of SQLite within a stretch of steps, and a long read goes on afterwards. A
//! child of a fork that did not wait for that leaves the database alone and only appends to its journal.

use std::ffi::c_int;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::ffi;

/// Forks between the first process and this one.
static DEPTH: AtomicU32 = AtomicU32::new(0);

/// Set in a child whose parent was at work in SQLite at the fork.
static UNFIT: AtomicBool = AtomicBool::new(false);

/// Threads that read a database right now, the drain's own thread not among them.
static READING: AtomicU32 = AtomicU32::new(0);

/// Forks under way in this process: nobody begins to read, and who reads makes way. Sequentially consistent with
/// `READING`: of a reader and a fork that begin at once, one sees the other.
static FORKING: AtomicU32 = AtomicU32::new(0);

/// Between two looks whether they have finished.
const LOOK: Duration = Duration::from_micros(100);

/// A child's part of a device number that no file system uses.
const DEPTH_SHIFT: u32 = 44;

/// Forgets the parent's locks and files. `rested` says whether nothing of this process was in SQLite at the fork.
/// Async-signal-safe: call it from a `pthread_atfork` child handler.
pub fn forget_after_fork(rested: bool) {
    calltape_journal::forget_after_fork();
    DEPTH.fetch_add(1, Ordering::Relaxed);
    READING.store(0, Ordering::Relaxed);
    FORKING.store(0, Ordering::Relaxed);
    if !rested {
        UNFIT.store(true, Ordering::Relaxed);
    }
}

/// Whether this process may use SQLite.
pub(crate) fn may_use_sqlite() -> bool {
    !UNFIT.load(Ordering::Relaxed)
}

/// Keeps readers out of SQLite for a fork, until [`release_readers`], which must follow; false when one does not come
/// out in time.
pub fn hold_readers(timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    FORKING.fetch_add(1, Ordering::SeqCst);
    while READING.load(Ordering::SeqCst) > 0 {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(LOOK);
    }
    true
}

/// Has readers go on after [`hold_readers`].
pub fn release_readers() {
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// A thread's use of SQLite outside the drain's thread, which forks wait for.
#[derive(Debug)]
pub(crate) struct Reading(());

impl Reading {
    /// `None` where this process may not use SQLite. Waits while a fork is under way.
    pub(crate) fn begin() -> Option<Self> {
        enter();
        let reading = Self(());
        may_use_sqlite().then_some(reading)
    }

    /// For a database that is open, which was opened in this process. Waits as above.
    pub(crate) fn of_an_open_database() -> Self {
        enter();
        Self(())
    }

    /// Runs `body`, which uses no SQLite, in the middle of this thread's read, between two steps of it. Forks that are
    /// under way meanwhile, also one of the body's own, need not wait.
    pub(crate) fn aside<T>(body: impl FnOnce() -> T) -> T {
        READING.fetch_sub(1, Ordering::SeqCst);
        let done = body();
        enter();
        done
    }

    /// Lets a fork that is under way go first, in the middle of this thread's read.
    pub(crate) fn make_way() {
        if FORKING.load(Ordering::Relaxed) > 0 {
            Self::aside(|| ());
        }
    }
}

fn enter() {
    loop {
        READING.fetch_add(1, Ordering::SeqCst);
        if FORKING.load(Ordering::SeqCst) == 0 {
            return;
        }
        READING.fetch_sub(1, Ordering::SeqCst);
        thread::sleep(LOOK);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Has SQLite tell this process's files from its parent's. Called before a database is opened.
pub(crate) fn tell_files_apart() {
    static ONCE: Once = Once::new();
    // `struct stat` is the same for SQLite and for libc where file offsets have 64 bits by nature.
    if cfg!(target_pointer_width = "64") {
        ONCE.call_once(replace_system_calls);
    }
}

#[expect(unsafe_code, reason = "SQLite offers its table of system calls to C alone")]
fn replace_system_calls() {
    type Stat = unsafe extern "C" fn(*const libc::c_char, *mut libc::stat) -> c_int;
    type FileStat = unsafe extern "C" fn(c_int, *mut libc::stat) -> c_int;
    // SAFETY: the default VFS lives as long as the library, and takes functions of the signatures of the calls they stand
    // for, which these have.
    unsafe {
        let files = ffi::sqlite3_vfs_find(std::ptr::null());
        let Some(replace) = files.as_ref().and_then(|files| files.xSetSystemCall) else { return };
        let stat = std::mem::transmute::<Stat, unsafe extern "C" fn()>(stat_here);
        let file_stat = std::mem::transmute::<FileStat, unsafe extern "C" fn()>(file_stat_here);
        replace(files, c"stat".as_ptr(), Some(stat));
        replace(files, c"fstat".as_ptr(), Some(file_stat));
    }
}

/// `stat` with this process's devices.
#[expect(unsafe_code, reason = "a system call for SQLite")]
unsafe extern "C" fn stat_here(path: *const libc::c_char, found: *mut libc::stat) -> c_int {
    // SAFETY: SQLite's arguments, passed on.
    unsafe { of_this_process(libc::stat(path, found), found) }
}

/// `fstat` with this process's devices.
#[expect(unsafe_code, reason = "a system call for SQLite")]
unsafe extern "C" fn file_stat_here(descriptor: c_int, found: *mut libc::stat) -> c_int {
    // SAFETY: as above.
    unsafe { of_this_process(libc::fstat(descriptor, found), found) }
}

/// # Safety
/// `found` was filled where `outcome` is 0.
#[expect(unsafe_code, reason = "writes what the system call has filled")]
unsafe fn of_this_process(outcome: c_int, found: *mut libc::stat) -> c_int {
    if outcome == 0 {
        // SAFETY: as demanded.
        unsafe { (*found).st_dev ^= libc::dev_t::from(DEPTH.load(Ordering::Relaxed)) << DEPTH_SHIFT };
    }
    outcome
}
