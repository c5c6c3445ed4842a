//! One export from beginning to end: pages of calls into a format, the caller told after each page.

use std::cell::Cell;
use std::io::Write;

use calltape_engine::query::{CallFilter, Tape};

use crate::csv::Csv;
use crate::json_lines::JsonLines;
use crate::output::{Counted, Writer};
use crate::parquet::Parquet;
use crate::source::Source;
use crate::trace::Trace;
use crate::{ExportError, Format};

/// How far an export is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Exported {
    /// Calls written.
    pub calls: u64,
    /// Bytes handed to the output. Parquet and the trace hold some back until a row group is full or the export ends.
    pub bytes: u64,
    /// The part of the tape that has been read, 0 to 1, by time: what it holds ahead is not known.
    pub part: f64,
}

/// Writes the calls of `filter` to `out` in `format`, oldest first, and says how many there were.
///
/// After each page (a few hundred to a few thousand calls) `progress` is told how far it is; when it returns false the
/// export ends with [`ExportError::Stopped`]. Memory does not grow with the number of calls.
///
/// # Errors
/// When the tape cannot be read, the output not be written, or `progress` asks for the end; what was written until then
/// is no whole file.
pub fn export(
    tape: &Tape,
    filter: &CallFilter,
    format: Format,
    out: &mut dyn Write,
    progress: &dyn Fn(Exported) -> bool,
) -> Result<Exported, ExportError> {
    let bytes = Cell::new(0);
    let counted = Counted::new(out, &bytes);
    let mut source = Source::new(tape, filter)?;
    let mut writer: Box<dyn Writer + '_> = match format {
        Format::JsonLines => Box::new(JsonLines::new(counted)),
        Format::Csv => Box::new(Csv::new(counted)?),
        Format::Parquet => Box::new(Parquet::new(counted)?),
        Format::Trace => Box::new(Trace::new(tape, source.last_ns(), counted)?),
    };
    let mut exported = Exported::default();
    while let Some(rows) = source.next_page()? {
        writer.write(&rows)?;
        exported.calls += rows.len() as u64;
        exported.part = source.part();
        exported.bytes = bytes.get();
        if !progress(exported) {
            return Err(ExportError::Stopped);
        }
    }
    writer.finish()?;
    drop(writer);
    out.flush()?;
    Ok(Exported { bytes: bytes.get(), part: 1.0, ..exported })
}
