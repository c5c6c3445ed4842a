//! Calls as a stream of Arrow's, for whatever reads its C interface: pyarrow, polars, pandas, DuckDB. Made by
//! `Calls.__arrow_c_stream__`.
//!
//! A reader may take a batch on any thread, with the interpreter lock or without: nothing here calls the interpreter. The
//! stream has a connection of its own, which a forked child leaves alone.

use std::path::Path;
use std::time::Duration;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use calltape_engine::query::{CallFilter, OpenError, Order, Tape};
use calltape_export::{Batches, ExportError, batches_in_order, schema};

use crate::runtime::fork;

/// Why there is no stream.
pub(super) enum Refused {
    /// When the tape cannot be opened.
    Open(OpenError),
    /// When it does not answer.
    Export(ExportError),
}

/// What reads batch after batch.
struct Reader {
    /// Taken away only at its end.
    batches: Option<Batches<Tape, CallFilter>>,
    /// Forks between the first process and the one that made it.
    forks: u32,
}

/// A stream of the first `most` calls of `filter`.
///
/// # Errors
/// When the tape cannot be opened, or does not answer.
pub(super) fn stream(
    path: &Path,
    time_limit: Duration,
    filter: CallFilter,
    order: Order,
    most: usize,
) -> Result<FFI_ArrowArrayStream, Refused> {
    let mut tape = Tape::open(path).map_err(Refused::Open)?;
    tape.set_time_limit(time_limit);
    let batches = batches_in_order(tape, filter, order, most).map_err(Refused::Export)?;
    Ok(FFI_ArrowArrayStream::new(Box::new(Reader { batches: Some(batches), forks: fork::count() })))
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.forks != fork::count() {
            let message = "this stream of calls was begun before the process was forked: begin another one";
            return Some(Err(ArrowError::ExternalError(message.into())));
        }
        let batch = self.batches.as_mut()?.next()?;
        Some(batch.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        schema()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.forks != fork::count() {
            std::mem::forget(self.batches.take());
        }
    }
}
