//! Errors there was no room for, over all runs, by kind. Few rows: at most a thousand a run that ran out of room.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{Counted, ErrorFilter, ErrorGroup};
use crate::drain::ANY_MESSAGE;
use crate::query::calls::unsigned;

/// The first version of a tape that holds them.
pub(super) const SINCE_VERSION: i64 = 3;

/// What tells kinds apart: function, type, file, line, place.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind(i64, String, String, i64, String);

/// Errors of one kind.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) calls: u64,
    pub(super) first_ns: i64,
    pub(super) last_ns: i64,
    /// The function's name.
    function: String,
}

/// Those that a question is about.
#[derive(Debug, Default)]
pub(super) struct LostErrors {
    kinds: HashMap<Kind, Lost>,
}

/// Reads them. Of a kind there is one time of the first and one of the last: it is in a range when any
/// time between them may be.
pub(super) fn read(connection: &Connection, filter: &ErrorFilter) -> rusqlite::Result<LostErrors> {
    let mut lost = LostErrors::default();
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version < SINCE_VERSION {
        return Ok(lost);
    }
    let functions = filter.pattern.as_ref().map(|pattern| pattern.function_ids(connection)).transpose()?;
    let mut statement = connection.prepare_cached(
        "SELECT l.function_id, l.type, l.file, l.line, l.place, l.calls, l.first_ns, l.last_ns, f.name
         FROM lost_error l JOIN function f ON f.id = l.function_id WHERE l.last_ns >= ?1 AND l.first_ns <= ?2",
    )?;
    let mut rows = statement.query([filter.since_ns.unwrap_or(i64::MIN), filter.until_ns.unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        let kind = Kind(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        if functions.as_ref().is_some_and(|functions| !functions.contains(&kind.0)) || !filter.is_of_type(&kind.1) {
            continue;
        }
        let one =
            Lost { calls: unsigned(row.get(5)?), first_ns: row.get(6)?, last_ns: row.get(7)?, function: row.get(8)? };
        lost.kinds.entry(kind).and_modify(|known| known.add(&one)).or_insert(one);
    }
    Ok(lost)
}

impl Lost {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.first_ns = self.first_ns.min(other.first_ns);
        self.last_ns = self.last_ns.max(other.last_ns);
    }
}

impl LostErrors {
    /// Moves those into `groups` that are of a kind with one of them alone. What a lost error said is not known: where its
    /// kind has messages of several forms it is in none of their groups.
    pub(super) fn join(&mut self, connection: &Connection, groups: &mut [Counted]) -> rusqlite::Result<()> {
        if self.kinds.is_empty() {
            return Ok(());
        }
        let mut of_kind =
            connection.prepare_cached("SELECT function_id, type, file, line, place FROM error WHERE id = ?1")?;
        let mut places: HashMap<Kind, Vec<usize>> = HashMap::new();
        for (at, group) in groups.iter().enumerate() {
            let kind = of_kind.query_row([group.error_id], |row| {
                Ok(Kind(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?;
            places.entry(kind).or_default().push(at);
        }
        for (kind, at) in places {
            if let [only] = at[..] {
                groups[only].lost = self.kinds.remove(&kind);
            }
        }
        Ok(())
    }

    /// The others as groups of their own, the latest first.
    pub(super) fn into_groups(self) -> Vec<ErrorGroup> {
        let groups = self.kinds.into_iter().map(|(Kind(_, error_type, file, line, place), lost)| ErrorGroup {
            error_type,
            function: lost.function,
            file,
            line,
            place,
            message_form: ANY_MESSAGE.to_owned(),
            count: lost.calls,
            lost: lost.calls,
            first_seen_ns: lost.first_ns,
            last_seen_ns: lost.last_ns,
            last: None,
        });
        let mut groups: Vec<ErrorGroup> = groups.collect();
        groups.sort_by(|a, b| {
            let names = |group: &ErrorGroup| (group.function.clone(), group.error_type.clone(), group.line);
            b.last_seen_ns.cmp(&a.last_seen_ns).then_with(|| names(a).cmp(&names(b)))
        });
        groups
    }
}
