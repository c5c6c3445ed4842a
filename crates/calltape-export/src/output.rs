//! What every format is to an export: something that takes rows and ends. Beside it the stream a format writes to, which
//! counts its bytes.

use std::cell::Cell;
use std::io::{self, Write};

use crate::ExportError;
use crate::source::Row;

/// A format being written.
pub(crate) trait Writer {
    /// Takes a page of calls; calls come in the order of their ids.
    fn write(&mut self, rows: &[Row]) -> Result<(), ExportError>;

    /// Writes what is still held. Nothing follows.
    fn finish(&mut self) -> Result<(), ExportError>;
}

/// A stream that counts what goes through it.
pub(crate) struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: &'a Cell<u64>,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, bytes: &'a Cell<u64>) -> Self {
        Self { out, bytes }
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes.set(self.bytes.get() + written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
