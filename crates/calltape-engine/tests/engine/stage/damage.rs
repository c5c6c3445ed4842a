//! Damage to the files of a tape, done by another process: closing a file here would drop SQLite's locks on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The path of a file beside the database.
pub(crate) fn beside(db: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", db.display()))
}

/// Runs a line of shell.
pub(crate) fn shell(line: &str) {
    let done = Command::new("sh").args(["-c", line]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(done.expect("a shell").success(), "{line}");
}

/// Writes bytes into a file, from `offset` on.
pub(crate) fn write_at(path: &Path, offset: u64, bytes: &[u8]) {
    let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    let to = path.display();
    shell(&format!("printf '{octal}' | dd of='{to}' bs=1 seek={offset} conv=notrunc"));
}

/// Cuts a file to `bytes`.
pub(crate) fn cut(path: &Path, bytes: u64) {
    shell(&format!("truncate -s {bytes} '{}'", path.display()));
}

/// What was set aside beside the database, without the endings of WAL and shared memory, sorted.
pub(crate) fn set_aside(db: &Path) -> Vec<PathBuf> {
    let folder = db.parent().expect("a folder");
    let stem = format!("{}.quarantine-", db.file_name().expect("a name").to_string_lossy());
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&stem)))
        .filter(|path| !["-wal", "-shm"].iter().any(|ending| path.to_string_lossy().ends_with(ending)))
        .collect();
    found.sort();
    found
}
