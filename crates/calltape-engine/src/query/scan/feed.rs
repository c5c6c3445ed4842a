//! Rows of `call` in the order of ids, either way: a walk along the table, or one walk a key along an index, merged.

use std::collections::BinaryHeap;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{CachedStatement, Connection, Row, Rows};

use super::Columns;
use super::row::place;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Direction {
    /// The greatest id first.
    Down,
    /// The smallest id first.
    Up,
}

/// What is walked along. Each but the first has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Source {
    /// The table.
    All,
    /// The calls of a function.
    Function,
    /// The calls a call made.
    Parent,
    /// The calls that never ended, by their status.
    Unfinished,
    /// The calls that ended in one kind of error.
    Error,
}

/// The statement that walks; ?1 and ?2 are the first and the last id, ?3 the key.
pub(in crate::query) fn sql(source: Source, direction: Direction, columns: Columns) -> String {
    let rows = match source {
        Source::All => "FROM call c WHERE c.id BETWEEN ?1 AND ?2 ORDER BY c.id",
        Source::Function => "FROM call c WHERE c.function_id = ?3 AND c.id BETWEEN ?1 AND ?2 ORDER BY c.id",
        Source::Parent => "FROM call c WHERE c.parent_id = ?3 AND c.id BETWEEN ?1 AND ?2 ORDER BY c.id",
        // Literal in part, or the partial index could not serve it.
        Source::Unfinished => {
            "FROM call c WHERE c.status >= 5 AND c.status = ?3 AND c.id BETWEEN ?1 AND ?2 ORDER BY c.id"
        }
        Source::Error => {
            "FROM failure x CROSS JOIN call c ON c.id = x.call_id
             WHERE x.error_id = ?3 AND x.call_id BETWEEN ?1 AND ?2 ORDER BY x.call_id"
        }
    };
    let direction = if direction == Direction::Down { "DESC" } else { "ASC" };
    format!("SELECT {} {rows} {direction}", columns.sql())
}

/// The walks of one question, prepared.
pub(in crate::query) struct Feed<'c> {
    walks: Vec<(CachedStatement<'c>, Option<i64>)>,
    direction: Direction,
}

impl<'c> Feed<'c> {
    /// Walks along `source`, once for each of `keys`; along the table there is none.
    pub(in crate::query) fn prepare(
        connection: &'c Connection,
        source: Source,
        keys: &[i64],
        direction: Direction,
        columns: Columns,
    ) -> rusqlite::Result<Self> {
        let sql = sql(source, direction, columns);
        let prepare = |key| connection.prepare_cached(&sql).map(|statement| (statement, key));
        let walks = match source {
            Source::All => vec![prepare(None)?],
            _ => keys.iter().map(|&key| prepare(Some(key))).collect::<rusqlite::Result<_>>()?,
        };
        Ok(Self { walks, direction })
    }

    /// Hands the rows from id `first` to id `last` to `each`, until that says false; whether it never did.
    pub(in crate::query) fn rows(
        &mut self,
        first: i64,
        last: i64,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<bool> {
        if let [(statement, key)] = &mut self.walks[..] {
            let mut rows = query(statement, first, last, *key)?;
            while let Some(row) = rows.next()? {
                if !each(row)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        self.merged(first, last, each)
    }

    fn merged(
        &mut self,
        first: i64,
        last: i64,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<bool> {
        let direction = self.direction;
        // Greatest first, as the heap has it.
        let rank = |row: &Row<'_>| -> rusqlite::Result<i64> {
            let id: i64 = row.get(place::ID)?;
            Ok(if direction == Direction::Down { id } else { -id })
        };
        let (mut walks, mut heads): (Vec<Rows<'_>>, BinaryHeap<(i64, usize)>) = (Vec::new(), BinaryHeap::new());
        for (statement, key) in &mut self.walks {
            let mut rows = query(statement, first, last, *key)?;
            if let Some(row) = rows.next()? {
                heads.push((rank(row)?, walks.len()));
                walks.push(rows);
            }
        }
        while let Some((_, place)) = heads.pop() {
            let walk = &mut walks[place];
            let Some(row) = walk.get() else { continue };
            if !each(row)? {
                return Ok(false);
            }
            if let Some(row) = walk.next()? {
                heads.push((rank(row)?, place));
            }
        }
        Ok(true)
    }
}

fn query<'s>(
    statement: &'s mut CachedStatement<'_>,
    first: i64,
    last: i64,
    key: Option<i64>,
) -> rusqlite::Result<Rows<'s>> {
    match key {
        Some(key) => statement.query([first, last, key]),
        None => statement.query([first, last]),
    }
}
