//! The tape as the drain writes it: one SQLite file in WAL mode, one transaction a batch.
//!
//! The drain is the only caller and, by the writer lease, the only writer among all processes. Constraints:
//!
//! - A transaction holds a batch's rows, its cursors and its books, so that a replay changes nothing.
//! - An error rolls back and is handed up; nothing here retries, waits longer than 20 ms, or repairs.
//! - After any error the drain drops its `Store` and everything it knew, and opens it again.
//!
//! ```text
//! open.rs        create or open, check what the file is
//! upgrade.rs     a tape of an earlier version
//! transaction.rs begin, commit, notice a replaced file
//! rows.rs        call, failure, early_end
//! notes.rs       what a program adds to a call: call.args, early_note
//! books.rs       run, function, thread, run_function, cursor
//! counted.rs     tally, lost_error
//! minutes.rs     the rollup a function and minute
//! checkpoint.rs  WAL back into the file
//! peek.rs        one figure for a process that does not drain
//! schema.sql     the tables and the public views
//! ```

mod books;
mod checkpoint;
mod counted;
mod error;
mod minutes;
mod notes;
mod open;
mod peek;
mod rows;
mod transaction;
mod upgrade;

pub use error::StoreError;
pub use open::{APPLICATION_ID, MINIMUM_SQLITE, SCHEMA, SCHEMA_VERSION, check_format, prepare_directory};

pub(crate) use books::{BooksRow, CursorRow, RunRow};
pub(crate) use counted::LostErrorRow;
pub(crate) use minutes::{Delta, Minutes};
pub(crate) use open::Store;
pub(crate) use peek::stored_of_run;
pub(crate) use rows::{ActivityRow, CallRow, EndRow, ErrorKey, FailureRow, RowWriter};
pub(crate) use transaction::Transaction;
