//! The file of an export, which appears when it is complete. Until then it has a name of its own beside the one asked
//! for; dropped before its end, it is removed.

use std::fs;
use std::io::{self, BufWriter, Write};
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
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
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
