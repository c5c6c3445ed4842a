//! Names in a tape directory, and how a run's directory comes and goes.
//!
//! A run is built under a hidden name and renamed into place once its control file is locked; it is renamed away
//! before it is taken apart. So whoever lists runs sees whole ones only, whatever else starts or ends beside it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::JournalError;
use crate::system;

/// The writer lease.
pub(crate) const WRITER_LOCK: &str = "writer.lock";
/// The id counter.
pub(crate) const IDS: &str = "ids";
/// A run's header and counters.
pub(crate) const CONTROL: &str = "control";
/// A run's function definitions.
pub(crate) const FUNCTIONS: &str = "functions";
/// How long a run's calls without a row took.
pub(crate) const TALLIES: &str = "tallies";
/// What a chunk file's name ends in.
const CHUNK_SUFFIX: &str = ".seg";
/// A run that is being built.
const NEW_PREFIX: &str = ".new-";
/// A run that is being taken apart.
const GONE_PREFIX: &str = ".gone-";

/// A half-made run older than this, whose control file nobody holds, was left by a process that died. Making one
/// takes milliseconds.
const ABANDONED_AFTER: Duration = Duration::from_secs(60);

/// Opens a file for reading and writing, making it with mode 0600 if there is none.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Makes a file that must not exist.
pub(crate) fn create_file(path: &Path) -> Result<File, JournalError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(JournalError::io("create", path))
}

/// Makes the tape directory and its parents as far as they are missing, mode 0700; its absolute path.
///
/// # Errors
///
/// When the system refuses.
pub fn create_tape(tape: &Path) -> Result<PathBuf, JournalError> {
    // Absolute: the recorded program may change its working directory.
    let tape = std::path::absolute(tape).map_err(JournalError::io("find", tape))?;
    DirBuilder::new().recursive(true).mode(0o700).create(&tape).map_err(JournalError::io("create", &tape))?;
    Ok(tape)
}

/// A run's directory name.
fn run_name(run_id: u64) -> String {
    format!("{run_id:016x}")
}

/// The run id in a directory name.
pub(crate) fn run_id_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let sound = name.len() == 16 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if sound { u64::from_str_radix(name, 16).ok() } else { None }
}

/// A chunk's file name; numbers start at 1.
pub(crate) fn chunk_name(number: u32) -> String {
    format!("{number:06}{CHUNK_SUFFIX}")
}

/// The chunk number in a file name.
pub(crate) fn chunk_number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(CHUNK_SUFFIX)?;
    let number = digits.parse().ok().filter(|number| *number > 0)?;
    (chunk_name(number) == name).then_some(number)
}

/// The directories of all runs of a tape, oldest first. A tape that does not exist has none.
///
/// # Errors
///
/// When the directory cannot be read.
pub fn list_runs(tape_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(tape_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut runs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if run_id_of(&path).is_some() && path.is_dir() {
            runs.push(path);
        }
    }
    runs.sort();
    Ok(runs)
}

/// A run's directory while it is built. Dropped before `settle`, it takes itself apart.
pub(crate) struct NewRun {
    building: PathBuf,
    settled: bool,
}

impl NewRun {
    pub(crate) fn begin(tape: &Path, run_id: u64) -> Result<NewRun, JournalError> {
        let building = tape.join(format!("{NEW_PREFIX}{}", run_name(run_id)));
        DirBuilder::new().mode(0o700).create(&building).map_err(JournalError::io("create", &building))?;
        Ok(NewRun { building, settled: false })
    }

    /// Where its files go meanwhile.
    pub(crate) fn path(&self) -> &Path {
        &self.building
    }

    /// Renames it into place; from here on everyone sees it.
    pub(crate) fn settle(mut self, tape: &Path, run_id: u64) -> Result<PathBuf, JournalError> {
        let place = tape.join(run_name(run_id));
        fs::rename(&self.building, &place).map_err(JournalError::io("rename", &self.building))?;
        self.settled = true;
        Ok(place)
    }
}

impl Drop for NewRun {
    fn drop(&mut self) {
        if !self.settled {
            let _ = fs::remove_dir_all(&self.building);
        }
    }
}

/// Takes a run's directory away as one step for everybody else.
pub(crate) fn remove_run(path: &Path) -> Result<(), JournalError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let gone = path.with_file_name(format!("{GONE_PREFIX}{name}"));
    fs::rename(path, &gone).map_err(JournalError::io("rename", path))?;
    match fs::remove_dir_all(&gone) {
        // A starting process may sweep it at the same time.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JournalError::io("remove", &gone)(error)),
        _ => Ok(()),
    }
}

/// Removes what dead processes left half made or half removed. Best effort: the next start tries again.
pub(crate) fn sweep(tape: &Path) {
    let Ok(entries) = fs::read_dir(tape) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        if name.starts_with(GONE_PREFIX) || (name.starts_with(NEW_PREFIX) && is_abandoned(&path)) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_abandoned(building: &Path) -> bool {
    let modified = fs::metadata(building).and_then(|metadata| metadata.modified());
    let old = modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > ABANDONED_AFTER));
    old && match File::open(building.join(CONTROL)) {
        Ok(control) => matches!(system::is_locked_by_another(&control), Ok(false)),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
