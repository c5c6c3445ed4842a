//! A look into the database as any reader has it.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::{FromSql, ValueRef};

/// A reader's connection.
pub struct Database {
    connection: Connection,
}

impl Database {
    /// Opens the database at `path`.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).expect("a database");
        connection.busy_timeout(std::time::Duration::from_secs(5)).expect("a time limit");
        Self { connection }
    }

    /// The connection, to lock or change what a test needs.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The one value a query gives.
    ///
    /// # Panics
    /// When it gives none, or one of another type.
    pub fn one<T: FromSql>(&self, sql: &str) -> T {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|fault| panic!("{sql}: {fault:?}"))
    }

    /// The rows a query gives as lines, values separated by `|`, as SQLite's shell prints them.
    ///
    /// # Panics
    /// When SQLite refuses.
    pub fn lines(&self, sql: &str) -> Vec<String> {
        let mut statement = self.connection.prepare(sql).unwrap_or_else(|fault| panic!("{sql}: {fault:?}"));
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let show = |column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => String::new(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
                })
            };
            Ok((0..columns).map(show).collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
        });
        rows.and_then(Iterator::collect).unwrap_or_else(|fault| panic!("{sql}: {fault:?}"))
    }

    /// Fails unless every run and function balances, all minutes add up to their rows, and hours to their minutes.
    ///
    /// # Panics
    /// When the books do not balance.
    pub fn assert_balanced(&self) {
        let off = self.lines(
            "SELECT * FROM accounting WHERE calls != stored + sampled_out + dropped + in_flight + unknown
             OR in_flight < 0 OR unknown < 0",
        );
        assert!(off.is_empty(), "accounts that do not balance: {off:?}");
        let rows = self.lines(
            "SELECT t.run_id, c.function_id, count(*) FROM call c JOIN thread t ON t.id = c.thread_id
             WHERE c.status != 5 GROUP BY 1, 2",
        );
        let stored = self.lines(
            "SELECT run_id, function_id, sum(stored - pruned) FROM run_function GROUP BY 1, 2
             HAVING sum(stored - pruned) != 0 OR min(stored - pruned) < 0",
        );
        assert_eq!(rows, stored, "rows ended or interrupted, and what the books say is stored and not removed");
        let minutes: i64 = self.one("SELECT coalesce(sum(calls), 0) FROM minute");
        let ended: i64 = self.one("SELECT count(*) FROM call WHERE status < 5");
        let pruned: i64 = self.one("SELECT coalesce(sum(pruned), 0) FROM run_function");
        // What is removed stays in its minute, but for interrupted calls, which never were in one.
        assert!(
            (ended..=ended + pruned).contains(&minutes),
            "{minutes} calls in minutes, {ended} rows, {pruned} removed"
        );
        let by_hour = |table: &str, hour: &str| {
            self.lines(&format!(
                "SELECT {hour}, function_id, sum(calls), sum(errors), sum(sampled_out), sum(dropped), sum(total_ns),
                    min(min_ns), max(max_ns) FROM {table} WHERE {hour} <= (SELECT max(hour) FROM hour) GROUP BY 1, 2"
            ))
        };
        assert_eq!(by_hour("hour", "hour"), by_hour("minute", "minute / 60"), "hours, and the minutes of each");
    }
}
