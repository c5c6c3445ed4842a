//! Which functions a question is about, as people name them on the command line.

use rusqlite::Connection;

/// A function pattern: a glob (`*`, `?`, `[a-z]`) over the whole name, or plain text, which finds the names that have it
/// between dots: `place`, `orders` and `shop.orders` all find `shop.orders.place`, `place_order` and `ord` do not.
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

    /// Whether it is a glob of the whole name, and not a part of it.
    pub(super) fn is_glob(&self) -> bool {
        self.text.contains(['*', '?', '['])
    }

    /// The glob for a name with a dot before and after it.
    fn glob(&self) -> String {
        if !self.is_glob() { format!("*.{}.*", self.text) } else { format!(".{}.", self.text) }
    }

    /// The functions that match.
    pub(super) fn function_ids(&self, connection: &Connection) -> rusqlite::Result<Vec<i64>> {
        connection
            .prepare_cached(
                "SELECT id FROM function WHERE '.' || name || '.' GLOB ?1 OR group_name GLOB ?2 ORDER BY id",
            )?
            .query_map([self.glob().as_str(), &self.text], |row| row.get(0))?
            .collect()
    }
}
