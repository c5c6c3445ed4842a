//! Setting a damaged tape aside: the file, its WAL and its shared memory get another name together, so that what is in
//! them can be looked at, and a new tape is begun in their place. Called by the drain with the database closed.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::open::beside;
use super::{StoreError, marker};

/// What a database's files end in; the database itself last: while it is in its place, what comes before it is its own.
const ENDINGS: [&str; 3] = ["-wal", "-shm", ""];

/// Whether the file at `db` is the tape that was there before, whatever it looks like by now.
pub(crate) fn was_our_tape(db: &Path) -> bool {
    db.is_file() && marker::Look::at(db).is_ok_and(|now| marker::was_here(db, &now))
}

/// What to do with the damaged tape at `path`. Only a file that was recorded to in its place is ever set aside.
pub(crate) fn remedy_of_damage(path: &Path) -> &'static str {
    if was_our_tape(path) {
        "copy it away with its -wal and -shm; the next program that records there, or `calltape recover` sets it aside \
         and begins a new one"
    } else {
        "nothing was recorded to this file in this place, so it stays here: `sqlite3 FILE .recover` takes out of it what \
         can be read"
    }
}

/// Whether the system lets this process write to the file. Only with the database closed: this drops SQLite's locks on it.
pub(crate) fn can_be_written(db: &Path) -> bool {
    OpenOptions::new().write(true).open(db).is_ok()
}

/// Gives the database at `db` and what belongs to it another name: the name.
///
/// # Errors
/// When a file cannot be renamed; those that were have their names back then.
pub(crate) fn set_aside(db: &Path, unix_ns: i64) -> Result<PathBuf, StoreError> {
    let aside = free_name(db, unix_ns);
    for (count, ending) in ENDINGS.iter().enumerate() {
        let from = beside(db, ending);
        match fs::rename(&from, beside(&aside, ending)) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
                for ending in &ENDINGS[..count] {
                    let _ = fs::rename(beside(&aside, ending), beside(db, ending));
                }
                return Err(StoreError::files(from)(fault));
            }
            _ => {}
        }
    }
    // The names are in the folder; without this a power loss may bring the old ones back.
    if let Some(folder) = db.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(aside)
}

/// Takes the WAL and the shared memory of a file away that is gone from `db`: SQLite would take them for those of the next
/// file there. With `is_empty` nothing but copies is in them; else they are set aside, and the name is returned.
pub(crate) fn clear_remains(db: &Path, is_empty: bool, unix_ns: i64) -> Option<PathBuf> {
    let aside = free_name(db, unix_ns);
    let mut kept = None;
    // The WAL last: while it stands there, the other is kept with it.
    for ending in ["-shm", "-wal"] {
        let from = beside(db, ending);
        let is_blank = || fs::metadata(beside(db, "-wal")).map_or(true, |wal| wal.len() == 0);
        if is_empty || is_blank() {
            let _ = fs::remove_file(&from);
        } else if fs::rename(&from, beside(&aside, ending)).is_ok() {
            kept = Some(aside.clone());
        }
    }
    kept
}

/// `<db>.quarantine-<UTC yyyymmddThhmmss>`, with a number where that is taken.
fn free_name(db: &Path, unix_ns: i64) -> PathBuf {
    let stem = format!(".quarantine-{}", utc(unix_ns));
    let is_free = |name: &PathBuf| !ENDINGS.iter().any(|ending| beside(name, ending).exists());
    let numbered = (2..1000).map(|number| beside(db, &format!("{stem}-{number}")));
    std::iter::once(beside(db, &stem)).chain(numbered).find(is_free).unwrap_or_else(|| beside(db, &stem))
}

