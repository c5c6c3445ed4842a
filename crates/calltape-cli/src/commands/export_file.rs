//! The file of an export, which appears when it is complete. Until then it has a name of its own beside the one asked
//! for; dropped before its end, it is removed.

use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// A file being written.
#[derive(Debug)]
pub(super) enum ExportFile {
    /// One that takes its place at the end.
    Beside {
        /// It, under its other name.
        file: BufWriter<NamedTempFile>,
        /// Its place.
        place: PathBuf,
    },
    /// What is no file and has no place to take, such as `/dev/null` or a named pipe.
    Stream(BufWriter<fs::File>),
}

impl ExportFile {
    /// Begins a file that will be at `path`, where a link leads if it is one. Readable for its owner alone, as the tape is.
    /// What belongs to the tape that is read, or is a database, is not replaced.
    pub(super) fn create(path: &Path, tape: &Path) -> io::Result<Self> {
        // Of what is not there yet at least the folder.
        let in_folder = || Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
        let place = fs::canonicalize(path).ok().or_else(in_folder).unwrap_or_else(|| path.to_owned());
        if is_of_tape(&place, tape) {
            return Err(io::Error::other("it belongs to the tape; give another name"));
        }
        if is_database(&place) {
            return Err(io::Error::other("there is a database; give another name, or remove it first"));
        }
        match fs::metadata(&place) {
            Ok(found) if found.is_dir() => return Err(io::Error::other("it is a folder")),
            Ok(found) if !found.is_file() => {
                let stream = fs::OpenOptions::new().write(true).open(&place)?;
                return Ok(Self::Stream(BufWriter::with_capacity(BUFFER, stream)));
            }
            _ => {}
        }
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(io::Error::other(format!("there is no folder {}", folder.display())));
        }
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let file = Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(folder)?;
        Ok(Self::Beside { file: BufWriter::with_capacity(BUFFER, file), place })
    }

    /// Puts the file in its place, whole and on the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Stream(mut stream) => stream.flush(),
            Self::Beside { file, place } => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.as_file().sync_all()?;
                file.persist(place).map(drop).map_err(|failed| failed.error)
            }
        }
    }
}

/// Whether `place` is the tape, a file that SQLite has beside it, or in the folder of its journals; by any name of it.
fn is_of_tape(place: &Path, tape: &Path) -> bool {
    let beside = |ending: &str| {
        let mut name = tape.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let found = identity(place);
    let is_file = ["", "-wal", "-shm", "-journal"].iter().any(|ending| {
        let file = beside(ending);
        file == place || (found.is_some() && identity(&file) == found)
    });
    // A place that is not there yet has a folder, which is.
    let folder = identity(&beside(".tape"));
    is_file || (folder.is_some() && place.ancestors().any(|above| identity(above) == folder))
}

/// Whether a file begins as an SQLite database does.
fn is_database(place: &Path) -> bool {
    let mut head = [0; 16];
    // A pipe would be waited for.
    let is_file = fs::metadata(place).is_ok_and(|found| found.is_file());
    let read = is_file && fs::File::open(place).and_then(|mut file| file.read_exact(&mut head)).is_ok();
    read && head == *b"SQLite format 3\0"
}

impl Write for ExportFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside { file, .. } => file.write(bytes),
            Self::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside { file, .. } => file.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}
