//! The columns of every tabular export: those of the view `calls`, by the same names and in the same order. One table,
//! read by JSON Lines, CSV and Arrow alike, so that no format can have others.

use crate::source::Row;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number: SQLite's INTEGER, 64 bits with a sign.
    Integer,
    /// A fraction.
    Real,
    /// Text.
    Text,
    /// JSON as it was recorded.
    Recorded,
    /// Unix ns, shown as a time.
    Moment,
}

/// The value of a column in one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Recorded(&'a str),
    Moment(i64),
}

/// One column.
pub(crate) struct Column {
    /// Its name in the view `calls`.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Whether a row may have none.
    pub(crate) nullable: bool,
    /// Its value in a row.
    pub(crate) read: for<'a> fn(&'a Row) -> Cell<'a>,
}

const fn column(name: &'static str, kind: Kind, nullable: bool, read: for<'a> fn(&'a Row) -> Cell<'a>) -> Column {
    Column { name, kind, nullable, read }
}

/// All columns.
pub(crate) const COLUMNS: [Column; 23] = [
    column("id", Kind::Integer, false, |row| id(row.call.id)),
    column("parent_id", Kind::Integer, true, |row| count(row.call.parent_id)),
    column("root_id", Kind::Integer, false, |row| id(row.call.root_id)),
    column("function", Kind::Text, false, |row| Cell::Text(&row.call.function)),
    column("group_name", Kind::Text, true, |row| text(row.call.group.as_deref())),
    column("kind", Kind::Text, false, |row| Cell::Text(&row.call.kind)),
    column("status", Kind::Text, false, |row| Cell::Text(row.call.status.name())),
    column("started_ns", Kind::Integer, false, |row| Cell::Integer(row.call.started_ns)),
    column("started_at", Kind::Moment, false, |row| Cell::Moment(row.call.started_ns)),
    column("duration_ns", Kind::Integer, true, |row| count(row.call.duration_ns)),
    column("active_ns", Kind::Integer, true, |row| count(row.call.active_ns)),
    column("yields", Kind::Integer, true, |row| count(row.call.yields)),
    column("args", Kind::Recorded, true, |row| recorded(row.call.args.as_deref())),
    column("result", Kind::Recorded, true, |row| recorded(row.call.result.as_deref())),
    column("error_type", Kind::Text, true, |row| text(row.call.error_type.as_deref())),
    column("error_message", Kind::Text, true, |row| text(row.call.error_message.as_deref())),
    column("traceback", Kind::Recorded, true, |row| recorded(row.traceback.as_deref())),
    column("thread", Kind::Text, false, |row| Cell::Text(&row.call.thread)),
    column("task", Kind::Text, true, |row| text(row.call.task.as_deref())),
    column("pid", Kind::Integer, false, |row| Cell::Integer(row.call.pid)),
    column("host", Kind::Text, false, |row| Cell::Text(&row.call.host)),
    column("run_id", Kind::Integer, false, |row| id(row.call.run_id)),
    column("weight", Kind::Real, false, |row| Cell::Real(row.call.weight)),
];

/// An id; ids are 63-bit.
fn id(id: u64) -> Cell<'static> {
    Cell::Integer(i64::try_from(id).unwrap_or(i64::MAX))
}

fn count(count: Option<u64>) -> Cell<'static> {
    count.map_or(Cell::Null, id)
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Null, Cell::Text)
}

fn recorded(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Null, Cell::Recorded)
}
