//! The columns a condition may name: those of the view `calls`, under shorter names where people would use them.

/// A column of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Column {
    Function,
    Group,
    Kind,
    Status,
    Duration,
    Started,
    ErrorType,
    ErrorMessage,
    Thread,
    Task,
    Pid,
    Host,
    Run,
    Parent,
    Root,
    Id,
    Weight,
    Yields,
    Active,
}

/// What stands in a column, and how people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    Number,
    /// A run's id, also as it is shown.
    Run,
    /// Nanoseconds, written `50ms`.
    Duration,
    /// Unix nanoseconds, written as a time.
    Time,
}

const STATUSES: &[&str] = &["ok", "error", "cancelled", "closed", "abandoned", "running", "interrupted"];
const KINDS: &[&str] = &["function", "coroutine", "generator", "async_generator", "span"];

/// The names, what they mean and an example of their use. The names of the view `calls` count as well.
const NAMES: [(&str, Column, Holds, &str); 27] = [
    ("function", Column::Function, Holds::Text, "function = shop.orders.place"),
    ("group", Column::Group, Holds::Text, "group = orders"),
    ("group_name", Column::Group, Holds::Text, "group = orders"),
    ("kind", Column::Kind, Holds::Word(KINDS), "kind = coroutine"),
    ("status", Column::Status, Holds::Word(STATUSES), "status in (error, interrupted)"),
    ("duration", Column::Duration, Holds::Duration, "duration >= 50ms"),
    ("duration_ns", Column::Duration, Holds::Duration, "duration >= 50ms"),
    ("started", Column::Started, Holds::Time, "started >= \"2026-10-14 09:00\""),
    ("started_at", Column::Started, Holds::Time, "started >= \"2026-10-14 09:00\""),
    ("started_ns", Column::Started, Holds::Time, "started >= \"2026-10-14 09:00\""),
    ("error_type", Column::ErrorType, Holds::Text, "error_type = ValueError"),
    ("error_message", Column::ErrorMessage, Holds::Text, "error_message ~ \"timed? out\""),
    ("thread", Column::Thread, Holds::Text, "thread = MainThread"),
    ("task", Column::Task, Holds::Text, "task = Task-12"),
    ("pid", Column::Pid, Holds::Number, "pid = 4711"),
    ("host", Column::Host, Holds::Text, "host = web-3"),
    ("run", Column::Run, Holds::Run, "run = 000288a172d77367"),
    ("run_id", Column::Run, Holds::Run, "run = 000288a172d77367"),
    ("parent", Column::Parent, Holds::Number, "not has parent"),
    ("parent_id", Column::Parent, Holds::Number, "not has parent"),
    ("root", Column::Root, Holds::Number, "root = 685000000000000"),
    ("root_id", Column::Root, Holds::Number, "root = 685000000000000"),
    ("id", Column::Id, Holds::Number, "id = 685000000000000"),
    ("weight", Column::Weight, Holds::Number, "weight > 1"),
    ("yields", Column::Yields, Holds::Number, "yields > 100"),
    ("active", Column::Active, Holds::Duration, "active >= 50ms"),
    ("active_ns", Column::Active, Holds::Duration, "active >= 50ms"),
];

impl Column {
    /// The column of a name, what it holds and an example of its use.
    pub(super) fn named(name: &str) -> Option<(Self, Holds, &'static str)> {
        NAMES.iter().find(|entry| entry.0 == name).map(|&(_, column, holds, example)| (column, holds, example))
    }

    /// The names there are.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|entry| entry.0)
    }
}
