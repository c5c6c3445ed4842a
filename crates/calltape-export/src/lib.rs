//! Exports: the calls of a tape as JSON Lines, CSV, Parquet, a trace for Perfetto, or Arrow record batches.
//!
//! ```text
//! engine::query -> source (pages, oldest first) -> columns -> json_lines, csv, batches -> parquet
//!                                               \> trace (tracks, flows, counters)
//! ```
//!
//! Called by the command line's `export` and, for [`batches`], by Python's Arrow stream. Reads through
//! `calltape_engine::query` alone and writes to what it is given.
//!
//! Constraints: memory does not grow with the number of calls; no read transaction is held between two pages, so a
//! program that records is never kept from shrinking its WAL; an export of a tape that is being written ends, with the
//! calls that were there when it began.

mod batches;
mod columns;
mod csv;
mod error;
mod export;
mod format;
mod json;
mod json_lines;
mod moment;
mod output;
mod parquet;
mod source;
mod trace;

pub use batches::{Batches, batches, batches_in_order, schema};
pub use error::ExportError;
pub use export::{Exported, export};
pub use format::Format;
