//! The drain: from journals to the database. One thread a process runs it; one process at a time, by the writer lease,
//! does more than keep its own journal supplied.
//!
//! ```text
//! thread.rs   when: poll, wake, finish; thread/round.rs one round: lease, breaker, pass
//! shared.rs   what recorder and thread tell each other
//! pass.rs     one batch: read, write, then release what is committed
//! commit.rs   the writing and the releasing
//! outcome.rs  what a pass came to
//! custody.rs  having the tape: opened, in its place, whole
//! displaced.rs the journal or the lease deleted under the process
//! incidents.rs what happened to it, until it can be written
//! pressure.rs spells of a full journal
//! continued.rs a run whose beginning is in another file
//! scan.rs     finding the runs of a tape
//! living.rs   whether the process of a run without a journal is there
//! run.rs      what is known of a run between batches: cursors, functions, threads, books
//! read.rs     frames of a run into a batch
//! batch.rs    calls of a batch, START and END joined
//! notes.rs    what a program adds to its calls
//! counted.rs  calls without a row, and lost errors
//! source/     the lines of source that failures came from
//! form.rs     what messages have in common
//! kinds.rs    kinds of error, and their numbers
//! write.rs    a batch into one transaction
//! settle.rs   the end of a run
//! retention.rs a step of removing what is too old or too much, after a pass
//! pace.rs     keeping the own journal supplied during long work
//! ```
//!
//! Constraints:
//!
//! - Nothing depends on memory: after any error all state is dropped and read again from the database. A cursor moves
//!   only in the transaction that stores the rows it passes.
//! - A segment is marked, recycled or removed only after COMMIT has returned.
//! - It never attaches to Python, never panics on recorded bytes, and does not touch the database while the breaker is
//!   open.

mod batch;
mod commit;
mod continued;
mod counted;
mod custody;
mod displaced;
mod form;
mod id_map;
mod incidents;
mod kinds;
mod living;
mod notes;
mod outcome;
mod pace;
mod pass;
mod pressure;
mod read;
mod retention;
mod run;
mod scan;
mod settle;
mod shared;
mod source;
mod thread;
mod write;

pub use form::message_form;
pub use kinds::ANY_MESSAGE;
pub use outcome::{DrainError, Point, Progress};
pub use pass::{Drain, tape_directory};
pub use retention::Pruning;
pub(crate) use retention::{a_step_long, perform};
pub(crate) use shared::{Shared, Wish};
pub(crate) use thread::{Running, Worker, spawn};