/// A time as `yyyymmddThhmmss`.
fn utc(unix_ns: i64) -> String {
    Timestamp::from_nanosecond(unix_ns.into()).unwrap_or_default().strftime("%Y%m%dT%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when() {
        // date -u -d @N +%Y%m%dT%H%M%S
        for (seconds, text) in [
            (0, "19700101T000000"),
            (951_782_400, "20000229T000000"),
            (1_709_251_199, "20240229T235959"),
            (4_102_444_800, "21000101T000000"),
        ] {
            assert_eq!(utc(seconds * 1_000_000_000), text);
        }
    }

    #[test]
    fn all_three_files_get_one_name_and_no_name_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = folder.path().join("calls.db");
        let mut names = Vec::new();
        for round in ["one", "two", "three"] {
            for ending in ENDINGS {
                fs::write(beside(&db, ending), format!("{round}{ending}")).expect("written");
            }
            let aside = set_aside(&db, 0).expect("set aside");
            assert!(!db.exists());
            for ending in ENDINGS {
                assert_eq!(fs::read_to_string(beside(&aside, ending)).expect("kept"), format!("{round}{ending}"));
            }
            names.push(aside.file_name().expect("a name").to_string_lossy().into_owned());
        }
        fs::write(&db, "alone").expect("written");
        let aside = set_aside(&db, 1_000_000_000).expect("without a WAL there is nothing that goes along");
        assert_eq!(aside.file_name().expect("a name"), "calls.db.quarantine-19700101T000001");
        let stem = "calls.db.quarantine-19700101T000000";
        assert_eq!(names, [stem.to_owned(), format!("{stem}-2"), format!("{stem}-3")]);
    }

    #[test]
    fn a_file_whose_companion_cannot_go_along_keeps_its_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = folder.path().join("calls.db");
        for ending in ENDINGS {
            fs::write(beside(&db, ending), format!("the tape{ending}")).expect("written");
        }
        // Every name is taken, by folders where the second file would go: the first has gone by then.
        let stem = beside(&db, ".quarantine-19700101T000000");
        fs::create_dir(beside(&stem, "-shm")).expect("made");
        for number in 2..1000 {
            fs::create_dir(beside(&stem, &format!("-{number}-shm"))).expect("made");
        }
        assert!(set_aside(&db, 0).is_err());
        for ending in ENDINGS {
            assert_eq!(fs::read_to_string(beside(&db, ending)).expect("there"), format!("the tape{ending}"));
        }
    }

    #[test]
    fn the_remedy_is_another_for_a_file_that_was_never_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let (ours, other) = (folder.path().join("calls.db"), folder.path().join("other.db"));
        for path in [&ours, &other] {
            fs::write(path, "no tape any more").expect("written");
        }
        fs::create_dir(beside(&ours, ".tape")).expect("made");
        marker::remember(&ours, &marker::Look::at(&ours).expect("there"));
        assert!(was_our_tape(&ours) && !was_our_tape(&other));
        assert!(remedy_of_damage(&ours).contains("`calltape recover` sets it aside"));
        assert!(remedy_of_damage(&other).contains("`sqlite3 FILE .recover`"));
        fs::remove_file(&ours).expect("removed");
        assert!(!was_our_tape(&ours));
    }

    #[test]
    fn what_is_left_of_a_file_that_is_gone_is_kept_where_it_holds_something() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = folder.path().join("calls.db");
        let left = |wal: &str| {
            fs::write(beside(&db, "-wal"), wal).expect("written");
            fs::write(beside(&db, "-shm"), "shared").expect("written");
        };
        let names = || {
            let mut names: Vec<String> = fs::read_dir(folder.path())
                .expect("read")
                .map(|entry| entry.expect("read").file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        };
        left("");
        assert_eq!((clear_remains(&db, false, 0), names()), (None, vec![]), "an empty WAL holds nothing");
        left("calls");
        assert_eq!((clear_remains(&db, true, 0), names()), (None, vec![]), "only copies are in it");
        left("calls");
        let aside = beside(&db, ".quarantine-19700101T000000");
        assert_eq!(clear_remains(&db, false, 0), Some(aside));
        let kept = ["calls.db.quarantine-19700101T000000-shm", "calls.db.quarantine-19700101T000000-wal"];
        assert_eq!(names(), kept);
        fs::write(beside(&db, "-shm"), "shared").expect("written");
        assert_eq!((clear_remains(&db, false, 0), names().len()), (None, 2), "without a WAL there is nothing");
    }
}
