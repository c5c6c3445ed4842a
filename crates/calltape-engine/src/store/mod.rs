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
//! transaction.rs begin, commit
//! watch.rs       whether the files are as they were left: moved, replaced, damaged
//! wal.rs         whether the WAL's frames are
//! shape.rs       whether its tables and views are as they were made
//! marker.rs      which file was our tape, remembered outside of it
//! quarantine.rs  a damaged tape out of the way
//! rows.rs        call, failure, early_end
//! kinds.rs       error
//! notes.rs       what a program adds to a call: call.args, early_note
//! books.rs       run, function, thread, run_function, cursor
//! counted.rs     tally, lost_error
//! minutes.rs     the rollup a function and minute
//! hours.rs       the rollup a function and hour
//! elsewhere.rs   calls of a run that are in another file
//! incidents.rs   when recording was less than it should be
//! checkpoint.rs  WAL back into the file, and within its limit
//! prune.rs       rows that retention removes, room given back
//! peek.rs        one figure for a process that does not drain, and whether a write can be begun
//! schema.sql     the tables and the public views
//! ```

mod books;
mod checkpoint;
mod counted;
mod elsewhere;
mod error;
mod hours;
mod incidents;
mod kinds;
mod marker;
mod minutes;
mod notes;
mod open;
mod peek;
mod prune;
mod quarantine;
mod rows;
mod shape;
mod transaction;
mod upgrade;
mod wal;
mod watch;

pub use error::StoreError;
pub use open::{APPLICATION_ID, MINIMUM_SQLITE, SCHEMA, SCHEMA_VERSION, check_format, prepare_directory, prepare_tape};

pub(crate) use books::{BooksRow, CursorRow, OpenRun, RunRow};
pub(crate) use counted::LostErrorRow;
pub(crate) use error::may_be_of_the_schema;
pub(crate) use incidents::IncidentRow;
pub(crate) use kinds::ErrorKey;
pub(crate) use minutes::{Delta, Minutes};
pub(crate) use open::{Store, WAL_LIMIT_BYTES, beside};
pub(crate) use peek::{stored_of_run, try_to_write};
pub(crate) use prune::Removed;
pub(crate) use quarantine::{can_be_written, remedy_of_damage, set_aside, was_our_tape};
pub(crate) use rows::{ActivityRow, CallRow, EndRow, FailureRow, RowWriter};
pub(crate) use shape::first_changed;
pub(crate) use transaction::Transaction;
