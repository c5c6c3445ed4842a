//! What the doctor finds on the file system: room on the disk, who owns the files, who else may read them.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use calltape_journal::free_bytes;

use super::Findings;
use crate::drain::tape_directory;
use crate::settings::Settings;

/// What the WAL may take beside the database.
const WAL_BYTES: u64 = 64 << 20;

/// Whether the disk has room for what the settings let the tape grow to.
pub(super) fn look_at_disk(settings: &Settings, findings: &mut Findings) {
    let folder = folder_of(&settings.db);
    let free = match free_bytes(&folder) {
        Ok(free) => free,
        Err(fault) => {
            let found = format!("{} cannot be asked for its free room: {fault}", folder.display());
            return findings.ill("disk", found, "check that the folder is there");
        }
    };
    let database = std::fs::metadata(&settings.db).map_or(0, |file| file.len());
    let growth = settings.retention_size.saturating_sub(database);
    let wanted = growth + settings.journal_limit + WAL_BYTES;
    let text = format!("{} MiB free, {} MiB wanted for the tape's growth and a full journal", free >> 20, wanted >> 20);
    match free >= wanted {
        true => findings.well("disk", text),
        false => findings.ill("disk", text, "make room, or lower retention_size and journal_limit"),
    }
}

/// Whether the tape belongs to this user and nobody else may read it. A file that is not calltape's (`is_ours`) is nobody's
/// business here.
pub(super) fn look_at_permissions(db: &Path, is_ours: bool, findings: &mut Findings) {
    let me = std::fs::metadata("/proc/self").map(|found| found.uid()).ok();
    let mut well = true;
    for (path, mode) in [(db.to_path_buf(), 0o600), (tape_directory(db), 0o700), (own_folder(db), 0o700)] {
        let Ok(found) = std::fs::metadata(&path) else { continue };
        if path == db && !is_ours {
            continue;
        }
        if found.mode() & 0o077 != 0 {
            well = false;
            let text = format!("{} is open to others (mode {:o})", path.display(), found.mode() & 0o777);
            findings.ill("permissions", text, format!("chmod {mode:o} {}", path.display()));
        }
        // The superuser reads and writes whatever it owns or not.
        if me.is_some_and(|me| me != 0 && me != found.uid()) {
            well = false;
            let text = format!("{} belongs to user {}", path.display(), found.uid());
            findings.ill("permissions", text, "run this and the program as that user, or give each a tape of its own");
        }
    }
    if well {
        findings.well("permissions", "for this user alone");
    }
}

/// The folder of the default place is calltape's own; any other is the user's, and its mode too.
fn own_folder(db: &Path) -> PathBuf {
    let folder = folder_of(db);
    match folder.file_name().is_some_and(|name| name == ".calltape") {
        true => folder,
        false => PathBuf::new(),
    }
}

fn folder_of(db: &Path) -> PathBuf {
    db.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf()
}

/// Bytes of the files in a folder.
pub(super) fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .filter(|file| file.is_file())
        .map(|file| file.len())
        .sum()
}
