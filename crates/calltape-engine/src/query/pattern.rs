//! Which functions a question is about, as people name them on the command line.

use rusqlite::{Connection, params};

/// A function pattern: a glob (`*`, `?`, `[a-z]`) over the whole name, or a plain name, which also finds the functions
/// that end or begin with it at a dot: `place` finds `shop.orders.place`, `shop.orders` finds all of that module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionPattern {
    text: String,
}

impl FunctionPattern {
    /// The pattern `text`; every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The globs a name may match, as SQLite's GLOB has them.
    fn globs(&self) -> [String; 3] {
        let plain = !self.text.contains(['*', '?', '[']);
        if plain {
            [self.text.clone(), format!("*.{}", self.text), format!("{}.*", self.text)]
        } else {
            [self.text.clone(), self.text.clone(), self.text.clone()]
        }
    }

    /// The functions that match.
    pub(super) fn function_ids(&self, connection: &Connection) -> rusqlite::Result<Vec<i64>> {
        let [whole, end, begin] = self.globs();
        connection
            .prepare_cached("SELECT id FROM function WHERE name GLOB ?1 OR name GLOB ?2 OR name GLOB ?3 ORDER BY id")?
            .query_map(params![whole, end, begin], |row| row.get(0))?
            .collect()
    }
}
