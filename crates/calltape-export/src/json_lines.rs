//! JSON Lines: an object a call, on a line of its own. Every column is a member of every object; `args`, `result` and
//! `traceback` are JSON themselves, not text that holds JSON.

use std::io::Write as _;

use crate::ExportError;
use crate::columns::{COLUMNS, Cell};
use crate::json;
use crate::moment::Moments;
use crate::output::{Counted, Writer};
use crate::source::Row;

/// Writes rows as lines.
pub(crate) struct JsonLines<'a> {
    out: Counted<'a>,
    line: Vec<u8>,
    moments: Moments,
}

impl<'a> JsonLines<'a> {
    /// A writer to `out`.
    pub(crate) fn new(out: Counted<'a>) -> Self {
        Self { out, line: Vec::new(), moments: Moments::default() }
    }

    fn write_row(&mut self, row: &Row) -> Result<(), ExportError> {
        self.line.clear();
        for (position, column) in COLUMNS.iter().enumerate() {
            self.line.push(if position == 0 { b'{' } else { b',' });
            json::push_quoted(&mut self.line, column.name);
            self.line.push(b':');
            match (column.read)(row) {
                Cell::Null => self.line.extend_from_slice(b"null"),
                Cell::Integer(number) => write!(self.line, "{number}")?,
                Cell::Real(number) if number.is_finite() => write!(self.line, "{number:?}")?,
                Cell::Real(_) => self.line.extend_from_slice(b"null"),
                Cell::Text(text) => json::push_quoted(&mut self.line, text),
                Cell::Recorded(text) => json::push_recorded(&mut self.line, text),
                Cell::Moment(unix_ns) => json::push_quoted(&mut self.line, self.moments.text(unix_ns)),
            }
        }
        self.line.extend_from_slice(b"}\n");
        Ok(self.out.write_all(&self.line)?)
    }
}

impl Writer for JsonLines<'_> {
    fn write(&mut self, rows: &[Row]) -> Result<(), ExportError> {
        rows.iter().try_for_each(|row| self.write_row(row))
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(())
    }
}
