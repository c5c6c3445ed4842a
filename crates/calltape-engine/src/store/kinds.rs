//! Kinds of error: exceptions that are the same in everything but what differs from call to call. Called by the drain
//! (`drain/kinds.rs`), which keeps the numbers at hand.

use rusqlite::{ToSql, params_from_iter};

use super::{RowWriter, StoreError};

/// Where an error came from: the table `error` without the message's form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ErrorKey {
    pub(crate) function: i64,
    pub(crate) error_type: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) place: String,
    /// How they ended their calls.
    pub(crate) status: u8,
}

impl ErrorKey {
    fn values(&self) -> [&dyn ToSql; 6] {
        [&self.function, &self.error_type, &self.file, &self.line, &self.place, &self.status]
    }
}

impl RowWriter<'_> {
    /// The forms of message that errors of `key` are stored with, and their numbers.
    pub(crate) fn forms(&self, key: &ErrorKey) -> Result<Vec<(String, i64)>, StoreError> {
        let doing = StoreError::sqlite("to look for a kind of error");
        let sql = "SELECT form, id FROM error
            WHERE function_id = ?1 AND type = ?2 AND file = ?3 AND line = ?4 AND place = ?5 AND status = ?6";
        let mut statement = self.connection.prepare_cached(sql).map_err(&doing)?;
        let rows = statement.query_map(&key.values()[..], |row| Ok((row.get(0)?, row.get(1)?))).map_err(&doing)?;
        rows.collect::<rusqlite::Result<_>>().map_err(&doing)
    }

    /// Adds a form of message to those of `key`: its number.
    pub(crate) fn add_form(&self, key: &ErrorKey, form: &str) -> Result<i64, StoreError> {
        let doing = StoreError::sqlite("to store a kind of error");
        let sql = "INSERT INTO error (function_id, type, file, line, place, status, form) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = self.connection.prepare_cached(sql).map_err(&doing)?;
        let values = key.values();
        let form: &dyn ToSql = &form;
        statement.insert(params_from_iter(values.iter().chain([&form]))).map_err(&doing)
    }
}
