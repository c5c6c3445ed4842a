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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::LockedFile;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("lists").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn sixteen_lower_case_digits_name_a_run_and_nothing_else_does() {
        assert_eq!(run_id_of(Path::new("/tape/00000000000000ff")), Some(255));
        assert_eq!(run_id_of(Path::new(&run_name(u64::MAX))), Some(u64::MAX));
        let others =
            ["ff", "0000000000000000ff", "00000000000000FF", "+0000000000000ff", "000000000000000g", ".", ".."];
        for name in others {
            assert_eq!(run_id_of(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn a_chunks_name_gives_its_number_and_nothing_else_does() {
        for number in [1, 999_999, 1_000_000, u32::MAX] {
            assert_eq!(chunk_number_of(&chunk_name(number)), Some(number));
        }
        for name in
            ["000000.seg", "1.seg", "0000001.seg", "+00001.seg", "000001", "000001.new", "4294967296.seg", ".seg"]
        {
            assert_eq!(chunk_number_of(name), None, "{name}");
        }
    }

    #[test]
    fn runs_are_listed_oldest_first_and_a_tape_that_does_not_exist_has_none() {
        let tape = folder();
        for name in ["000000000000000b", "000000000000000a", ".new-000000000000000c", "other"] {
            fs::create_dir(tape.path().join(name)).expect("makes");
        }
        fs::write(tape.path().join("000000000000000d"), "a file").expect("writes");
        let expected = ["000000000000000a", "000000000000000b"].map(|name| tape.path().join(name));
        assert_eq!(list_runs(tape.path()).expect("lists"), expected);
        assert_eq!(list_runs(&tape.path().join("missing")).expect("none"), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_tape_that_is_no_folder_cannot_be_listed() {
        let tape = folder();
        let file = tape.path().join("tape");
        fs::write(&file, "a file").expect("writes");
        assert_eq!(list_runs(&file).map_err(|error| error.kind()), Err(io::ErrorKind::NotADirectory));
    }

    #[test]
    fn a_run_is_removed_with_all_it_holds() {
        let tape = folder();
        let run = tape.path().join("000000000000000a");
        fs::create_dir(&run).expect("makes");
        fs::write(run.join(CONTROL), "control").expect("writes");
        remove_run(&run).expect("removes");
        assert_eq!(names(tape.path()), Vec::<String>::new());
    }

    #[test]
    fn a_run_that_cannot_be_renamed_or_taken_apart_is_an_error_that_says_so() {
        let tape = folder();
        let run = tape.path().join("000000000000000a");
        let action = |removed| match removed {
            Err(JournalError::Io { action, .. }) => Some(action),
            _ => None,
        };
        assert_eq!(action(remove_run(&run)), Some("rename"), "there is none");
        fs::write(&run, "no folder").expect("writes");
        assert_eq!(action(remove_run(&run)), Some("remove"));
    }

    #[test]
    fn a_run_that_is_given_up_before_it_has_its_place_leaves_nothing() {
        let tape = folder();
        let new = NewRun::begin(tape.path(), 10).expect("makes");
        fs::write(new.path().join(CONTROL), "control").expect("writes");
        assert_eq!(names(tape.path()), [".new-000000000000000a"]);
        drop(new);
        assert_eq!(names(tape.path()), Vec::<String>::new());
        let new = NewRun::begin(tape.path(), 10).expect("makes");
        assert_eq!(new.settle(tape.path(), 10).expect("settles"), tape.path().join("000000000000000a"));
        assert_eq!(names(tape.path()), ["000000000000000a"]);
    }

    /// A run under `name` that was last changed so long ago. The lock is held until it is dropped.
    fn left(tape: &Path, name: &str, control: &str, age_seconds: u64) -> Option<LockedFile> {
        let run = tape.join(name);
        fs::create_dir(&run).expect("makes");
        let path = run.join(CONTROL);
        let lock = match control {
            "none" => None,
            "unreadable" => {
                std::os::unix::fs::symlink(CONTROL, &path).expect("a link to itself");
                None
            }
            _ => {
                let file = create_file(&path).expect("makes");
                (control == "held").then(|| LockedFile::try_lock(file).expect("locks").expect("is free"))
            }
        };
        let then = SystemTime::now() - Duration::from_secs(age_seconds);
        File::open(&run).and_then(|folder| folder.set_modified(then)).expect("an older time");
        lock
    }

    #[test]
    fn what_dead_processes_left_is_swept_and_what_may_be_in_use_stays() {
        let cases = [
            (".gone-000000000000000a", "none", 0, false),
            (".gone-000000000000000a", "held", 0, false),
            (".new-000000000000000a", "none", 50, true),
            (".new-000000000000000a", "free", 50, true),
            (".new-000000000000000a", "none", 70, false),
            (".new-000000000000000a", "free", 70, false),
            (".new-000000000000000a", "held", 70, true),
            (".new-000000000000000a", "unreadable", 70, true),
            ("000000000000000a", "none", 70, true),
            ("other", "none", 70, true),
        ];
        for (name, control, age, stays) in cases {
            let tape = folder();
            let _lock = left(tape.path(), name, control, age);
            sweep(tape.path());
            assert_eq!(names(tape.path()) == [name], stays, "{name}, control file {control}, {age} s");
        }
        sweep(&folder().path().join("missing"));
    }
}
