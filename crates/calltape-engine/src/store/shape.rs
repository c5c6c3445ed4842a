//! Whether a tape's own tables and views are as calltape makes them. SQLite's checks compare pages, rows and indexes; the
//! schema is text to them, in which one changed byte renames a column, or asks a view for something else. Called by
//! `watch.rs` for a file that is suspect, and by the query for `calltape doctor`.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::SCHEMA;

/// The tables and views of a database with the words that made them; what else is in it is its user's.
type Shape = BTreeMap<String, String>;

/// Says which of a tape's tables and views is not there, or not as it is made: the first by name.
pub(crate) fn first_changed(tape: &Connection) -> rusqlite::Result<Option<String>> {
    let made = Connection::open_in_memory()?;
    made.execute_batch(SCHEMA)?;
    let found = shape(tape)?;
    let changed = shape(&made)?.into_iter().find(|(name, words)| found.get(name) != Some(words));
    Ok(changed.map(|(name, _)| format!("the {name} is not as it was made")))
}

fn shape(connection: &Connection) -> rusqlite::Result<Shape> {
    let mut statement =
        connection.prepare("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE type IN ('table', 'view')")?;
    // Damaged text need not be UTF-8.
    let text = |row: &rusqlite::Row<'_>, column| -> rusqlite::Result<String> {
        let found = row.get_ref(column)?.as_bytes_or_null()?.unwrap_or_default();
        Ok(String::from_utf8_lossy(found).into_owned())
    };
    statement.query_map([], |row| Ok((text(row, 0)?, words(&text(row, 1)?))))?.collect()
}

/// A statement without comments, quotes and spaces: SQLite quotes the name of a table that was renamed.
fn words(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::chars).filter(|letter| *letter != '"' && !letter.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA_VERSION;

    /// A tape of the same version with other words would be taken for damaged.
    #[test]
    fn a_schema_with_other_words_has_another_version() {
        let made = Connection::open_in_memory().expect("opens");
        made.execute_batch(SCHEMA).expect("made");
        // FNV-1a.
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let words = shape(&made).expect("read").into_iter().map(|(name, words)| name + &words).collect::<String>();
        let of_words = words.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
        let remedy = "the schema has changed: raise SCHEMA_VERSION, write a step in upgrade.rs, then change this line";
        assert_eq!((SCHEMA_VERSION, of_words), (3, 0x723e_8169_55c9_8177), "{remedy}");
    }
}
