//! CSV as RFC 4180 has it: a heading, commas, quotes where needed, lines that end with a line feed. NULL is an empty cell.
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe before it: what was recorded came from a
//! program's values, and opening a file must run nothing. So that the value can be had back, a cell that begins with an
//! apostrophe of its own gets one too: who reads a cell that begins with one takes one off.

use std::fmt::Write as _;
use std::io;

use crate::ExportError;
use crate::columns::{COLUMNS, Cell};
use crate::moment::Moments;
use crate::output::{Counted, Writer};
use crate::source::Row;

/// Writes rows as CSV records.
pub(crate) struct Csv<'a> {
    writer: csv::Writer<Counted<'a>>,
    moments: Moments,
    number: String,
    guarded: String,
}

impl<'a> Csv<'a> {
    /// A writer to `out`, whose heading is written.
    pub(crate) fn new(out: Counted<'a>) -> Result<Self, ExportError> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
        writer.write_record(COLUMNS.iter().map(|column| column.name)).map_err(unwrapped)?;
        Ok(Self { writer, moments: Moments::default(), number: String::new(), guarded: String::new() })
    }

    fn write_row(&mut self, row: &Row) -> Result<(), ExportError> {
        for column in &COLUMNS {
            let Self { writer, moments, number, guarded } = self;
            let cell = match (column.read)(row) {
                Cell::Null => "",
                Cell::Integer(value) => shown(number, value),
                Cell::Real(value) => shown(number, format_args!("{value:?}")),
                Cell::Text(text) => guard(text, guarded),
                Cell::Recorded(text) if is_number(text) => text,
                Cell::Recorded(text) => guard(text, guarded),
                Cell::Moment(unix_ns) => moments.text(unix_ns),
            };
            writer.write_field(cell).map_err(unwrapped)?;
        }
        Ok(self.writer.write_record(None::<&[u8]>).map_err(unwrapped)?)
    }
}

impl Writer for Csv<'_> {
    fn write(&mut self, rows: &[Row]) -> Result<(), ExportError> {
        rows.iter().try_for_each(|row| self.write_row(row))
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(self.writer.flush()?)
    }
}

/// The stream's own error, whose kind the caller asks for: a closed pipe is no failure.
fn unwrapped(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn shown(number: &mut String, value: impl std::fmt::Display) -> &str {
    number.clear();
    let _ = write!(number, "{value}");
    number
}

/// Recorded JSON that begins like a formula and is a negative number.
fn is_number(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|byte| b"0123456789.eE+-".contains(&byte))
    })
}

/// `text`, with an apostrophe before it where a spreadsheet would compute it, or where it begins with one.
fn guard<'a>(text: &'a str, guarded: &'a mut String) -> &'a str {
    if !text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) {
        return text;
    }
    guarded.clear();
    guarded.push('\'');
    guarded.push_str(text);
    guarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_compute_is_guarded_and_can_be_had_back() {
        for text in ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "'=1", "'", "\u{ff1d}1"] {
            let mut guarded = String::new();
            let cell = guard(text, &mut guarded).to_owned();
            assert_eq!(cell.strip_prefix('\''), Some(text));
        }
        for text in ["", "a=1", "{\"a\":1}", "[-1]", " =1"] {
            assert_eq!(guard(text, &mut String::new()), text);
        }
    }

    #[test]
    fn a_negative_number_is_no_formula() {
        assert!(is_number("-1") && is_number("-1.5e-7"));
        assert!(!is_number("-1+cmd|' /C calc'!A0") && !is_number("-") && !is_number("-x"));
    }
}
