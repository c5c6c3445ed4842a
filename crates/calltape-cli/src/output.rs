//! Where a command's text goes, and what arranging it needs: width, tones, times. Handed to every command.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::palette::{Palette, Tone};
use crate::text::{fit, times};

/// From so many columns on there is room for milliseconds.
const ROOMY: usize = 100;

/// The two streams a command line writes to.
pub struct Streams<'a> {
    /// What was asked for.
    pub out: &'a mut dyn Write,
    /// What went wrong.
    pub err: &'a mut dyn Write,
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Streams")
    }
}

/// A command's output.
pub(crate) struct Output<'a> {
    pub(crate) streams: Streams<'a>,
    pub(crate) palette: Palette,
    /// Columns to arrange tables in.
    pub(crate) width: usize,
    /// Whether a line has to fit `width`: on a terminal. A pipe gets whole lines.
    pub(crate) fit: bool,
    /// Whether what is being done may be shown while it is done.
    pub(crate) progress: bool,
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
}

impl Output<'_> {
    /// Writes one line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.streams.out.write_all(text.as_bytes())?;
        self.streams.out.write_all(b"\n")
    }

    /// Writes a heading, set off by an empty line.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        let painted = self.palette.paint(Tone::Strong, text);
        self.line("")?;
        self.line(&painted)
    }

    /// Writes one line to the error stream, after what was written so far. That it cannot be written is no failure of
    /// the command.
    pub(crate) fn remark(&mut self, text: &str) -> io::Result<()> {
        self.streams.out.flush()?;
        let _ = writeln!(self.streams.err, "calltape: {text}");
        Ok(())
    }

    /// `text` in `tone`.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        self.palette.paint(tone, text)
    }

    /// `text` in lines of at most `columns` on a terminal; in one line elsewhere, where whoever reads it may search it.
    pub(crate) fn fold(&self, text: &str, columns: usize) -> Vec<String> {
        if self.fit { fit::fold(text, columns) } else { vec![text.to_owned()] }
    }

    /// A Unix time; to the millisecond where there is room.
    pub(crate) fn time(&self, unix_ns: i64) -> String {
        let milliseconds = !self.fit || self.width >= ROOMY;
        times::moment(unix_ns, milliseconds, self.now, &self.zone)
    }

    /// How long ago a Unix time was.
    pub(crate) fn ago(&self, unix_ns: i64) -> String {
        times::ago(unix_ns, self.now)
    }
}
