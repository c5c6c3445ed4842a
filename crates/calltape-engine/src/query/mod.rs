//! Reading the tape: typed questions in, typed rows out. The only place that reads; the CLI and the viewer write no SQL.
//!
//! [`Tape`] is a read-only connection. Each question is one method on it, in the file named after the question:
//!
//! | question | method | reads |
//! |---|---|---|
//! | which functions, how often, how slow | [`Tape::overview`] | `minute` only |
//! | which calls were such | [`Tape::calls`] | `call` by id, or along the index that holds the fewest |
//! | what was called last | [`Tape::latest`], [`Follower`] | the same |
//! | what is slow | [`Tape::slowest`] | `minute`, then the calls of its slowest minutes |
//! | what runs now | [`Tape::running`] | `call` by its status, where unfinished |
//! | when, and how long | [`Tape::minutes`], [`Tape::latency`] | `minute` only, or every call of a filter |
//! | what changed between two times or runs | [`Tape::diff`] | `minute`, or a run's calls |
//! | why is nothing found | [`Tape::notices`] | names, never a call |
//! | anything else | [`Tape::sql`] | what the statement says |
//! | what was this call | [`Tape::call`] | one row and its failure |
//! | which call made which | [`Tape::tree`] | `call` by parent |
//! | what fails, where, since when | [`Tape::errors`] | `failure` by error, or by id |
//! | is the recorder healthy, do the books balance | [`Tape::accounting`], [`Tape::runs`], [`Tape::files`] | `run_function` |
//! | when was recording incomplete | [`Tape::incidents`], [`Tape::lost_errors`] | `incident`, `lost_error` |
//! | is the file sound, are the rows those the books count | [`Tape::quick_check`], [`Tape::mismatches`] | all of it |
//!
//! Constraints: every read runs in one read transaction, so that its rows belong together, and under a time limit
//! ([`QueryError::TooSlow`]); a time range goes through the order of ids, never through a scan; nothing here writes,
//! and nothing here trusts a row to be well-formed. Text comes back as recorded: who shows it on a terminal escapes it.

mod accounting;
mod calls;
mod cells;
mod diff;
mod error;
mod errors;
mod failure;
mod filter;
mod follow;
mod health;
mod incidents;
mod journals;
mod minutes;
mod notices;
mod overview;
mod page;
mod pattern;
mod range;
mod run_text;
mod running;
mod scan;
mod slowest;
mod sql;
mod tape;
mod time_text;
mod tree;

pub use accounting::{Account, Files, FunctionAccount, RunAccount};
pub use calls::{Call, CallDetail};
pub use diff::{Diff, Figures, FunctionDiff, Side, Why};
pub use error::{OpenError, QueryError};
pub use errors::{ErrorFilter, ErrorGroup, LastError};
pub use failure::{ChainLink, Failure, Frame, Relation};
pub use filter::{CallFilter, Condition, DurationRange, FilterError, TextPattern};
pub use follow::{Followed, Follower};
pub use health::{Beyond, Mismatch};
pub(crate) use incidents::set_aside;
pub use incidents::{Incident, LostErrors};
pub use journals::JournalState;
pub(crate) use journals::waiting_in;
pub use minutes::{Bucket, Histogram, MinuteFigures};
pub use overview::{Overview, OverviewColumn, OverviewFilter, OverviewPage};
pub use page::{Cursor, CursorError, Order, Page};
pub use pattern::FunctionPattern;
pub use range::TimeRange;
pub use run_text::parse_run;
pub use sql::{SqlAnswer, SqlValue, StatementError};
pub use tape::{DEFAULT_TIME_LIMIT, Tape};
pub use time_text::{parse_duration, parse_time};
pub use tree::{CallTree, TreeItem, TreeLimits};

#[cfg(test)]
mod plans;
#[cfg(test)]
mod sample_tape;
#[cfg(test)]
use crate::drain::message_form;
#[cfg(test)]
use crate::store::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION};
